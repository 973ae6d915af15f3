"""/kad: who is near a fingerprint, as far as this node proved it itself (spec/kademlia.md, spec/http.yaml).

Whoever asks, proves a fingerprint and names a port becomes a node himself, once he was dialled back and
answered there. Handed out is only what this node proved lately; what friends told it never is.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from aiohttp import web

from mau import kademlia
from mau.account import Account
from mau.addressbook import AddressBook, KnownAddress
from mau.fingerprint import Fingerprint
from mau.hostport import Address, scope_of
from mau.kademlia import Caps, RoutingTable
from mau.server.answers import COMMON, Refusal, send_bytes
from mau.server.dialling import Dialler, TooOften
from mau.server.limits import retry_after
from mau.wire.kad import DialBack, Node, dump_dial_back, dump_nodes
from mau.wire.names import claimed_address
from mau.wire.targets import DialBackTarget, KadTarget, PingTarget
from mau.wire.tls import peer_certificate

T = TypeVar("T")

FRESH: Final = 3 * 3600
"""Seconds for which a node is handed out after this node proved it."""
_KNOWN_WELL: Final = 1800
"""Seconds for which somebody who asks again is not dialled again."""
_NOTED_AT_ONCE: Final = 64
_LOOK_AGAIN: Final = 5.0
_READ_AGAIN: Final = 60.0
_SHARE: Final = 20.0
"""How much longer than the last reading of the book took, the next one waits."""
_CAPS: Final = Caps(counted="public")
_log = logging.getLogger("mau.server.kad")


class Kad:
    """Answers under /kad for one account."""

    def __init__(self, account: Account, *, takes_part: bool) -> None:
        """``takes_part``: in the lookup network; without that only dialling back is done."""
        self._own = account.fingerprint
        self._takes_part = takes_part
        self._book = AddressBook(account.root)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mau-book")
        self._dialler = Dialler(account.identity())
        self._table = RoutingTable(self._own, caps=_CAPS)
        self._look_after = self._read_after = float("-inf")
        self._looking = asyncio.Lock()
        self._stamp: object = None
        self._noting: dict[Fingerprint, asyncio.Task[None]] = {}
        self._closed = False

    async def answer(
        self, request: web.BaseRequest, target: KadTarget, proven: Fingerprint | None
    ) -> web.StreamResponse:
        """The answer; Refusal when there is none."""
        if isinstance(target, DialBackTarget):
            return await self._dial_back(request, target.port, proven)
        if not self._takes_part:
            raise Refusal(404)
        self._note(request, proven)
        if isinstance(target, PingTarget):
            return web.Response(headers=COMMON)
        nodes = await self._nearest(target.wanted, request.remote or "")
        return await send_bytes(request, dump_nodes(nodes), "application/json", {})

    async def close(self) -> None:
        """Dial nobody any more, and let go of the book."""
        tasks = list(self._noting.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._closed:
            return
        self._closed = True
        await self._in_turn(self._book.close)
        self._thread.shutdown(wait=False)

    # --- who is near ---------------------------------------------------------------------------------------

    async def _nearest(self, wanted: Fingerprint, asker: str) -> list[Node]:
        await self._look()
        lines = await self._in_turn(lambda: self._book.known(wanted))
        now = time.time()
        known = [
            kademlia.Node(one.fingerprint, one.host, one.port)
            for one in lines
            if _took_part(one, now - FRESH, now) and scope_of(one.host) != "link"
        ]
        told = self._table.answer(wanted, asker, now, known if wanted != self._own else ())
        return [(node.fingerprint, node.address) for node in told]

    async def _look(self) -> None:
        """Read the book again where it may have changed: once, however many ask, and not all the time."""
        clock = asyncio.get_running_loop().time
        if clock() < self._look_after:
            return
        async with self._looking:
            if (now := clock()) < self._look_after:
                return
            stamp = await self._in_turn(self._book.stamp)
            # What is no longer fresh changes no book: after a while it is read in any case.
            if stamp != self._stamp or now >= self._read_after:
                self._table = await self._in_turn(self._read)
                self._stamp, self._read_after = stamp, clock() + _READ_AGAIN
            self._look_after = clock() + max(_LOOK_AGAIN, _SHARE * (clock() - now))

    def _read(self) -> RoutingTable:
        """The table as the book has it: a few of each network, so that nobody fills our answers (D8)."""
        now = time.time()
        return RoutingTable.rebuilt(
            self._own,
            [
                (kademlia.Node(one.fingerprint, one.host, one.port), float(one.kad or 0))
                for one in self._book.kad_nodes(int(now) - FRESH)
                if _took_part(one, now - FRESH, now)
                and one.fingerprint != self._own
                and scope_of(one.host) != "link"
            ],
            caps=_CAPS,
        )

    async def _in_turn(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    # --- who asks ------------------------------------------------------------------------------------------

    def _note(self, request: web.BaseRequest, proven: Fingerprint | None) -> None:
        """Look whether the one who asks is a node, beside answering him."""
        if proven is None or proven == self._own or not request.remote:
            return
        if proven in self._noting or len(self._noting) >= _NOTED_AT_ONCE:
            return
        certificate = peer_certificate(request.transport)
        claimed = None if certificate is None else claimed_address(certificate)
        if claimed is not None:
            task = asyncio.create_task(self._meet(proven, (request.remote, claimed[1])))
            self._noting[proven] = task
            task.add_done_callback(partial(self._met, proven))

    def _met(self, who: Fingerprint, task: asyncio.Task[None]) -> None:
        self._noting.pop(who, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("a node could not be noted: %s", type(error).__name__)

    async def _meet(self, who: Fingerprint, address: Address) -> None:
        now = time.time()
        known = await self._in_turn(lambda: self._book.known(who))
        if any((one.host, one.port) == address and _took_part(one, now - _KNOWN_WELL, now) for one in known):
            return
        try:
            reached = await self._dialler.dial(who, address, ping=True)
        except TooOften:
            return
        if reached:
            await self._in_turn(lambda: self._book.proven(who, *address, source="asked", kad=True))
            self._table.seen(kademlia.Node(who, *address), time.time())

    async def _dial_back(
        self, request: web.BaseRequest, port: int, proven: Fingerprint | None
    ) -> web.StreamResponse:
        if proven is None:
            raise Refusal(403, "only for those who prove who they are")
        if not request.remote:
            raise Refusal(404)
        address = (request.remote, port)
        try:
            reached = await self._dialler.dial(proven, address, ping=False)
        except TooOften as error:
            raise Refusal(429, "asked too often", {"Retry-After": str(retry_after(error.seconds))}) from error
        if reached:
            await self._in_turn(lambda: self._book.proven(proven, *address, source="asked"))
        body = dump_dial_back(DialBack(address, reached))
        return await send_bytes(request, body, "application/json", {})


def _took_part(line: KnownAddress, since: float, now: float) -> bool:
    """Whether it is a node that this host met since then, and that did not fail later (H81)."""
    return line.kad is not None and since < line.kad <= now and not line.failures
