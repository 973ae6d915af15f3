"""At the door: counts, limits and notes every request, whatever answers it (spec/http.yaml H55-H58)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, cast

from aiohttp import web

from mau.fingerprint import Fingerprint
from mau.server.accesslog import Access, AccessLog
from mau.server.answers import problem
from mau.server.connection import Answering, Connection
from mau.server.counters import Counters
from mau.server.limits import Allowance, Limits, network_of, retry_after

_LONGEST_PAUSE: Final = 30.0
"""Seconds between two pieces of a body, however little one may have: longer silence looks like an end."""

FRIEND: Final = "friend"


class Gate:
    """What the listeners of one server share: what is allowed, who is a friend, what is counted and noted."""

    def __init__(
        self,
        limits: Limits | None = None,
        is_friend: Callable[[Fingerprint | None], bool] = lambda _: False,
        log: AccessLog | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.allowance = Allowance(self.limits)
        self.is_friend = is_friend
        self.counters = Counters()
        self.log = log

    def visitor(self, proven: Fingerprint | None) -> str:
        """The word for what somebody is here."""
        if self.is_friend(proven):
            return FRIEND
        return "anonymous" if proven is None else "stranger"

    def note(
        self,
        request: web.BaseRequest,
        proven: Fingerprint | None,
        who: str,
        status: int,
        size: int,
        began: float,
    ) -> None:
        """Count a request, and write it down where that is wanted; ``who`` is the word of `visitor`."""
        seconds = time.monotonic() - began
        self.counters.requests[who, status] += 1
        self.counters.sent[who] += size
        self.counters.seconds += seconds
        if self.log is not None:
            address = request.remote or ""
            access = Access(
                time.time() - seconds,
                proven,
                address,
                request.method,
                request.raw_path,
                status,
                size,
                seconds,
            )
            self.log.note(access)


class Guard:
    """Lets ``app`` answer those who did not ask too much."""

    def __init__(self, app: Answering, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def handle(self, request: web.BaseRequest, proven: Fingerprint | None) -> web.StreamResponse:
        """The answer of the app, or 429."""
        gate, began = self._gate, time.monotonic()
        who = gate.visitor(proven)
        friend = who == FRIEND
        network = network_of(request.remote or "")
        wait = gate.allowance.request(proven, friend, network, began)
        if wait:
            seconds = retry_after(wait)
            response = problem(429, f"ask again in {seconds} s", {"Retry-After": str(seconds)})
            if not friend:
                response.force_close()  # or answers like this one would be what keeps us busy
            gate.note(request, proven, who, 429, _size(request, response), began)
            return response
        pace = None
        if gate.limits.bytes_per_second > 0:
            pace = _pace(gate, proven if friend else network)
            cast(Connection, request.protocol).pace = pace
            await pace(0)
        answer = await self._app.handle(request, proven)
        size = _size(request, answer)
        if pace is not None and isinstance(answer, web.Response):
            gate.allowance.sent(proven if friend else network, size, time.monotonic())
        gate.note(request, proven, who, answer.status, size, began)
        return answer


def _pace(gate: Gate, peer: Fingerprint | str | None) -> Callable[[int], Awaitable[None]]:
    async def pace(count: int) -> None:
        wait = gate.allowance.sent(peer, count, time.monotonic())
        if wait:
            await asyncio.sleep(min(wait, _LONGEST_PAUSE))

    return pace


def _size(request: web.BaseRequest, response: web.StreamResponse) -> int:
    """Bytes of the body, as far as it was sent."""
    if request.method == "HEAD":
        return 0
    if isinstance(response, web.Response):
        return len(response.body) if isinstance(response.body, bytes | bytearray) else 0
    return request.writer.output_size
