"""Pages, long polls, archives and the rest of a file, against peers that answer well and otherwise."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import time

import pytest

from mau.errors import PeerMisbehaved, PeerUnreachable
from mau.openpgp import SecretKey
from mau.wire.bulk import Body, End, Head, Tail
from mau.wire.client import CursorGone, NoBulk, PeerClient
from mau.wire.identity import Identity
from mau.wire.listing import Item
from mau.wire.targets import PageQuery
from mau.wire.tls import server_context
from tests.wire.handed import QUICK, chunked, listening, ok, peer_that_says
from tests.wire.test_bulk import archive

SUM = "ab" * 32
TEN = PageQuery(limit=10)
LATER = PageQuery(limit=10, cursor="here")
PACKED = PageQuery(limit=10, cursor="here", most=1000)


@pytest.fixture(scope="module")
def identity() -> Identity:
    key = SecretKey.generate("Alice", "a@example.org")
    return Identity(key.fingerprint, key.created, key.private_key())


def listed(identity: Identity, count: int) -> bytes:
    start = f"/p2p/{identity.fingerprint}"
    return json.dumps([{"path": f"{start}/{n}.pgp", "size": n, "sum": SUM} for n in range(count)]).encode()


def link(identity: Identity, cursor: str = "next-one") -> str:
    return f'Link: </p2p/{identity.fingerprint}?limit=10&cursor={cursor}>; rel="next"'


def status(line: str, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {line}", "Content-Length: 0", *headers, "", ""]).encode()


# --- pages -------------------------------------------------------------------------------------------------


async def test_a_page_is_read_with_the_position_after_it(identity: Identity) -> None:
    answer = ok(listed(identity, 2), link(identity), "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT")
    async with peer_that_says(identity, answer, answer) as (peer, got):
        page = await peer.page(identity.fingerprint, TEN, since="Sat, 05 Nov 1994 08:49:37 GMT")
        again = await peer.page(identity.fingerprint, LATER)
    assert page.listing.items == [Item("0.pgp", 0, SUM), Item("1.pgp", 1, SUM)]
    assert (page.cursor, page.waited) == ("next-one", False)
    assert page.last_modified == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert again.cursor == "next-one"
    lines = [request.decode().split("\r\n") for request in got]
    assert lines[0][0] == f"GET /p2p/{identity.fingerprint}?limit=10 HTTP/1.1"
    assert "If-Modified-Since: Sat, 05 Nov 1994 08:49:37 GMT" in lines[0]
    assert lines[1][0] == f"GET /p2p/{identity.fingerprint}?limit=10&cursor=here HTTP/1.1"


async def test_a_listing_of_a_peer_that_knows_no_pages_may_be_longer(identity: Identity) -> None:
    async with peer_that_says(identity, ok(listed(identity, 50))) as (peer, _):
        page = await peer.page(identity.fingerprint, TEN)
    assert (len(page.listing.items), page.cursor, page.uncut) == (50, None, False)


async def test_a_page_of_more_than_its_limit_is_none(identity: Identity) -> None:
    async with peer_that_says(identity, ok(listed(identity, 11), link(identity))) as (peer, _):
        with pytest.raises(PeerMisbehaved):
            await peer.page(identity.fingerprint, TEN)


async def test_a_page_of_more_bytes_than_its_items_can_have_is_not_read(identity: Identity) -> None:
    long = b"HTTP/1.1 200 OK\r\n%s\r\nContent-Length: 1000000\r\n\r\n[" % link(identity).encode()
    async with peer_that_says(identity, long, then_close=False) as (peer, _):
        with pytest.raises(PeerMisbehaved):
            await peer.page(identity.fingerprint, TEN)


async def test_a_position_that_is_gone_is_told_apart(identity: Identity) -> None:
    gone = status("410 Gone")
    async with peer_that_says(identity, gone, gone, gone) as (peer, _):
        with pytest.raises(CursorGone):
            await peer.page(identity.fingerprint, LATER)
        with pytest.raises(CursorGone):
            async with peer.bulk(identity.fingerprint, PACKED):
                pass
        with pytest.raises(PeerMisbehaved):  # nothing was asked that could be gone
            await peer.page(identity.fingerprint, TEN)


async def test_a_long_poll_waits_longer_than_other_answers(identity: Identity) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert "Prefer: wait=2" in request
        await asyncio.sleep(1)  # longer than an answer may take else
        writer.write(ok(b"[]", link(identity), "Preference-Applied: wait=2"))
        await writer.drain()

    async with (
        listening(answer, server_context(identity)) as port,
        PeerClient(None, identity.fingerprint, "127.0.0.1", port, timeouts=QUICK) as peer,
    ):
        page = await peer.page(identity.fingerprint, LATER, wait=2)
    assert (page.listing.items, page.waited) == ([], True)


async def test_a_long_poll_without_an_answer_ends(identity: Identity) -> None:
    async with peer_that_says(identity, b"", b"", b"", then_close=False) as (peer, _):
        started = time.monotonic()
        with pytest.raises(PeerUnreachable):
            await peer.page(identity.fingerprint, LATER, wait=1)
        assert 1 < time.monotonic() - started < 6


@pytest.mark.parametrize(
    "applied", [[], ["Preference-Applied: respond-async"], ["Preference-Applied: wait=9"]]
)
async def test_a_peer_that_does_not_say_that_it_waits_does_not(
    identity: Identity, applied: list[str]
) -> None:
    async with peer_that_says(identity, ok(b"[]", link(identity), *applied)) as (peer, _):
        assert not (await peer.page(identity.fingerprint, LATER, wait=1)).waited


# --- archives ----------------------------------------------------------------------------------------------

FILES = [(f"{number}.pgp", bytes([number]) * (200 * number), f"c{number}") for number in range(5)]
TAR = "Content-Type: application/x-tar"


async def test_an_archive_is_read_as_it_comes(identity: Identity) -> None:
    body = archive(FILES)
    streamed = chunked(body).replace(b"200 OK\r\n", b"200 OK\r\n%s\r\n" % TAR.encode())
    async with peer_that_says(identity, ok(body, TAR), streamed) as (peer, got):
        for _ in range(2):
            async with peer.bulk(identity.fingerprint, PACKED) as events:
                seen = [event async for event in events]
            assert [event.name for event in seen if isinstance(event, Head)] == [name for name, _, _ in FILES]
            content = b"".join(event.data for event in seen if isinstance(event, Body))
            assert content == b"".join(data for _, data, _ in FILES)
            assert seen.count(Tail()) == 5
            assert seen[-1] == End()
    request = got[0].decode()
    assert request.startswith(f"GET /p2p/{identity.fingerprint}?limit=10&cursor=here&most=1000 HTTP/1.1")
    assert "Accept: application/x-tar" in request


async def test_a_peer_without_bulk_says_so(identity: Identity) -> None:
    answers = ok(listed(identity, 3), "Content-Type: application/json"), status("406 Not Acceptable")
    for answer in answers:
        async with peer_that_says(identity, answer) as (peer, _):
            with pytest.raises(NoBulk):
                async with peer.bulk(identity.fingerprint, PACKED):
                    pass


async def test_an_archive_that_is_cut_off_gives_what_came(identity: Identity) -> None:
    body = archive(FILES)
    for left in (len(body) - 11_000, 5000, 512, 0):
        async with peer_that_says(identity, ok(body[:left], TAR)) as (peer, _):
            seen = []
            with pytest.raises(PeerUnreachable):
                async with peer.bulk(identity.fingerprint, PACKED) as events:
                    async for event in events:
                        seen.append(event)
        assert End() not in seen


async def test_an_archive_with_more_than_was_asked_for_ends(identity: Identity) -> None:
    for query in (PageQuery(limit=4, most=1000), PageQuery(limit=10, most=700)):
        async with peer_that_says(identity, ok(archive(FILES), TAR)) as (peer, _):
            with pytest.raises(PeerMisbehaved):
                async with peer.bulk(identity.fingerprint, query) as events:
                    async for _event in events:
                        pass


async def test_an_archive_that_comes_too_slowly_ends(identity: Identity) -> None:
    head = b"HTTP/1.1 200 OK\r\n%s\r\nContent-Length: 100000\r\n\r\n" % TAR.encode()
    async with peer_that_says(identity, head + archive(FILES)[:1000], then_close=False) as (peer, _):
        with pytest.raises(PeerUnreachable):
            async with peer.bulk(identity.fingerprint, PACKED) as events:
                async for _event in events:
                    pass


# --- the rest of a file ------------------------------------------------------------------------------------

CONTENT = bytes(range(256)) * 40
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def part(start: int, body: bytes, *headers: str, given: str | None = None) -> bytes:
    given = given or f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
    lines = ["HTTP/1.1 206 Partial Content", f"Content-Range: {given}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


async def test_only_the_rest_is_asked_for(identity: Identity) -> None:
    out = io.BytesIO(CONTENT[:100])
    async with peer_that_says(identity, part(100, CONTENT[100:], f'ETag: "{DIGEST}"')) as (peer, got):
        start = await peer.resume(
            identity.fingerprint, "x.pgp", out, size=len(CONTENT), sha256=DIGEST, held=100
        )
    assert (start, out.getvalue()) == (100, CONTENT)
    assert b"Range: bytes=100-\r\n" in got[0]
    assert f'If-Range: "{DIGEST}"\r\n'.encode() in got[0]


async def test_a_peer_that_ignores_ranges_sends_all_of_it_anew(identity: Identity) -> None:
    out = io.BytesIO(b"what somebody else sent")
    async with peer_that_says(identity, ok(CONTENT)) as (peer, _):
        start = await peer.resume(
            identity.fingerprint, "x.pgp", out, size=len(CONTENT), sha256=DIGEST, held=23
        )
    assert (start, out.getvalue()) == (0, CONTENT)


WRONG_PARTS = {
    "another beginning": part(100, CONTENT[99:-1], given=f"bytes 99-{len(CONTENT) - 2}/{len(CONTENT)}"),
    "another end": part(100, CONTENT[100:200], given=f"bytes 100-199/{len(CONTENT)}"),
    "another size": part(100, CONTENT[100:], given=f"bytes 100-{len(CONTENT) - 1}/99999"),
    "no range": part(100, CONTENT[100:], given="bytes"),
    "several": part(100, CONTENT[100:], given="x").replace(b"Content-Range", b"Content-Type"),
    "fewer bytes": part(100, CONTENT[100:-1]),
    "more bytes": part(100, CONTENT[100:] + b"x"),
    "another content": part(100, CONTENT[100:], f'ETag: "{SUM}"'),
    "a weak tag": part(100, CONTENT[100:], f'ETag: W/"{DIGEST}"'),
    "416": status("416 Range Not Satisfiable", f"Content-Range: bytes */{len(CONTENT)}"),
    "another length in all": ok(CONTENT[:-1]),
}


@pytest.mark.parametrize("fault", WRONG_PARTS)
async def test_a_wrong_part_is_the_peers_fault(identity: Identity, fault: str) -> None:
    out = io.BytesIO(CONTENT[:100])
    async with peer_that_says(identity, WRONG_PARTS[fault], then_close=False) as (peer, _):
        with pytest.raises(PeerMisbehaved):
            await peer.resume(identity.fingerprint, "x.pgp", out, size=len(CONTENT), sha256=DIGEST, held=100)
    assert len(out.getvalue()) <= len(CONTENT)


async def test_a_part_that_nobody_asked_for_is_none(identity: Identity) -> None:
    async with peer_that_says(identity, part(0, CONTENT)) as (peer, _):
        with pytest.raises(PeerMisbehaved):
            await peer.resume(
                identity.fingerprint, "x.pgp", io.BytesIO(), size=len(CONTENT), sha256=DIGEST, held=0
            )


async def test_what_came_before_it_was_cut_off_is_there(identity: Identity) -> None:
    out = io.BytesIO(CONTENT[:100])
    cut = part(100, CONTENT[100:])[:-500]
    async with peer_that_says(identity, cut) as (peer, _):
        with pytest.raises(PeerUnreachable):
            await peer.resume(identity.fingerprint, "x.pgp", out, size=len(CONTENT), sha256=DIGEST, held=100)
    assert out.getvalue() == CONTENT[:-500]
