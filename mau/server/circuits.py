"""The circuit relay: passes bytes between two peers, and reads nothing of them (spec/circuit.md).

Whoever is not there, is not known and is not allowed gets one and the same answer.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Final

import aiohttp
from aiohttp import web

from mau.circuit.terms import Ledger, Terms
from mau.fingerprint import Fingerprint
from mau.server.answers import Refusal
from mau.server.counters import Counters
from mau.server.limits import retry_after
from mau.server.websockets import WebSocket
from mau.wire.targets import AnswerTarget, CallTarget, CircuitTarget

ANSWER_SECONDS: Final = 10.0
"""How long somebody who is called has to answer."""
MAX_MESSAGE: Final = 64 * 1024
_MAX_WORD: Final = 1024
_GOODBYE: Final = 1.0
_MOST_CALLS: Final = 16
"""Calls of one callee that are not answered yet."""


@dataclass(eq=False, slots=True)
class _Call:
    callee: Fingerprint
    answered: asyncio.Future[WebSocket]
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Circuits:
    """The circuits of one server. ``serves`` says who may register and call; nobody where it is None."""

    def __init__(
        self,
        serves: Callable[[Fingerprint], bool] | None,
        terms: Terms | None = None,
        counters: Counters | None = None,
        heard: Callable[[Fingerprint], None] = lambda _: None,
        refuses: Callable[[Fingerprint], bool] = lambda _: False,
    ) -> None:
        """``heard`` is told who registers; who is refused may neither register nor call, nor be called."""
        self._serves = None if serves is None else lambda who: serves(who) and not refuses(who)
        self._ledger = Ledger(terms or Terms())
        self._counters = counters or Counters()
        self._heard = heard
        self._desks: dict[Fingerprint, WebSocket] = {}
        self._calls: dict[str, _Call] = {}
        self._open: set[WebSocket] = set()

    @property
    def registered(self) -> frozenset[Fingerprint]:
        """Who waits to be called."""
        return frozenset(self._desks)

    @property
    def circuits(self) -> int:
        """How many are open or being opened."""
        return self._ledger.open

    async def answer(
        self, request: web.BaseRequest, target: CircuitTarget, proven: Fingerprint | None
    ) -> web.StreamResponse:
        """The answer; Refusal when there is none."""
        # Whoever comes from no address came through a circuit: none leads through another (R8).
        if self._serves is None or proven is None or not request.remote or not self._serves(proven):
            raise Refusal(404)
        if not WebSocket.is_wanted(request):
            raise Refusal(426, "a WebSocket is needed", {"Upgrade": "websocket"})
        if isinstance(target, CallTarget):
            return await self._call(request, target.callee, proven)
        if isinstance(target, AnswerTarget):
            return await self._take(request, target.token, proven)
        return await self._register(request, proven)

    async def close(self) -> None:
        """End every circuit."""
        self._serves = None
        for call in list(self._calls.values()):
            call.answered.cancel()
        await asyncio.gather(
            *(one.hang_up(aiohttp.WSCloseCode.GOING_AWAY, patience=_GOODBYE) for one in list(self._open)),
            return_exceptions=True,
        )

    @asynccontextmanager
    async def _opened(self, request: web.BaseRequest, most: int) -> AsyncIterator[WebSocket]:
        found = await WebSocket.opened(request, most)
        self._open.add(found)
        try:
            if self._serves is None:  # the server ends
                await found.hang_up(aiohttp.WSCloseCode.GOING_AWAY, patience=_GOODBYE)
            yield found
        finally:
            self._open.discard(found)
            await found.hang_up()

    # --- registering ---------------------------------------------------------------------------------------

    async def _register(self, request: web.BaseRequest, proven: Fingerprint) -> web.StreamResponse:
        if len(self._desks) >= self._ledger.terms.registered and proven not in self._desks:
            raise Refusal(429, "too many wait here", {"Retry-After": "600"})
        async with self._opened(request, _MAX_WORD) as desk:
            before, self._desks[proven] = self._desks.get(proven), desk
            self._heard(proven)
            try:
                if before is not None:  # his other connection, whether it is dead or another machine of his
                    await before.hang_up(aiohttp.WSCloseCode.POLICY_VIOLATION, patience=_GOODBYE)
                await desk.silence()  # there is nothing to be said here
            finally:
                if self._desks.get(proven) is desk:
                    del self._desks[proven]
        return desk.answer

    # --- calling -------------------------------------------------------------------------------------------

    async def _call(
        self, request: web.BaseRequest, callee: Fingerprint, caller: Fingerprint
    ) -> web.StreamResponse:
        wait = self._ledger.begin(caller, time.monotonic())
        if wait:
            self._counters.calls["too much"] += 1
            raise Refusal(429, "too much was passed on", {"Retry-After": str(retry_after(wait))})
        try:
            async with self._answered(callee, caller) as theirs, self._opened(request, MAX_MESSAGE) as ours:
                self._counters.calls["answered"] += 1
                await self._pass_on(ours, theirs, caller)
        finally:
            self._ledger.end(caller)
        return ours.answer

    @asynccontextmanager
    async def _answered(self, callee: Fingerprint, caller: Fingerprint) -> AsyncIterator[WebSocket]:
        """The other end of a call; Refusal when nobody answers."""
        desk = self._desks.get(callee)
        waiting = sum(call.callee == callee and not call.answered.done() for call in self._calls.values())
        if desk is None or self._serves is None or not self._serves(callee) or waiting >= _MOST_CALLS:
            self._counters.calls["nobody"] += 1
            raise Refusal(404)
        token = token_hex(16)
        call = self._calls[token] = _Call(callee, asyncio.get_running_loop().create_future())
        try:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await desk.say(json.dumps({"call": token, "by": caller.hex}))
                    # (Not awaited itself: to end this request would cancel it.)
                    await asyncio.wait((call.answered,))
            except (TimeoutError, ConnectionError):
                pass
            if not call.answered.done() or call.answered.cancelled():
                self._counters.calls["nobody"] += 1
                raise Refusal(404)
            yield call.answered.result()
        finally:
            del self._calls[token]
            call.answered.cancel()
            call.over.set()

    async def _take(self, request: web.BaseRequest, token: str, proven: Fingerprint) -> web.StreamResponse:
        call = self._calls.get(token)
        if call is None or call.callee != proven or call.answered.done():
            raise Refusal(404)
        async with self._opened(request, MAX_MESSAGE) as circuit:
            if not call.answered.done():  # otherwise another answer was quicker, or the caller has gone
                call.answered.set_result(circuit)
                await call.over.wait()
        return circuit.answer

    # --- passing on ----------------------------------------------------------------------------------------

    async def _pass_on(self, ours: WebSocket, theirs: WebSocket, caller: Fingerprint) -> None:
        ways = [
            asyncio.create_task(self._one_way(ours, theirs, caller)),
            asyncio.create_task(self._one_way(theirs, ours, caller)),
        ]
        minutes = self._ledger.terms.minutes
        try:
            await asyncio.wait(
                ways, timeout=minutes * 60 if minutes else None, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _one_way(self, source: WebSocket, sink: WebSocket, caller: Fingerprint) -> None:
        while (piece := await source.take()) is not None:
            if not self._ledger.spend(caller, len(piece), time.monotonic()):
                return
            await sink.send(piece)
            self._counters.passed_on += len(piece)
