"""Pages of a listing: each permitted file once, whatever else is there, and what a cursor tells and opens."""

from __future__ import annotations

import asyncio
import base64
import random
import shutil
import sqlite3
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mau.catalogue import SIGNED
from mau.content.binding import PUBLIC
from mau.server.conditions import http_date, parse_date
from mau.server.cursor import Cursors
from mau.server.epochs import Epochs
from mau.server.standing import standing_of
from mau.server.visibility import Shelf, Visitor
from tests.server.pager import (
    cursor_in,
    eventually,
    forwards,
    get_page,
    links_of,
    read_page,
    start,
    talking,
    unpack,
    until,
)
from tests.server.world import Host, Reply, Someone, audience, read_reply, serving


def fill(someone: Someone, names: list[str], content: bytes) -> None:
    for name in names:
        someone.own(name).write_bytes(content)


# --- walking -----------------------------------------------------------------------------------------------


async def test_files_for_others_hide_nothing(
    host: Host, alice: Someone, bob: Someone, carol: Someone
) -> None:
    fill(alice, [f"c{n:03}" for n in range(100)], alice.message(b"for carol", [alice, carol]))
    fill(alice, ["first", "second"], alice.message(b"for bob", [alice, bob]))
    fill(alice, [f"d{n:03}" for n in range(100)], alice.message(b"for carol too", [alice, carol]))
    page = await get_page(host, bob, start(alice, "limit=2"))
    assert sorted(page.names) == ["first", "second"]
    assert (await get_page(host, bob, page.next)).names == []
    assert (await get_page(host, None, start(alice, "limit=1"))).names == []
    assert len((await get_page(host, carol, start(alice, "limit=1000"))).names) == 200


@pytest.mark.parametrize("limit", [1, 3, 7, 20, 21, 1000])
async def test_walking_finds_each_permitted_file_once_in_both_directions(
    host: Host, alice: Someone, bob: Someone, carol: Someone, limit: int
) -> None:
    public, mine, others = (alice.message(b"x", to) for to in (None, [alice, bob], [alice, carol]))
    fill(alice, [f"p{n}" for n in range(10)], public)
    fill(alice, [f"b{n}" for n in range(10)], mine)
    fill(alice, [f"c{n}" for n in range(30)], others)
    fill(alice, ["last"], mine)
    whole = (await host.list(bob)).names
    assert len(whole) == 21
    names, onwards = await forwards(host, bob, start(alice, f"limit={limit}"), limit)
    assert names == whole
    assert (await get_page(host, bob, onwards)).names == []
    page = await get_page(host, bob, start(alice, f"limit={limit}&from=newest"))
    assert page.names == whole[-limit:]
    assert (await get_page(host, bob, page.next)).names == []
    found = page.names
    while page.prev is not None:
        following = page
        page = await get_page(host, bob, page.prev)
        assert page.names
        found = page.names + found
        again = await get_page(host, bob, page.next)
        assert again.names[: len(following.names)] == following.names
    assert found == whole


async def test_the_end_goes_on_with_what_comes(host: Host, alice: Someone, bob: Someone) -> None:
    page = await get_page(host, bob, start(alice, "limit=3"))
    assert (page.names, page.prev) == ([], None)
    alice.publish("a", b"", PUBLIC)
    page = await get_page(host, bob, page.next)
    assert page.names == ["a"]
    page = await get_page(host, bob, page.next)
    assert (page.names, page.prev is None) == ([], False)
    alice.publish("b", b"", audience(alice, bob))
    alice.publish("c", b"", audience(alice))
    page = await get_page(host, bob, page.next)
    assert page.names == ["b"]
    assert page.prev is not None
    assert (await get_page(host, bob, page.prev)).names == ["a"]


async def test_what_is_changed_comes_again_and_what_is_gone_does_not(host: Host, alice: Someone) -> None:
    fill(alice, ["a", "b", "c"], alice.message(b"x", None))
    page = await get_page(host, None, start(alice, "limit=3"))
    alice.own("b").write_bytes(alice.message(b"y", None))
    alice.own("c").unlink()
    second = await get_page(host, None, start(alice, "limit=1"))
    assert second.names == ["a"]
    await until(lambda: host.server.library.index.entry(alice.fingerprint, "c.pgp") is None)
    after = await get_page(host, None, page.next)
    assert after.names == ["b"]
    assert after.sums["b"] != page.sums["b"]
    assert (await get_page(host, None, second.next)).names == ["b"]
    assert after.prev is not None
    assert (await get_page(host, None, after.prev)).names == ["a"]


async def test_a_content_that_returns_before_it_was_missed_is_not_lost(host: Host, alice: Someone) -> None:
    """The index never saw the other content; a page did."""
    first, other = alice.message(b"first", None), alice.message(b"other", None)
    fill(alice, ["x", "y"], first)
    index = host.server.library.index
    await get_page(host, None, start(alice, "limit=2"))
    await until(lambda: not index.unsettled(alice.fingerprint))
    for number in range(20):
        page = await get_page(host, None, start(alice, "limit=2"))
        known = page.sums
        alice.own("x").write_bytes(other if number % 2 else alice.message(b"%d" % number, None))
        page = await get_page(host, None, start(alice, "limit=2"))
        known = page.sums
        alice.own("x").write_bytes(first)
        await until(lambda: not index.unsettled(alice.fingerprint))
        sums = (await get_page(host, None, start(alice, "limit=2"))).sums
        while news := await get_page(host, None, page.next):
            known.update(news.sums)
            page = news
            if not news.names:
                break
        assert known == sums


# --- what is asked for -------------------------------------------------------------------------------------


async def test_a_page_has_at_most_a_thousand_items(host: Host, alice: Someone) -> None:
    fill(alice, [f"{n}" for n in range(1005)], alice.message(b"x", None))
    for query in ("limit=1000", "limit=1001", "limit=999999999999999999", "from=newest"):
        page = await get_page(host, None, start(alice, query))
        assert len(page.names) == 1000
        assert "limit=1000&" in page.next
    assert len((await get_page(host, None, page.prev or "")).names) == 5
    assert len((await get_page(host, None, start(alice, "limit=1"))).names) == 1
    assert len((await host.list(None)).names) == 1005


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=",
        "limit=x",
        "limit=1.5",
        "limit=%D9%A1",
        "limit=1&limit=1",
        "limit=9999999999999999999",
        "cursor=",
        "cursor=a&cursor=a",
        "cursor=" + "a" * 257,
        "cursor=a%20b",
        "cursor=a%2Fb",
        "from=oldest",
        "from=newest&from=newest",
        "from=newest&cursor=a",
        "most=x",
        "&".join(["x=1"] * 17),
    ],
)
async def test_nonsense_is_refused(host: Host, query: str) -> None:
    reply = await host.ask(None, start(host.owner, query))
    assert (reply.status, reply.json["status"]) == (400, 400)


async def test_other_fields_mean_nothing(host: Host, alice: Someone) -> None:
    alice.publish("x", b"", PUBLIC)
    reply = await host.ask(None, start(alice, "x=1&since=2"))
    assert reply.names == ["x"]
    assert "Link" not in reply.headers
    assert (await get_page(host, None, start(alice, "x=1&limit=1&y"))).names == ["x"]


async def test_a_page_has_a_tag_and_an_unchanged_one_still_has_its_links(host: Host, alice: Someone) -> None:
    fill(alice, ["a", "b"], alice.message(b"x", None))
    path = start(alice, "limit=1")
    page = await get_page(host, None, path)
    tag = page.reply.headers["ETag"]
    same = await host.ask(None, path, {"If-None-Match": tag})
    assert (same.status, same.body, same.headers["ETag"]) == (304, b"", tag)
    assert (await get_page(host, None, links_of(same)["next"])).names == ["b"]
    other = await host.ask(None, page.next, {"If-None-Match": tag})
    assert other.names == ["b"]
    assert (await host.ask(None, path, {"If-Match": '"x"'})).status == 412
    head = await host.ask(None, path, method="HEAD")
    assert (head.status, head.body, head.headers["ETag"]) == (200, b"", tag)
    assert links_of(head).keys() == {"next"}
    assert head.headers["Content-Length"] == page.reply.headers["Content-Length"]


async def test_a_date_means_nothing_to_a_page(host: Host, alice: Someone) -> None:
    alice.publish("x", b"", PUBLIC)
    for date in (http_date(int(time.time()) + 1000), "nonsense"):
        assert (await get_page(host, None, start(alice, "limit=5"), {"If-Modified-Since": date})).names == [
            "x"
        ]


# --- cursors that do not hold ------------------------------------------------------------------------------


async def statuses(host: Host, *asked: tuple[Someone | None, str]) -> list[int]:
    return [(await host.ask(who, path)).status for who, path in asked]


async def test_a_cursor_serves_its_visitor_and_author_alone(
    host: Host, alice: Someone, bob: Someone, carol: Someone, mallory: Someone
) -> None:
    fill(alice, ["a", "b"], alice.message(b"x", None))
    page = await get_page(host, bob, start(alice, "limit=1"))
    anonymous = await get_page(host, None, start(alice, "limit=1"))
    others = start(bob, f"limit=1&cursor={cursor_in(page.next)}")
    assert await statuses(
        host, (bob, page.next), (carol, page.next), (mallory, page.next), (None, page.next), (bob, others)
    ) == [200, 410, 410, 410, 410]
    assert await statuses(host, (None, anonymous.next), (bob, anonymous.next)) == [200, 410]
    reply = await host.ask(carol, page.next)
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert "Link" not in reply.headers


async def test_a_cursor_ends_with_its_generation_and_survives_the_server(
    alice: Someone, bob: Someone, tmp_path: Path
) -> None:
    fill(alice, ["a", "b"], alice.message(b"x", None))
    async with serving(alice) as host:
        page = await get_page(host, bob, start(alice, "limit=1"))
    async with serving(alice) as host:
        assert len((await get_page(host, bob, page.next)).names) == 1
        shutil.rmtree(alice.account.root.path / ".index")
        assert await statuses(host, (bob, page.next)) == [410]
        names, onwards = await forwards(host, bob, start(alice, "limit=1"), 1)
        assert sorted(names) == ["a", "b"]
    database = next((alice.account.root.path / ".index").glob("*.db"))
    database.write_bytes(b"damaged" * 1000)
    async with serving(alice) as host:
        assert await statuses(host, (bob, onwards)) == [410]
        _, onwards = await forwards(host, bob, start(alice, "limit=1"), 1)
    shutil.copytree(alice.account.root.path, tmp_path / "copy")
    shutil.rmtree(alice.account.root.path)
    shutil.copytree(tmp_path / "copy", alice.account.root.path)
    async with serving(alice) as host:
        assert await statuses(host, (bob, onwards)) == [410]
        names, _ = await forwards(host, bob, start(alice, "limit=1"), 1)
        assert sorted(names) == ["a", "b"]


async def test_a_cursor_ends_when_the_index_is_damaged_while_it_is_in_use(
    host: Host, alice: Someone, bob: Someone
) -> None:
    fill(alice, ["a", "b"], alice.message(b"x", None))
    page = await get_page(host, bob, start(alice, "limit=1"))
    for database in (alice.account.root.path / ".index").glob("*.db*"):
        with database.open("r+b") as handle:
            handle.write(b"\xff" * 100_000)
    seen = {(await host.ask(bob, page.next)).status for _ in range(3)}
    assert seen <= {410, 503}
    names, _ = await forwards(host, bob, start(alice, "limit=1"), 1)
    assert sorted(names) == ["a", "b"]


async def test_a_cursor_ends_with_what_its_visitor_is_and_with_nothing_else(
    host: Host, alice: Someone, bob: Someone, carol: Someone, mallory: Someone
) -> None:
    fill(alice, ["a", "b"], alice.message(b"x", None))
    here, friend, stranger = [
        await get_page(host, who, start(alice, "limit=1")) for who in (None, bob, mallory)
    ]

    async def gone(who: Someone | None, path: str) -> None:
        async def is_gone() -> bool:
            return await statuses(host, (who, path)) == [410]

        await eventually(is_gone)

    alice.keyring.add(mallory.account.certificate, "mallory")
    await gone(mallory, stranger.next)
    assert await statuses(host, (bob, friend.next), (None, here.next)) == [200, 200]
    as_friend = await get_page(host, mallory, start(alice, "limit=1"))
    alice.keyring.remove(mallory.fingerprint)
    await gone(mallory, as_friend.next)
    assert await statuses(host, (bob, friend.next), (None, here.next)) == [200, 200]


async def test_a_new_friend_who_asks_with_a_date_gets_what_is_older_than_the_friendship(
    host: Host, alice: Someone, mallory: Someone
) -> None:
    alice.own("old").write_bytes(alice.message(b"x", [alice, mallory]))
    alice.publish("public", b"", PUBLIC)
    before = await host.list(mallory)
    assert before.names == ["public"]
    date = {"If-Modified-Since": before.headers["Last-Modified"]}
    alice.keyring.add(mallory.account.certificate, "mallory")

    async def everything() -> bool:
        return sorted((await host.list(mallory, headers=date)).names) == ["old", "public"]

    await eventually(everything)
    assert await everything()
    now = int(time.time())
    after = (await host.list(mallory)).headers["Last-Modified"]
    assert parse_date(before.headers["Last-Modified"], now) <= parse_date(after, now)

    async def nothing_new() -> bool:
        reply = await host.list(mallory)
        date = {"If-Modified-Since": reply.headers["Last-Modified"]}
        return not (await host.list(mallory, headers=date)).names

    await eventually(nothing_new)  # the first second of the new rules is over: a date counts again


# --- what a cursor tells -----------------------------------------------------------------------------------


async def test_a_cursor_reveals_nothing(host: Host, alice: Someone, bob: Someone, mallory: Someone) -> None:
    fill(alice, [f"{n}" for n in range(4)], alice.message(b"x", None))
    paths = [start(alice, "limit=1"), start(alice, "limit=1"), start(alice, "limit=4"), start(bob, "limit=1")]
    paths += [start(mallory, "limit=1"), start(alice, "limit=1&from=newest")]
    cursors = []
    for who in (None, bob, mallory):
        for path in paths:
            page = await get_page(host, who, path)
            cursors += [cursor_in(link) for link in (page.next, page.prev) if link]
    assert len(set(cursors)) == len(cursors) > 18
    assert len({len(cursor) for cursor in cursors}) == 1
    raw = [base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)) for cursor in cursors]
    for at in range(len(raw[0])):
        assert len({one[at] for one in raw}) > 1


@settings(max_examples=150)
@given(
    st.integers(0, 2**63 - 1),
    st.booleans(),
    st.binary(max_size=40),
    st.binary(max_size=40),
    st.data(),
)
def test_no_other_cursor_opens(
    clock: int, backwards: bool, bound: bytes, other: bytes, data: st.DataObject
) -> None:
    cursors = Cursors(bytes(range(32)))
    cursor = cursors.seal(clock, bound, backwards=backwards)
    assert cursors.open(cursor, bound) == (clock, backwards)
    if other != bound:
        assert cursors.open(cursor, other) is None
    assert Cursors(bytes(32)).open(cursor, bound) is None
    at = data.draw(st.integers(0, len(cursor) - 1))
    letter = data.draw(st.sampled_from("ABCxyz019_-"))
    for changed in (
        cursor[:at] + letter + cursor[at + 1 :],
        cursor[:at],
        cursor + letter,
        cursor[at:] + cursor[:at],
    ):
        assert cursors.open(changed, bound) in (None, (clock, backwards))


@pytest.mark.parametrize("seed", range(3))
async def test_garbage_is_gone_and_nothing_else(host: Host, alice: Someone, seed: int) -> None:
    chance = random.Random(seed)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
    fill(alice, ["a", "b"], alice.message(b"x", None))
    good = cursor_in((await get_page(host, None, start(alice, "limit=1"))).next)
    for _ in range(30):
        size = chance.choice([1, 2, 3, 4, 48, len(good), 255, 256])
        garbage = "".join(chance.choices(letters, k=size))
        if chance.random() < 0.5:
            at = chance.randrange(len(good) - 1)
            garbage = good[:at] + chance.choice(letters.replace(good[at], "")) + good[at + 1 :]
        reply = await host.ask(None, start(alice, f"limit=1&cursor={garbage}"))
        assert reply.status == 410, garbage


# --- side channels -----------------------------------------------------------------------------------------


async def test_answers_depend_on_nothing_but_what_the_visitor_may_read(
    host: Host, alice: Someone, bob: Someone, carol: Someone, mallory: Someone
) -> None:
    fill(alice, ["a", "b"], alice.message(b"x", None))
    fill(alice, ["c"], alice.message(b"x", [alice, bob]))
    paths = [start(alice, query) for query in ("limit=1", "limit=2", "limit=9", "from=newest&limit=1")]
    paths += [start(bob, "limit=1"), start(carol, "limit=1")]

    async def seen(paths: list[str]) -> list[object]:
        found: list[object] = []
        for who in (None, bob, mallory):
            for path in paths:
                reply = await host.ask(who, path)
                headers = {
                    name: value for name, value in reply.headers.items() if name not in ("Date", "Link")
                }
                found.append((reply.status, headers, reply.body, sorted(links_of(reply))))
                found.append([len(link) for link in links_of(reply).values()])
        return found

    ends = {
        who and who.fingerprint: (await get_page(host, who, paths[2])).next for who in (None, bob, mallory)
    }
    before = await seen(paths)
    fill(alice, ["0", "d", "e"], alice.message(b"y", [alice, carol]))
    alice.publish("diary", b"", audience(alice))
    carols = carol.message(b"z", [alice, carol])
    alice.holds(carol, "held", carols)
    assert await seen(paths) == before
    alice.own("d").write_bytes(alice.message(b"w", [alice, carol]))
    alice.own("e").unlink()
    assert await seen(paths) == before
    for who in (None, bob, mallory):
        page = await get_page(host, who, ends[who and who.fingerprint])
        assert page.names == []


async def test_who_may_read_nothing_cannot_tell_who_is_held_here(
    host: Host, alice: Someone, bob: Someone, mallory: Someone
) -> None:
    alice.holds(bob, "x", bob.message(b"z", None))
    unknown = Someone(mallory.account, mallory.keyring)
    replies = []
    for author in (bob, unknown):
        for path in (start(author, "limit=1"), start(author, "from=newest")):
            reply = await host.ask(None, path)
            page = read_page(reply)
            assert page.prev is None
            again = await host.ask(None, page.next)
            replies.append(
                (reply.body, again.body, reply.headers["ETag"], len(page.next), sorted(reply.headers))
            )
    assert replies[:2] == replies[2:]


# --- the tree is not whole, rows that others wrote ---------------------------------------------------------


async def test_without_a_tree_nothing_is_said_to_be_gone(host: Host, alice: Someone) -> None:
    fill(alice, ["a", "b"], alice.message(b"x", None))
    page = await get_page(host, None, start(alice, "limit=1"))
    root = alice.account.root.path
    away = root.with_name("away")
    root.rename(away)
    try:
        reply = await host.ask(None, page.next)
        assert (reply.status, reply.headers["Retry-After"]) in ((503, "5"), (503, "1"))
    finally:
        if root.exists():
            shutil.rmtree(root)
        away.rename(root)
    assert len((await get_page(host, None, page.next)).names) == 1


def forge(alice: Someone, statement: str, *values: object) -> None:
    """Write to the index as another program could."""
    database = next((alice.account.root.path / ".index").glob("*.db"))
    connection = sqlite3.connect(database, timeout=10)
    with connection:
        connection.execute(statement, values)
    connection.close()


async def test_a_forged_row_opens_nothing_and_lists_nothing_that_is_not_true(
    host: Host, alice: Someone, bob: Someone
) -> None:
    fill(alice, ["public"], alice.message(b"x", None))
    fill(alice, ["private"], alice.message(b"x", [alice, bob]))
    alice.holds(bob, "his", bob.message(b"z", None))
    index = host.server.library.index
    page = await get_page(host, None, start(alice, "limit=9"))
    await until(lambda: not index.unsettled(alice.fingerprint))
    true = (await host.list(alice)).json

    async def as_before() -> None:
        everything = await get_page(host, None, start(alice, "limit=9"))
        assert (everything.names, everything.sums) == (["public"], page.sums)
        assert all(item in true for item in (await host.list(alice)).json)
        assert (await host.get(None, "private")).status == 404

    # A private file, found by everybody.
    forge(
        alice,
        "INSERT INTO found SELECT file.author, reader.id, file.clock, file.id FROM file, reader"
        " WHERE file.name = 'private.pgp' AND reader.key = ?",
        SIGNED,
    )
    await as_before()
    forge(alice, "UPDATE file SET sha256 = ?, size = 7 WHERE name = 'public.pgp'", b"s" * 32)
    await as_before()
    elsewhere = f"../{bob.fingerprint.hex}/his.pgp"
    for name in ("nothing.pgp", elsewhere, "/etc/passwd", "nul\0.pgp", ".hidden.pgp", "account", b"bytes"):
        forge(alice, "UPDATE file SET name = ? WHERE name = 'private.pgp'", name)
        await as_before()
        host.server.library.index.refresh(alice.fingerprint)
        await as_before()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("clock", -5),
        ("clock", 0),
        ("clock", "soon"),
        ("sha256", b"short"),
        ("sha256", "text"),
        ("stamp", 5),
        ("size", "much"),
        ("name", b"bytes"),
        ("kind", 7),
    ],
)
async def test_a_row_that_is_none_is_damage(host: Host, alice: Someone, column: str, value: object) -> None:
    fill(alice, ["public"], alice.message(b"x", None))
    page = await get_page(host, None, start(alice, "limit=9"))
    forge(alice, f"UPDATE file SET {column} = ? WHERE name = 'public.pgp'", value)  # noqa: S608 - ours
    if column == "clock":
        forge(alice, "UPDATE OR REPLACE found SET clock = ?", value)
    for path in (start(alice, "limit=9"), start(alice, "limit=9&from=newest")):
        reply = await host.ask(None, path)
        assert reply.status in (200, 503), reply.raw
        if reply.status == 200:
            assert set(reply.names) <= {"public"}

    async def whole() -> bool:
        return (await get_page(host, None, start(alice, "limit=9"))).sums == page.sums

    if column != "clock":  # nothing is found before everything; the next rescan mends it
        await eventually(whole)


# --- a burst -----------------------------------------------------------------------------------------------

_BURST = """
import os, sys
place, count = sys.argv[1], int(sys.argv[2])
contents = [open(path, "rb").read() for path in sys.argv[3:]]
for number in range(count):
    name = os.path.join(place, f"{number * 7919 % (count * 4 // 5)}.pgp")
    aside = os.path.join(place, ".aside")
    with open(name if number % 3 else aside, "wb") as handle:
        handle.write(contents[number % len(contents)])
    if not number % 3:
        os.rename(aside, name)
"""


async def _burst(host: Host, alice: Someone, bob: Someone, tmp_path: Path, count: int) -> None:
    """Two page and one takes archives, while another process writes; each file is written once or twice."""
    contents = []
    for number in range(3):
        contents.append(tmp_path / f"{number}")
        contents[-1].write_bytes(alice.message(b"%d" % number, [alice, bob]))
    place = alice.account.root.author_dir(alice.fingerprint)
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _BURST, place, str(count), *map(str, contents)
    )
    written = asyncio.create_task(writer.wait())
    known: list[dict[str, str]] = [{}, {}, {}]

    async def paging(found: dict[str, str], limit: int) -> None:
        async with talking(host, bob) as talk:
            path, quiet = start(alice, f"limit={limit}"), 0
            while quiet < 3:
                quiet = quiet + 1 if written.done() else 0
                talk.send(path, {"Prefer": "wait=1"})
                page = read_page(await talk.answer())
                found.update(page.sums)
                path = page.next
                if page.names:
                    quiet = 0

    async def patiently(host: Host, who: Someone, path: str) -> Reply:
        reader, writer = await host.connect(who)
        lines = [
            f"GET {path} HTTP/1.1",
            "Host: peer",
            "Connection: close",
            "Accept: application/x-tar",
            "",
            "",
        ]
        writer.write("\r\n".join(lines).encode())
        try:
            return read_reply(await reader.read(-1))
        finally:
            writer.close()

    async def unpacking(found: dict[str, str]) -> None:
        path, quiet = start(alice, "limit=200"), 0
        while quiet < 3:
            quiet = quiet + 1 if written.done() else 0
            reply = await patiently(host, bob, path)
            packed = unpack(reply.body)
            found.update({one.name: one.sha256 for one in packed})
            if packed:
                path, quiet = start(alice, f"limit=200&cursor={packed[-1].cursor}"), 0
            else:
                await host.ask(bob, path, {"Prefer": "wait=1"})

    async with asyncio.timeout(200):
        await asyncio.gather(paging(known[0], 100), paging(known[1], 1000), unpacking(known[2]))
    assert await written == 0
    truth = {item["name"].removesuffix(".pgp"): item["sum"] for item in (await host.list(bob)).json}
    assert len(truth) == count * 4 // 5
    assert known == [truth] * 3


async def test_in_a_burst_nothing_is_lost(host: Host, alice: Someone, bob: Someone, tmp_path: Path) -> None:
    await _burst(host, alice, bob, tmp_path, 1000)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_in_a_burst_of_ten_thousand_files_nothing_is_lost(
    host: Host, alice: Someone, bob: Someone, tmp_path: Path
) -> None:
    await _burst(host, alice, bob, tmp_path, 10_000)


# --- since when --------------------------------------------------------------------------------------------


def test_no_date_that_was_told_is_later_than_the_rules_that_came_after(
    alice: Someone, bob: Someone, carol: Someone
) -> None:
    """Whatever the system's clock did: a date of before must get everything."""
    epochs = Epochs(alice.account.root)
    shelf = Shelf(alice.fingerprint, alice.fingerprint, "friends")
    friend = standing_of(shelf, Visitor(bob.fingerprint, frozenset(), friend=True), None)
    keys = bob.account.certificate.encryption_keyids
    other = standing_of(shelf, Visitor(bob.fingerprint, frozenset(keys), friend=True), None)
    changed = int(time.time()) + 10**6  # the clock was ahead then
    first = epochs.since(friend, changed)
    assert first > changed
    assert epochs.since(friend, changed + 50) == first
    second = epochs.since(other, 0)
    assert second > first
    epochs.close()
    again = Epochs(alice.account.root)
    assert again.since(other, 0) == second
    assert again.since(friend, 0) > second
    again.close()
