"""The listing of an author: what is in it for whom, in which order, and how it is asked for again."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time

import pytest

from mau.content.binding import PUBLIC
from mau.server.conditions import http_date, parse_date
from mau.wire.listing import parse_listing
from mau.wire.paths import list_path
from tests.server.world import Host, Someone, age, audience


async def test_each_visitor_sees_what_he_may_read(
    host: Host, alice: Someone, bob: Someone, carol: Someone, mallory: Someone
) -> None:
    alice.publish("public", b"1", PUBLIC)
    alice.post("public.json", PUBLIC)
    alice.publish("bob", b"2", audience(alice, bob))
    alice.post("both.json", audience(alice, bob, carol))
    alice.publish("mine", b"3", audience(alice))
    public = {"public", "public.json"}
    assert set((await host.list(None)).names) == public
    assert set((await host.list(mallory)).names) == public
    assert set((await host.list(bob)).names) == public | {"bob", "both.json"}
    assert set((await host.list(carol)).names) == public | {"both.json"}
    assert set((await host.list(alice)).names) == public | {"bob", "both.json", "mine", "keyring.json"}


async def test_an_item_has_path_name_size_and_sum(host: Host, alice: Someone, bob: Someone) -> None:
    path = alice.publish("pic é 1.bin", os.urandom(100), audience(alice, bob))
    reply = await host.list(bob)
    content = path.read_bytes()
    assert reply.json == [
        {
            "path": f"/p2p/{alice.fingerprint}/pic é 1.bin.pgp",
            "name": "pic é 1.bin.pgp",
            "size": len(content),
            "sum": hashlib.sha256(content).hexdigest(),
        }
    ]
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Cache-Control"] == "private, no-cache"
    assert parse_listing(reply.body, alice.fingerprint).refused == []


async def test_what_came_to_be_so_first_comes_first_whatever_its_times_are(
    host: Host, alice: Someone
) -> None:
    for number, name in enumerate(("b", "c", "a")):
        age(alice.publish(name, b"", PUBLIC), 100 + number)
        assert name in (await host.list(None)).names
    assert (await host.list(None)).names == ["b", "c", "a"]
    alice.publish("b", b"2", PUBLIC)
    assert (await host.list(None)).names == ["c", "a", "b"]


async def test_a_listing_is_never_cut(host: Host, alice: Someone, bob: Someone) -> None:
    for number in range(150):
        alice.publish(f"{number}", b"x", PUBLIC if number % 2 else audience(alice, bob))
    assert len((await host.list(bob)).names) == 150
    assert len((await host.list(None)).names) == 75


async def test_unknown_authors_have_nothing_and_neither_has_a_friend_without_a_directory(
    host: Host, bob: Someone, mallory: Someone
) -> None:
    for who in (None, bob, mallory, host.owner):
        for author in (bob, mallory):
            reply = await host.list(who, author)
            assert (reply.status, reply.body) == (200, b"[]")
            assert "Last-Modified" not in reply.headers


async def test_nothing_is_listed_twice_or_after_it_is_gone(host: Host, alice: Someone) -> None:
    path = alice.publish("x", b"1", PUBLIC)
    first = await host.list(None)
    alice.publish("x", b"2", PUBLIC)
    second = await host.list(None)
    assert first.names == second.names == ["x"]
    assert first.json[0]["sum"] != second.json[0]["sum"]
    path.unlink()
    assert (await host.list(None)).names == []


async def test_an_edit_in_place_is_noticed(host: Host, alice: Someone, bob: Someone) -> None:
    path = alice.publish("x", b"12345", PUBLIC)
    before = path.stat()
    assert (await host.list(None)).names == ["x"]
    private = alice.message(b"1", [bob])
    path.write_bytes(private)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (await host.list(None)).names == []
    assert (await host.list(bob)).json[0]["sum"] == hashlib.sha256(private).hexdigest()


# --- asked again -------------------------------------------------------------------------------------------


async def test_since_is_inclusive_in_whole_seconds_and_a_restored_file_is_new(
    host: Host, alice: Someone
) -> None:
    path = alice.publish("x", b"", PUBLIC)
    os.utime(path, ns=(10**18, 10**18 + 999_999_999))
    came = path.stat().st_ctime_ns // 1_000_000_000
    for date, names in (
        (10**9, ["x"]),
        (came - 1, ["x"]),
        (came, ["x"]),
        (came + 1, []),
    ):
        reply = await host.list(None, headers={"If-Modified-Since": http_date(date)})
        assert (reply.status, reply.names) == (200, names)
        assert came <= parse_date(reply.headers["Last-Modified"], came) <= time.time()


@pytest.mark.parametrize(
    "date", ["Mon, 01 Jan 0001 00:00:00 GMT", "Monday, 01-Jan-90 00:00:00 GMT", "Mon Jan  1 00:00:00 1990"]
)
async def test_a_date_before_everything_is_everything(host: Host, alice: Someone, date: str) -> None:
    alice.publish("x", b"", PUBLIC)
    assert (await host.list(None, headers={"If-Modified-Since": date})).names == ["x"]


@pytest.mark.parametrize("date", ["yesterday", "", "Mon, 01 Jan 2024", "1700000000"])
async def test_a_bad_date_is_an_error(host: Host, date: str) -> None:
    reply = await host.list(None, headers={"If-Modified-Since": date})
    assert reply.status == 400
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.json["status"] == 400


async def test_only_a_tag_is_answered_with_304(host: Host, alice: Someone) -> None:
    alice.publish("x", b"", PUBLIC)
    reply = await host.list(None)
    tag = reply.headers["ETag"]
    future = http_date(int(time.time()) + 10**9)
    assert (await host.list(None, headers={"If-Modified-Since": future})).body == b"[]"
    for value in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        same = await host.list(None, headers={"If-None-Match": value, "If-Modified-Since": future})
        assert (same.status, same.body) == (304, b"")
        assert same.headers["ETag"] == tag
    changed = await host.list(None, headers={"If-None-Match": '"x"', "If-Modified-Since": future})
    assert (changed.status, changed.body) == (200, reply.body)
    assert (await host.list(None, headers={"If-Match": '"x"'})).status == 412


async def test_the_tag_tells_nothing_about_what_one_may_not_read(
    host: Host, alice: Someone, bob: Someone
) -> None:
    alice.publish("public", b"", PUBLIC)
    age(alice.own("public"), 1000)
    before = await host.list(None)
    # The rules hold since the second after the first look; until that has begun, the present is said.
    while before.headers["Last-Modified"] == before.headers["Date"]:
        await asyncio.sleep(0.05)
        before = await host.list(None)
    alice.publish("secret", b"", audience(alice, bob))
    alice.publish("diary", b"", audience(alice))
    after = await host.list(None)
    for name in ("ETag", "Last-Modified", "Content-Length"):
        assert before.headers[name] == after.headers[name]
    assert (await host.list(bob)).headers["ETag"] != after.headers["ETag"]


async def test_a_time_in_the_future_is_not_said(host: Host, alice: Someone) -> None:
    age(alice.publish("x", b"", PUBLIC), -1_000_000)
    reply = await host.list(None)
    assert reply.headers["Last-Modified"] <= reply.headers["Date"] or reply.headers["Last-Modified"].endswith(
        "GMT"
    )
    since = await host.list(None, headers={"If-Modified-Since": reply.headers["Last-Modified"]})
    assert since.names == ["x"]


async def test_head_says_the_same_without_a_body(host: Host, alice: Someone, bob: Someone) -> None:
    alice.publish("x", b"", PUBLIC)
    whole = await host.list(bob)
    head = await host.ask(bob, list_path(alice.fingerprint), method="HEAD")
    assert (head.status, head.body) == (200, b"")
    for name in ("ETag", "Last-Modified", "Content-Length", "Content-Type"):
        assert head.headers[name] == whole.headers[name]


async def test_a_long_listing_is_whole(host: Host, alice: Someone) -> None:
    content = alice.message(b"x", None)
    for number in range(2500):
        alice.own(f"{'n' * 180}{number}").write_bytes(content)
    reply = await host.list(None)
    assert len(reply.body) > 1_000_000
    assert len(reply.names) == 2500
    assert int(reply.headers["Content-Length"]) == len(reply.body)
