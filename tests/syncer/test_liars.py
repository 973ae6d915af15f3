"""Peers that lie (spec/threats.md): each lie is named, costs only itself, and leaves the tree as it was."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
import zlib
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path

import pytest
from aiohttp import web

from mau.errors import NotAFile, NotOffered, PeerMisbehaved, PeerUnreachable
from mau.openpgp import write_message
from mau.wire.client import Timeouts
from tests.syncer.peers import IMPATIENT, Liar, Person, everything_below, item, lying, piece

GOOD = "good.json.pgp"
BAD = "bad.json.pgp"


@pytest.fixture
def liar(alice: Person) -> Liar:
    """Alice herself, whose listing begins with a good post."""
    liar = Liar(alice)
    liar.offer(GOOD, piece(alice, GOOD, to=None))
    return liar


def kinds(report: object, word: str) -> list[tuple[str, str]]:
    return [(one.name, one.kind) for one in getattr(report, word)]


# --- what he sends is not what he listed -------------------------------------------------------------------

BODY = b"x" * 1000


async def _short(request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(body=BODY[:-1])


async def _long(request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(body=BODY + b"x")


async def _other(request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(body=b"y" * 1000)


async def _gone(request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(status=404)


async def _broken(request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(status=500, body=BODY)


async def _empty(request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(status=204)


async def _part(request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(status=206, body=BODY)


async def _redirect(request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": request.path.replace(BAD, GOOD)})


async def _compressed(request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(body=zlib.compress(BODY), headers={"Content-Encoding": "deflate"})


async def _endless(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    await response.prepare(request)
    while True:
        await response.write(b"x" * 65536)


async def _chunked_short(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    await response.prepare(request)
    await response.write(BODY[:-1])
    return response


async def _cut_off(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(BODY[:500])
    assert request.transport is not None
    request.transport.abort()
    return response


async def _silent(request: web.BaseRequest) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def _drips(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(BODY[:500])
    await asyncio.Event().wait()
    return response


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (_short, PeerMisbehaved),
        (_long, PeerMisbehaved),
        (_other, PeerMisbehaved),
        (_gone, NotOffered),
        (_broken, PeerMisbehaved),
        (_empty, PeerMisbehaved),
        (_part, PeerMisbehaved),
        (_redirect, PeerMisbehaved),
        (_compressed, PeerMisbehaved),
        (_endless, PeerMisbehaved),
        (_chunked_short, PeerMisbehaved),
        (_cut_off, PeerUnreachable),
        (_silent, PeerUnreachable),
        (_drips, PeerUnreachable),
    ],
)
async def test_a_lie_about_the_bytes_blames_the_peer_and_stops_nothing_else(
    bob: Person,
    alice: Person,
    liar: Liar,
    answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
    kind: type[Exception],
) -> None:
    good = piece(alice, BAD, to=None)
    liar.offer(BAD, BODY)
    liar.answers[liar.path(BAD)] = answer
    liar.offer("last.json.pgp", piece(alice, "last.json.pgp", to=None))
    async with lying(liar) as address:
        report = await bob.sync(alice, address, timeouts=IMPATIENT)
    assert [(one.name, type(one.error)) for one in report.failed] == [(BAD, kind)]
    assert sorted(bob.held(alice)) == [GOOD, "last.json.pgp"]
    assert not report.refused
    # The item is not to blame: the same name, rightly offered, is taken.
    honest = Liar(alice)
    honest.offer(BAD, good)
    async with lying(honest) as address:
        assert (await bob.sync(alice, address)).fetched == [BAD]
    assert len(list(bob.root.author_dir(alice.fpr).iterdir())) == 3


async def test_a_wrong_sum_of_a_large_file_leaves_nothing(bob: Person, alice: Person, liar: Liar) -> None:
    liar.offer(BAD, os.urandom(2_000_000), sum="0" * 64)
    async with lying(liar) as address:
        report = await bob.sync(alice, address)
    assert kinds(report, "failed") == [(BAD, "PeerMisbehaved")]
    assert [path.name for path in bob.root.author_dir(alice.fpr).iterdir()] == [GOOD]


async def test_a_peer_that_falls_silent_is_given_up_soon(bob: Person, alice: Person, liar: Liar) -> None:
    for number in range(40):
        name = f"silent-{number:02}.json.pgp"
        liar.offer(name, BODY)
        liar.answers[liar.path(name)] = _silent
    started = time.monotonic()
    async with lying(liar) as address:
        report = await bob.sync(alice, address, timeouts=IMPATIENT)
    assert time.monotonic() - started < 15
    assert report.fetched == [GOOD]
    assert len(report.failed) == 40
    assert len(liar.fetched()) < 12


async def test_a_file_that_is_promised_to_be_too_large_for_the_disk_is_deferred(
    bob: Person, alice: Person, liar: Liar
) -> None:
    liar.offer(BAD, BODY, size=2**62)
    async with lying(liar) as address:
        report = await bob.sync(alice, address)
    assert kinds(report, "deferred") == [(BAD, "KeptOut")]
    assert report.fetched == [GOOD]


# --- listings that are none --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        b"42",
        b'"text"',
        b'{"files": 3}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[1,2",
        b"\xff\xfe[]",
        b"[" + b",".join([b"[]"] * 200_000) + b"]",
        b"NaN",
    ],
)
async def test_a_listing_that_is_none_is_an_error_of_the_peer(
    bob: Person, alice: Person, body: bytes
) -> None:
    before = everything_below(bob.root)
    async with lying(Liar(alice, listing=body)) as address:
        report = await bob.sync(alice, address)
    assert isinstance(report.problem, PeerMisbehaved)
    assert everything_below(bob.root) == before


async def test_an_endless_listing_is_read_up_to_a_limit(bob: Person, alice: Person) -> None:
    liar = Liar(alice)

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(b"[")
        while True:
            await response.write(b" " * (1 << 20))

    liar.answers[f"/p2p/{alice.fpr.hex}"] = endless
    async with lying(liar) as address:
        report = await bob.sync(alice, address)
    assert isinstance(report.problem, PeerMisbehaved)


async def test_null_is_empty(bob: Person, alice: Person) -> None:
    async with lying(Liar(alice, listing=b"null")) as address:
        assert (await bob.sync(alice, address)).whole


@pytest.mark.parametrize(
    "name",
    [
        "../x.pgp",
        "../../x.pgp",
        "/etc/x.pgp",
        "a/b.pgp",
        "a\\b.pgp",
        "x\0.pgp",
        "x\n.pgp",
        "\x1b[31mred.pgp",
        "x\u202e.pgp\u2028.pgp",
        ".hidden.pgp",
        ".pgp",
        "..pgp",
        "..",
        ".mau",
        "account.txt",
        "x",
        "x.pgp.versions",
        "x.pgp.versions.pgp",
        "x.pgp.version.pgp",
        "x" * 252 + ".pgp",
        "é" * 130 + ".pgp",
        "\ud800.pgp",
        "",
        None,
        7,
        ["x.pgp"],
    ],
)
async def test_a_name_that_may_not_be_is_refused_alone(
    bob: Person, alice: Person, liar: Liar, name: object
) -> None:
    data = piece(alice, "x.json.pgp", to=None)
    assert isinstance(liar.listing, list)
    liar.listing.append({"name": name, "size": len(data), "sum": hashlib.sha256(data).hexdigest()})
    if isinstance(name, str):
        liar.listing.append(item(alice.fpr, name, data))
    before = everything_below(bob.root)
    async with lying(liar) as address:
        report = await bob.sync(alice, address)
    assert report.fetched == [GOOD]
    assert report.refused
    assert liar.fetched() == [GOOD]
    after = everything_below(bob.root)
    assert set(after) - set(before) == {f"{alice.fpr}/{GOOD}"}


@pytest.mark.parametrize(
    "changed",
    [
        {"size": -1},
        {"size": 1.5},
        {"size": True},
        {"size": None},
        {"size": 2**70},
        {"sum": "A" * 64},
        {"sum": "x"},
        {"sum": None},
        {"path": "/p2p/" + "0" * 40 + "/bad.json.pgp"},
        {"path": "bad.json.pgp", "name": "other.pgp"},
        {"name": "other.json.pgp"},
    ],
)
async def test_an_entry_that_is_none_is_refused_alone(
    bob: Person, alice: Person, liar: Liar, changed: dict[str, object]
) -> None:
    liar.offer(BAD, BODY, **changed)
    async with lying(liar) as address:
        report = await bob.sync(alice, address)
    assert report.fetched == [GOOD]
    assert len(report.refused) == 1
    assert liar.fetched() == [GOOD]


async def test_a_name_that_is_listed_twice_is_taken_once(bob: Person, alice: Person, liar: Liar) -> None:
    other = piece(alice, GOOD, "another", to=None)
    assert isinstance(liar.listing, list)
    liar.listing.append(item(alice.fpr, GOOD, other))
    async with lying(liar) as address:
        report = await bob.sync(alice, address)
    assert report.fetched == [GOOD]
    assert len(report.refused) == 1
    assert liar.fetched() == [GOOD]


async def test_names_that_differ_by_case_or_form_only_are_deferred(
    bob: Person, alice: Person, liar: Liar
) -> None:
    for name in ("Good.json.pgp", "caf\u00e9.pgp", "cafe\u0301.pgp"):
        liar.offer(name, piece(alice, name, to=None))
    async with lying(liar) as address:
        report = await bob.sync(alice, address)
    assert sorted(report.fetched) == sorted([GOOD, "caf\u00e9.pgp"])
    assert kinds(report, "deferred") == [("Good.json.pgp", "NameClash"), ("cafe\u0301.pgp", "NameClash")]


# --- posts that are none -----------------------------------------------------------------------------------


async def test_bytes_that_are_no_good_post_are_refused_for_ever(
    bob: Person, alice: Person, carol: Person, liar: Liar
) -> None:
    mine = frozenset([alice.fpr, bob.fpr])
    good = piece(alice, "y.json.pgp", to=(bob.account.certificate,), stated=mine)
    forged = {
        "garbage.pgp": os.urandom(500),
        "empty.pgp": b"",
        "text.pgp": b"hello",
        "cut.pgp": good[:-20],
        "flipped.pgp": good[:-30] + bytes([good[-30] ^ 1]) + good[-29:],
        "twice.pgp": good + good,
        "stripped.json.pgp": piece(alice, "stripped.json.pgp", to=None, stated=mine),
        "for-others.json.pgp": piece(
            alice,
            "for-others.json.pgp",
            to=(bob.account.certificate,),
            stated=frozenset([alice.fpr, carol.fpr]),
        ),
        "also-carol.json.pgp": piece(
            alice,
            "also-carol.json.pgp",
            to=(bob.account.certificate, carol.account.certificate),
            stated=mine,
        ),
    }
    for name, data in forged.items():
        liar.offer(name, data)
    async with lying(liar) as address:
        report = await bob.sync(alice, address)
        assert bob.held(alice).keys() == {GOOD}
        assert sorted(one.name for one in report.refused) == sorted(forged)
        assert all(one.error.exit_code == 6 for one in report.refused)
        leaked = {one.name for one in report.refused if one.kind == "Leaked"}
        assert leaked == {"stripped.json.pgp", "for-others.json.pgp", "also-carol.json.pgp"}
        liar.asked.clear()
        again = await bob.sync(alice, address)
        assert (again.forgone, again.refused, liar.fetched()) == (len(forged), [], [])
        assert again.whole
        full = await bob.sync(alice, address, full=True)
        assert sorted(one.name for one in full.refused) == sorted(forged)


async def test_what_others_signed_is_not_taken(bob: Person, alice: Person, carol: Person, liar: Liar) -> None:
    liar.offer(BAD, piece(carol, BAD, to=None, author=alice.fpr))
    liar.offer("carols.json.pgp", piece(carol, "carols.json.pgp", to=None))
    async with lying(liar) as address:
        report = await bob.sync(alice, address)
    assert bob.held(alice).keys() == {GOOD}
    # Deferred, for a newer copy of the author's key could have such a subkey.
    assert {one.name for one in report.deferred} == {BAD, "carols.json.pgp"}


async def test_a_large_forgery_is_refused_and_leaves_no_content(
    bob: Person, alice: Person, carol: Person, liar: Liar
) -> None:
    out = BytesIO()
    write_message(out, os.urandom(2_000_000), key=alice.account.key, recipients=None)
    film = bytearray(out.getvalue())
    film[1_000_000] ^= 1
    liar.offer("film.pgp", bytes(film))
    async with lying(liar) as address:
        report = await bob.sync(alice, address)
    assert kinds(report, "refused") == [("film.pgp", "BadSignature")]
    assert [path.name for path in bob.root.author_dir(alice.fpr).iterdir()] == [GOOD]
    assert not list((bob.root.path / ".syncer").glob(".mau-*"))


def bomb(size: int, packed_at_least: int) -> bytes:
    """A message that is a compressed packet of zeros, made large enough to be checked on the disk."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = compressor.compress(os.urandom(packed_at_least))
    packed += b"".join(compressor.compress(bytes(1 << 20)) for _ in range(size >> 20)) + compressor.flush()
    literal = b"\x01" + packed
    return bytes([0xC8, 0xFF]) + len(literal).to_bytes(4, "big") + literal


@pytest.mark.parametrize("packed", [0, 1_200_000])
async def test_what_unpacks_to_too_much_is_refused(
    bob: Person, alice: Person, liar: Liar, packed: int
) -> None:
    liar.offer("bomb.pgp", bomb(100 << 20, packed))
    async with lying(liar) as address:
        report = await bob.sync(alice, address)
    assert [name for name, _ in kinds(report, "refused")] == ["bomb.pgp"]
    assert report.fetched == [GOOD]


async def test_a_post_under_another_name_is_refused_from_this_peer(
    bob: Person, alice: Person, liar: Liar
) -> None:
    data = piece(alice, "right.json.pgp", to=None)
    liar.offer("wrong.json.pgp", data)
    async with lying(liar) as address:
        report = await bob.sync(alice, address)
        assert kinds(report, "refused") == [("wrong.json.pgp", "Renamed")]
        assert (await bob.sync(alice, address)).forgone == 1
        liar.offer("right.json.pgp", data)
        assert (await bob.sync(alice, address)).fetched == ["right.json.pgp"]


async def test_a_post_from_the_future_is_tried_again(bob: Person, alice: Person, liar: Liar) -> None:
    ahead = piece(alice, BAD, to=None, created=int(time.time()) + 7_200)
    liar.offer(BAD, ahead)
    async with lying(liar) as address:
        report = await bob.sync(alice, address)
        assert kinds(report, "deferred") == [(BAD, "FromTheFuture")]
        liar.asked.clear()
        again = await bob.sync(alice, address)
        assert kinds(again, "deferred") == [(BAD, "FromTheFuture")]
        assert liar.fetched() == [BAD]


async def test_what_was_deferred_is_tried_again_though_it_is_no_longer_new(
    bob: Person, alice: Person, liar: Liar
) -> None:
    liar.offer(BAD, piece(alice, BAD, to=None))
    start = f"/p2p/{alice.fpr.hex}"

    async def newest(request: web.BaseRequest) -> web.StreamResponse:
        entries = [] if "If-Modified-Since" in request.headers else liar.listing
        return web.json_response(entries, headers={"Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT"})

    liar.answers[start] = newest
    liar.answers[liar.path(BAD)] = _broken
    async with lying(liar) as address:
        assert kinds(await bob.sync(alice, address), "failed") == [(BAD, "PeerMisbehaved")]
        del liar.answers[liar.path(BAD)]
        assert (await bob.sync(alice, address)).fetched == [BAD]
        assert (await bob.sync(alice, address)).whole


async def test_what_was_deferred_and_is_gone_is_given_up(bob: Person, alice: Person, liar: Liar) -> None:
    liar.offer(BAD, piece(alice, BAD, to=None))

    async def newest(request: web.BaseRequest) -> web.StreamResponse:
        entries = [] if "If-Modified-Since" in request.headers else liar.listing
        return web.json_response(entries, headers={"Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT"})

    liar.answers[f"/p2p/{alice.fpr.hex}"] = newest
    liar.answers[liar.path(BAD)] = _gone
    async with lying(liar) as address:
        await bob.sync(alice, address)
        await bob.sync(alice, address)
        assert (await bob.sync(alice, address)).whole


# --- things in the way -------------------------------------------------------------------------------------


def _link(path: Path) -> None:
    (path.parent.parent / "precious").write_bytes(b"precious")
    path.symlink_to(path.parent.parent / "precious")


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _directory(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("obstacle", [_link, _fifo, _directory])
@pytest.mark.parametrize("size", [10, 2_000_000])
async def test_what_is_no_file_is_never_written_through(
    bob: Person, alice: Person, liar: Liar, obstacle: Callable[[Path], None], size: int
) -> None:
    out = BytesIO()
    write_message(out, os.urandom(size), key=alice.account.key, recipients=None)
    liar.offer(BAD, out.getvalue())
    obstacle(bob.root.author_dir(alice.fpr) / BAD)
    before = everything_below(bob.root)
    async with lying(liar) as address:
        report = await bob.sync(alice, address)
    assert kinds(report, "deferred") == [(BAD, "NotAFile")]
    assert report.fetched == [GOOD]
    assert everything_below(bob.root).items() >= before.items()


async def test_a_link_in_the_place_of_the_directory_is_not_followed(
    bob: Person, alice: Person, liar: Liar, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    bob.root.author_dir(alice.fpr).rmdir()
    bob.root.author_dir(alice.fpr).symlink_to(elsewhere)
    async with lying(liar) as address:
        report = await bob.sync(alice, address)
    assert isinstance(report.problem, NotAFile)
    assert list(elsewhere.iterdir()) == []


async def test_a_file_where_versions_belong_loses_nothing(bob: Person, alice: Person, liar: Liar) -> None:
    async with lying(liar) as address:
        await bob.sync(alice, address)
        (bob.root.author_dir(alice.fpr) / f"{GOOD}.versions").write_bytes(b"in the way")
        before = bob.held(alice)
        liar.listing = []
        liar.offer(GOOD, piece(alice, GOOD, "changed", to=None))
        report = await bob.sync(alice, address)
    assert kinds(report, "deferred") == [(GOOD, "NotAFile")]
    assert bob.held(alice) == before


async def test_a_directory_that_vanishes_while_it_is_synced_is_not_made_again(
    bob: Person, alice: Person, liar: Liar
) -> None:
    async def unfollow(request: web.BaseRequest) -> web.StreamResponse:
        bob.root.unfollow(alice.fpr)
        return web.Response(body=liar.files[BAD])

    liar.offer(BAD, piece(alice, BAD, to=None))
    liar.answers[liar.path(BAD)] = unfollow
    async with lying(liar) as address:
        report = await bob.sync(alice, address)
    assert (BAD, "TreeChanged") in kinds(report, "deferred")
    assert not bob.root.author_dir(alice.fpr).exists()


async def test_more_questions_than_sense_come_to_an_end(
    bob: Person, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mau.syncer.paging.MAX_QUESTIONS", 50)
    liar = Liar(alice, tagged=False)
    counter = iter(range(10**9))

    def inventing(request: web.BaseRequest) -> bytes:
        return json.dumps([item(alice.fpr, f"{next(counter)}.pgp", b"x") for _ in range(3)]).encode()

    liar.body = inventing  # type: ignore[method-assign]
    async with lying(liar) as address:
        report = await bob.sync(alice, address, timeouts=Timeouts())
    assert "did not come to an end" in report.beyond_reach[0]
    assert len(report.failed) == 3 * 51


async def test_what_was_refused_is_kept_as_evidence_within_bounds(
    bob: Person, alice: Person, liar: Liar
) -> None:
    for number in range(40):
        liar.offer(f"junk-{number}.pgp", b"junk %d" % number)
    async with lying(liar) as address:
        report = await bob.sync(alice, address)
    place = bob.root.path / ".syncer" / "refused" / alice.fpr.hex
    kept = sorted(place.glob("*.pgp"))
    assert len(kept) == 32
    facts = json.loads(kept[0].with_suffix(".json").read_bytes())
    assert facts["from"] == alice.fpr.hex
    assert facts["error"] == "MalformedPost"
    assert kept[0].read_bytes().startswith(b"junk ")
    assert len(report.refused) == 40
