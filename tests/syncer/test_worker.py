"""Following without a thought: what is posted is there soon, whoever comes, goes or does not answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from mau.addressbook import AddressBook
from mau.server.server import Server
from mau.syncer.report import SyncReport
from mau.syncer.status import FriendStatus, StatusBook
from mau.syncer.worker import Worker
from tests.syncer.peers import IMPATIENT, Cutting, Person, lying, piece, serving

PATIENCE = 20.0


class Watched:
    """A worker that runs, and what it tells."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.reports: list[SyncReport] = []
        self.worker = Worker(person.account, person.keyring, timeouts=IMPATIENT, told=self.reports.append)

    async def until(self, holds: Callable[[], bool]) -> float:
        """Wait until something holds; the seconds that it took."""
        began = time.monotonic()
        async with asyncio.timeout(PATIENCE):
            while not holds():  # noqa: ASYNC110 - what is on the disk tells nobody
                await asyncio.sleep(0.005)
        return time.monotonic() - began

    def of(self, person: Person) -> list[SyncReport]:
        """The rounds with one person."""
        return [report for report in self.reports if report.author == person.fpr]

    def status(self, of: Person) -> FriendStatus:
        book = StatusBook(self.person.root)
        try:
            return book.of(of.fpr)
        finally:
            book.close()


@asynccontextmanager
async def watching(person: Person) -> AsyncIterator[Watched]:
    watched = Watched(person)
    stop = asyncio.Event()
    task = asyncio.create_task(watched.worker.run(stop))
    try:
        yield watched
    finally:
        stop.set()
        async with asyncio.timeout(PATIENCE):
            await task


def tell(person: Person, other: Person, address: tuple[str, int]) -> None:
    """Where somebody was reached before."""
    book = AddressBook(person.root)
    book.proven(other.fpr, *address)
    book.close()


async def test_what_is_posted_arrives_without_being_asked_for(alice: Person, bob: Person) -> None:
    alice.post("old.json.pgp", "before", bob)
    async with serving(alice) as address:
        tell(bob, alice, address)
        async with watching(bob) as watched:
            await watched.until(lambda: "old.json.pgp" in bob.held(alice))
            await watched.until(lambda: watched.status(alice).doing == "waiting")
            for number in range(3):
                alice.post(f"{number}.json.pgp", "new", bob)
                await watched.until(lambda number=number: f"{number}.json.pgp" in bob.held(alice))
            changed = alice.post("old.json.pgp", "after", bob)
            await watched.until(lambda: bob.held(alice)["old.json.pgp"] == changed)
            # Each of them came because it was told of, not because it was time to ask.
            assert watched.status(alice).error == ""
            assert watched.status(alice).address.endswith(str(address[1]))
        assert watched.status(alice).doing == "stopped"


async def test_posts_for_others_make_nobody_ask(alice: Person, bob: Person, carol: Person) -> None:
    async with serving(alice) as address:
        tell(bob, alice, address)
        async with watching(bob) as watched:
            await watched.until(lambda: watched.status(alice).doing == "waiting")
            rounds = len(watched.of(alice))
            for number in range(5):
                alice.post(f"carol{number}.json.pgp", "hello", carol)
            alice.post("bob.json.pgp", "hello", bob)
            await watched.until(lambda: "bob.json.pgp" in bob.held(alice))
            await watched.until(lambda: watched.status(alice).doing == "waiting")
            assert len(watched.of(alice)) == rounds + 1


async def test_mkdir_begins_it_and_mv_and_rm_end_it(alice: Person, bob: Person, carol: Person) -> None:
    carol.knows(bob, "bob")
    alice.post("a.json.pgp", "hello", carol)
    bob.post("b.json.pgp", "hello", carol)
    bob_dir = carol.root.author_dir(bob.fpr)
    bob_dir.rmdir()
    async with serving(alice) as at_alice, serving(bob) as at_bob:
        tell(carol, alice, at_alice)
        tell(carol, bob, at_bob)
        async with watching(carol) as watched:
            await watched.until(lambda: "a.json.pgp" in carol.held(alice))
            assert watched.worker.following == {alice.fpr}
            bob_dir.mkdir(mode=0o700)
            await watched.until(lambda: "b.json.pgp" in carol.held(bob))
            carol.root.author_dir(alice.fpr).rename(carol.root.hidden_dir(alice.fpr))
            await watched.until(lambda: watched.worker.following == {bob.fpr})
            alice.post("late.json.pgp", "unheard", carol)
            bob.post("heard.json.pgp", "heard", carol)
            await watched.until(lambda: "heard.json.pgp" in carol.held(bob))
            assert not (carol.root.hidden_dir(alice.fpr) / "late.json.pgp").exists()
            assert not carol.root.author_dir(alice.fpr).exists()


async def test_who_comes_back_is_followed_again(alice: Person, bob: Person) -> None:
    alice.post("one.json.pgp", "1", bob)
    async with serving(alice) as address:
        tell(bob, alice, address)
        async with watching(bob) as watched:
            await watched.until(lambda: watched.status(alice).doing == "waiting")
    async with watching(bob) as watched:
        await watched.until(lambda: watched.status(alice).doing == "unreachable")
        gone = watched.status(alice)
        assert gone.failures >= 1
        assert gone.error
        assert gone.next_try >= int(time.time())
        assert gone.last_contact > 0
        alice.post("two.json.pgp", "2", bob)
        server = Server(alice.account, alice.keyring)
        await server.start(*address)
        try:
            watched.worker.poke()
            await watched.until(lambda: "two.json.pgp" in bob.held(alice))
            await watched.until(lambda: watched.status(alice).failures == 0)
        finally:
            await server.stop(1)


async def test_somebody_without_an_address_is_named_and_keeps_nobody_waiting(
    alice: Person, bob: Person, carol: Person
) -> None:
    carol.knows(bob, "bob")
    bob.post("b.json.pgp", "hello", carol)
    async with serving(bob) as address:
        tell(carol, bob, address)
        async with watching(carol) as watched:
            await watched.until(lambda: "b.json.pgp" in carol.held(bob))
            await watched.until(lambda: watched.status(alice).doing == "nowhere")
            assert "address" in watched.status(alice).error


async def test_a_peer_that_knows_no_pages_is_asked_now_and_then(alice: Person, bob: Person) -> None:
    liar = Cutting(alice)
    liar.put("x.json.pgp", piece(alice, "x.json.pgp", to=None), time.time() - 100)
    async with lying(liar) as address:
        tell(bob, alice, address)
        async with watching(bob) as watched:
            await watched.until(lambda: watched.status(alice).doing == "polling")
            assert "x.json.pgp" in bob.held(alice)
            status = watched.status(alice)
            assert 30 < status.next_try - time.time() < 120
            liar.put("y.json.pgp", piece(alice, "y.json.pgp", to=None), time.time())
            watched.worker.poke()
            await watched.until(lambda: "y.json.pgp" in bob.held(alice))


async def test_friends_are_asked_for_the_posts_of_one_who_is_away(
    alice: Person, bob: Person, carol: Person
) -> None:
    both = alice.post("both.json.pgp", "for you two", bob, carol)
    alice.post("bob.json.pgp", "for Bob alone", bob)
    async with serving(alice) as address:
        await bob.sync(alice, address)
        tell(carol, alice, address)
    carol.root.follow(bob.fpr)
    async with serving(bob) as address:
        tell(carol, bob, address)
        async with watching(carol) as watched:
            await watched.until(lambda: watched.status(alice).failures >= 1)
            watched.worker.poke()
            await watched.until(lambda: bool(carol.held(alice)))
            assert carol.held(alice) == {"both.json.pgp": both}
            await watched.until(lambda: watched.status(alice).doing == "unreachable")


async def test_who_had_no_address_is_asked_as_soon_as_there_is_one(alice: Person, bob: Person) -> None:
    alice.post("x.json.pgp", "hello", bob)
    async with serving(alice) as address, watching(bob) as watched:
        await watched.until(lambda: watched.status(alice).doing == "nowhere")
        tell(bob, alice, address)
        await watched.until(lambda: "x.json.pgp" in bob.held(alice))


async def test_a_new_start_does_not_wait_for_what_failed_before_it(alice: Person, bob: Person) -> None:
    book = StatusBook(bob.root)
    book.note(replace(book.of(alice.fpr), doing="unreachable", failures=40))
    book.stop()
    book.close()
    async with serving(alice) as address:
        tell(bob, alice, address)
    async with watching(bob) as watched:
        await watched.until(lambda: watched.status(alice).doing == "unreachable")
        await watched.until(lambda: watched.status(alice).failures == 1)
        assert watched.status(alice).next_try < time.time() + 60
