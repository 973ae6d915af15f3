"""What is pushed through an outlet arrives whole, in order with what asyncio sends, and holds up nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from mau.wire.tls import Outlet, client_context, server_context
from tests.wire.test_tls import ADA, HOST, MIB, PATIENCE, pair

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
NOTHING = memoryview(b"")


@asynccontextmanager
async def joined() -> AsyncIterator[tuple[Streams, Streams]]:
    """A client and a server that are connected; both are cut at the end."""
    came: asyncio.Queue[Streams] = asyncio.Queue()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await came.put((reader, writer))

    server = await asyncio.start_server(take, "127.0.0.1", 0, ssl=server_context(HOST))
    async with server, asyncio.timeout(PATIENCE):
        client = await asyncio.open_connection(
            *server.sockets[0].getsockname(), ssl=client_context(ADA, HOST.fingerprint), limit=4 * MIB
        )
        there = await came.get()
        try:
            yield client, there
        finally:
            for _, writer in (client, there):
                writer.transport.abort()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()


@asynccontextmanager
async def lent(writer: asyncio.StreamWriter, patience: float = PATIENCE) -> AsyncIterator[Outlet]:
    outlet = Outlet.of(writer.transport)
    assert outlet is not None
    try:
        await outlet.ready(patience)
        yield outlet
    finally:
        outlet.close()


async def push_all(outlet: Outlet, data: bytes) -> None:
    rest = memoryview(data)
    while rest or outlet.full:
        rest = rest[await asyncio.to_thread(outlet.push, rest) :]
        if outlet.full:
            await outlet.writable(PATIENCE)


async def fill(outlet: Outlet) -> int:
    """Push until the socket takes no more; how many bytes it took."""
    block, taken = memoryview(bytes(MIB)), 0
    while not outlet.full:
        taken += outlet.push(block)
    return taken


async def test_it_arrives_between_what_asyncio_sends() -> None:
    before, pushed, after = os.urandom(3 * MIB), os.urandom(20 * MIB + 7), os.urandom(MIB)

    async def serve(writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            writer.write(before)  # more than the socket takes at once
            async with lent(writer) as outlet:
                await push_all(outlet, pushed)
            writer.write(after)

    async with joined() as ((reader, _), (_, writer)):
        serving = asyncio.create_task(serve(writer))
        for _ in range(2):
            for part in (before, pushed, after):
                assert await reader.readexactly(len(part)) == part
        await serving


async def test_the_other_direction_goes_on_meanwhile() -> None:
    sent = os.urandom(8 * MIB)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Ask for a word after every piece, with the next piece on its way."""
        for at in range(0, len(sent), MIB):
            assert await reader.readexactly(MIB) == sent[at : at + MIB]
            writer.write(b"more of it\n")

    async with joined() as (client, (reader, writer)), lent(writer) as outlet:
        pushing = asyncio.create_task(push_all(outlet, sent))
        answering = asyncio.create_task(answer(*client))
        for _ in range(8):
            assert await reader.readline() == b"more of it\n"
        await asyncio.gather(pushing, answering)


async def test_who_takes_nothing_leaves_one_portion_here() -> None:
    async with joined() as ((_, client), (_, writer)):
        client.transport.pause_reading()  # type: ignore[attr-defined]
        async with lent(writer) as outlet:
            block = memoryview(bytes(MIB))
            with pytest.raises(TimeoutError):
                while True:  # until the kernels of both ends have shifted what they can
                    if outlet.push(block) == 0:
                        await outlet.writable(0.3)
            assert outlet.full
            assert len(outlet._rest) < 128 * 1024
        # What is cut within a record is no connection any more.
        await asyncio.sleep(0)
        assert writer.transport.is_closing()


async def test_asyncio_that_gets_rid_of_nothing_is_not_waited_for_for_ever() -> None:
    async with joined() as ((_, client), (_, writer)):
        client.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(bytes(40 * MIB))
        with pytest.raises(TimeoutError):
            async with lent(writer, 0.3):
                raise AssertionError("it was not empty")


async def test_a_connection_that_is_over_ends_waiting_and_pushing() -> None:
    async with joined() as ((_, client), (_, writer)):
        client.transport.pause_reading()  # type: ignore[attr-defined]
        async with lent(writer) as outlet:
            await fill(outlet)
            waiting = asyncio.create_task(outlet.writable(PATIENCE))
            await asyncio.sleep(0)
            outlet.cut()
            with pytest.raises(ConnectionError):
                await waiting
            with pytest.raises(ConnectionError):
                outlet.push(NOTHING)
            with pytest.raises(ConnectionError):
                await outlet.writable(PATIENCE)


async def goodbye(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def gone(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


@pytest.mark.parametrize("leave", [goodbye, gone])
async def test_who_leaves_in_the_middle_gets_no_more(
    leave: Callable[[asyncio.StreamWriter], Awaitable[None]],
) -> None:
    async with joined() as ((reader, client), (_, writer)):
        with pytest.raises(OSError):
            async with lent(writer) as outlet:
                pushing = asyncio.create_task(push_all(outlet, bytes(400 * MIB)))
                await reader.readexactly(MIB)
                await leave(client)
                await pushing


async def test_a_descriptor_that_asyncio_has_closed_is_not_sent_to() -> None:
    """Its number may belong to something else by then."""
    async with joined() as ((reader, _), (_, writer)):
        outlet = Outlet.of(writer.transport)
        assert outlet is not None
        await outlet.ready(PATIENCE)
        number = writer.get_extra_info("socket").fileno()
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.setblocking(False)
            assert number in {ours.fileno(), theirs.fileno()}
            with contextlib.suppress(OSError):
                outlet.push(memoryview(bytes(1000)))
            with pytest.raises(BlockingIOError):
                theirs.recv(1)
        outlet.close()
        with contextlib.suppress(OSError):
            assert await reader.read(-1) in {b"", bytes(1000)}


def test_nobody_else_writes_while_it_is_lent() -> None:
    ends = pair().shake()
    ends.server.lend()
    with pytest.raises(ssl.SSLError):
        ends.server.write(b"between two records")
    ends.server.give_back()
    ends.server.write(b"after them")
    ends.carry()
    assert ends.client.read(100) == b"after them"


def test_before_the_handshake_there_is_nothing_to_lend() -> None:
    with pytest.raises(ssl.SSLError):
        pair().server.lend()


async def test_keys_may_change_while_it_is_lent() -> None:
    """A change that the peer asks for is answered with what is pushed next."""
    asked = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with lent(writer) as outlet:
            await push_all(outlet, b"BEFORE\n")
            await reader.readline()
            asked.set()
            await push_all(outlet, b"AFTER\n")
        writer.write(b"LATER\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_context(HOST))
    async with server, asyncio.timeout(PATIENCE):
        process = await asyncio.create_subprocess_exec(
            *("openssl", "s_client", "-connect", f"127.0.0.1:{server.sockets[0].getsockname()[1]}"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        await process.stdout.readuntil(b"BEFORE\n")
        process.stdin.write(b"K\n")
        await process.stdout.readuntil(b"KEYUPDATE\n")
        process.stdin.write(b"go on\n")
        await process.stdout.readuntil(b"AFTER\n")
        assert asked.is_set()
        await process.stdout.readuntil(b"LATER\n")
        process.stdin.close()
        await process.communicate()


async def test_connections_of_others_have_no_outlet() -> None:
    async def take(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert Outlet.of(writer.transport) is None
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server, asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert Outlet.of(writer.transport) is None
        assert await reader.read(-1) == b""
        writer.close()
        await writer.wait_closed()
    assert Outlet.of(asyncio.Transport()) is None
