"""Whatever is sent, the server answers it or hangs up: never with 5xx, never with a line in the log."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import re
import time
from pathlib import Path

import pytest

from mau.content.binding import PUBLIC
from mau.server import connection as server_connection
from mau.server import listener as server_listener
from mau.server.limits import Limits, Rate
from mau.wire.paths import file_path
from tests.server.world import Host, Someone, audience, read_reply, serving

REQUESTS = 2500
AT_ONCE = 24


def seeds(host: Host) -> list[bytes]:
    base = f"/p2p/{host.owner.fingerprint}"
    ask = "HTTP/1.1\r\nHost: x\r\n"
    return [
        f"GET {base} {ask}If-Modified-Since: Mon, 01 Jan 0001 00:00:00 GMT\r\n\r\n".encode(),
        f'GET {base}/public.pgp {ask}Range: bytes=0-9,20-29\r\nIf-Range: "abc"\r\n\r\n'.encode(),
        f'HEAD {base}/priv%20%C3%A9.pgp {ask}If-None-Match: W/"a", "b"\r\n\r\n'.encode(),
        f"GET {base}/public.pgp.version/{'0' * 64} {ask}If-Match: *\r\n\r\n".encode(),
        f"POST {base} {ask}Content-Length: 5\r\n\r\nhello".encode(),
        f"GET {base} {ask}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".encode(),
        f"GET {base}/big.pgp HTTP/1.0\r\nConnection: keep-alive\r\nAccept-Encoding: gzip\r\n\r\n".encode(),
    ]


BITS = (
    b"\r\n",
    b"\n",
    b"\0",
    b" ",
    b"%",
    b"%00",
    b"%2e%2e",
    b"/",
    b"../",
    b"\xff\xfe",
    b":",
    b";",
    b'"',
    b"HTTP/1.1",
    b"HTTP/2.0",
    b"Content-Length: -1\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: gzip\r\n",
    b"Expect: 100-continue\r\n",
    b"Upgrade: websocket\r\nConnection: Upgrade\r\n",
    b"Range: bytes=-\r\n",
    b"Range: bytes=0-99999999999999999999999999\r\n",
    b"CONNECT x:1",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET * HTTP/1.1",
    b"GET http://[::1 HTTP/1.1",
    b"Host: a\r\nHost: b\r\n",
    b"A" * 5000,
    b"X: y\r\n" * 100,
    b"If-Modified-Since: Fri, 32 Nov 2026 00:00:00 GMT\r\n",
    b"If-None-Match: " + b'",' * 500 + b"\r\n",
    b"\xe2\x80\xae",
    b"%F0%9F%90%88",
    b"?" * 30,
    b"#",
)


def mutated(seed: bytes, chance: random.Random) -> bytes:
    data = bytearray(seed)
    for _ in range(chance.randint(1, 2)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0:
                data[at:at] = chance.choice(BITS)
            case 1:
                del data[at : at + chance.randint(1, 20)]
            case 2 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case 3:
                data[at:at] = data[: chance.randint(1, 60)]
            case _:
                data[at : at + 3] = chance.randbytes(chance.randint(0, 4))
    return bytes(data)


async def test_thousands_of_broken_requests(
    alice: Someone, bob: Someone, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Half of what is sent is no whole request: nobody waits for the rest here.
    monkeypatch.setattr(server_connection, "IDLE_SECONDS", 0.2)
    monkeypatch.setattr(server_connection, "_LINGER_SECONDS", 0.2)
    alice.publish("public", b"x" * 100, PUBLIC)
    alice.publish("priv é", b"x", audience(alice, bob))
    alice.publish("big", os.urandom(200_000), PUBLIC)
    caplog.set_level(logging.INFO)
    chance = random.Random(20261120)
    statuses: dict[int, int] = {}
    plenty = Rate(1e6, 1e6)
    limits = Limits(handshakes=plenty, anonymous_address=plenty, strangers=plenty)
    async with serving(alice, limits=limits) as host:
        requests = [mutated(chance.choice(seeds(host)), chance) for _ in range(REQUESTS)]
        queue = iter(enumerate(requests))

        async def worker(who: Someone | None) -> None:
            for number, request in queue:
                try:
                    answer = await host.raw(who, request)
                except OSError:
                    continue
                for status in re.findall(rb"(?:^|\n)HTTP/1\.[01] (\d{3}) ", answer):
                    statuses[int(status)] = statuses.get(int(status), 0) + 1
                    assert int(status) < 500, (number, request, answer)
                assert b"Traceback" not in answer

        async with asyncio.timeout(55):
            await asyncio.gather(*(worker((None, bob)[n % 2]) for n in range(AT_ONCE)))
        # And it still answers.
        assert set((await host.list(bob)).names) == {"public", "priv é", "big"}
    assert [record.getMessage() for record in caplog.records if record.name != "asyncio"] == []
    assert {200, 206, 400, 404, 405} <= set(statuses), statuses


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n", 400),
        (b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 10_000 + b"\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 1000 + b"\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405),
        (b"DELETE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405),
        (b"PROPFIND /pot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
    ],
)
async def test_errors_are_problem_documents(host: Host, request_bytes: bytes, status: int) -> None:
    async with asyncio.timeout(10):
        reader, writer = await host.connect(None)
        writer.write(request_bytes)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(re.findall(rb"(?i)content-length: (\d+)", head)[0])
        reply = read_reply(head + await reader.readexactly(length))
        writer.close()
    assert reply.status == status
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.json["status"] == status
    assert set(reply.json) <= {"title", "status", "detail"}
    assert reply.headers["Server"] == "mau"
    if status == 405:
        assert reply.headers["Allow"] == "GET, HEAD"


async def test_requests_in_a_row_on_one_connection(host: Host, alice: Someone) -> None:
    alice.publish("x", b"1", PUBLIC)
    request = f"GET {file_path(alice.fingerprint, 'x.pgp')} HTTP/1.1\r\nHost: x\r\n".encode()
    answer = await host.raw(None, (request + b"\r\n") * 49 + request + b"Connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 50


async def test_who_sends_plain_http_or_nothing_is_cut_off(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = await asyncio.open_connection(host.host, host.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    async with asyncio.timeout(10):
        answer = await reader.read(-1)
    assert b"HTTP" not in answer
    writer.close()


async def test_a_handshake_that_never_ends_is_ended(alice: Someone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_listener, "HANDSHAKE_SECONDS", 0.3)
    async with serving(alice) as host:
        reader, writer = await asyncio.open_connection(host.host, host.port)
        writer.write(b"\x16\x03\x01")
        async with asyncio.timeout(10):
            assert await reader.read(-1) == b""
        writer.close()
        assert (await host.list(None)).status == 200


async def test_a_request_that_never_ends_is_ended(alice: Someone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_connection, "IDLE_SECONDS", 0.3)
    async with serving(alice) as host:
        reader, writer = await host.connect(None)

        async def trickle() -> None:
            writer.write(b"GET / HTTP/1.1\r\nX: ")
            for _ in range(1000):
                writer.write(b"x")
                await asyncio.sleep(0.02)

        task = asyncio.create_task(trickle())
        async with asyncio.timeout(10):
            assert await reader.read(-1) == b""
        task.cancel()
        writer.close()


async def test_connections_beyond_the_limit_are_refused_and_counted_back(
    alice: Someone, bob: Someone
) -> None:
    async with serving(alice, limits=Limits(connections_per_address=5)) as host:
        for _ in range(3):
            open_ones = [await host.connect(bob) for _ in range(5)]
            with pytest.raises(OSError):
                await host.connect(bob)
            for _, writer in open_ones:
                writer.close()
                await writer.wait_closed()
            await nobody_is_there(host)
        # Those who fail in the handshake are counted back as well.
        for _ in range(12):
            _, writer = await asyncio.open_connection(host.host, host.port)
            writer.write(b"nonsense" * 10)
            writer.close()
        await nobody_is_there(host)
        assert (await host.list(None)).status == 200


async def nobody_is_there(host: Host) -> None:
    """Wait until the server has no connection."""
    async with asyncio.timeout(10):
        while host.server.connections:  # noqa: ASYNC110 - an event would be of no use to the server
            await asyncio.sleep(0.01)


def memory() -> int:
    """Resident bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_who_reads_slowly_costs_little_memory_and_is_cut_off_at_last(
    alice: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_connection, "STALL_SECONDS", 1.0)
    alice.publish("big", os.urandom(30_000_000), PUBLIC)
    async with serving(alice) as host:
        request = f"GET {file_path(alice.fingerprint, 'big.pgp')} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        assert (await host.get(None, "big", {"Range": "bytes=0-9"})).status == 206
        before = memory()
        writers = []
        for _ in range(20):
            _, writer = await host.connect(None)
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(request)
            writers.append(writer)
        started = time.monotonic()
        peak = 0
        while host.server.connections:
            await asyncio.sleep(0.05)
            peak = max(peak, memory())
            assert time.monotonic() - started < 20
        assert peak - before < 20_000_000
        for writer in writers:
            writer.transport.abort()


async def test_a_transfer_in_progress_arrives_when_the_server_is_stopped(alice: Someone) -> None:
    content = alice.publish("big", os.urandom(20_000_000), PUBLIC).read_bytes()
    async with serving(alice) as host:
        reader, writer = await host.connect(None)
        idle = await host.connect(None)
        writer.write(f"GET {file_path(alice.fingerprint, 'big.pgp')} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        first = await reader.readuntil(b"\r\n\r\n")
        assert b"200 OK" in first
        stopping = asyncio.create_task(host.server.stop(grace=20))
        assert await idle[0].read(-1) == b""
        async with asyncio.timeout(20):
            assert await reader.read(-1) == content
        await stopping
        for one in (writer, idle[1]):
            one.close()
        with pytest.raises(OSError):
            await asyncio.open_connection(host.host, host.port)


async def test_a_transfer_that_takes_too_long_is_cut_at_the_end_of_the_grace(alice: Someone) -> None:
    alice.publish("big", os.urandom(20_000_000), PUBLIC)
    async with serving(alice) as host:
        _, writer = await host.connect(None)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(f"GET {file_path(alice.fingerprint, 'big.pgp')} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await asyncio.sleep(0.2)
        started = time.monotonic()
        await host.server.stop(grace=0.3)
        assert time.monotonic() - started < 5
        writer.transport.abort()


async def test_a_file_that_changes_while_it_is_sent_is_cut_off(host: Host, alice: Someone) -> None:
    path = alice.publish("big", os.urandom(20_000_000), PUBLIC)
    size = path.stat().st_size
    reader, writer = await host.connect(None)
    writer.write(f"GET {file_path(alice.fingerprint, 'big.pgp')} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    async with asyncio.timeout(20):
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
    # What is not read fills the buffers between the two, and the server waits with the rest.
    with path.open("r+b") as file:
        file.seek(size - 100)
        file.write(b"changed")
    async with asyncio.timeout(20):
        try:
            answer = await reader.read(-1)
        except OSError:
            answer = b""
    assert len(answer) < size
    writer.close()


async def test_a_file_that_is_replaced_while_it_is_sent_is_sent_as_it_was(host: Host, alice: Someone) -> None:
    content = alice.publish("big", os.urandom(20_000_000), PUBLIC).read_bytes()
    reader, writer = await host.connect(None)
    request = (
        f"GET {file_path(alice.fingerprint, 'big.pgp')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    writer.write(request.encode())
    async with asyncio.timeout(20):
        first = await reader.readline()
    alice.publish("big", b"other", PUBLIC)
    async with asyncio.timeout(20):
        answer = await reader.read(-1)
    assert read_reply(first + answer).body == content
    writer.close()
