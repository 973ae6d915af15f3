"""Where others reach us: what the user says, what the router maps, and what peers found when they dialled.

An address is announced once a peer dialled it (spec/finding.md N50-N55). The peer could lie: what it says of
the host counts only where that host is ours by another sign, or a friend or two peers say the same.
"""

from __future__ import annotations

import ipaddress
import logging
import random
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from mau.addressbook import AddressBook
from mau.errors import IdentityError, NotOffered, PeerError
from mau.finder.pool import Pool
from mau.finder.ports import Mapping
from mau.fingerprint import Fingerprint
from mau.hostport import Address, circuit_of, is_far, prefixes, scope_of
from mau.wire.kad import DialBack

LASTS: Final = 2 * 3600.0
"""Seconds for which a confirmation counts."""
_LATELY: Final = 86_400
_ASKED: Final = 3
"""Peers that are asked, for each kind of address."""
_MOST_PORTS: Final = 3
_log = logging.getLogger("mau.finder.reach")


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Somebody reached us there: when (Unix seconds), and who."""

    address: Address
    at: float
    by: Fingerprint


class Reach:
    """What is known of our own addresses."""

    def __init__(
        self,
        own: Fingerprint,
        book: AddressBook,
        pool: Pool,
        *,
        port: Callable[[], int | None],
        stated: Iterable[Address] = (),
        friends: Callable[[], frozenset[Fingerprint]] = frozenset,
        strangers: bool = False,
    ) -> None:
        """``port``: where our server listens now; None when it does not.

        ``strangers``: may be asked, too. Whoever is asked learns who we are, and at which port.
        """
        self._strangers = strangers
        self._own = own
        self._book = book
        self._pool = pool
        self.stated = tuple(stated)
        self._friends = friends
        self._port = port
        self.mappings: tuple[Mapping, ...] = ()
        self.asked = 0
        """How many peers said something at the last time."""
        self._confirmed: dict[Address, Confirmed] = {}
        self._looked = float("-inf")

    @property
    def confirmed(self) -> tuple[Confirmed, ...]:
        """Where peers reached us lately, the latest first."""
        now = time.time()
        fresh = [one for one in self._confirmed.values() if 0 <= now - one.at < LASTS]
        return tuple(sorted(fresh, key=lambda one: -one.at))

    @property
    def known(self) -> bool:
        """Whether somebody looked lately: without that, that nothing is confirmed says nothing."""
        return 0 <= time.time() - self._looked < LASTS

    @property
    def public(self) -> tuple[Address, ...]:
        """Where the internet reaches us, the user's word first."""
        found = [*self.stated, *(one.address for one in self.confirmed)]
        return tuple(dict.fromkeys(one for one in found if is_far(one[0])))

    def announced(self, to: Address) -> Address | None:
        """What to say of ourselves to somebody at ``to``: None when he could not come."""
        port = self._port()
        if port is None or circuit_of(to[0]) is not None:
            return None
        scope = scope_of(to[0])
        if scope in ("private", "loopback"):
            here = local_address(to)
            return None if here is None else (here, port)
        return _of_kind(to, self.public)

    @property
    def askable(self) -> bool:
        """Whether there is anybody to ask."""
        return bool(self._peers())

    # --- asking --------------------------------------------------------------------------------------------

    async def confirm(self) -> None:
        """Let peers dial us, on every port by which we may be reached."""
        here = self._port()
        if here is None:
            return
        external = {one.external for one in self.mappings if one.public}
        ports = list(dict.fromkeys([*(port for _, port in external), here]))[:_MOST_PORTS]
        ours = {host for host, _ in external} | {host for host, _ in self.stated}
        found: dict[Address, list[tuple[Fingerprint, str]]] = {}
        asked, kinds = 0, set()
        for peer, address in self._peers():
            ours |= {local_address(address) or address[0]} - {address[0]}
            for port in ports:
                answer = await self._dialled(peer, address, port)
                if answer is None:
                    continue
                asked += 1
                kinds.add(":" in address[0])
                host, said = answer.address
                if answer.reached and said == port and scope_of(host) == "global":
                    found.setdefault((host, said), []).append((peer, address[0]))
        self.asked = asked
        if asked:
            self._looked = time.time()
        friends, now = self._friends(), time.time()
        for seen, by in found.items():
            if seen[0] in ours or vouched(by, friends):
                self._confirmed[seen] = Confirmed(seen, now, by[0][0])
        for old in set(self._confirmed) - set(found):
            if (":" in old[0]) in kinds:
                del self._confirmed[old]  # somebody tried, and nobody came through

    async def _dialled(self, peer: Fingerprint, address: Address, port: int) -> DialBack | None:
        """What that peer found; None when it said nothing."""
        try:
            async with self._pool.peer(peer, address) as client:
                return await client.dial_back(port)
        except NotOffered:
            return None
        except (PeerError, IdentityError) as error:
            _log.debug("nobody dials back: %s", error)
            return None

    def _peers(self) -> list[tuple[Fingerprint, Address]]:
        """Whom to ask: on the internet, proven lately, friends first; some for each kind of address."""
        since, friends = time.time() - _LATELY, self._friends()
        lines = [
            one
            for one in self._book.known()
            if one.last_proven is not None
            and one.last_proven > since
            and not one.failures
            and one.fingerprint != self._own
            and (self._strangers or one.fingerprint in friends)
            and scope_of(one.host) == "global"
        ]
        random.shuffle(lines)
        lines.sort(key=lambda one: one.fingerprint not in friends)
        found: list[tuple[Fingerprint, Address]] = []
        for version in (4, 6):
            kind = [one for one in lines if ipaddress.ip_address(one.host).version == version]
            people = {one.fingerprint: (one.host, one.port) for one in reversed(kind)}
            found += list(reversed(people.items()))[:_ASKED]
        return found


def vouched(by: Iterable[tuple[Fingerprint, str]], friends: frozenset[Fingerprint]) -> bool:
    """Whether those who say the same, each at a host, are a friend or two strangers (N51).

    Fingerprints cost nothing: two are two only in two networks.
    """
    told = list(by)
    return any(peer in friends for peer, _ in told) or len({prefixes(host)[1] for _, host in told}) > 1


def _of_kind(to: Address, places: Iterable[Address]) -> Address | None:
    """The first place of the same IP version, else the first."""
    places = list(places)
    same = [one for one in places if scope_of(one[0]) != "name" and (":" in one[0]) == (":" in to[0])]
    return next(iter(same or places), None)


def local_address(towards: Address) -> str | None:
    """This machine's address when it talks to somebody; None where there is no way. Nothing is sent."""
    host, port = towards
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((host, port))
            return str(probe.getsockname()[0])
    except OSError:
        return None
