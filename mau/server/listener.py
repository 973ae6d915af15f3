"""One listener: sockets, handshakes, limits on connections, an orderly end. Others decide on answers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter
from typing import Any, Final

from mau.errors import MauError
from mau.server.connection import Answering, Connection, Connections
from mau.wire.tls import TLSContext

MAX_CONNECTIONS: Final = 256
MAX_CONNECTIONS_PER_ADDRESS: Final = 64
HANDSHAKE_SECONDS: Final = 10.0
_GOODBYE_SECONDS: Final = 30.0
"""For what is still in our buffers when a connection is closed, and for the other end's goodbye."""
_ACCEPT_PAUSE: Final = 0.1
_BACKLOG: Final = 128


class Listener:
    """Takes connections on one port and lets ``app`` answer; one start for each."""

    def __init__(self, app: Answering, context: TLSContext | None) -> None:
        """``context`` None: without TLS."""
        self._app = app
        self._context = context
        self._http: Connections | None = None
        self._sockets: list[socket.socket] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._handshakes: set[asyncio.Task[Any]] = set()
        self._open: Counter[str] = Counter()
        self._met: set[Connection] = set()
        self._left = asyncio.Event()

    async def start(self, host: str, port: int) -> None:
        """Listen on every address of ``host``; "" is any, port 0 any free one. MauError when that fails."""
        self._sockets = await _listen(host, port)
        self._http = http = Connections(self._app)
        self._accepting = [
            asyncio.create_task(self._accept(listener, http), name="mau-accept") for listener in self._sockets
        ]

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the first listening socket."""
        host, port = self._sockets[0].getsockname()[:2]
        return host, port

    @property
    def connections(self) -> int:
        """How many are open, those included that are shaking hands."""
        return self._open.total()

    async def stop(self, grace: float = 5) -> None:
        """Accept nothing more, let what is being sent arrive within ``grace`` seconds, then cut."""
        for task in (*self._accepting, *self._handshakes):
            task.cancel()
        await asyncio.gather(*self._accepting, *self._handshakes, return_exceptions=True)
        for listener in self._sockets:
            listener.close()
        if self._http is not None:
            ends = asyncio.get_running_loop().time() + grace
            self._http.pre_shutdown()
            await self._http.shutdown(grace)
            # An answer that was handed over may still be on its way through our own buffers.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(ends):
                    while self._met:
                        self._left.clear()
                        await self._left.wait()
            for connection in list(self._met):
                connection.abort()

    # --- connections ---------------------------------------------------------------------------------------

    async def _accept(self, listener: socket.socket, http: Connections) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, peer = await loop.sock_accept(listener)
            except OSError:
                # Out of descriptors, or the caller was gone before we looked.
                await asyncio.sleep(_ACCEPT_PAUSE)
                continue
            address = str(peer[0])
            if self.connections >= MAX_CONNECTIONS or self._open[address] >= MAX_CONNECTIONS_PER_ADDRESS:
                connection.close()
            else:
                self._shake_hands(connection, address, http)

    def _shake_hands(self, connection: socket.socket, address: str, http: Connections) -> None:
        """Begin the handshake; from then on the connection belongs to its protocol."""
        protocol = http()
        taken = False

        def take() -> Connection:
            nonlocal taken
            taken = True
            return protocol

        def leave() -> None:
            self._met.discard(protocol)
            self._left.set()
            self._open[address] -= 1
            if self._open[address] <= 0:
                del self._open[address]

        def shaken(task: asyncio.Task[Any]) -> None:
            self._handshakes.discard(task)
            if not taken:
                connection.close()
            if not protocol.met:
                leave()
            if not task.cancelled():
                task.exception()  # whoever cannot shake hands is not worth a line in a log

        self._open[address] += 1
        protocol.enter = lambda: self._met.add(protocol)
        protocol.leave = leave
        task = asyncio.create_task(
            asyncio.get_running_loop().connect_accepted_socket(
                take,
                connection,
                ssl=self._context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS if self._context else None,
                ssl_shutdown_timeout=_GOODBYE_SECONDS if self._context else None,
            ),
            name="mau-handshake",
        )
        self._handshakes.add(task)
        task.add_done_callback(shaken)


async def _listen(host: str, port: int) -> list[socket.socket]:
    """Listening sockets for every address of ``host`` ("" is any), all on one port."""
    loop = asyncio.get_running_loop()
    sockets: list[socket.socket] = []
    try:
        found = await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        places = dict.fromkeys(found)
        for family, kind, protocol, _, address in places:
            if family == socket.AF_INET6 and not _has_ipv6():
                continue
            listener = socket.socket(family, kind, protocol)
            sockets.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:  # next to an IPv4 one of the same port it must keep to itself
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, len(places) > 1)
            chosen = sockets[0].getsockname()[1] if len(sockets) > 1 else port
            listener.bind((address[0], chosen, *address[2:]))
            listener.listen(_BACKLOG)
            listener.setblocking(False)
    except (OSError, OverflowError) as error:
        for listener in sockets:
            listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise MauError(f"cannot listen on {host or '*'}:{port}: {reason}") from error
    return sockets


def _has_ipv6() -> bool:
    """Whether this machine speaks IPv6 at all: a container without it still resolves ``::``."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
