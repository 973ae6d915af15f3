"""A peer that proves who it is and then sends the bytes that it was given, one answer for each request."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from mau.wire.client import PeerClient, Timeouts
from mau.wire.identity import Identity
from mau.wire.tls import server_context

QUICK = Timeouts(connect=2, answer=0.5, stall=0.5)


@asynccontextmanager
async def listening(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[int]:
    """A server of another kind; yields its port, and ends when all its visitors were seen off."""
    visits: list[asyncio.Task[None]] = []

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        visits.append(task)
        try:
            await answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(visit, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]
        async with asyncio.timeout(10):
            await asyncio.gather(*visits)


@asynccontextmanager
async def peer_that_says(
    identity: Identity, *answers: bytes, then_close: bool = True
) -> AsyncIterator[tuple[PeerClient, list[bytes]]]:
    """A client whose peer proves who it is and then sends these bytes; and the requests that it got."""
    got: list[bytes] = []
    given = iter(answers)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            got.append(await reader.readuntil(b"\r\n\r\n"))
            said = next(given, None)
            if said is None:
                break
            writer.write(said)
            await writer.drain()
        if not then_close:
            await reader.read(-1)

    async with (
        listening(answer, server_context(identity)) as port,
        PeerClient(None, identity.fingerprint, "127.0.0.1", port, timeouts=QUICK) as peer,
    ):
        yield peer, got


def ok(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def chunked(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
