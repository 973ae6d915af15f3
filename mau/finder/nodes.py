"""The lookup network: asking nodes, and keeping a table of them (spec/kademlia.md).

The shell around `mau.kademlia`. Every node that answers proved who it is by the handshake; that is noted in
the address book, from which the server tells others. What nodes say is tried, and not believed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Final

from mau.addressbook import AddressBook
from mau.awaiting import first_of, unless
from mau.errors import IdentityError, NotOffered, PeerError, PeerUnreachable
from mau.finder.pool import PATIENCE, Pool
from mau.finder.resolving import on_the_internet
from mau.fingerprint import Fingerprint
from mau.hostport import Address, scope_of
from mau.kademlia import Caps, Lookup, Node, RoutingTable
from mau.kademlia.telling import told
from mau.wire.client import PeerClient

REMEMBERED: Final = 30 * 86_400
"""Seconds for which a node that was proven once is tried again."""
_ANSWER_SECONDS: Final = 8.0
_LOOKUP_SECONDS: Final = 90.0
"""However many keep us waiting."""
_UPKEEP_EVERY: Final = 20.0
_READ_EVERY: Final = 3.0
"""Seconds between two looks whether the book changed: a question to the file system."""
_FEW: Final = 4
_JOIN_AGAIN: Final = (5.0, 900.0)
"""Seconds until the next try to join; those who join just now are known a moment later."""
_AT_ONCE: Final = 8
_CAPS: Final = Caps(counted="public")
"""In a network of one's own everybody is in one prefix, and nobody needs to be counted."""
_RARELY: Final = 12
"""Paths that are begun for somebody who was looked for in vain before."""
_log = logging.getLogger("mau.finder.nodes")

Tried = Callable[[Node, str], None]
"""Told of every address at which the wanted one was looked for, and why he is not there; "" when he is."""


class Nodes:
    """The table of one account, and lookups in it."""

    def __init__(
        self,
        own: Fingerprint,
        book: AddressBook,
        pool: Pool,
        *,
        friends: Callable[[], Iterable[Node]] = tuple,
        avoid: Callable[[], Iterable[Address]] = tuple,
        before_joining: Callable[[], Awaitable[None]] | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """``friends``: nodes where a lookup begins besides the table; ``avoid``: where we are ourselves.

        ``before_joining`` is awaited first, each time that the table has next to nobody. ``changed`` is
        called when the table has more or fewer nodes than before.
        """
        self._before_joining = before_joining
        self._changed = changed
        self._rejoin = asyncio.Event()
        self._own = own
        self._book = book
        self._pool = pool
        self._friends = friends
        self._avoid = avoid
        self._stamp = book.stamp()
        self._read_until = 0
        self._named: set[Address] = set()
        self.table = RoutingTable.rebuilt(own, self._proven(REMEMBERED), caps=_CAPS)

    def _proven(self, within: int, *, unfailed: bool = False) -> list[tuple[Node, float]]:
        """Nodes in the book that took part within so many seconds, and when."""
        self._read_until = int(time.time())
        return [
            (Node(one.fingerprint, one.host, one.port), float(one.kad or 0))
            for one in self._book.kad_nodes(int(time.time()) - within)
            if one.fingerprint != self._own
            and scope_of(one.host) != "link"
            and not (unfailed and one.failures)
        ]

    def knows_somebody(self) -> bool:
        """Whether there is a node to begin at."""
        return len(self.table) > 0 or any(True for _ in self._friends())

    def read_book(self) -> None:
        """Take in the nodes that others proved since the last look: our server meets those who ask it."""
        stamp = self._book.stamp()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        since = int(time.time()) - self._read_until + 1
        for node, proven in sorted(self._proven(since, unfailed=True), key=lambda one: one[1]):
            self.table.seen(node, proven)

    # --- looking somebody up -------------------------------------------------------------------------------

    async def look_up(
        self,
        target: Fingerprint,
        tried: Tried = lambda _node, _problem: None,
        *,
        in_vain: bool = False,
    ) -> Lookup:
        """Look for somebody; where he was proven is noted in the book.

        ``in_vain``: he was looked for before and not found, so less is spent on it.
        """
        self.read_book()
        friends = list(self._friends())
        self._named.update(node.address for node in friends)
        lookup = Lookup(
            target,
            self.table.seeds(target),
            friends=friends,
            own=self._own,
            avoid=self._avoid(),
            caps=_CAPS,
            **({"beginnings": _RARELY} if in_vain else {}),
        )
        tasks: dict[asyncio.Task[list[tuple[Fingerprint, Address]] | str], tuple[Node, bool]] = {}
        loop = asyncio.get_running_loop()
        end = loop.time() + _LOOKUP_SECONDS
        try:
            while not lookup.done and loop.time() < end:
                for node in lookup.queries():
                    tasks[asyncio.create_task(self._ask(node, target))] = node, False
                for node in lookup.found():
                    tasks[asyncio.create_task(self._prove(node))] = node, True
                if not tasks:
                    break
                done, _ = await asyncio.wait(
                    tasks, timeout=max(0.0, end - loop.time()), return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    node, wanted = tasks.pop(task)
                    answer = task.result()
                    if wanted:
                        tried(node, answer if isinstance(answer, str) else "")
                    self._report(lookup, node, answer, wanted=wanted)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        now = time.time()
        self.table.looked_up(target, now)
        self.table.scored(lookup.scores)
        return lookup

    def _report(
        self,
        lookup: Lookup,
        node: Node,
        answer: list[tuple[Fingerprint, Address]] | str,
        *,
        wanted: bool,
    ) -> None:
        if isinstance(answer, str):
            lookup.failed(node)
        elif wanted:
            lookup.proved(node)
        else:
            lookup.answered(node, answer)
            for near in told(answer, node)[:_AT_ONCE]:  # nobody is sent into a network by who is not in it
                self.table.heard(near)

    async def _ask(self, node: Node, target: Fingerprint) -> list[tuple[Fingerprint, Address]] | str:
        """What a node says, or why it says nothing."""
        if node not in self.table and not self._book.worth_trying(*node.address, node.fingerprint):
            return "tried in vain lately"
        try:
            async with asyncio.timeout(_ANSWER_SECONDS), self._peer(node) as peer:
                answer = await peer.find_peer(target)
        except (PeerError, IdentityError, TimeoutError) as error:
            return self._lost(node, error)
        self._met(node)
        return answer

    async def _prove(self, node: Node) -> list[tuple[Fingerprint, Address]] | str:
        """Whether the wanted one is there: an empty list, or why not. He learns nothing of us (N66)."""
        if not self._book.worth_trying(*node.address, node.fingerprint):
            return "tried in vain lately"
        try:
            async with (
                asyncio.timeout(_ANSWER_SECONDS),
                self._place(node) as address,
                PeerClient(None, node.fingerprint, *address, timeouts=PATIENCE) as peer,
            ):
                await peer.connect()
        except (PeerError, IdentityError, TimeoutError) as error:
            return self._lost(node, error)
        self._book.proven(node.fingerprint, *node.address, source="kademlia")
        return []

    @contextlib.asynccontextmanager
    async def _peer(self, node: Node) -> AsyncIterator[PeerClient]:
        """A client for a node."""
        async with self._place(node) as address, self._pool.peer(node.fingerprint, address) as peer:
            yield peer

    @contextlib.asynccontextmanager
    async def _place(self, node: Node) -> AsyncIterator[Address]:
        """Where to dial. A name that strangers tell may lead to the internet only (D21)."""
        if scope_of(node.host) != "name" or node.address in self._named:
            yield node.address
            return
        address = await on_the_internet(*node.address)
        # A thousand names may lead to one address, which is therefore counted too (N6).
        if not self._book.worth_trying(*address, node.fingerprint):
            raise PeerUnreachable("tried in vain lately")
        try:
            yield address
        except NotOffered:
            raise
        except (PeerError, IdentityError) as error:
            self._book.failed(node.fingerprint, *address, there=error.there)
            raise

    def _lost(self, node: Node, error: PeerError | IdentityError | TimeoutError) -> str:
        if not isinstance(error, NotOffered):  # he is there, and takes no part
            there = None if isinstance(error, TimeoutError) else error.there
            self._book.failed(node.fingerprint, *node.address, there=there)
        self.table.failed(node, time.time())
        return str(error) or "no answer in time"

    def _met(self, node: Node) -> None:
        self._book.proven(node.fingerprint, *node.address, source="kademlia", kad=True)
        self.table.seen(node, time.time())

    # --- upkeep --------------------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event) -> None:
        """Join, and keep the table as it should be."""
        await unless(stop, self._keep_on(stop))

    async def _keep_on(self, stop: asyncio.Event) -> None:
        again = _JOIN_AGAIN[0]
        joined = looked_after = float("-inf")
        loop = asyncio.get_running_loop()
        while True:
            before = len(self.table)
            wanted = self._rejoin.is_set()
            self._rejoin.clear()
            self.read_book()
            if wanted or (len(self.table) < _FEW and loop.time() - joined >= again):
                await self._join()
                joined = loop.time()
                few = len(self.table) < _FEW and not wanted
                again = min(again * 2, _JOIN_AGAIN[1]) if few else _JOIN_AGAIN[0]
            if loop.time() - looked_after >= _UPKEEP_EVERY:
                await self._look_after()
                looked_after = loop.time()
            if len(self.table) != before:
                self._changed()
            await first_of(_READ_EVERY, stop, self._rejoin)

    def rejoin(self) -> None:
        """Go through our neighbourhood once more: we are reached elsewhere now, and they should know."""
        self._rejoin.set()

    async def _join(self) -> None:
        """Look for ourselves: those on the way there are our neighbours, and learn of us."""
        if self._before_joining is not None:
            await self._before_joining()
        await self.look_up(self._own)
        _log.debug("the table has %d nodes", len(self.table))

    async def _look_after(self) -> None:
        needs = self.table.upkeep(time.time(), random.SystemRandom())
        turns = asyncio.Semaphore(_AT_ONCE)

        async def ping(node: Node) -> None:
            async with turns:
                if node not in self.table and not self._book.worth_trying(*node.address, node.fingerprint):
                    self.table.failed(node, time.time())
                    return
                try:
                    async with asyncio.timeout(_ANSWER_SECONDS), self._peer(node) as peer:
                        await peer.ping()
                except (PeerError, IdentityError, TimeoutError) as error:
                    self._lost(node, error)
                else:
                    self._met(node)

        async with asyncio.TaskGroup() as group:
            for node in needs.ping:
                group.create_task(ping(node))
        if len(self.table):
            for target in needs.refresh:
                await self.look_up(target)
