"""Large files, as visitors take them: quickly, slowly, several in a row, to the end or not."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import time
from pathlib import Path

import pytest

from mau.content.binding import PUBLIC
from mau.server import connection as server_connection
from mau.wire.paths import file_path
from tests.server.test_hostile import nobody_is_there
from tests.server.world import Host, Someone, read_reply, serving

PATIENCE = 30.0


def request_of(alice: Someone, name: str, more: str = "") -> bytes:
    return f"GET {file_path(alice.fingerprint, name + '.pgp')} HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode()


async def one_answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    assert length is not None
    return head, await reader.readexactly(int(length[1]))


def held() -> int:
    """How many sockets and posts this process has open. (What threads open for themselves, they keep.)"""
    count = 0
    for one in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            count += one.readlink().name.startswith("socket:") or one.readlink().suffix == ".pgp"
    return count


async def closed_again(count: int) -> None:
    """Wait until no more than that is open."""
    async with asyncio.timeout(PATIENCE):
        while held() > count:  # noqa: ASYNC110 - nobody tells that something is closed
            await asyncio.sleep(0.01)


async def test_requests_in_a_row_are_answered_in_order_whatever_their_size(
    host: Host, alice: Someone
) -> None:
    """All are there before the first is answered."""
    contents = {
        name: alice.publish(name, os.urandom(size), PUBLIC).read_bytes()
        for name, size in (("small", 10), ("middle", 100_000), ("large", 9_000_000))
    }
    order = ["large", "small", "middle", "large", "large", "small"]
    reader, writer = await host.connect(None)
    writer.write(b"".join(request_of(alice, name) for name in order))
    async with asyncio.timeout(PATIENCE):
        for name in order:
            head, body = await one_answer(reader)
            assert head.startswith(b"HTTP/1.1 200 ")
            assert body == contents[name]
        writer.write(request_of(alice, "large", "Range: bytes=70000-\r\nConnection: close\r\n"))
        reply = read_reply(await reader.read(-1))
    assert (reply.status, reply.body) == (206, contents["large"][70_000:])
    sent = sum(len(contents[name]) for name in order) + len(reply.body)
    assert sum(host.server.gate.counters.sent.values()) >= sent
    writer.close()


async def test_many_take_the_same_large_file_at_once(host: Host, alice: Someone) -> None:
    content = alice.publish("big", os.urandom(4_000_000), PUBLIC).read_bytes()
    async with asyncio.timeout(PATIENCE):
        for reply in await asyncio.gather(*(host.get(None, "big") for _ in range(12))):
            assert reply.body == content


async def test_who_leaves_leaves_nothing_behind(host: Host, alice: Someone) -> None:
    alice.publish("big", os.urandom(20_000_000), PUBLIC)
    assert (await host.get(None, "big", {"Range": "bytes=0-99999"})).status == 206
    await nobody_is_there(host)
    before = held()
    for farewell in ("abort", "close"):
        for taken in (0, 1, 100_000, 8_000_000):
            reader, writer = await host.connect(None)
            writer.write(request_of(alice, "big"))
            async with asyncio.timeout(PATIENCE):
                await reader.readexactly(taken)
            getattr(writer.transport, farewell)()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
    await nobody_is_there(host)
    await closed_again(before)


async def test_who_stops_taking_is_cut_and_leaves_nothing_behind(
    alice: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_connection, "STALL_SECONDS", 0.5)
    alice.publish("big", os.urandom(30_000_000), PUBLIC)
    async with serving(alice) as host:
        assert (await host.get(None, "big", {"Range": "bytes=0-99999"})).status == 206
        await nobody_is_there(host)
        before = held()
        _, writer = await host.connect(None)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(request_of(alice, "big"))
        await nobody_is_there(host)
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        await closed_again(before)


async def test_who_takes_a_little_now_and_then_gets_all_of_it(
    alice: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In all it takes longer than anybody may take nothing."""
    monkeypatch.setattr(server_connection, "STALL_SECONDS", 1.5)
    content = alice.publish("big", os.urandom(24_000_000), PUBLIC).read_bytes()
    async with serving(alice) as host:
        reader, writer = await host.connect(None)
        writer.write(request_of(alice, "big", "Connection: close\r\n"))
        came = bytearray()
        began = time.monotonic()
        async with asyncio.timeout(PATIENCE):
            while piece := await reader.read(2_000_000):
                came += piece
                await asyncio.sleep(0.2)
        assert read_reply(bytes(came)).body == content
        assert time.monotonic() - began > 1.5
        writer.close()


async def test_without_a_descriptor_to_spare_it_goes_the_other_way(
    host: Host, alice: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = alice.publish("big", os.urandom(5_000_000), PUBLIC).read_bytes()
    monkeypatch.setattr(server_connection.Connection, "open_outlet", lambda _: None)
    assert (await host.get(None, "big")).body == content
    assert (await host.get(None, "big", {"Range": "bytes=5-"})).body == content[5:]
