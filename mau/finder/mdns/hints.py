"""What was heard in one network: who is said to be where, and until when that is believed. Pure.

Nothing that is heard here is true before a handshake proved it. So all that is said of a name is kept side
by side, as far as the bounds reach: what one says takes nothing away that another said (spec/finding.md
N28-N34). Records of DNS come in one by one; what goes out are addresses that appear and disappear. Times are
given, in seconds of any clock that only grows.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from mau.finder.mdns.budget import Budget
from mau.finder.mdns.names import fingerprint_of, instance
from mau.finder.mdns.network import IP, Network
from mau.fingerprint import Fingerprint
from mau.hostport import Address

MAX_NAMES: Final = 2_000
MAX_ADDRESSES: Final = 8
"""Addresses of one name; the one that was not heard of for the longest time gives way."""
MAX_HOSTS: Final = 4
"""Targets of one name."""
SHORTEST: Final = 1_800.0
LONGEST: Final = 4_500.0
"""Seconds for which something that was heard is believed, whatever its TTL."""
FAREWELL: Final = 6.0
"""Seconds in which somebody may contradict a goodbye."""
MAX_PEOPLE: Final = 16
"""Names that one target serves: a record of its address is looked at once for each of them."""
_TRIES: Final = 3

Where = tuple[str, int]
"""A target of a service: the name of a host, in lower case, and a port."""


@dataclass(frozen=True, slots=True)
class Change:
    """Somebody is said to be there, or no longer."""

    fingerprint: Fingerprint
    address: Address
    present: bool


@dataclass(slots=True)
class _Name:
    """What is said of one person. Each value is the time until which it is believed."""

    services: dict[Where, float] = field(default_factory=dict)
    addresses: dict[tuple[IP, int], float] = field(default_factory=dict)
    until: float = 0.0
    asked: int = 0
    # New addresses: eight at once, then one a minute.
    budget: Budget = field(default_factory=lambda: Budget(MAX_ADDRESSES, 1 / 60))


class Hints:
    """The hints of one network.

    ``own``: who is no hint. ``wanted``: whose hints are kept however many strangers shout.
    """

    def __init__(
        self, own: Fingerprint, network: Network, wanted: Callable[[Fingerprint], bool] = lambda _: False
    ) -> None:
        self._own = own
        self._network = network
        self._wanted = wanted
        self._names: dict[Fingerprint, _Name] = {}
        self._hosts: dict[str, set[Fingerprint]] = {}
        self._strangers = Budget(500, 20)

    def __len__(self) -> int:
        return len(self._names)

    def pointer(self, name: str, ttl: float, now: float) -> None:
        """A PTR record: that name offers the service. With TTL 0 it says goodbye."""
        found = self._name(name, now, create=ttl > 0)
        if found is None:
            return
        if ttl > 0:
            found.until = max(found.until, now + _life(ttl))
            return
        found.until = min(found.until, now + FAREWELL)
        found.services = {one: min(until, now + FAREWELL) for one, until in found.services.items()}
        found.addresses = {one: min(until, now + FAREWELL) for one, until in found.addresses.items()}

    def service(self, name: str, host: str, port: int, ttl: float, now: float) -> bool:
        """A SRV record. Whether the addresses of ``host`` are to be looked up now, if they are known."""
        if not 0 < port < 65536:
            return False
        found = self._name(name, now, create=ttl > 0)
        if found is None:
            return False
        where = (host.lower(), port)
        fingerprint = fingerprint_of(name)
        assert fingerprint is not None  # noqa: S101 - _name found it
        if ttl <= 0:
            if where in found.services:
                found.services[where] = min(found.services[where], now + FAREWELL)
            return False
        people = self._hosts.get(where[0], set())
        if fingerprint not in people and len(people) >= MAX_PEOPLE and not self._wanted(fingerprint):
            return False
        if where not in found.services and len(found.services) >= MAX_HOSTS:
            self._drop_service(found, name, min(found.services, key=lambda one: found.services[one]))
        found.services[where] = now + _life(ttl)
        found.until = max(found.until, now + _life(ttl))
        self._hosts.setdefault(where[0], set()).add(fingerprint)
        return True

    def address(self, host: str, raw: bytes, ttl: float, now: float) -> list[Change]:
        """An A or AAAA record: ``raw`` has 4 or 16 bytes. Of hosts that no service names nothing is kept."""
        people = self._hosts.get(host.lower())
        if not people or len(raw) not in (4, 16):
            return []
        ip = ipaddress.ip_address(raw)
        if not self._network.holds(ip):
            return []
        changes: list[Change] = []
        for fingerprint in sorted(people):
            found = self._names[fingerprint]
            for (of, port), until in list(found.services.items()):
                if of == host.lower():
                    # A host may well stay when the service on it says goodbye.
                    life = min(_life(ttl), until - now) if ttl > 0 else 0.0
                    changes += self._heard(fingerprint, found, (ip, port), life, now)
        return changes

    def _heard(
        self, fingerprint: Fingerprint, found: _Name, at: tuple[IP, int], life: float, now: float
    ) -> list[Change]:
        held = at in found.addresses
        if life <= 0:
            if held:
                found.addresses[at] = min(found.addresses[at], now + FAREWELL)
            return []
        if held:
            del found.addresses[at]  # what was heard last stands last
            found.addresses[at] = now + life
            return []
        if not found.budget.take(now):
            return []
        changes = []
        if len(found.addresses) >= MAX_ADDRESSES:
            oldest = next(iter(found.addresses))
            del found.addresses[oldest]
            changes.append(self._change(fingerprint, oldest, present=False))
        found.addresses[at] = now + life
        return [*changes, self._change(fingerprint, at, present=True)]

    def _change(self, fingerprint: Fingerprint, at: tuple[IP, int], *, present: bool) -> Change:
        return Change(fingerprint, (self._network.host(at[0]), at[1]), present)

    def _name(self, name: str, now: float, *, create: bool) -> _Name | None:
        """What is held of a name; None for what is no name of ours, or one too many."""
        fingerprint = fingerprint_of(name)
        if fingerprint is None or fingerprint == self._own:
            return None
        found = self._names.get(fingerprint)
        if found is not None or not create:
            return found
        full = len(self._names) >= MAX_NAMES
        if not self._wanted(fingerprint) and (full or not self._strangers.take(now)):
            return None
        found = self._names[fingerprint] = _Name()
        return found

    def _drop_service(self, found: _Name, name: str, where: Where) -> None:
        del found.services[where]
        fingerprint = fingerprint_of(name)
        if fingerprint is not None and all(host != where[0] for host, _ in found.services):
            self._leave(fingerprint, where[0])

    def _leave(self, fingerprint: Fingerprint, host: str) -> None:
        people = self._hosts.get(host, set())
        people.discard(fingerprint)
        if not people:
            self._hosts.pop(host, None)

    def expire(self, now: float) -> list[Change]:
        """Forget what is no longer believed."""
        changes: list[Change] = []
        for fingerprint, found in list(self._names.items()):
            for at, until in list(found.addresses.items()):
                if until <= now:
                    del found.addresses[at]
                    changes.append(self._change(fingerprint, at, present=False))
            for where, until in list(found.services.items()):
                if until <= now:
                    self._drop_service(found, instance(fingerprint), where)
            if not found.services and not found.addresses and found.until <= now:
                del self._names[fingerprint]
        return changes

    def present(self) -> Iterator[Change]:
        """Everything that is believed now."""
        for fingerprint, found in self._names.items():
            for at in found.addresses:
                yield self._change(fingerprint, at, present=True)

    # --- what to ask ---------------------------------------------------------------------------------------

    def unresolved(self, most: int) -> list[Fingerprint]:
        """Names without an address that were not asked about too often; this counts as asking."""
        found: list[Fingerprint] = []
        for fingerprint, name in self._names.items():
            if len(found) >= most:
                break
            if not name.addresses and name.asked < _TRIES:
                name.asked += 1
                found.append(fingerprint)
        return found

    def hosts_of(self, fingerprint: Fingerprint) -> list[str]:
        """The targets that a name has."""
        found = self._names.get(fingerprint)
        return [] if found is None else sorted({host for host, _ in found.services})

    def believed(self, now: float, most: int) -> list[tuple[Fingerprint, float]]:
        """Names that need not be said again (RFC 6762 7.1): those known for longer than half of their time.

        With the seconds that are left.
        """
        lasting = (
            (fingerprint, found.until - now)
            for fingerprint, found in self._names.items()
            if found.addresses and found.until - now > LONGEST / 2
        )
        return [one for one, _ in zip(lasting, range(most), strict=False)]


def _life(ttl: float) -> float:
    return min(max(ttl, SHORTEST), LONGEST)
