"""What stands in a timeline and with what: likes counted, shares shown once, muted and read ones left out."""

from __future__ import annotations

import time
from typing import Any

from mau.content.address import Address, person_iri, post_iri
from mau.content.binding import PUBLIC, bind_document
from mau.content.origin import based_on
from mau.marks import Marks
from mau.marks import subject as subjects
from mau.publish import _encode, publish_document
from mau.reader.open import open_post
from mau.reader.reading import Choice
from mau.reader.timeline import Item
from mau_cli.items import item_words, line_lines
from tests.publish.world import Someone, World, message
from tests.reader.lines import shown, texts

NOW = int(time.time())


def put(
    world: World, author: Someone, name: str, age: int, *, hidden: bool = False, **document: Any
) -> Address:
    """A public post of somebody in Alice's tree, signed so many seconds ago."""
    data = _encode(bind_document({"@type": "SocialMediaPosting", **document}, author.fpr, name, PUBLIC))
    path = world.alice.place(author, hidden) / name
    path.write_bytes(message(author.key, data, None, created=NOW - age))
    return Address(author.fpr, name)


def act(world: World, author: Someone, kind: str, target: Address, age: int, name: str = "") -> Address:
    document = {
        "@type": kind,
        "agent": {"@id": person_iri(author.fpr)},
        "object": {"@id": post_iri(target.author, target.name or "")},
    }
    return put(world, author, name or f"{kind}-{age}.json.pgp", age, **document)


def test_likes_and_answers_are_counted_at_what_they_are_about(world: World) -> None:
    post = put(world, world.bob, "x.json.pgp", 100, articleBody="x")
    act(world, world.carol, "LikeAction", post, 50)
    act(world, world.carol, "LikeAction", post, 40)
    act(world, world.bob, "DislikeAction", post, 30)
    answer = {"parentItem": {"@id": str(post)}, "text": "y"}
    put(world, world.carol, "y.json.pgp", 20, **{"@type": "Comment", **answer})
    reply, line = shown(world.alice)[0]
    assert (line.likes, line.dislikes, line.replies) == (1, 1, 1)
    assert (reply.answered, reply.answers and reply.answers.words) == (post, "x")


def test_a_share_shows_what_was_shared_where_it_was_shared_first(world: World) -> None:
    known = put(world, world.bob, "known.json.pgp", 1000, articleBody="known")
    strange = put(world, world.mallory, "s.json.pgp", 5000, hidden=True, articleBody="strange")
    world.alice.keyring.add(world.mallory.certificate, "mallory", known=True)
    act(world, world.carol, "ShareAction", known, 300)
    act(world, world.carol, "ShareAction", strange, 200)
    act(world, world.bob, "ShareAction", strange, 100)
    lines = shown(world.alice)[0]
    assert texts(lines) == ["strange", "known"]
    assert [line.time for line in lines] == [NOW - 200, NOW - 1000]
    assert [set(line.shared_by) for line in lines] == [{world.carol.fpr, world.bob.fpr}, {world.carol.fpr}]
    of_bob = Choice(authors=frozenset({world.bob.fpr}))
    assert [(line.summary.words, line.time) for line in shown(world.alice, choice=of_bob)[0]] == [
        ("strange", NOW - 100),
        ("known", NOW - 1000),
    ]


def test_a_share_of_what_is_not_here_says_so(world: World) -> None:
    gone = Address(world.mallory.fpr, "gone.pgp")
    act(world, world.bob, "ShareAction", gone, 100)
    [line] = shown(world.alice)[0]
    assert line.missing == gone


def test_read_ones_are_left_out_when_only_unread_ones_are_wanted(world: World) -> None:
    put(world, world.bob, "x.json.pgp", 100, articleBody="x")
    put(world, world.bob, "y.json.pgp", 50, articleBody="y")
    put(world, world.alice, "mine.json.pgp", 10, articleBody="mine")
    lines = shown(world.alice)[0]
    Marks.load(world.alice.account).mark_read([line.summary for line in lines if line.summary.words == "x"])
    assert texts(shown(world.alice, unread=True)[0]) == ["y"]
    assert [line.read for line in shown(world.alice)[0]] == [True, False, True]


def test_muted_ones_are_shown_on_demand_with_the_reason(world: World) -> None:
    put(world, world.bob, "x.json.pgp", 100, articleBody="x")
    strange = put(world, world.mallory, "s.json.pgp", 5000, hidden=True, articleBody="strange")
    world.alice.keyring.add(world.mallory.certificate, "mallory", known=True)
    act(world, world.bob, "ShareAction", strange, 200)
    put(world, world.carol, "y.json.pgp", 50, articleBody="y")
    Marks.load(world.alice.account).decide("mute", subjects.person(world.bob.fpr))
    assert texts(shown(world.alice)[0]) == ["y"]
    lines = shown(world.alice, muted=True)[0]
    assert texts(lines) == ["y", "x", "strange"]
    assert [bool(line.muted) for line in lines] == [False, True, True]


def test_algorithms_see_who_is_meant_and_to_whom_one_turns(world: World) -> None:
    mine = put(world, world.alice, "mine.json.pgp", 500, articleBody="mine")
    put(world, world.bob, "x.json.pgp", 10, articleBody="x")
    answer = {"parentItem": {"@id": str(mine)}, "text": "for me"}
    put(world, world.carol, "y.json.pgp", 400, **{"@type": "Comment", **answer})
    lines = shown(world.alice, "catch-up")[0]
    assert texts(lines) == ["for me", "x"]
    assert lines[0].why.startswith("it is for you")
    together = shown(world.alice, "conversations")[0]
    assert [(line.summary.words, line.depth) for line in together] == [("x", 0), ("mine", 0), ("for me", 1)]
    assert len(shown(world.alice, "conversations", limit=2)[0]) == 2


def test_what_others_say_to_have_copied_stands_under_their_own_names(world: World) -> None:
    alice, bob = world.alice, world.bob
    for author, name, audience in ((bob, "b", PUBLIC), (alice, "shared", PUBLIC), (alice, "own", None)):
        words = {"articleBody": name, **based_on(author.fpr, "https://bank.example/")}
        whom = frozenset({alice.fpr}) if audience is None else audience
        publish_document(author.account, author.keyring, words, f"{name}.json.pgp", whom)
    alice.fetch(bob, "b.json.pgp")
    heads = {}
    for line in shown(alice)[0]:
        heads[line.summary.words] = line_lines(alice.keyring, line, None)[0].partition(",")[0]
        post = open_post(alice.account, alice.keyring, line.summary.author, line.summary.name)
        told = item_words(alice.keyring, Item(post.author, post.name, 1, post.signed_at, post))
        assert told.startswith(heads[line.summary.words])
    host = "bank.example (from the web"
    assert heads == {"b": "bob", "shared": "you", "own": host}
