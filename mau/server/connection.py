"""One connection: HTTP/1.1 as aiohttp speaks it, with our limits and our errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol, cast

from aiohttp import web

from mau.fingerprint import Fingerprint
from mau.server.answers import problem
from mau.wire.tls import Outlet, peer_fingerprint, receive_little

IDLE_SECONDS: Final = 75.0
"""How long a connection may be open without a complete request, be it the first one or the next."""
STALL_SECONDS: Final = 60.0
"""How long the other end may leave a full buffer of an answer untaken before the connection is cut."""
MAX_LINE: Final = 4096
"""Bytes of the request line, and of each header line."""
MAX_HEADERS: Final = 64
_READ_BUFFER: Final = 16 * 1024
_WRITE_BUFFER: Final = 128 * 1024
_LINGER_SECONDS: Final = 1.0

_log = logging.getLogger("mau.server.connection")


def _nothing() -> None:
    """What a connection that nobody counts does on its way in and out."""


def _no_note(_request: web.BaseRequest, _status: int) -> None:
    """What is done about a broken request where nobody counts."""


class Connection(web.RequestHandler):
    """The protocol of one connection."""

    def __init__(self, manager: web.Server, **settings: Any) -> None:
        super().__init__(manager, **settings)
        self.met = False
        """Whether the handshake succeeded."""
        self.proven: Fingerprint | None = None
        """Who the other end is; None for a stranger."""
        self.enter: Callable[[], None] = _nothing
        """Called once when it succeeded."""
        self.leave: Callable[[], None] = _nothing
        """Called once when the connection is over after that."""
        self.broken: Callable[[web.BaseRequest, int], None] = _no_note
        """Called for what is no request of HTTP, with the status of its answer."""
        self.pace: Callable[[int], Awaitable[None]] | None = None
        """Awaited after so many bytes of a body, where a peer gets only so many a second."""
        self.lost: Callable[[], None] | None = None
        """Called when the connection is over while a request waits."""
        self.busy = 0
        """How many requests are being answered."""
        self._wire: asyncio.Transport | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._outlet: Outlet | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.met = True
        self.proven = peer_fingerprint(transport)
        receive_little(transport, _READ_BUFFER)
        self._wire = cast(asyncio.Transport, transport)
        self._wire.set_write_buffer_limits(high=_WRITE_BUFFER)
        self.enter()
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._calm()
        super().connection_lost(exc)
        self._wire = None
        if self._outlet is not None:
            self._outlet.cut()
            self._outlet = None
        if self.lost is not None:
            self.lost()
        self.leave()

    def abort(self) -> None:
        """Cut the connection, whatever is still to be sent."""
        if self._wire is not None:
            self._wire.abort()

    def open_outlet(self) -> Outlet | None:
        """A way past our buffers for one large body; whoever gets it closes it. None: there is none."""
        self._outlet = None if self._wire is None else Outlet.of(self._wire)
        return self._outlet

    @property
    def patience(self) -> float:
        """Seconds for which the other end may take nothing."""
        return STALL_SECONDS

    def pause_writing(self) -> None:
        super().pause_writing()
        # Not to be forgotten when the answer is complete on our side: the other end still has to take it.
        self._stalled = self._loop.call_later(STALL_SECONDS, self.abort)

    def resume_writing(self) -> None:
        self._calm()
        super().resume_writing()

    def _calm(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what is no request: always a problem document, never a word in the log."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was begun already")
        response = problem(status, "not a request of HTTP/1.1" if status < 500 else "")
        response.force_close()
        self.broken(request, status)
        return response


class Answering(Protocol):
    """What answers requests: `mau.server.app.App`, and what people's browsers are shown."""

    async def handle(self, request: web.BaseRequest, proven: Fingerprint | None) -> web.StreamResponse:
        """The answer to a visitor who proved to be ``proven``, None for a stranger. Never raises."""
        ...


class Connections(web.Server):
    """Makes connections, and knows those that are open."""

    def __init__(self, app: Answering) -> None:
        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            connection = cast(Connection, request.protocol)
            connection.busy += 1
            try:
                return await app.handle(request, connection.proven)
            finally:
                connection.busy -= 1

        super().__init__(handle)

    def __call__(self) -> Connection:
        return Connection(
            self,
            loop=self._loop,
            logger=_log,
            access_log=None,
            keepalive_timeout=IDLE_SECONDS,
            lingering_time=_LINGER_SECONDS,
            max_line_size=MAX_LINE,
            max_field_size=MAX_LINE,
            max_headers=MAX_HEADERS,
            auto_decompress=False,
        )
