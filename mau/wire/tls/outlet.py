"""The way out of a connection for what is large: encrypted and sent in a thread, past asyncio's buffers.

asyncio encrypts in the loop's thread, holds up everybody meanwhile, and keeps in memory what the other end
does not take. An outlet hands the ciphertext to the socket itself, in portions that stay in the processor's
cache, and stops when the socket is full: then it holds one portion. Reading goes on as ever, in the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from asyncio import selector_events
from typing import Any, Final, Self

from mau.wire.tls.connection import PORTION, Connection

_OVER_SOCKET: Final[Any] = getattr(selector_events, "_SelectorSocketTransport", None)


class Outlet:
    """One connection, lent from `ready` to `close`. Between the two nobody else may write to its transport.

    `push` belongs to one thread at a time, everything else to the loop. Errors are OSError.
    """

    def __init__(
        self,
        transport: asyncio.WriteTransport,
        wire: asyncio.Transport,
        connection: Connection,
        way: socket.socket,
    ) -> None:
        self._transport = transport
        self._wire = wire
        self._connection = connection
        self._way = way
        self._rest = b""
        self._waiting: asyncio.Future[None] | None = None
        self._cut = False

    @classmethod
    def of(cls, transport: asyncio.WriteTransport) -> Self | None:
        """The outlet of a connection of ours; None for any other, and where asyncio is built otherwise."""
        connection: Any = transport.get_extra_info("ssl_object")
        wire: Any = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)
        # Right above the socket: a transport that goes through another one's may name that one's.
        if isinstance(connection, Connection) and type(wire) is _OVER_SOCKET:
            # A descriptor of our own: that of asyncio may be closed, and be another file's, while we send.
            with contextlib.suppress(OSError, AttributeError):  # out of descriptors, or closed
                return cls(transport, wire, connection, wire.get_extra_info("socket").dup())
        return None

    async def ready(self, seconds: float) -> None:
        """Wait until asyncio has sent what it holds, and take over. TimeoutError, and as `writable`."""
        async with asyncio.timeout(seconds):
            while self._transport.get_write_buffer_size() or self._wire.get_write_buffer_size():
                await self.writable(seconds)
        self._check()
        self._connection.lend()

    @property
    def full(self) -> bool:
        """Whether the socket took less than it was given: the next `push` makes sense after `writable`."""
        return bool(self._rest)

    def push(self, data: memoryview) -> int:
        """Encrypt and send, in any thread; never waits. Returns how many bytes of `data` need not come again.

        With fewer than all of them the socket is `full`; it may be with all of them, too.
        """
        taken, size = 0, len(data)
        while not self._cut:
            if rest := self._rest:
                try:
                    sent = self._way.send(rest)
                except BlockingIOError:
                    return taken
                if sent < len(rest):
                    self._rest = rest[sent:]
                    return taken
                self._rest = b""
            if taken == size:
                return taken
            portion = data[taken : taken + PORTION]
            self._rest = self._connection.sealed(portion)
            taken += len(portion)
        raise _over()

    async def writable(self, seconds: float) -> None:
        """Wait until the socket takes more. TimeoutError; ConnectionError when it was cut."""
        self._check()
        loop = asyncio.get_running_loop()
        self._waiting = loop.create_future()
        loop.add_writer(self._way, _wake, self._waiting)
        try:
            async with asyncio.timeout(seconds):
                await self._waiting
        finally:
            loop.remove_writer(self._way)
            self._waiting = None
        self._check()

    def cut(self) -> None:
        """The connection is over: whoever waits or pushes gets a ConnectionError."""
        self._cut = True
        if self._waiting is not None:
            _wake(self._waiting)

    def close(self) -> None:
        """Give the connection back to asyncio, or cut it within a record. No thread pushes any more."""
        if self._rest:
            self._wire.abort()
        self._connection.give_back()
        self._way.close()

    def _check(self) -> None:
        if self._cut:
            raise _over()


def _over() -> ConnectionResetError:
    return ConnectionResetError("the connection is over")


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
