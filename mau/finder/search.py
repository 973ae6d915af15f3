"""Looking for one person everywhere at once: what each source says, and what came of trying it.

Known addresses, circuit relays, the local network, DNS and the lookup network are asked side by side; the
first place where the person proves to be there answers the question (spec/finding.md N65-N69).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from mau.addressbook import AddressBook, Source
from mau.errors import IdentityError, MauError, PeerError
from mau.finder.mdns import Mdns, Networks
from mau.finder.nodes import Nodes
from mau.finder.proving import prove
from mau.fingerprint import Fingerprint
from mau.hostport import Address, circuit_of
from mau.wire.identity import Identity

Outcome = Literal["asked", "heard", "proven", "failed", "nothing"]
LISTEN: Final = 3.0
"""Seconds for which the local network is listened to."""
AT_ONCE: Final = 8
MOST: Final = 64
"""Addresses that are tried in one search."""


class Hear(Protocol):
    """Takes an address that a source named, and tries it."""

    def __call__(self, source: str, address: Address, words: str = "") -> None: ...


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that happened: ``source`` was *asked*, said *nothing*, or named an ``address`` (*heard*),
    which was *proven* to be the person's, or *failed*; ``words`` say why, or how many were asked."""

    source: str
    outcome: Outcome
    address: Address | None = None
    words: str = ""


class Search:
    """One search; `run` it once. ``proven`` is what came of it."""

    def __init__(
        self,
        identity: Identity,
        book: AddressBook,
        wanted: Fingerprint,
        *,
        networks: Networks | None = None,
        nodes: Nodes | None = None,
        others: Iterable[tuple[Source, Address]] = (),
        everywhere: bool = False,
    ) -> None:
        """``networks``: where mDNS may be used; ``nodes``: of the lookup network; None leaves a source out.

        ``others``: addresses from elsewhere, with their source. ``everywhere``: go on after the first proof.
        """
        self._identity = identity
        self._book = book
        self._wanted = wanted
        self._networks = networks
        self._nodes = nodes
        self._others = list(others)
        self._everywhere = everywhere
        self._said: asyncio.Queue[Finding | None] = asyncio.Queue()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._tried: set[Address] = set()
        self.proven: list[Address] = []

    async def run(self) -> AsyncGenerator[Finding, None]:
        """Findings as they come, until every source has ended, or one proof is there."""
        working = asyncio.create_task(self._work())
        try:
            while (finding := await self._said.get()) is not None:
                yield finding
                if finding.outcome == "proven" and not self._everywhere:
                    return
            await working
        finally:
            working.cancel()
            await asyncio.wait({working})

    async def _work(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:

                def hear(source: str, address: Address, words: str = "") -> None:
                    if address not in self._tried and len(self._tried) < MOST:
                        self._tried.add(address)
                        self._said.put_nowait(Finding(source, "heard", address, words))
                        group.create_task(self._try(source, address))

                sources = [self._known(hear), self._told(hear)]
                if self._networks is not None:
                    sources.append(self._mdns(self._networks, hear))
                if self._nodes is not None:
                    sources.append(self._kademlia(self._nodes))
                for source in sources:
                    group.create_task(source)
        finally:
            self._said.put_nowait(None)

    # --- sources -------------------------------------------------------------------------------------------

    async def _known(self, hear: Hear) -> None:
        sources = {(one.host, one.port): one.source for one in self._book.known(self._wanted)}
        places = self._book.addresses(self._wanted)
        for place in places:
            if circuit_of(place[0]):
                hear("circuit", place)
            else:
                hear("address book", place, f"from {sources.get(place, 'told')}")
        if not places:
            self._said.put_nowait(Finding("address book", "nothing"))

    async def _told(self, hear: Hear) -> None:
        for source, address in self._others:
            self._book.told(self._wanted, *address, source=source)
            hear(source, address)

    async def _mdns(self, networks: Networks, hear: Hear) -> None:
        heard, problem = 0, ""

        def one(fingerprint: Fingerprint, address: Address, present: bool) -> None:
            nonlocal heard
            if present and fingerprint == self._wanted:
                heard += 1
                self._book.told(self._wanted, *address, source="mdns")
                hear("mdns", address)

        self._said.put_nowait(Finding("mdns", "asked"))
        me = self._identity.fingerprint
        try:
            async with Mdns(me, None, networks=networks, heard=one, wanted=self._wanted.__eq__) as mdns:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LISTEN):
                        await mdns.wait()
        except* (MauError, OSError) as group:
            problem = str(group.exceptions[0])
        if not heard:
            self._said.put_nowait(Finding("mdns", "nothing", words=problem))

    async def _kademlia(self, nodes: Nodes) -> None:
        self._said.put_nowait(Finding("kademlia", "asked"))

        def tried(node: Any, problem: str) -> None:
            self._tried.add(node.address)
            if not problem:
                self.proven.append(node.address)
            outcome: Outcome = "failed" if problem else "proven"
            self._said.put_nowait(Finding("kademlia", outcome, node.address, problem))

        lookup = await nodes.look_up(self._wanted, tried)
        if lookup.proven is None:
            count = "1 node" if lookup.asked == 1 else f"{lookup.asked} nodes"
            words = f"{count} asked" if lookup.asked else "no node is known to begin with"
            self._said.put_nowait(Finding("kademlia", "nothing", words=words))

    # --- trying --------------------------------------------------------------------------------------------

    async def _try(self, source: str, address: Address) -> None:
        # Who is looked for learns who asks only where that has to be: a circuit is for friends of the relay.
        identity = self._identity if circuit_of(address[0]) else None
        async with self._turns:
            try:
                await prove(self._book, self._wanted, address, identity)
            except (PeerError, IdentityError) as error:
                self._said.put_nowait(Finding(source, "failed", address, str(error)))
                return
        self.proven.append(address)
        self._said.put_nowait(Finding(source, "proven", address))
