"""The client against our server, and against peers that answer as no peer should."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mau.content.binding import PUBLIC
from mau.errors import IdentityError, MauError, PeerMisbehaved, PeerUnreachable
from mau.fingerprint import Fingerprint
from mau.openpgp import SecretKey
from mau.wire.client import MAX_LISTING, PeerClient, Timeouts
from mau.wire.identity import Identity
from mau.wire.listing import Item
from tests.server.world import Host, Someone, audience, make_someone, serving
from tests.wire.handed import QUICK, chunked, listening, ok, peer_that_says

SUM = "ab" * 32


@pytest.fixture(scope="module")
def keys() -> tuple[SecretKey, SecretKey]:
    return SecretKey.generate("Alice", "a@example.org"), SecretKey.generate("Bob", "b@example.org")


@pytest.fixture
def alice(keys: tuple[SecretKey, SecretKey], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Someone:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return make_someone(tmp_path, "alice", keys[0])


@pytest.fixture
def bob(keys: tuple[SecretKey, SecretKey], tmp_path: Path, alice: Someone) -> Someone:
    bob = make_someone(tmp_path, "bob", keys[1])
    alice.keyring.add(bob.account.certificate, "bob")
    return bob


@pytest.fixture
async def host(alice: Someone, bob: Someone) -> AsyncIterator[Host]:
    async with serving(alice) as host:
        yield host


def client(host: Host, who: Someone | None, timeouts: Timeouts | None = None) -> PeerClient:
    identity = who.account.identity() if who else None
    return PeerClient(identity, host.owner.fingerprint, host.host, host.port, timeouts=timeouts)


# --- with our server ---------------------------------------------------------------------------------------


async def test_what_is_listed_can_be_fetched(host: Host, alice: Someone, bob: Someone) -> None:
    for name, size in (("pic é 1.bin", 10), ("100% #?+&", 5000), ("empty", 0), ("big", 3_000_000)):
        alice.publish(name, os.urandom(size), audience(alice, bob))
    async with client(host, bob) as peer:
        await peer.connect()
        reply = await peer.listing(alice.fingerprint)
        assert len(reply.listing.items) == 4
        assert reply.listing.refused == []
        for item in reply.listing.items:
            out = io.BytesIO()
            sha256 = await peer.fetch(alice.fingerprint, item.name, out, size=item.size, limit=item.size)
            assert sha256 == item.sum == hashlib.sha256(out.getvalue()).hexdigest()
            assert out.getvalue() == alice.own(item.name.removesuffix(".pgp")).read_bytes()
        assert host.server.connections == 1
        again = await peer.listing(alice.fingerprint, reply.last_modified)
        assert again.listing.items
        past = await peer.listing(alice.fingerprint, "Fri, 01 Jan 2100 00:00:00 GMT")
        assert past.listing.items == []


async def test_versions_can_be_fetched(host: Host, alice: Someone) -> None:
    old = alice.publish("v é", b"1", PUBLIC).read_bytes()
    alice.publish("v é", b"2", PUBLIC)
    out = io.BytesIO()
    async with client(host, None) as peer:
        wanted = hashlib.sha256(old).hexdigest()
        assert await peer.fetch_version(alice.fingerprint, "v é.pgp", wanted, out, limit=10_000) == wanted
        assert out.getvalue() == old
        with pytest.raises(PeerMisbehaved):
            await peer.fetch_version(alice.fingerprint, "v é.pgp", wanted, out, limit=len(old) - 1)
        with pytest.raises(PeerMisbehaved):
            await peer.fetch_version(alice.fingerprint, "v é.pgp", SUM, out, limit=10_000)


async def test_a_size_that_is_not_as_listed_is_noticed(host: Host, alice: Someone) -> None:
    content = alice.publish("x", os.urandom(1000), PUBLIC).read_bytes()
    async with client(host, None) as peer:
        for size, limit in ((len(content) - 1, 10_000), (len(content) + 1, 10_000), (len(content), 10)):
            out = io.BytesIO()
            with pytest.raises(PeerMisbehaved):
                await peer.fetch(alice.fingerprint, "x.pgp", out, size=size, limit=limit)
            assert out.getvalue() == b""
        with pytest.raises(PeerMisbehaved):
            await peer.fetch(alice.fingerprint, "missing.pgp", io.BytesIO(), size=1, limit=1)


async def test_a_full_disk_stays_a_full_disk(host: Host, alice: Someone) -> None:
    for size in (1000, 1_000_000):
        content = alice.publish("x", os.urandom(size), PUBLIC).read_bytes()
        async with client(host, None) as peer:
            with pytest.raises(OSError) as caught, open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123, ASYNC230
                await peer.fetch(alice.fingerprint, "x.pgp", full, size=len(content), limit=len(content))
            assert not isinstance(caught.value, MauError)
            # And the client still works.
            assert (await peer.listing(alice.fingerprint)).listing.items


async def test_many_files_at_once_over_few_connections(host: Host, alice: Someone, bob: Someone) -> None:
    content = alice.message(b"x" * 500, [alice, bob])
    for number in range(1000):
        alice.own(str(number)).write_bytes(content)
    async with client(host, bob) as peer:
        items = iter((await peer.listing(alice.fingerprint)).listing.items)

        async def worker() -> int:
            done = 0
            for item in items:
                assert (
                    await peer.fetch(alice.fingerprint, item.name, io.BytesIO(), size=item.size, limit=9999)
                    == item.sum
                )
                done += 1
            return done

        assert sum(await asyncio.gather(*(worker() for _ in range(20)))) == 1000
        assert host.server.connections <= 8


# --- nobody, or somebody else ------------------------------------------------------------------------------


async def test_nobody_there(alice: Someone) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        for where, number in (("127.0.0.1", port), ("no-such-host.invalid", 1), ("bad host", 1), ("", 1)):
            with pytest.raises(PeerUnreachable):
                async with PeerClient(None, alice.fingerprint, where, number, timeouts=QUICK) as peer:
                    await peer.connect()


async def test_somebody_else_there_learns_nothing(host: Host, bob: Someone) -> None:
    async with PeerClient(bob.account.identity(), bob.fingerprint, host.host, host.port) as peer:
        for ask in (peer.connect, lambda: peer.listing(bob.fingerprint)):
            with pytest.raises(IdentityError):
                await ask()


@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 200 OK\r\n\r\n", b"\x15\x03\x03\x00\x02\x02\x28", None])
async def test_what_is_no_tls_is_not_reached(alice: Someone, greeting: bytes | None) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if greeting is None:
            await reader.read(-1)  # says nothing until we go
        else:
            writer.write(greeting)

    async with (
        listening(answer) as port,
        PeerClient(None, alice.fingerprint, "127.0.0.1", port, timeouts=QUICK) as peer,
    ):
        with pytest.raises(PeerUnreachable):
            await peer.connect()


# --- peers that misbehave ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def identity(keys: tuple[SecretKey, SecretKey]) -> Identity:
    key = keys[0]
    return Identity(key.fingerprint, key.created, key.private_key())


async def test_a_request_says_no_more_than_it_must(identity: Identity) -> None:
    async with peer_that_says(identity, ok(b"[]")) as (peer, got):
        await peer.listing(identity.fingerprint, "Mon, 01 Jan 0001 00:00:00 GMT")
    lines = got[0].decode().split("\r\n")
    assert lines[0] == f"GET /p2p/{identity.fingerprint} HTTP/1.1"
    names = {line.partition(":")[0].lower() for line in lines[1:] if line}
    assert names <= {"host", "accept", "accept-encoding", "user-agent", "if-modified-since"}
    assert "Accept-Encoding: identity" in lines
    assert "If-Modified-Since: Mon, 01 Jan 0001 00:00:00 GMT" in lines


LISTING_FAULTS = {
    "redirect": b"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/x\r\nContent-Length: 0\r\n\r\n",
    "304": b"HTTP/1.1 304 Not Modified\r\n\r\n",
    "401": b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno",
    "500": b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "206": b"HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\n\r\n[]",
    "gzip": ok(b"\x1f\x8b\x08", "Content-Encoding: gzip"),
    "not JSON": ok(b"<html>"),
    "too long": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n[" % (MAX_LISTING + 1),
    "nonsense": b"SSH-2.0-x\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n[]",
    "negative": b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n[]",
    "long header": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 1000 + b"\r\n",
}


@pytest.mark.parametrize("fault", LISTING_FAULTS)
async def test_a_bad_listing_is_the_peers_fault(identity: Identity, fault: str) -> None:
    async with peer_that_says(identity, LISTING_FAULTS[fault], then_close=False) as (peer, _):
        with pytest.raises(PeerMisbehaved):
            await peer.listing(identity.fingerprint)


CUT_OFF = {
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-",
    "half a body": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[",
    "half a large body": b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 300_000,
    "half a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n[",
    "busy": b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
    "too many": b"HTTP/1.1 429 Too Many\r\nRetry-After: 500\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("then_close", [True, False], ids=["then closed", "then silent"])
@pytest.mark.parametrize("fault", CUT_OFF)
async def test_an_answer_without_an_end_is_no_answer(
    identity: Identity, fault: str, then_close: bool
) -> None:
    # More than one connection may be tried, each gets the same.
    answers = [CUT_OFF[fault]] if then_close else [CUT_OFF[fault]] * 3
    async with asyncio.timeout(10):
        async with peer_that_says(identity, *answers, then_close=then_close) as (peer, _):
            started = time.monotonic()
            with pytest.raises(PeerUnreachable):
                await peer.listing(identity.fingerprint)
            assert time.monotonic() - started < 5
        async with peer_that_says(identity, *answers, then_close=then_close) as (peer, _):
            with pytest.raises((PeerUnreachable, PeerMisbehaved)):
                await peer.fetch(identity.fingerprint, "x.pgp", io.BytesIO(), size=1_000_000, limit=1 << 30)


def busy(seconds: str, status: int = 429) -> bytes:
    return f"HTTP/1.1 {status} Busy\r\nRetry-After: {seconds}\r\nContent-Length: 0\r\n\r\n".encode()


async def test_a_peer_that_says_when_to_ask_again_is_asked_again_then(identity: Identity) -> None:
    async with peer_that_says(identity, busy("1"), then_close=True) as (peer, got):
        started = time.monotonic()
        listing = asyncio.create_task(peer.listing(identity.fingerprint))
        with pytest.raises(PeerUnreachable):  # the peer has nothing else to say
            await listing
        assert time.monotonic() - started >= 1
        assert len(got) >= 2


@pytest.mark.parametrize("word", ["31", "3600", "99999999", "-1", "1.5", "soon", "", "١"])
@pytest.mark.parametrize("status", [429, 503])
async def test_no_longer_than_is_said_beforehand_is_waited(
    identity: Identity, word: str, status: int
) -> None:
    async with peer_that_says(identity, busy(word, status), then_close=False) as (peer, got):
        started = time.monotonic()
        with pytest.raises(PeerUnreachable, match=r"busy.*try again"):
            await peer.listing(identity.fingerprint)
        assert time.monotonic() - started < 1
        assert len(got) == 1


async def test_a_file_of_another_size_is_not_taken(identity: Identity) -> None:
    for answer in (ok(b"12345"), chunked(b"12345"), chunked(b"1"), chunked(b""), chunked(b"x" * 500_000)):
        async with peer_that_says(identity, answer, then_close=False) as (peer, _):
            with pytest.raises(PeerMisbehaved):
                await peer.fetch(identity.fingerprint, "x.pgp", io.BytesIO(), size=3, limit=1 << 30)


async def test_a_file_in_chunks_is_taken(identity: Identity) -> None:
    body = os.urandom(300_000)
    out = io.BytesIO()
    async with peer_that_says(identity, chunked(body)) as (peer, _):
        sha256 = await peer.fetch(identity.fingerprint, "x.pgp", out, size=len(body), limit=len(body))
    assert (sha256, out.getvalue()) == (hashlib.sha256(body).hexdigest(), body)


async def test_an_endless_listing_ends(identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mau.wire.client.MAX_LISTING", 500_000)
    piece = b"%x\r\n%s\r\n" % (100_000, b" " * 100_000)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with peer_that_says(identity, head + piece * 20, then_close=False) as (peer, _):
        with pytest.raises(PeerMisbehaved):
            await peer.listing(identity.fingerprint)


async def test_a_listing_of_the_reference_is_read(identity: Identity) -> None:
    author = Fingerprint(bytes(20))
    listing = [{"path": f"/p2p/{author}/pic é 1.bin.pgp", "size": 3, "sum": SUM}, {"path": "/etc/passwd"}]
    body = json.dumps(listing, ensure_ascii=False).encode()
    async with peer_that_says(identity, ok(body, "Content-Type: text/plain")) as (peer, _):
        reply = await peer.listing(author)
    assert reply.listing.items == [Item("pic é 1.bin.pgp", 3, SUM)]
    assert [name for name, _ in reply.listing.refused] == ["/etc/passwd"]
    assert reply.last_modified is None


async def test_names_arrive_percent_encoded(identity: Identity) -> None:
    async with peer_that_says(identity, ok(b"x")) as (peer, got):
        await peer.fetch(identity.fingerprint, "pic é 1%20?#.bin.pgp", io.BytesIO(), size=1, limit=1)
    line = got[0].split(b"\r\n")[0].decode()
    assert line == f"GET /p2p/{identity.fingerprint}/pic%20%C3%A9%201%2520%3F%23.bin.pgp HTTP/1.1"
