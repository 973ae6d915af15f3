"""What is missing of a thread comes from whoever may have it, with every check, and within bounds.

Carol is a friend of Bob's and a stranger to Alice, who follows Bob.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from mau.content.address import Address
from mau.content.binding import PUBLIC, Audience
from mau.content.links import Reference
from mau.conversation.compose import action, comment
from mau.conversation.missing import Fetched, Why, fetch_missing
from mau.conversation.thread import Thread, gather
from mau.deletion.publishing import delete_post
from mau.errors import UsageError
from mau.fingerprint import Fingerprint
from mau.hostport import Address as Place
from mau.marks import Marks
from mau.marks import subject as subjects
from mau.publish import publish_document
from mau.reader.reading import Reading
from mau.syncer import Syncer
from mau.tree.posts import AuthorDir
from tests.syncer.conftest import keys, person
from tests.syncer.peers import IMPATIENT, Liar, Person, lying, piece, serving

__all__ = ["keys", "person"]

NAME = "kettle.json.pgp"


@pytest.fixture
def alice(person: Callable[[str], Person]) -> Person:
    return person("alice")


@pytest.fixture
def bob(person: Callable[[str], Person], alice: Person) -> Person:
    bob = person("bob")
    bob.knows(alice, "alice")
    alice.knows(bob, "bob")
    return bob


@pytest.fixture
def carol(person: Callable[[str], Person], bob: Person) -> Person:
    carol = person("carol")
    carol.knows(bob, "bob")
    bob.knows(carol, "carol")
    return carol


def take(reader: Person, author: Person, *names: str) -> None:
    """What is held of somebody, as a sync would bring it."""
    for name in names:
        data = (author.account.posts().path / name).read_bytes()
        posts = AuthorDir(reader.root, author.fpr)
        with posts.stage() as staged:
            staged.file.write(data)
            posts.commit(staged, name)


def say(author: Person, name: str, document: dict[str, object], audience: Audience) -> Address:
    publish_document(author.account, author.keyring, document, name, audience)
    return Address(author.fpr, name)


def share(author: Person, target: Address, *people: Person, name: str = "share.json.pgp") -> Address:
    document = action(author.fpr, "ShareAction", Reference(target), datetime.now(UTC))
    return say(author, name, document, frozenset({author.fpr, *(one.fpr for one in people)}))


async def fetched(
    reader: Person, asked: Address, hints: dict[Fingerprint, Sequence[Place]], **more: Any
) -> tuple[Thread, Fetched]:
    """Gather, fetch, gather again: as `mau thread` does."""
    why = Why(reader.account, reader.keyring)
    syncer = Syncer(reader.account, reader.keyring, timeouts=IMPATIENT)
    try:
        with Reading(reader.account, reader.keyring) as reading:

            def gathered() -> Thread:
                reading.refresh()
                return gather(reading, asked, why=why)

            done = await fetch_missing(syncer, gathered, hints=hints, **more)
            why.told.update(done.failed)
            return gathered(), done
    finally:
        syncer.close()


def missing(thread: Thread) -> list[str]:
    """Why what the post asked for belongs to is missing; "" for what is there."""
    return [node.missing for node in thread.nodes if node.address != thread.asked]


@pytest.fixture
def shared(alice: Person, bob: Person, carol: Person) -> Address:
    """Carol's public post, which Bob holds and shared with Alice; all that Alice holds is the share."""
    carol.post(NAME, "public", public=True)
    take(bob, carol, NAME)
    address = share(bob, Address(carol.fpr, NAME), alice)
    take(alice, bob, "share.json.pgp")
    return address


async def test_an_own_post_that_was_removed_comes_back_from_nobody(alice: Person, bob: Person) -> None:
    alice.post(NAME, "regretted", bob)
    take(bob, alice, NAME)
    answer = comment(bob.fpr, Reference(Address(alice.fpr, NAME)), "I have it", datetime.now(UTC))
    reply = say(bob, "reply.json.pgp", answer, frozenset({alice.fpr, bob.fpr}))
    take(alice, bob, "reply.json.pgp")
    (alice.account.posts().path / NAME).unlink()
    async with serving(bob) as place:
        thread, done = await fetched(alice, reply, {bob.fpr: [place]})
        syncer = Syncer(alice.account, alice.keyring, timeouts=IMPATIENT)
        with pytest.raises(UsageError, match="your own posts"):
            await syncer.fetch(alice.fpr, NAME, addresses=[place], via=bob.fpr)
        syncer.close()
    assert (done.came, done.asked) == ([], 0)
    assert missing(thread) == ["yours, and not held any more"]
    assert not alice.root.hidden_dir(alice.fpr).exists()


async def test_a_shared_post_of_a_stranger_comes_from_who_shared_it(
    alice: Person, bob: Person, carol: Person, shared: Address
) -> None:
    async with serving(bob) as place:
        thread, done = await fetched(alice, shared, {bob.fpr: [place]})
    assert (done.came, done.keys) == ([Address(carol.fpr, NAME)], [carol.fpr])
    assert missing(thread) == [""]
    assert thread.nodes[0].summary is not None
    assert (thread.nodes[0].summary.words, thread.nodes[0].shares) == ("public", (bob.fpr,))
    # Held, verified, and nothing more: not followed, not in the timeline, nobody to write to.
    assert (alice.root.hidden_dir(carol.fpr) / NAME).exists()
    assert carol.fpr not in alice.root.follows(alice.fpr)
    held = alice.keyring.person(carol.fpr)
    assert held is not None
    assert (held.status, held.local_name) == ("unconfirmed", "")
    assert alice.root.key_file(carol.fpr, "known").exists()
    with Reading(alice.account, alice.keyring) as reading:
        reading.refresh()
        assert carol.fpr not in {one.author for one in reading.newest()}


async def test_or_from_its_author_who_is_not_told_who_asks(
    alice: Person, bob: Person, carol: Person, shared: Address
) -> None:
    async with serving(bob, relay="none") as place, serving(carol) as home:
        thread, done = await fetched(alice, shared, {bob.fpr: [place], carol.fpr: [home]})
    assert missing(thread) == [""]
    assert done.came == [Address(carol.fpr, NAME)]


async def test_neither_the_blocked_are_asked_nor_for_what_they_wrote(
    alice: Person, bob: Person, carol: Person, shared: Address
) -> None:
    marks = Marks.load(alice.account)
    async with serving(bob) as place, serving(carol) as home:
        marks.decide("block", subjects.person(carol.fpr))
        _, done = await fetched(alice, shared, {bob.fpr: [place], carol.fpr: [home]})
        assert (done.came, done.asked) == ([], 0)
        assert done.failed == {Address(carol.fpr, NAME): "not held: you blocked its author"}
        marks.decide("block", subjects.person(carol.fpr), on=False)
        marks.decide("block", subjects.person(bob.fpr))
        _, done = await fetched(alice, shared, {bob.fpr: [place]})
        assert (done.came, done.asked) == ([], 0)


async def test_or_from_the_next_one_when_the_first_is_away(
    alice: Person, bob: Person, carol: Person, shared: Address
) -> None:
    async with serving(bob) as gone:
        pass
    async with serving(carol) as home:
        thread, done = await fetched(alice, shared, {bob.fpr: [gone], carol.fpr: [home]})
    assert missing(thread) == [""]
    assert done.failed == {}


async def test_what_answers_what_answers_comes_step_by_step(
    alice: Person, bob: Person, carol: Person
) -> None:
    root = say(carol, "root.json.pgp", {"@type": "Article", "articleBody": "root"}, PUBLIC)
    now = datetime.now(UTC)
    first = say(carol, "1.json.pgp", comment(carol.fpr, Reference(root), "one", now), PUBLIC)
    second = say(carol, "2.json.pgp", comment(carol.fpr, Reference(first), "two", now), PUBLIC)
    take(bob, carol, "root.json.pgp", "1.json.pgp", "2.json.pgp")
    readers = frozenset({alice.fpr, bob.fpr})
    third = say(bob, "3.json.pgp", comment(bob.fpr, Reference(second), "three", now), readers)
    take(alice, bob, "3.json.pgp")
    async with serving(carol) as place:
        thread, done = await fetched(alice, third, {carol.fpr: [place]})
    assert done.came == [second, first, root]
    assert [node.address for node in thread.nodes] == [root, first, second, third]
    assert missing(thread) == [""] * 3


async def test_of_one_who_is_followed_it_lies_where_his_posts_are(
    alice: Person, bob: Person, carol: Person, shared: Address
) -> None:
    alice.knows(carol, "carol")
    async with serving(bob) as place:
        thread, _ = await fetched(alice, shared, {bob.fpr: [place]})
    assert missing(thread) == [""]
    assert alice.held(carol).keys() == {NAME}


async def test_what_is_not_for_the_reader_stays_away_and_is_named(
    alice: Person, bob: Person, carol: Person
) -> None:
    carol.post(NAME, "private", bob)
    take(bob, carol, NAME)
    address = share(bob, Address(carol.fpr, NAME), alice)
    take(alice, bob, "share.json.pgp")
    async with serving(bob) as place, serving(carol) as home:
        thread, done = await fetched(alice, address, {bob.fpr: [place], carol.fpr: [home]})
    assert done.came == []
    assert len(missing(thread)) == 1
    assert "not held: " in missing(thread)[0] or "author unknown: " in missing(thread)[0]
    assert not alice.root.hidden_dir(carol.fpr).exists()


async def test_what_is_deleted_is_not_asked_for(
    alice: Person, bob: Person, carol: Person, shared: Address
) -> None:
    async with serving(bob) as place:
        await fetched(alice, shared, {bob.fpr: [place]})
    done = delete_post(carol.account, carol.keyring, NAME)
    (alice.root.hidden_dir(carol.fpr) / NAME).unlink()
    name = done.published[0].name
    data = (carol.account.posts().path / name).read_bytes()
    (alice.root.hidden_dir(carol.fpr) / name).write_bytes(data)
    async with serving(bob) as place:
        thread, again = await fetched(alice, shared, {bob.fpr: [place]})
    assert (missing(thread), again.asked) == (["deleted"], 0)


async def test_what_was_removed_by_hand_stays_away(
    alice: Person, bob: Person, carol: Person, shared: Address
) -> None:
    alice.knows(carol, "carol")
    carol.post("other.json.pgp", "other", public=True)
    async with serving(carol) as place:
        await alice.sync(carol, place)
        (alice.root.author_dir(carol.fpr) / NAME).unlink()
        await alice.sync(carol, place)
        thread, done = await fetched(alice, shared, {carol.fpr: [place]})
    assert done.came == []
    assert missing(thread) == ["not held: you removed it; `mau fetch` brings it back"]
    assert alice.held(carol).keys() == {"other.json.pgp"}


async def test_somebody_else_can_be_named_to_be_asked(
    alice: Person, bob: Person, carol: Person, shared: Address, person: Callable[[str], Person]
) -> None:
    eve = person("eve")
    alice.knows(eve, "eve")
    eve.knows(alice, "alice")
    eve.knows(carol, "carol")
    take(eve, carol, NAME)
    async with serving(eve) as place:
        _, done = await fetched(alice, shared, {eve.fpr: [place]})
        assert done.asked == 0  # she has nothing to do with it
    async with serving(bob) as place:
        _, done = await fetched(alice, shared, {bob.fpr: [place]}, ask_friends=False)
        assert done.asked == 0
    async with serving(eve) as place:
        thread, _ = await fetched(alice, shared, {eve.fpr: [place]}, via=[eve.fpr])
    assert missing(thread) == [""]


# --- hostile -----------------------------------------------------------------------------------------------


@asynccontextmanager
async def bringing(bob: Person, carol: Person, data: bytes) -> AsyncIterator[tuple[Place, Liar]]:
    """Bob's host, which gives this as Carol's post and her true key."""

    async def key(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=bytes(carol.account.certificate))

    liar = Liar(bob, author=carol.fpr, files={NAME: data}, answers={"/pks/lookup": key})
    async with lying(liar) as place:
        yield place, liar


@pytest.mark.parametrize("lie", ["forged", "renamed", "unbound", "junk", "leaked"])
async def test_a_relay_cannot_lie(
    alice: Person, bob: Person, carol: Person, shared: Address, lie: str
) -> None:
    to_alice = (alice.account.certificate,)
    data = {
        "forged": piece(bob, NAME, to=None, author=carol.fpr),
        "renamed": piece(carol, NAME, to=None, stated_name="other.json.pgp"),
        "unbound": piece(carol, NAME, to=None, bound=False),
        "junk": b"junk",
        "leaked": piece(carol, NAME, to=to_alice, stated=frozenset({carol.fpr, bob.fpr})),
    }[lie]
    async with bringing(bob, carol, data) as (place, _):
        thread, done = await fetched(alice, shared, {bob.fpr: [place]})
    assert done.came == []
    assert missing(thread)[0].startswith(("refused: ", "not held: it is signed with "))
    assert not alice.root.hidden_dir(carol.fpr).exists()


async def test_another_key_than_the_one_that_was_named_is_not_kept(
    alice: Person, bob: Person, carol: Person, shared: Address
) -> None:
    async with bringing(bob, bob, b"junk") as (place, liar):
        liar.author = carol.fpr
        thread, _ = await fetched(alice, shared, {bob.fpr: [place]})
    assert missing(thread)[0].startswith("author unknown: ")
    assert alice.keyring.certificate(carol.fpr) is None


async def test_names_with_tricks_are_asked_of_nobody(alice: Person, bob: Person, carol: Person) -> None:
    tricks = [
        "x.pgp.versions",
        ".hidden.pgp",
        "no-post",
        "a\x1b[2Jb.pgp",
        "keyring.json.pgp.pgp.versions",
        "x" * 300 + ".pgp",
    ]
    for number, trick in enumerate(tricks):
        document = {
            "@type": "Comment",
            "text": "x",
            "parentItem": {"@id": str(Address(carol.fpr, trick))},
        }
        address = say(bob, f"{number}.json.pgp", document, frozenset({alice.fpr, bob.fpr}))
        take(alice, bob, f"{number}.json.pgp")
        async with bringing(bob, carol, b"junk") as (place, liar):
            thread, done = await fetched(alice, address, {bob.fpr: [place]})
        assert (done.asked, liar.asked) == (0, []), trick
        assert missing(thread) == ["author unknown"]


async def test_so_many_pieces_and_no_more(alice: Person, bob: Person, carol: Person) -> None:
    documents = [f"{number}.json.pgp" for number in range(6)]
    parents = [{"@id": str(Address(carol.fpr, name))} for name in documents]
    everything = {"@type": "Comment", "text": "x", "parentItem": parents[0], "about": parents[1:]}
    address = say(bob, "many.json.pgp", everything, frozenset({alice.fpr, bob.fpr}))
    take(alice, bob, "many.json.pgp")
    async with bringing(bob, carol, b"junk") as (place, liar):
        _, done = await fetched(alice, address, {bob.fpr: [place]}, pieces=0)
        assert (done.asked, liar.asked) == (0, [])
        _, done = await fetched(alice, address, {bob.fpr: [place]})
        assert done.asked == 1  # a thread goes up by one way


async def test_who_is_away_is_asked_once(alice: Person, bob: Person, carol: Person, shared: Address) -> None:
    async with serving(bob) as place:
        pass
    thread, done = await fetched(alice, shared, {bob.fpr: [place]})
    assert done.came == []
    assert missing(thread)[0].startswith("author unknown: ")
