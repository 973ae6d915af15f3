"""What others have for me arrives, whole, once, and with its history."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from io import BytesIO

from aiohttp import web

from mau.addressbook import AddressBook
from mau.errors import IdentityError, PeerNotFound, PeerUnreachable, UnknownAuthor
from mau.publish import publish_file
from mau.syncer import Progress, Syncer
from mau.syncer.state import State
from mau.tree.posts import AuthorDir
from tests.syncer.peers import Cutting, Liar, Person, lying, piece, serving


async def test_what_is_for_me_arrives_and_nothing_else(alice: Person, bob: Person, carol: Person) -> None:
    mine = alice.post("for-bob.json.pgp", "hello Bob", bob)
    everybodys = alice.post("for-all.json.pgp", "hello world", public=True)
    both = alice.post("for-both.json.pgp", "hello you two", bob, carol)
    alice.post("for-carol.json.pgp", "hello Carol", carol)
    alice.post("for-me.json.pgp", "dear diary")
    async with serving(alice) as address:
        report = await bob.sync(alice, address)
    expected = {"for-bob.json.pgp": mine, "for-all.json.pgp": everybodys, "for-both.json.pgp": both}
    assert bob.held(alice) == expected
    assert sorted(report.fetched) == sorted(expected)
    assert report.whole


async def test_a_second_sync_fetches_nothing(alice: Person, bob: Person) -> None:
    alice.post("x.json.pgp", "hello", bob)
    async with serving(alice) as address:
        await bob.sync(alice, address)
        again = await bob.sync(alice)
        full = await bob.sync(alice, full=True)
    assert (again.fetched, again.same) == ([], 1)
    assert (full.fetched, full.same) == ([], 1)


async def test_what_changed_arrives_and_what_it_replaces_is_a_version(alice: Person, bob: Person) -> None:
    old = alice.post("x.json.pgp", "first", bob)
    async with serving(alice) as address:
        await bob.sync(alice, address)
        new = alice.post("x.json.pgp", "second", bob)
        alice.post("y.json.pgp", "another", bob)
        report = await bob.sync(alice)
    assert sorted(report.fetched) == ["x.json.pgp", "y.json.pgp"]
    assert bob.held(alice)["x.json.pgp"] == new
    assert bob.versions(alice, "x.json.pgp") == {old}


async def test_the_author_may_go_back_to_an_older_content(alice: Person, bob: Person) -> None:
    old = alice.post("x.json.pgp", "first", bob)
    backup = (alice.root.author_dir(alice.fpr) / "x.json.pgp").read_bytes()
    new = alice.post("x.json.pgp", "second", bob)
    async with serving(alice) as address:
        await bob.sync(alice, address)
        (alice.root.author_dir(alice.fpr) / "x.json.pgp").write_bytes(backup)
        async with asyncio.timeout(5):  # an edit in place shows within a second
            while not (await bob.sync(alice)).fetched:
                pass
    assert bob.held(alice) == {"x.json.pgp": old}
    assert bob.versions(alice, "x.json.pgp") == {new}


async def test_an_address_is_remembered_once_it_is_proven(alice: Person, bob: Person) -> None:
    alice.post("x.json.pgp", "hello", bob)
    unknown = await bob.sync(alice)
    assert isinstance(unknown.problem, PeerNotFound)
    async with serving(alice) as address:
        await bob.sync(alice, ("127.0.0.1", 1), address)
        book = AddressBook(bob.root)
        assert book.addresses(alice.fpr) == [address]
        assert (await bob.sync(alice)).address == address
    gone = await bob.sync(alice)
    assert isinstance(gone.problem, PeerUnreachable)
    assert book.known(alice.fpr)[0].failures == 1
    book.close()


async def test_somebody_else_at_the_address_is_asked_for_nothing(
    alice: Person, bob: Person, carol: Person
) -> None:
    liar = Liar(carol, author=alice.fpr)
    async with lying(liar) as address:
        report = await bob.sync(alice, address)
        assert isinstance(report.problem, IdentityError)
        assert liar.asked == []
        async with serving(alice) as right:
            assert (await bob.sync(alice, address, right)).address == right


async def test_three_hundred_files_of_one_time_arrive(alice: Person, bob: Person) -> None:
    for number in range(300):
        name = f"{number:03}.json.pgp"
        alice.post(name, f"number {number}", bob)
        os.utime(alice.root.author_dir(alice.fpr) / name, (1_700_000_000, 1_700_000_000))
    seen: list[Progress] = []
    async with serving(alice) as address:
        syncer = Syncer(bob.account, bob.keyring, progress=seen.append)
        report = await syncer.sync(alice.fpr, addresses=[address])
        syncer.close()
    assert len(report.fetched) == len(set(report.fetched)) == 300
    assert len(bob.held(alice)) == 300
    assert (seen[0].done, seen[-1].done, seen[-1].total) == (0, 300, 300)
    assert [one.done for one in seen] == sorted(one.done for one in seen)


async def test_what_comes_with_an_old_time_arrives_all_the_same(alice: Person, bob: Person) -> None:
    alice.post("new.json.pgp", "new", bob)
    async with serving(alice) as address:
        await bob.sync(alice, address)
        alice.post("restored.json.pgp", "old", bob)
        os.utime(alice.root.author_dir(alice.fpr) / "restored.json.pgp", (1_000_000_000, 1_000_000_000))
        assert (await bob.sync(alice)).fetched == ["restored.json.pgp"]
        assert (await bob.sync(alice, full=True)).fetched == []


async def test_only_dates_of_the_server_are_sent_back_to_it(alice: Person, bob: Person) -> None:
    liar = Liar(alice)
    liar.offer("x.json.pgp", piece(alice, "x.json.pgp", to=None))

    async def dated(request: web.BaseRequest) -> web.StreamResponse:
        liar.since.append(request.headers.get("If-Modified-Since"))
        return web.Response(
            body=liar.body(request), headers={"Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT"}
        )

    liar.answers[f"/p2p/{alice.fpr.hex}"] = dated
    async with lying(liar) as address:
        await bob.sync(alice, address)
        await bob.sync(alice, address)
        await bob.sync(alice, address, full=True)
    assert liar.since == [None, "Sun, 06 Nov 1994 08:39:37 GMT", None]


async def test_losing_what_was_remembered_costs_nothing_but_time(alice: Person, bob: Person) -> None:
    alice.post("x.json.pgp", "hello", bob)
    async with serving(alice) as address:
        await bob.sync(alice, address)
        for file in (bob.root.path / ".syncer" / "state.db", bob.root.path / ".peers" / "addresses.db"):
            file.write_bytes(b"damaged" * 1000)
        report = await bob.sync(alice, address)
    assert (report.fetched, report.same, report.whole) == ([], 1, True)


async def test_an_author_without_a_key_is_deferred_until_there_is_one(
    person: Callable[[str], Person], alice: Person
) -> None:
    eve = person("eve")
    eve.root.follow(alice.fpr)
    alice.post("x.json.pgp", "hello", public=True)
    liar = Liar(alice)
    liar.offer("x.json.pgp", (alice.root.author_dir(alice.fpr) / "x.json.pgp").read_bytes())
    async with lying(liar) as address:
        report = await eve.sync(alice, address)
        assert [type(one.error) for one in report.deferred] == [UnknownAuthor]
        assert liar.fetched() == []
        eve.keyring.add(alice.account.certificate, "alice", known=True)
        liar.listing = []
        assert (await eve.sync(alice, address)).fetched == []  # the first contact: everything was asked for
        liar.offer("x.json.pgp", liar.files["x.json.pgp"])
        assert (await eve.sync(alice, address)).fetched == ["x.json.pgp"]


async def test_a_large_file_arrives_whole(alice: Person, bob: Person) -> None:
    content = os.urandom(3_000_000)
    audience = frozenset([alice.fpr, bob.fpr])
    done = publish_file(
        alice.account, alice.keyring, BytesIO(content), "film.webm.pgp", audience, "film.webm"
    )
    async with serving(alice) as address:
        report = await bob.sync(alice, address)
        assert report.fetched == ["film.webm.pgp"]
        assert bob.held(alice) == {"film.webm.pgp": done.sha256}
    left = [path.name for path in (bob.root.path / ".syncer").iterdir()]
    assert not [name for name in left if name.endswith(".tmp")]


async def test_two_syncs_at_once_lose_nothing(alice: Person, bob: Person) -> None:
    expected = {
        f"{number:02}.json.pgp": alice.post(f"{number:02}.json.pgp", "x", bob) for number in range(60)
    }
    async with serving(alice) as address:
        first, second = await asyncio.gather(bob.sync(alice, address), bob.sync(alice, address))
    assert bob.held(alice) == expected
    assert all(bob.versions(alice, name) == set() for name in expected)
    assert not first.failed
    assert not second.failed
    third = set(first.fetched) | set(second.fetched)
    assert third == set(expected)


async def _cancelled_sync(who: Person, author: Person, address: tuple[str, int], stop_at: int) -> None:
    def stop(progress: Progress) -> None:
        if progress.done == stop_at:
            task.cancel()

    syncer = Syncer(who.account, who.keyring, progress=stop)
    task = asyncio.create_task(syncer.sync(author.fpr, addresses=[address]))
    await asyncio.wait([task])
    syncer.close()


async def test_a_cancelled_sync_leaves_whole_files_and_the_next_one_finishes(
    alice: Person, bob: Person
) -> None:
    expected = {
        f"{number:03}.json.pgp": alice.post(f"{number:03}.json.pgp", "x", bob) for number in range(200)
    }
    async with serving(alice) as address:
        for stop_at in (3, 50, 120):
            await _cancelled_sync(bob, alice, address, stop_at)
            held = bob.held(alice)
            assert held.items() <= expected.items()
            directory = bob.root.author_dir(alice.fpr)
            assert sorted(path.name for path in directory.iterdir()) == sorted(held)
        report = await bob.sync(alice, address)
    assert report.whole
    assert bob.held(alice) == expected


# --- from somebody else ------------------------------------------------------------------------------------


async def test_a_friend_passes_on_what_i_may_read(alice: Person, bob: Person, carol: Person) -> None:
    shared = alice.post("shared.json.pgp", "for both", bob, carol)
    alice.post("private.json.pgp", "for Bob", bob)
    async with serving(alice) as address:
        await bob.sync(alice, address)
    async with serving(bob) as address:
        report = await carol.sync(alice, address, via=bob.fpr)
    assert carol.held(alice) == {"shared.json.pgp": shared}
    assert (report.peer, report.author) == (bob.fpr, alice.fpr)


async def test_what_a_friend_passed_on_gives_way_to_the_author(
    alice: Person, bob: Person, carol: Person
) -> None:
    old = alice.post("x.json.pgp", "first", bob, carol)
    async with serving(alice) as address:
        await bob.sync(alice, address)
    async with serving(bob) as address:
        await carol.sync(alice, address, via=bob.fpr)
    new = alice.post("x.json.pgp", "second", bob, carol)
    async with serving(alice) as address:
        await carol.sync(alice, address)
    assert carol.held(alice) == {"x.json.pgp": new}
    async with serving(bob) as address:
        report = await carol.sync(alice, address, via=bob.fpr, full=True)
    assert [type(one.error).__name__ for one in report.refused] == ["RolledBack"]
    assert carol.held(alice) == {"x.json.pgp": new}
    assert carol.versions(alice, "x.json.pgp") == {old}


async def test_a_relay_cannot_roll_back_even_when_no_version_is_held(
    alice: Person, bob: Person, carol: Person
) -> None:
    certificates = (bob.account.certificate, carol.account.certificate)
    stated = frozenset([alice.fpr, bob.fpr, carol.fpr])
    start = int(time.time())
    old = piece(alice, "x.json.pgp", "old", to=certificates, stated=stated, created=start)
    now = piece(alice, "x.json.pgp", "now", to=certificates, stated=stated, created=start + 100)
    newer = piece(alice, "x.json.pgp", "newer", to=certificates, stated=stated, created=start + 200)
    unbound = piece(alice, "x.json.pgp", "unbound", to=certificates, bound=False, created=start + 300)
    honest, relay = Liar(alice), Liar(bob, author=alice.fpr)
    honest.offer("x.json.pgp", now)
    async with lying(honest) as address:
        assert (await carol.sync(alice, address)).fetched == ["x.json.pgp"]
    for data, error in ((old, "RolledBack"), (unbound, "UnboundFromRelay")):
        relay.listing, relay.files = [], {}
        relay.offer("x.json.pgp", data)
        async with lying(relay) as address:
            report = await carol.sync(alice, address, via=bob.fpr)
        assert [one.kind for one in report.refused] == [error]
    relay.listing = []
    relay.offer("x.json.pgp", newer)
    async with lying(relay) as address:
        assert (await carol.sync(alice, address, via=bob.fpr)).fetched == ["x.json.pgp"]


# --- a server that cuts its listing ------------------------------------------------------------------------


def fill(server: Cutting, count: int, time: Callable[[int], float]) -> None:
    for number in range(count):
        name = f"{number:03}.json.pgp"
        server.put(name, piece(server.person, name, f"number {number}", to=None), time(number))


async def test_two_hundred_and_fifty_files_arrive_from_a_server_that_cuts(alice: Person, bob: Person) -> None:
    server = Cutting(alice)
    fill(server, 250, lambda number: 1_780_000_000 + number * 600)
    async with lying(server) as address:
        report = await bob.sync(alice, address)
        assert report.whole
        assert len(report.fetched) == 250
        server.put("later.json.pgp", piece(alice, "later.json.pgp", to=None), 1_780_400_000)
        server.questions = 0
        assert (await bob.sync(alice)).fetched == ["later.json.pgp"]
        assert server.questions < 60
    assert len(bob.held(alice)) == 251
    state = State(bob.root)
    assert state.cursor(alice.fpr, alice.fpr).last_modified is None
    state.close()


async def test_files_written_in_a_burst_arrive_from_a_server_that_cuts(alice: Person, bob: Person) -> None:
    server = Cutting(alice)
    fill(server, 250, lambda number: 1_780_000_000 + number / 80)
    async with lying(server) as address:
        report = await bob.sync(alice, address)
    assert report.whole
    assert len(report.fetched) == 250


async def test_a_page_with_one_time_is_all_that_can_be_reached_and_that_is_said(
    alice: Person, bob: Person
) -> None:
    server = Cutting(alice)
    fill(server, 150, lambda number: 1_780_000_000 + (0 if number < 130 else number))
    async with lying(server) as address:
        report = await bob.sync(alice, address)
    assert len(report.fetched) == 120
    assert len(report.beyond_reach) == 1
    assert "Thu, 28 May 2026 20:26:40 GMT" in report.beyond_reach[0]
    assert not report.whole


async def test_files_for_others_do_not_hide_mine(alice: Person, bob: Person) -> None:
    server = Cutting(alice)
    fill(server, 250, lambda number: 1_780_000_000 + number * 3_600)
    server.hidden = frozenset(name for number, name in enumerate(sorted(server.files)) if number % 5)
    async with lying(server) as address:
        report = await bob.sync(alice, address)
    assert sorted(report.fetched) == sorted(set(server.files) - server.hidden)


async def test_everything_held_is_of_the_author(alice: Person, bob: Person) -> None:
    alice.post("x.json.pgp", "hello", bob)
    async with serving(alice) as address:
        await bob.sync(alice, address)
    assert AuthorDir(bob.root, alice.fpr).names() == ["x.json.pgp"]
