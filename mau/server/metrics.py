"""`/healthz` and `/metrics` for the owner's own tools, on loopback only (spec/http.yaml H59)."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Mapping

from aiohttp import web

from mau.fingerprint import Fingerprint
from mau.hostport import Address
from mau.server.answers import empty, problem, send_bytes
from mau.server.counters import CONTENT_TYPE
from mau.server.guard import Gate
from mau.server.limits import Limits, Rate
from mau.server.listener import Listener

_PLENTY = Rate(1_000_000, 1_000_000)
_LIMITS = Limits(
    connections=16,
    connections_per_address=16,
    everyone=_PLENTY,
    anonymous_address=_PLENTY,
    strangers=_PLENTY,
    handshakes=_PLENTY,
)


class Metrics:
    """A listener without TLS that says whether the server lives and what it counted."""

    def __init__(
        self,
        gate: Gate,
        connections: Callable[[], int],
        others: Callable[[], Mapping[str, float]] = dict,
    ) -> None:
        """``others``: what else is measured now, by its name."""
        self._gate = gate
        self._connections = connections
        self._others = others
        self._began = time.monotonic()
        self._listener = Listener(self, None, Gate(_LIMITS))

    async def start(self, place: Address) -> None:
        """Listen there, which must be this machine alone: the numbers tell how busy somebody is.

        MauError when that fails.
        """
        await self._listener.start(*place)

    @property
    def address(self) -> Address:
        """Where it listens."""
        return self._listener.address

    async def stop(self) -> None:
        """Listen no more."""
        await self._listener.stop(grace=0.1)

    async def handle(self, request: web.BaseRequest, _proven: Fingerprint | None) -> web.StreamResponse:
        """The answer to a request from this machine."""
        if request.method not in ("GET", "HEAD"):
            return empty(405, {"Allow": "GET, HEAD"})
        if not _is_here(request.headers.get("Host", "")):
            return problem(403, "not under this name")  # a web page whose name was led here
        if request.raw_path == "/healthz":
            return await send_bytes(request, b"ok\n", "text/plain; charset=utf-8", {})
        if request.raw_path != "/metrics":
            return problem(404)
        gauges = {
            "mau_connections": self._connections(),
            "mau_uptime_seconds": time.monotonic() - self._began,
            **self._others(),
        }
        return await send_bytes(request, self._gate.counters.render(gauges).encode(), CONTENT_TYPE, {})


def _is_here(host: str) -> bool:
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    try:
        return name == "localhost" or ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
