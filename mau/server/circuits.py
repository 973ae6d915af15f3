"""The circuit relay: passes bytes between two peers, and reads nothing of them (spec/circuit.md).

Whoever is not there, is not known and is not allowed gets one and the same answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Final, cast

import aiohttp
from aiohttp import web

from mau.circuit.terms import Ledger, Terms
from mau.fingerprint import Fingerprint
from mau.server.answers import COMMON, Refusal
from mau.server.limits import retry_after
from mau.wire.paths import AnswerTarget, CallTarget, CircuitTarget

ANSWER_SECONDS: Final = 10.0
"""How long somebody who is called has to answer."""
_HEARTBEAT: Final = 25.0
_MAX_MESSAGE: Final = 256 * 1024
_MAX_WORD: Final = 1024
_MOST_CALLS: Final = 16
"""Calls of one callee that are not answered yet."""


@dataclass(eq=False, slots=True)
class _Call:
    callee: Fingerprint
    answered: asyncio.Future[web.WebSocketResponse]
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Circuits:
    """The circuits of one server. ``serves`` says who may register and call; nobody where it is None."""

    def __init__(self, serves: Callable[[Fingerprint], bool] | None, terms: Terms | None = None) -> None:
        self._serves = serves
        self._ledger = Ledger(terms or Terms())
        self._desks: dict[Fingerprint, web.WebSocketResponse] = {}
        self._calls: dict[str, _Call] = {}
        self._open: set[web.WebSocketResponse] = set()

    @property
    def registered(self) -> frozenset[Fingerprint]:
        """Who waits to be called."""
        return frozenset(self._desks)

    @property
    def circuits(self) -> int:
        """How many are open."""
        return self._ledger.open

    async def answer(
        self, request: web.BaseRequest, target: CircuitTarget, proven: Fingerprint | None
    ) -> web.StreamResponse:
        """The answer; Refusal when there is none."""
        if self._serves is None or proven is None or not self._serves(proven):
            raise Refusal(404)
        if request.method != "GET" or not web.WebSocketResponse().can_prepare(request):
            raise Refusal(426, "a WebSocket is needed", {"Upgrade": "websocket"})
        if isinstance(target, CallTarget):
            return await self._call(request, target.callee, proven)
        if isinstance(target, AnswerTarget):
            return await self._take(request, target.token, proven)
        return await self._register(request, proven)

    async def close(self) -> None:
        """End every circuit."""
        self._serves = None
        for call in self._calls.values():
            call.answered.cancel()
        await asyncio.gather(
            *(one.close(code=aiohttp.WSCloseCode.GOING_AWAY) for one in list(self._open)),
            return_exceptions=True,
        )

    # --- registering ---------------------------------------------------------------------------------------

    async def _register(self, request: web.BaseRequest, proven: Fingerprint) -> web.StreamResponse:
        if len(self._desks) >= self._ledger.terms.registered and proven not in self._desks:
            raise Refusal(429, "too many wait here", {"Retry-After": "600"})
        desk = await self._upgrade(request, _MAX_WORD)
        before, self._desks[proven] = self._desks.get(proven), desk
        try:
            if before is not None:  # his other connection, whether it is dead or another machine of his
                await before.close(code=aiohttp.WSCloseCode.POLICY_VIOLATION)
            async for _ in desk:
                break  # there is nothing to be said here
        finally:
            if self._desks.get(proven) is desk:
                del self._desks[proven]
            await self._done(desk)
        return desk

    # --- calling -------------------------------------------------------------------------------------------

    async def _call(
        self, request: web.BaseRequest, callee: Fingerprint, caller: Fingerprint
    ) -> web.StreamResponse:
        wait = self._ledger.begin(caller, time.monotonic())
        if wait:
            raise Refusal(429, "too much was passed on", {"Retry-After": str(retry_after(wait))})
        try:
            token, call = await self._ring(callee)
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    theirs = await call.answered
                ours = await self._upgrade(request, _MAX_MESSAGE)
                try:
                    await self._pass_on(ours, theirs, caller)
                finally:
                    await self._done(ours)
            except (TimeoutError, asyncio.CancelledError) as error:
                if isinstance(error, asyncio.CancelledError) and not call.answered.cancelled():
                    raise
                raise Refusal(404) from error
            finally:
                self._calls.pop(token, None)
                call.over.set()
        finally:
            self._ledger.end(caller)
        return ours

    async def _ring(self, callee: Fingerprint) -> tuple[str, _Call]:
        desk = self._desks.get(callee)
        waiting = sum(call.callee == callee and not call.answered.done() for call in self._calls.values())
        if desk is None or self._serves is None or not self._serves(callee) or waiting >= _MOST_CALLS:
            raise Refusal(404)
        token = token_hex(16)
        call = self._calls[token] = _Call(callee, asyncio.get_running_loop().create_future())
        try:
            await desk.send_str(json.dumps({"call": token}))
        except (ConnectionError, RuntimeError) as error:
            del self._calls[token]
            raise Refusal(404) from error
        return token, call

    async def _take(self, request: web.BaseRequest, token: str, proven: Fingerprint) -> web.StreamResponse:
        call = self._calls.get(token)
        if call is None or call.callee != proven or call.answered.done():
            raise Refusal(404)
        circuit = await self._upgrade(request, _MAX_MESSAGE)
        try:
            if call.answered.done():  # another answer was quicker
                return circuit
            call.answered.set_result(circuit)
            await call.over.wait()
        finally:
            await self._done(circuit)
        return circuit

    # --- passing on ----------------------------------------------------------------------------------------

    async def _pass_on(
        self, ours: web.WebSocketResponse, theirs: web.WebSocketResponse, caller: Fingerprint
    ) -> None:
        ways = [
            asyncio.create_task(self._one_way(ours, theirs, caller)),
            asyncio.create_task(self._one_way(theirs, ours, caller)),
        ]
        try:
            await asyncio.wait(
                ways, timeout=self._ledger.terms.minutes * 60, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _one_way(
        self, source: web.WebSocketResponse, sink: web.WebSocketResponse, caller: Fingerprint
    ) -> None:
        async for message in source:
            if message.type is not aiohttp.WSMsgType.BINARY:
                return
            if not self._ledger.spend(caller, len(message.data), time.monotonic()):
                return
            await sink.send_bytes(message.data)

    async def _upgrade(self, request: web.BaseRequest, most: int) -> web.WebSocketResponse:
        found = web.WebSocketResponse(heartbeat=_HEARTBEAT, max_msg_size=most, compress=False, timeout=2.0)
        found.headers.update(COMMON)
        await found.prepare(cast(web.Request, request))
        self._open.add(found)
        return found

    async def _done(self, one: web.WebSocketResponse) -> None:
        self._open.discard(one)
        with contextlib.suppress(ConnectionError, RuntimeError):
            await one.close()
