"""Who asks too much is told when to ask again; what was asked is counted, and noted where that is wanted."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import time
from pathlib import Path

import pytest

from mau.content.binding import PUBLIC
from mau.errors import MauError
from mau.server.accesslog import Access, AccessLog, line
from mau.server.limits import Limits, Rate
from mau.server.metrics import Metrics
from mau.wire.client import PeerClient
from mau.wire.paths import file_path
from tests.server.world import Host, Someone, audience, read_reply, serving

FEW = Limits(anonymous_address=Rate(5, 5))


def client(host: Host, who: Someone | None) -> PeerClient:
    identity = who.account.identity() if who else None
    return PeerClient(identity, host.owner.fingerprint, host.host, host.port)


async def test_too_much_is_429_with_the_time_to_wait_and_friends_do_not_notice(
    alice: Someone, bob: Someone
) -> None:
    alice.publish("x", b"1", PUBLIC)
    async with serving(alice, limits=FEW) as host:
        replies = [await host.get(None, "x") for _ in range(8)]
        assert [reply.status for reply in replies[:5]] == [200] * 5
        refused = next(reply for reply in replies if reply.status == 429)
        assert refused.headers["Retry-After"] == "1"
        assert refused.headers["Connection"] == "close"
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert refused.json["status"] == 429
        # Another port, name or missing path is the same visitor.
        assert [(await host.get(bob, "x")).status for _ in range(10)] == [200] * 10
        await asyncio.sleep(1)
        assert (await host.get(None, "x")).status == 200


async def test_our_client_waits_as_long_as_it_is_told(alice: Someone) -> None:
    content = alice.publish("x", b"1", PUBLIC).read_bytes()
    async with serving(alice, limits=FEW) as host, client(host, None) as peer:

        async def fetch() -> None:
            out = io.BytesIO()
            await peer.fetch(alice.fingerprint, "x.pgp", out, size=len(content), limit=len(content))
            assert out.getvalue() == content

        await asyncio.gather(*(fetch() for _ in range(12)))
        assert host.server.gate.counters.requests["anonymous", 429] > 0


async def test_bytes_come_at_the_rate_that_was_set(alice: Someone, bob: Someone) -> None:
    content = alice.publish("big", os.urandom(2_500_000), audience(alice, bob)).read_bytes()
    async with serving(alice, limits=Limits(bytes_per_second=1_000_000)) as host:
        began = time.monotonic()
        assert (await host.get(bob, "big")).body == content
        assert 0.8 < time.monotonic() - began < 10


async def test_who_does_nothing_makes_room_but_friends_stay(alice: Someone, bob: Someone) -> None:
    alice.publish("x", b"1", audience(alice, bob))
    request = f"GET {file_path(alice.fingerprint, 'x.pgp')} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    for limits in (
        Limits(connections=4),
        Limits(connections_per_address=4),
        Limits(stranger_connections=3),
    ):
        async with serving(alice, limits=limits) as host:
            friend = await host.connect(bob)
            idle = [await host.connect(None) for _ in range(3)]
            newest = await host.connect(None)
            async with asyncio.timeout(10):
                with pytest.raises((OSError, asyncio.IncompleteReadError)):
                    await idle[0][0].readexactly(1)
                friend[1].write(request)
                assert (await friend[0].readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
                newest[1].write(request)
                assert (await newest[0].readuntil(b"\r\n")).startswith(b"HTTP/1.1 404")
            assert host.server.gate.counters.refused["made room"] == 1
            for _, writer in (friend, *idle, newest):
                writer.transport.abort()


async def test_who_connects_too_often_is_not_even_greeted(alice: Someone, bob: Someone) -> None:
    async with serving(alice, limits=Limits(handshakes=Rate(0.001, 3))) as host:
        for _ in range(5):  # of a friend they do not count
            assert (await host.list(bob)).status == 200
        for _ in range(3):
            assert (await host.list(None)).status == 200
        with pytest.raises(OSError):
            await host.list(None)


async def test_one_line_of_json_for_each_request(alice: Someone, bob: Someone, tmp_path: Path) -> None:
    alice.publish("x", b"1", audience(alice, bob))
    file = tmp_path / "access.log"
    log = AccessLog(str(file))
    async with serving(alice, access_log=log) as host:
        size = len((await host.get(bob, "x")).body)
        await host.get(None, "x")
        await host.ask(None, "/p2p/%0a%22?secret=1", method="POST")
        await host.raw(None, b"NONSENSE\x1b[31m\r\n\r\n")
    await asyncio.to_thread(log.close)
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text()
    assert re.search(r"[^\n -~]", text) is None
    assert "secret" not in text
    entries = [json.loads(one) for one in text.splitlines()]
    assert [(one["fingerprint"], one["status"]) for one in entries] == [
        (bob.fingerprint.hex, 200),
        ("-", 404),
        ("-", 405),
        ("-", 400),
    ]
    first = entries[0]
    assert first["path"] == file_path(alice.fingerprint, "x.pgp")
    assert (first["address"], first["method"], first["bytes"]) == ("127.0.0.1", "GET", size)
    assert 0 <= first["seconds"] < 10
    assert set(first) == {
        "time", "fingerprint", "address", "method", "path", "status", "bytes", "seconds",
    }  # fmt: skip


def test_nothing_in_a_line_can_end_it_or_reach_a_terminal() -> None:
    nasty = '/\n\r\x1b\x7f\u202e\u2028\ud800"\\' + "a" * 5000
    text = line(Access(0.0, None, nasty, nasty, nasty, 200, 1, 0.1))
    assert text.isascii()
    assert text.isprintable()
    assert len(json.loads(text)["path"]) == 1024


def test_a_log_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for place in (tmp_path, tmp_path / "missing" / "x", tmp_path / "link"):
        with pytest.raises(MauError, match="access log"):
            AccessLog(str(place))


async def test_a_full_disk_under_the_log_stops_nobody(
    alice: Someone, caplog: pytest.LogCaptureFixture
) -> None:
    log = AccessLog("/dev/full")
    async with serving(alice, access_log=log) as host:
        for _ in range(3):
            assert (await host.list(None)).status == 200
    await asyncio.to_thread(log.close)
    assert sum("access log" in record.getMessage() for record in caplog.records) == 1


# --- metrics -----------------------------------------------------------------------------------------------


async def test_health_and_numbers(alice: Someone, bob: Someone) -> None:
    alice.publish("x", b"1", audience(alice, bob))
    async with serving(alice) as host:
        await host.get(bob, "x")
        await host.get(None, "x")
        metrics = Metrics(host.server.gate, lambda: host.server.connections)
        await metrics.start(("127.0.0.1", 0))
        place, port = metrics.address

        async def ask(path: str, name: str = "localhost", method: str = "GET") -> bytes:
            reader, writer = await asyncio.open_connection(place, port)
            writer.write(f"{method} {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
            answer = await reader.read(-1)
            writer.close()
            return answer

        try:
            assert read_reply(await ask("/healthz")).body == b"ok\n"
            for name in (f"127.0.0.1:{port}", f"[::1]:{port}", "[::1]", "127.0.0.1"):
                assert read_reply(await ask("/healthz", name)).status == 200
            # A page of the web whose name was led to this machine.
            assert read_reply(await ask("/metrics", f"evil.example:{port}")).status == 403
            assert read_reply(await ask("/p2p")).status == 404
            assert read_reply(await ask("/metrics", method="POST")).status == 405
            reply = read_reply(await ask("/metrics"))
        finally:
            await metrics.stop()
    assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = reply.body.decode().splitlines()
    assert 'mau_requests_total{visitor="friend",status="200"} 1' in lines
    assert 'mau_requests_total{visitor="anonymous",status="404"} 1' in lines
    assert 'mau_handshakes_total{result="done"} 2' in lines
    sample = re.compile(r'# TYPE mau_\w+ (counter|gauge)|mau_\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [0-9.]+')
    assert all(sample.fullmatch(one) for one in lines), lines
    assert bob.fingerprint.hex not in reply.body.decode()
