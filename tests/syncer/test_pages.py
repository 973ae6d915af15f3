"""Syncing page by page: what is remembered, what is compared again, and listings that never end."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from mau.errors import PeerMisbehaved, UnknownAuthor
from mau.syncer import Progress, Syncer
from mau.syncer.listing import FULL_AFTER, FULL_EVERY, token_of
from mau.syncer.pages import Pages
from mau.syncer.state import Cursor, State
from tests.syncer.paging import Paging
from tests.syncer.peers import IMPATIENT, Person, item, lying, piece, serving

NAMES = [f"{number:02}.json.pgp" for number in range(25)]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of ten, so that a few posts are several."""
    for module in ("pages", "round", "survey"):
        monkeypatch.setattr(f"mau.syncer.{module}.PAGE", 10)
    monkeypatch.setattr("mau.syncer.pages.Pages.__init__.__defaults__", (250_000, 10))


@pytest.fixture
def server(alice: Person, small: None) -> Paging:
    server = Paging(alice)
    for name in NAMES:
        server.put(name, piece(alice, name, to=None))
    return server


def cursor_of(bob: Person, alice: Person) -> Cursor:
    state = State(bob.root)
    try:
        return state.cursor(alice.fpr, alice.fpr)
    finally:
        state.close()


def pending_of(bob: Person, alice: Person) -> set[str]:
    state = State(bob.root)
    try:
        return {one.name for one in state.pending(alice.fpr, alice.fpr)}
    finally:
        state.close()


def listings(server: Paging) -> list[str]:
    """The queries for pages, without those for archives."""
    return [query for query in server.queries if "most=" not in query]


# --- deciding ----------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 10), st.sampled_from("abcdef")), max_size=40))
def test_going_on_ends_at_a_short_page_a_circle_or_the_limit(answers: list[tuple[int, str]]) -> None:
    pages, asked, seen, count = Pages(most=100, page=10), None, set[str | None](), 0
    for items, cursor in answers:
        count += items
        if asked is not None:
            seen.add(asked)
        if items < 10:
            assert not pages.goes_on(asked, items, cursor)
            return
        if cursor in seen or count >= 100:
            with pytest.raises(PeerMisbehaved):
                pages.goes_on(asked, items, cursor)
            return
        assert pages.goes_on(asked, items, cursor)
        asked = cursor


def test_everything_is_compared_after_many_rounds_but_not_every_hour() -> None:
    often = Cursor(rounds=FULL_EVERY, token="t", compared=1_000_000)
    soon, later = 1_000_000 + FULL_AFTER - 1, 1_000_000 + FULL_AFTER
    assert token_of(often, everything=False, now=soon) == "t"
    assert token_of(often, everything=False, now=later) is None
    assert token_of(often, everything=False, now=999_999) is None  # the clock was wrong then, or is now
    assert token_of(replace(often, rounds=FULL_EVERY - 1), everything=False, now=later) == "t"
    assert token_of(often, everything=True, now=soon) is None
    assert token_of(Cursor(), everything=False, now=soon) is None


# --- from page to page -------------------------------------------------------------------------------------


async def test_all_pages_come_and_then_only_what_is_new(bob: Person, alice: Person, server: Paging) -> None:
    async with lying(server) as address:
        first = await bob.sync(alice, address)
        assert (first.whole, len(first.fetched), first.same) == (True, 25, 0)
        assert listings(server) == ["limit=10", "limit=10&cursor=g1-10", "limit=10&cursor=g1-20"]
        assert cursor_of(bob, alice).token == "g1-25"
        server.queries.clear()
        again = await bob.sync(alice)
        assert (again.fetched, again.same) == ([], 25)
        assert listings(server) == ["limit=10&cursor=g1-25"]
        server.put("new.json.pgp", piece(alice, "new.json.pgp", to=None))
        server.put(NAMES[0], piece(alice, NAMES[0], "changed", to=None))
        news = await bob.sync(alice)
    assert sorted(news.fetched) == [NAMES[0], "new.json.pgp"]
    assert news.same == 24
    assert bob.held(alice) == server.sums()


async def test_the_files_of_a_page_come_together(bob: Person, alice: Person, server: Paging) -> None:
    async with lying(server) as address:
        await bob.sync(alice, address)
        assert server.archives == 3
        assert server.fetched() == []
        server.put("one.json.pgp", piece(alice, "one.json.pgp", to=None))
        await bob.sync(alice)
    assert server.fetched() == ["one.json.pgp"], "one file alone is asked for alone"


async def test_without_archives_they_come_one_by_one(bob: Person, alice: Person, server: Paging) -> None:
    server.bulk = False
    async with lying(server) as address:
        report = await bob.sync(alice, address)
    assert report.whole
    assert report.archive is None
    assert sorted(server.fetched()) == NAMES
    assert len([query for query in server.queries if "most=" in query]) == 1


async def test_everything_is_compared_when_it_is_time_or_asked_for(
    bob: Person, alice: Person, server: Paging
) -> None:
    async with lying(server) as address:
        await bob.sync(alice, address)
        server.slip_in("old.json.pgp", piece(alice, "old.json.pgp", to=None))
        assert (await bob.sync(alice)).fetched == []
        assert (await bob.sync(alice, full=True)).fetched == ["old.json.pgp"]
        server.slip_in("older.json.pgp", piece(alice, "older.json.pgp", to=None))
        state = State(bob.root)
        cursor = state.cursor(alice.fpr, alice.fpr)
        assert (cursor.rounds, cursor.token) == (0, "g1-25")
        long_ago = replace(cursor, rounds=FULL_EVERY, compared=cursor.compared - FULL_AFTER)
        state.advance(alice.fpr, alice.fpr, long_ago, (), ())
        state.close()
        assert (await bob.sync(alice)).fetched == ["older.json.pgp"]
    assert bob.held(alice) == server.sums()


async def test_an_empty_directory_is_filled_again(bob: Person, alice: Person, server: Paging) -> None:
    async with lying(server) as address:
        await bob.sync(alice, address)
        for path in bob.root.author_dir(alice.fpr).iterdir():
            path.unlink()
        assert len((await bob.sync(alice)).fetched) == 25


async def test_a_position_that_is_gone_begins_anew(bob: Person, alice: Person, server: Paging) -> None:
    async with lying(server) as address:
        await bob.sync(alice, address)
        server.generation = 2
        server.put("new.json.pgp", piece(alice, "new.json.pgp", to=None))
        report = await bob.sync(alice)
        assert (report.whole, report.fetched) == (True, ["new.json.pgp"])
        assert cursor_of(bob, alice).token == "g2-26"

        state = State(bob.root)
        state.advance(alice.fpr, alice.fpr, Cursor(), (), ())
        state.close()
        original = server.page

        def page(names: list[str], cursor: str) -> web.StreamResponse:
            server.generation = 3  # while the round is at its first page
            return original(names, cursor)

        server.page = page  # type: ignore[method-assign]
        broken = await bob.sync(alice)
        assert broken.problem is not None
        assert cursor_of(bob, alice).token is None
        assert (await bob.sync(alice)).whole


async def test_a_round_that_was_cut_off_goes_on_where_it_ended(
    bob: Person, alice: Person, server: Paging
) -> None:
    def stop(progress: Progress) -> None:
        if progress.done == 15:
            task.cancel()

    async with lying(server) as address:
        syncer = Syncer(bob.account, bob.keyring, progress=stop)
        task = asyncio.create_task(syncer.sync(alice.fpr, addresses=[address]))
        await asyncio.wait([task])
        syncer.close()
        assert cursor_of(bob, alice).token == "g1-10"
        held = bob.held(alice)
        assert held.items() <= server.sums().items()
        server.queries.clear()
        report = await bob.sync(alice, address)
        assert listings(server) == ["limit=10&cursor=g1-10", "limit=10&cursor=g1-20"]
    assert report.whole
    assert len(report.fetched) == 25 - len(held)
    assert bob.held(alice) == server.sums()


async def test_what_failed_is_tried_again_though_it_is_not_listed_as_new(
    bob: Person, alice: Person, server: Paging
) -> None:
    lost = server.files["05.json.pgp"]

    async def away(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=500)

    server.bulk = False
    server.answers[server.path("05.json.pgp")] = away
    async with lying(server) as address:
        first = await bob.sync(alice, address)
        assert [one.name for one in first.failed] == ["05.json.pgp"]
        assert cursor_of(bob, alice).token == "g1-25"
        assert pending_of(bob, alice) == {"05.json.pgp"}
        assert [one.name for one in (await bob.sync(alice)).failed] == ["05.json.pgp"]
        server.answers.clear()
        assert (await bob.sync(alice)).fetched == ["05.json.pgp"]
        assert pending_of(bob, alice) == set()
    assert (bob.root.author_dir(alice.fpr) / "05.json.pgp").read_bytes() == lost


async def test_what_was_deleted_meanwhile_is_given_up(bob: Person, alice: Person, server: Paging) -> None:
    server.put("wrong.json.pgp", b"x")
    server.bulk = False
    del server.files["wrong.json.pgp"]
    original = server.page

    def page(names: list[str], cursor: str) -> web.StreamResponse:
        server.files["wrong.json.pgp"] = b"x"
        try:
            return original(names, cursor)
        finally:
            del server.files["wrong.json.pgp"]

    server.page = page  # type: ignore[method-assign]
    async with lying(server) as address:
        await bob.sync(alice, address)
        assert pending_of(bob, alice) == {"wrong.json.pgp"}
        server.changes.remove("wrong.json.pgp")
        await bob.sync(alice)
    assert pending_of(bob, alice) == set()


async def test_without_the_authors_key_the_position_stays(
    person: Callable[[str], Person], alice: Person, server: Paging
) -> None:
    eve = person("eve")
    eve.root.follow(alice.fpr)
    async with lying(server) as address:
        report = await eve.sync(alice, address)
        assert {type(one.error) for one in report.deferred} == {UnknownAuthor}
        assert server.fetched() == []
        assert cursor_of(eve, alice).token is None
        eve.keyring.add(alice.account.certificate, "alice", known=True)
        assert len((await eve.sync(alice, address)).fetched) == 25
        assert server.archives == 3


async def test_files_that_get_no_answer_do_not_hide_what_comes_after_them(
    bob: Person, alice: Person, server: Paging
) -> None:
    async def silent(request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    server.bulk = False
    quiet = NAMES[:4]
    for name in quiet:
        server.answers[server.path(name)] = silent
    async with lying(server) as address:
        for _ in range(12):
            report = await bob.sync(alice, address, timeouts=IMPATIENT)
            if len(bob.held(alice)) == 21:
                break
    assert sorted(bob.held(alice)) == NAMES[4:]
    assert not report.whole


async def test_a_later_page_is_newer(bob: Person, alice: Person, server: Paging) -> None:
    """A file that changes while its listing is read comes once more, and the later content stays."""
    newer = piece(alice, NAMES[0], "newer", to=None)
    original = server.page

    def page(names: list[str], cursor: str) -> web.StreamResponse:
        answer = original(names, cursor)
        if NAMES[19] in names:
            server.put(NAMES[0], newer)
        return answer

    server.page = page  # type: ignore[method-assign]
    async with lying(server) as address:
        report = await bob.sync(alice, address)
    assert report.whole
    assert bob.held(alice) == server.sums()


async def test_a_server_that_knows_pages_no_longer_is_listed_as_before(
    bob: Person, alice: Person, server: Paging
) -> None:
    async with lying(server) as address:
        await bob.sync(alice, address)

        async def plain(request: web.BaseRequest) -> web.StreamResponse:
            since.append(request.headers.get("If-Modified-Since"))
            listed = [item(alice.fpr, name, data) for name, data in server.files.items()]
            return web.Response(text=json.dumps(listed), headers={"ETag": '"x"'})

        since: list[str | None] = []
        server.answer = plain  # type: ignore[method-assign]
    async with lying(server) as address:
        assert (await bob.sync(alice, address)).same == 25
        assert since == ["Sun, 06 Nov 1994 08:39:37 GMT"]


async def test_progress_knows_of_the_pages_to_come(bob: Person, alice: Person, server: Paging) -> None:
    seen: list[Progress] = []
    async with lying(server) as address:
        syncer = Syncer(bob.account, bob.keyring, progress=seen.append)
        await syncer.sync(alice.fpr, addresses=[address])
        syncer.close()
    assert (seen[-1].done, seen[-1].total) == (25, 25)
    assert seen[-1].done_bytes == seen[-1].total_bytes == sum(map(len, server.files.values()))
    assert [one.done for one in seen] == sorted(one.done for one in seen)


async def test_with_our_server(bob: Person, alice: Person, small: None) -> None:
    for name in NAMES:
        alice.post(name, "words", bob)
    alice.post("for-me.json.pgp", "dear diary")
    async with serving(alice) as address:
        first = await bob.sync(alice, address)
        assert (first.whole, len(first.fetched)) == (True, 25)
        assert cursor_of(bob, alice).token is not None
        alice.post("new.json.pgp", "news", bob)
        alice.post(NAMES[0], "changed", bob)
        again = await bob.sync(alice)
        assert sorted(again.fetched) == [NAMES[0], "new.json.pgp"]
        assert (await bob.sync(alice)).fetched == []
        full = await bob.sync(alice, full=True)
    assert (full.fetched, full.same, full.whole) == ([], 26, True)


# --- listings without an end -------------------------------------------------------------------------------


class Endless(Paging):
    """Makes up ten new items for every question; ``circle``: comes back to the same positions."""

    circle = 0
    asked_for = 0

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.raw_path.partition("?")[0] != f"/p2p/{self.whose.hex}":
            return await super().answer(request)
        self.asked_for += 1
        number = self.asked_for % self.circle if self.circle else self.asked_for
        listed = [item(self.whose, f"{number}-{index}.pgp", b"") for index in range(10)]
        link = f'</p2p/{self.whose.hex}?limit=10&cursor=c{number}>; rel="next"'
        return web.Response(text=json.dumps(listed), headers={"Link": link})


@pytest.mark.parametrize("circle", [1, 3, 0])
async def test_a_listing_without_an_end_ends(
    bob: Person, alice: Person, small: None, circle: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mau.syncer.pages.Pages.__init__.__defaults__", (200, 10))
    server = Endless(alice)
    server.circle = circle
    async with lying(server) as address:
        report = await bob.sync(alice, address)
    assert isinstance(report.problem, PeerMisbehaved)
    assert server.asked_for <= 22  # one of them for an archive, one ahead
    assert bob.held(alice) == {}


class Million(Paging):
    """Lists a million entries; ``suffix`` says whether they can be files. There is nothing behind them."""

    suffix = ".pgp"
    count = 0

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if "limit=" not in request.raw_path or self.count >= 1_000_000:
            self.asked.append(request.raw_path)
            return web.Response(status=404)
        start, self.count = self.count, self.count + 1000
        head = f"/p2p/{self.whose.hex}/"
        entries = [
            f'{{"path":"{head}{number}{self.suffix}","size":1,"sum":"{number:064x}"}}'
            for number in range(start, self.count)
        ]
        link = f'</p2p/{self.whose.hex}?limit=1000&cursor=c{self.count}>; rel="next"'
        return web.Response(text=f"[{','.join(entries)}]", headers={"Link": link})


@pytest.mark.parametrize("suffix", [".pgp", ".txt"])
async def test_a_million_entries_with_nothing_behind_them_are_refused_soon(
    bob: Person, alice: Person, suffix: str
) -> None:
    server = Million(alice)
    server.suffix = suffix
    tracemalloc.start()
    async with lying(server) as address:
        report = await bob.sync(alice, address)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(report.problem, PeerMisbehaved)
    assert server.count <= 12_000
    assert len(server.asked) <= 1100
    assert peak < 50 << 20
    assert bob.held(alice) == {}
