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
import time
from collections.abc import Awaitable, Callable
from typing import Final

from mau.account import Account
from mau.addressbook import AddressBook
from mau.awaiting import first_of
from mau.circuit.place import CircuitEnd
from mau.contact.post import feed_all
from mau.errors import MauError
from mau.finder.beginnings import bootstrap, friends_at
from mau.finder.circuits import Registrar
from mau.finder.local import LocalNetworks
from mau.finder.nodes import Nodes
from mau.finder.outside import Outside
from mau.finder.pool import Pool
from mau.finder.reach import Reach
from mau.finder.seeking import Seeker
from mau.finder.served import Served
from mau.finder.status import FinderStatus, Place, write_status
from mau.finder.telling import Facts, Teller
from mau.finder.wants import Wants
from mau.fingerprint import Fingerprint
from mau.hostport import Address, format_address
from mau.kademlia import Node
from mau.keyring import Keyring

_BEGINNING: Final = 3.0
"""Seconds that a server which is about to begin is waited for."""
_STATUS_EVERY: Final = 60.0
_AGAIN: Final = 30.0
_COUNT_EVERY: Final = 2.0
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
        served: Served | None = None,
        facts: Facts | None = None,
        given: dict[Fingerprint, tuple[Address, ...]] | None = None,
    ) -> None:
        """``served``: where our server listens. ``facts``: what friends are told, given where we are reached
        and our circuit relays; None tells them nothing. ``given``: addresses of people, by hand.
        """
        self._account = account
        self._keyring = keyring
        self._wants = wants
        self._served = served or Served()
        self._teller: Teller | None = None
        self._given = given
        self._book = AddressBook(account.root)
        identity = account.identity()
        self._pool = Pool(identity)
        own = account.fingerprint
        self._reach = Reach(
            own,
            self._book,
            self._pool,
            port=self._port,
            stated=wants.stated,
            friends=self._friends,
            strangers=wants.kademlia and wants.announce,
        )
        self._outside = Outside(
            self._reach, self._book, self._served, changed=self._changed, moved=self._reached_changed
        )
        asking = identity if wants.announce else None
        self._asking = Pool(asking, self._reach.announced)
        self._nodes: Nodes | None = None
        self._bootstrap: list[Node] = []
        self._seeker = Seeker(self._book, self._people, lambda: self._nodes, changed=self._changed)
        self._local = LocalNetworks(
            own,
            self._book,
            wants.networks,
            self._served,
            wanted=lambda person: person in self._people(),
            changed=self._changed,
            heard=self._seeker.heard,
        )
        self._registrar = Registrar(
            identity,
            self._book,
            CircuitEnd(account.root),
            self._relays_wanted,
            cares=lambda who: who in self._people(),
            changed=self._changed,
        )
        if facts is not None:
            self._teller = Teller(
                account, facts, self._reach, relays=lambda: self._registrar.relays, friends=self._friends
            )
        self._near: frozenset[Fingerprint] = frozenset()
        self._counted = float("-inf")
        self._tell = asyncio.Event()
        self._problems: dict[str, str] = {}

    # --- life ----------------------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``: then what was mapped and announced is taken back."""
        parts: list[tuple[str, Callable[[asyncio.Event], Awaitable[None]]]] = [
            ("contacts", self._feed),
            ("circuits", self._registrar.run),
            ("reach", self._outside.confirm),
            ("seek", self._seeker.run),
        ]
        if self._teller is not None:
            parts.append(("contact", self._teller.run))
        if self._wants.networks.mode != "off":
            parts.append(("mdns", self._local.run))
        if self._wants.kademlia:
            self._nodes = Nodes(
                self._account.fingerprint,
                self._book,
                self._asking,
                friends=self._beginnings,
                avoid=self._own_addresses,
                before_joining=self._resolve,
                changed=self._tell.set,
            )
            parts.append(("kademlia", self._take_part))
        if self._wants.router:
            parts.append(("router", self._outside.keep_port))
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
            await first_of(_AGAIN, stop)

    def _changed(self) -> None:
        """Something is otherwise than it was told: in the status, and perhaps to friends."""
        self._tell.set()
        if self._teller is not None:
            self._teller.changed()
        self._registrar.poke()

    def _port(self) -> int | None:
        return self._served.port

    # --- who is who ----------------------------------------------------------------------------------------

    def _friends(self) -> frozenset[Fingerprint]:
        self._keyring.refresh()
        return frozenset(friend.fingerprint for friend in self._keyring.friends())

    def _people(self) -> frozenset[Fingerprint]:
        """Whose addresses are kept: friends, and everybody followed. Asked for each name that is shouted."""
        now = time.monotonic()
        if now - self._counted >= _COUNT_EVERY:
            own = self._account.fingerprint
            self._near = (self._friends() | frozenset(self._account.root.follows(own))) - {own}
            self._counted = now
        return self._near

    def _beginnings(self) -> list[Node]:
        return [*self._bootstrap, *friends_at(self._book, self._friends())]

    def _own_addresses(self) -> list[Address]:
        return list(self._reach.public)

    def _relays_wanted(self) -> list[Fingerprint]:
        """Circuit relays to register at: none where the internet reaches us, unless the user names them."""
        via = self._wants.via
        if via == "off" or self._served.where is None:
            return []
        if via != "auto":
            return list(via)
        if self._reach.public or not (self._reach.asked or self._wants.router is False):
            return []
        lines = (one for friend in self._friends() for one in self._book.known(friend))
        reached = {one.fingerprint: one.last_proven for one in lines if one.last_proven and not one.failures}
        return sorted(reached, key=lambda friend: (-(reached[friend] or 0), friend))

    # --- parts ---------------------------------------------------------------------------------------------

    async def _feed(self, _stop: asyncio.Event) -> None:
        """What is known without asking anybody."""
        if self._given is not None:
            self._book.take_given(self._given)

        def feed() -> None:
            with contextlib.closing(AddressBook(self._account.root)) as book:
                feed_all(book, self._account, Keyring.load(self._account))

        await asyncio.to_thread(feed)

    async def _take_part(self, stop: asyncio.Event) -> None:
        """The lookup network; who enters it where he is reached waits for his server first."""
        assert self._nodes is not None  # noqa: S101 - it is begun only then
        if self._wants.announce and self._served.where is None:
            await first_of(_BEGINNING, stop, self._served.moved)
        await self._nodes.run(stop)

    async def _resolve(self) -> None:
        """Where the lookup network is entered, besides friends."""
        self._bootstrap = await bootstrap(self._wants)

    def _reached_changed(self) -> None:
        """Where we are reached is another place now, or nowhere."""
        if self._nodes is not None and self._wants.announce:
            self._nodes.rejoin()
        self._tell.set()

    # --- telling -------------------------------------------------------------------------------------------

    async def _say(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            with contextlib.suppress(MauError, OSError):  # a full disk is no reason to find nobody
                await asyncio.to_thread(write_status, self._account.root, self.status())
            self._tell.clear()
            await first_of(_STATUS_EVERY, self._tell)
            await first_of(0.2, stop)

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
        nodes = self._nodes
        return FinderStatus(
            os.getpid(),
            time.time(),
            self._port(),
            places,
            self._reach.asked,
            self._outside.router,
            tuple(relay.hex for relay in self._registrar.relays),
            self._local.active,
            self._local.silent,
            None if nodes is None else len(nodes.table),
            tuple(one.hex for one in sorted(self._seeker.missing)),
            dict(self._problems) or None,
        )
