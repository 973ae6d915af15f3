"""`mau find --watch`: keeps known where everybody followed is, and lets them find us (spec/finding.md).

Its parts run side by side, each on its own: the local networks, the lookup network, the ports at the router,
confirming where we are reached, circuits, the contact post, looking for those who are missing. What fails is
begun again after a while, and told in the status.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from mau.account import Account
from mau.addressbook import AddressBook
from mau.circuit.place import CircuitEnd
from mau.contact.document import ContactFacts
from mau.contact.post import feed_all, publish_contact
from mau.errors import MauError, PeerError
from mau.finder.circuits import Registrar
from mau.finder.dns import lookup_domain
from mau.finder.mdns import Mdns
from mau.finder.nodes import Nodes
from mau.finder.pool import Pool
from mau.finder.ports import Mapping, PortKeeper, explain
from mau.finder.reach import Reach
from mau.finder.status import FinderStatus, Place, write_status
from mau.finder.wants import Wants
from mau.fingerprint import Fingerprint
from mau.hostport import Address, circuit_of, format_address
from mau.kademlia import Node
from mau.keyring import Keyring

Facts = Callable[[Iterable[Address], Iterable[Fingerprint]], ContactFacts]
Where = Callable[[], Address | None]

_LOOK_EVERY: Final = 2.0
_CONFIRM_EVERY: Final = 1800.0
_CONFIRM_SOON: Final = (5.0, 600.0)
"""Until somebody could be asked."""
_SEEK_EVERY: Final = 5.0
_SEEK_AGAIN: Final = (30.0, 3600.0)
_STATUS_EVERY: Final = 60.0
_AGAIN: Final = 30.0
_FRIENDS_ASKED: Final = 8
_SETTLED: Final = 2.0
_log = logging.getLogger("mau.finder")


class Finder:
    """The worker of one tree; `run` is its life."""

    name = "finder"

    def __init__(
        self,
        account: Account,
        keyring: Keyring,
        wants: Wants,
        *,
        where: Where = lambda: None,
        facts: Facts | None = None,
        given: dict[Fingerprint, tuple[Address, ...]] | None = None,
    ) -> None:
        """``where``: where our server listens, None when it does not (yet). ``facts``: what friends are told,
        given where we are reached and our circuit relays; None tells them nothing. ``given``: addresses of
        people, by hand.
        """
        self._account = account
        self._keyring = keyring
        self._wants = wants
        self._where = where
        self._facts = facts
        self._given = given
        self._book = AddressBook(account.root)
        identity = account.identity()
        self._identity = identity
        self._pool = Pool(identity)
        own = account.fingerprint
        self._reach = Reach(
            own, self._book, self._pool, port=self._port, stated=wants.stated, friends=self._friends
        )
        asking = identity if wants.announce else None
        self._asking = Pool(asking, self._reach.announced)
        self._nodes: Nodes | None = None
        self._bootstrap: list[Node] = []
        self._mdns: Mdns | None = None
        self._keeper: PortKeeper | None = None
        self._registrar = Registrar(
            identity, self._book, CircuitEnd(account.root), self._relays_wanted, changed=self._relays_changed
        )
        self._mapped = asyncio.Event()
        self._tell = asyncio.Event()
        self._tries: dict[Fingerprint, tuple[int, float]] = {}
        self._missing: set[Fingerprint] = set()
        self._problems: dict[str, str] = {}

    # --- life ----------------------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``: then what was mapped and announced is taken back."""
        parts: list[tuple[str, Callable[[asyncio.Event], Awaitable[None]]]] = [
            ("contacts", self._feed),
            ("circuits", self._registrar.run),
            ("reach", self._confirm),
            ("seek", self._seek),
            ("contact", self._contact),
        ]
        if self._wants.networks.mode != "off":
            parts.append(("mdns", self._local))
        if self._wants.kademlia:
            self._nodes = Nodes(
                self._account.fingerprint,
                self._book,
                self._asking,
                friends=self._beginnings,
                avoid=self._own_addresses,
                before_joining=self._resolve,
            )
            parts.append(("kademlia", self._nodes.run))
        if self._wants.router:
            parts.append(("router", self._map))
        try:
            async with self._pool, self._asking:
                tasks = [asyncio.create_task(self._keep(name, part, stop)) for name, part in parts]
                telling = asyncio.create_task(self._say(stop))
                try:
                    await asyncio.gather(*tasks)
                finally:
                    for task in (*tasks, telling):
                        task.cancel()
                    await asyncio.gather(*tasks, telling, return_exceptions=True)
        finally:
            self._book.close()

    async def _keep(
        self, name: str, part: Callable[[asyncio.Event], Awaitable[None]], stop: asyncio.Event
    ) -> None:
        """Run one part until the end; what goes wrong with it is told, and it is begun again."""
        while not stop.is_set():
            try:
                await part(stop)
            except (MauError, OSError, ExceptionGroup) as error:
                _log.warning("%s: %s", name, error)
                self._problems[name] = str(error)
            except Exception as error:
                _log.exception("%s failed", name)
                self._problems[name] = type(error).__name__
            else:
                self._problems.pop(name, None)
                await stop.wait()
                return
            self._tell.set()
            await _pause(stop, _AGAIN)

    def _relays_changed(self) -> None:
        self._tell.set()

    def _port(self) -> int | None:
        where = self._where()
        return None if where is None else where[1]

    # --- who is who ----------------------------------------------------------------------------------------

    def _friends(self) -> frozenset[Fingerprint]:
        self._keyring.refresh()
        return frozenset(friend.fingerprint for friend in self._keyring.friends())

    def _people(self) -> frozenset[Fingerprint]:
        """Whose addresses are kept: friends, and everybody followed."""
        own = self._account.fingerprint
        return (self._friends() | frozenset(self._account.root.follows(own))) - {own}

    def _beginnings(self) -> list[Node]:
        """Nodes outside of the table where a lookup may begin: friends, and the settings' bootstrap."""
        found = list(self._bootstrap)
        for friend in sorted(self._friends(), key=lambda _: random.random())[:_FRIENDS_ASKED]:  # noqa: S311
            direct = [one for one in self._book.addresses(friend) if circuit_of(one[0]) is None]
            found += [Node(friend, *one) for one in direct[:1]]
        return found

    def _own_addresses(self) -> list[Address]:
        return list(self._reach.public)

    def _relays_wanted(self) -> list[Fingerprint]:
        """Circuit relays to register at: none where the internet reaches us, unless the user names them."""
        via = self._wants.via
        if via == "off" or self._where() is None:
            return []
        if via != "auto":
            return list(via)
        if self._reach.public or not (self._reach.asked or self._wants.router is False):
            return []
        friends = self._friends()
        reached = {
            one.fingerprint: one.last_proven
            for one in self._book.known()
            if one.fingerprint in friends and one.last_proven is not None and not one.failures
        }
        return sorted(reached, key=lambda friend: (-(reached[friend] or 0), friend))

    # --- parts ---------------------------------------------------------------------------------------------

    async def _feed(self, _stop: asyncio.Event) -> None:
        """What is known without asking anybody."""
        if self._given is not None:
            self._book.take_given(self._given)

        def feed() -> None:
            book = AddressBook(self._account.root)
            try:
                feed_all(book, self._account, Keyring.load(self._account))
            finally:
                book.close()

        await asyncio.to_thread(feed)

    async def _local(self, stop: asyncio.Event) -> None:
        """Announce and browse; anew when our server listens elsewhere."""
        while not stop.is_set():
            where = self._where()
            async with Mdns(
                self._account.fingerprint,
                self._port(),
                networks=self._wants.networks,
                heard=self._heard,
                wanted=self._people().__contains__,
                listens="" if where is None else where[0],
            ) as mdns:
                self._mdns = mdns
                self._tell.set()
                try:
                    ended = asyncio.create_task(mdns.wait())
                    while not stop.is_set() and self._where() == where and not ended.done():
                        await _pause(stop, _LOOK_EVERY)
                    ended.cancel()
                    if ended.done() and not ended.cancelled():
                        ended.result()
                finally:
                    self._mdns = None

    def _heard(self, fingerprint: Fingerprint, address: Address, present: bool) -> None:
        if present:
            if self._book.worth_trying(*address):
                self._book.told(fingerprint, *address, source="mdns")
            return
        for one in self._book.known(fingerprint):
            if (one.host, one.port) == address and one.last_proven is None and one.source == "mdns":
                self._book.forget(fingerprint, *address)

    async def _resolve(self) -> None:
        """Where the lookup network is entered, besides friends."""
        found = []
        for one in self._wants.bootstrap:
            if one.fingerprint is not None and one.address is not None:
                found.append(Node(one.fingerprint, *one.address))
            elif one.domain is not None and self._wants.dns:
                try:
                    answer = await lookup_domain(one.domain)
                except (PeerError, MauError) as error:
                    _log.warning("bootstrap %s: %s", one.domain, error)
                    continue
                found += [Node(answer.fingerprint, *address) for address in answer.addresses]
            self._bootstrap = list(found)

    async def _map(self, stop: asyncio.Event) -> None:
        """Keep the port open at the router."""
        while (where := self._where()) is None:
            await _pause(stop, _LOOK_EVERY)
            if stop.is_set():
                return
        keeper = self._keeper = PortKeeper(where[1], on_change=self._mappings_changed)
        ending = asyncio.Event()
        running = asyncio.create_task(keeper.run(ending))
        try:
            while not stop.is_set() and self._where() == where and not running.done():
                await _pause(stop, _LOOK_EVERY)
        finally:
            ending.set()
            await running
            self._keeper = None
            self._reach.mappings = ()
        if not stop.is_set():
            await self._map(stop)

    def _mappings_changed(self, mappings: tuple[Mapping, ...]) -> None:
        self._reach.mappings = mappings
        self._mapped.set()
        self._tell.set()

    async def _confirm(self, stop: asyncio.Event) -> None:
        """Let peers look whether they reach us: when something changed, and now and then."""
        wait = _CONFIRM_SOON[0]
        while not stop.is_set():
            where = self._where()
            before = self._reach.public
            await self._reach.confirm()
            if self._reach.public != before:
                self._reached_changed()
            self._registrar.poke()
            self._tell.set()
            wait = _CONFIRM_EVERY if self._reach.asked else min(wait * 1.5, _CONFIRM_SOON[1])
            self._mapped.clear()
            until = time.monotonic() + wait
            while not (stop.is_set() or self._mapped.is_set() or time.monotonic() > until):
                if self._where() != where:
                    wait = _CONFIRM_SOON[0]
                    self._reached_changed()
                    break
                await _pause(stop, min(_LOOK_EVERY, wait))

    def _reached_changed(self) -> None:
        """Where we are reached is another place now, or nowhere."""
        if self._nodes is not None and self._wants.announce:
            self._nodes.rejoin()
        self._tell.set()

    async def _contact(self, stop: asyncio.Event) -> None:
        """Tell friends where we are, when that changed, or who is a friend."""
        if self._facts is None:
            return
        told: object = None
        while not stop.is_set():
            await _pause(stop, _SETTLED)
            facts = self._facts(self._reach.public, self._registrar.relays)
            now = (facts, self._friends())
            if now != told and not stop.is_set():
                await asyncio.to_thread(self._publish, facts)
                told = now

    def _publish(self, facts: ContactFacts) -> None:
        if publish_contact(self._account, Keyring.load(self._account), facts):
            _log.info("friends are told where you are reached")

    async def _seek(self, stop: asyncio.Event) -> None:
        """Look for those who are nowhere to be found, again and again, less and less often."""
        while not stop.is_set():
            for person in sorted(self._people()):
                if self._is_found(person):
                    self._tries.pop(person, None)
                    self._missing.discard(person)
                    continue
                self._missing.add(person)
                tries, after = self._tries.get(person, (0, 0.0))
                if self._nodes is None or not len(self._nodes.table) or time.monotonic() < after:
                    continue
                lookup = await self._nodes.look_up(person, in_vain=tries > 0)
                pause = min(_SEEK_AGAIN[0] * 2**tries, _SEEK_AGAIN[1])
                # Not all at once, and not at times that tell more than once is needed.
                after = time.monotonic() + pause * random.uniform(0.8, 1.2)  # noqa: S311
                self._tries[person] = (tries + 1, after)
                if lookup.proven is not None:
                    self._tell.set()
                if stop.is_set():
                    return
            await _pause(stop, _SEEK_EVERY)

    def _is_found(self, person: Fingerprint) -> bool:
        return any(one.last_proven is not None and not one.failures for one in self._book.known(person))

    # --- telling -------------------------------------------------------------------------------------------

    async def _say(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            with contextlib.suppress(MauError, OSError):  # a full disk is no reason to find nobody
                await asyncio.to_thread(write_status, self._account.root, self.status())
            self._tell.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_STATUS_EVERY):
                    await self._tell.wait()
            await _pause(stop, 0.2)

    def status(self) -> FinderStatus:
        """How it is now."""
        confirmed = {one.address: one for one in self._reach.confirmed}
        how: dict[Address, str] = dict.fromkeys(self._reach.stated, "stated")
        for mapping in self._reach.mappings:
            how.setdefault(mapping.external, "direct" if mapping.method == "direct" else "router")
        for address in confirmed:
            how.setdefault(address, "seen")
        places = tuple(
            Place(
                format_address(address),
                kind,
                confirmed[address].at if address in confirmed else None,
                confirmed[address].by.hex if address in confirmed else "",
            )
            for address, kind in how.items()
        )
        mdns, nodes, keeper = self._mdns, self._nodes, self._keeper
        return FinderStatus(
            os.getpid(),
            time.time(),
            self._port(),
            places,
            self._reach.asked,
            "" if keeper is None else explain(keeper.state),
            tuple(relay.hex for relay in self._registrar.relays),
            () if mdns is None else tuple(one.name or one.interface for one in mdns.active),
            () if mdns is None else tuple(one.name or one.interface for one in mdns.silent),
            None if nodes is None else len(nodes.table),
            tuple(one.hex for one in sorted(self._missing)),
            dict(self._problems) or None,
        )


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    """So many seconds, or until the end."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
