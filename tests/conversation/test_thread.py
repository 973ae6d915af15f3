"""A thread is a tree whatever documents say: bounded, each post once, each person counted once."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mau.content.address import Address
from mau.content.links import Links, Reference
from mau.conversation.thread import DEEPEST, MOST, Node, Thread, gather
from mau.fingerprint import Fingerprint
from mau.publish import publish_document
from mau.reader.reading import Reading
from mau.reader.summary import Summary
from tests.publish.world import Someone, World, trees, world

__all__ = ["trees", "world"]

PEOPLE = [Fingerprint.parse(letter * 40) for letter in "abcdef"]
ALICE, BOB, CAROL = PEOPLE[:3]


class Shelf:
    """Summaries, found as `Reading` finds them."""

    def __init__(self, summaries: Iterable[Summary]) -> None:
        self._held = {(one.author, one.name): one for one in summaries}
        self._pointing: dict[Address, list[Summary]] = defaultdict(list)
        for one in sorted(self._held.values(), key=lambda one: (-one.time, one.author, one.name)):
            for to in dict.fromkeys([*one.links.answers, *one.links.objects]):
                self._pointing[to.address].append(one)

    def get(self, author: Fingerprint, name: str) -> Summary | None:
        return self._held.get((author, name))

    def pointing_at(self, address: Address) -> list[Summary]:
        return list(self._pointing[address])


def summary(author: Fingerprint, name: str, at: int, *answers: Address, seen: str | None = None) -> Summary:
    links = Links(answers=tuple(Reference(one, seen) for one in answers))
    return Summary(author, name, f"{at:064x}", 100, at, type="Comment", words=name, links=links)


def act(author: Fingerprint, kind: str, at: int, target: Address, words: str = "") -> Summary:
    links = Links(act=kind, objects=(Reference(target),))  # type: ignore[arg-type]
    return Summary(author, f"{kind}-{at}.pgp", f"{at:064x}", 100, at, words=words, links=links)


def shape(thread: Thread) -> list[tuple[int, str]]:
    return [(node.depth, node.address.name or "") for node in thread.nodes]


ROOT = Address(ALICE, "root.pgp")


def test_answers_stand_below_what_they_answer_the_older_first() -> None:
    first, second = Address(BOB, "1.pgp"), Address(CAROL, "2.pgp")
    shelf = Shelf(
        [
            summary(ALICE, "root.pgp", 1),
            summary(CAROL, "2.pgp", 30, ROOT),
            summary(BOB, "1.pgp", 20, ROOT),
            summary(ALICE, "3.pgp", 40, first),
            summary(BOB, "4.pgp", 50, second),
        ]
    )
    expected = [(0, "root.pgp"), (1, "1.pgp"), (2, "3.pgp"), (1, "2.pgp"), (2, "4.pgp")]
    for asked in (ROOT, Address(BOB, "4.pgp"), Address(ALICE, "3.pgp")):
        thread = gather(shelf, asked)
        assert shape(thread) == expected
        assert thread.asked == asked


def test_what_is_answered_and_not_held_stands_there_with_the_reason() -> None:
    shelf = Shelf([summary(BOB, "1.pgp", 20, ROOT)])
    thread = gather(shelf, Address(BOB, "1.pgp"))
    assert shape(thread) == [(0, "root.pgp"), (1, "1.pgp")]
    assert [node.missing for node in thread.nodes] == ["not held", ""]
    assert thread.missing[0].pointed_at_by == (BOB,)


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"error": "NotReadable"}, "not for you"),
        ({"error": "UnknownAuthor"}, "author unknown"),
        ({"error": "BadSignature"}, "refused: BadSignature"),
        ({"deleted": True}, "deleted"),
    ],
)
def test_why_something_cannot_be_shown(change: dict[str, object], missing: str) -> None:
    held = replace(summary(ALICE, "root.pgp", 1), **change)  # type: ignore[arg-type]
    assert [node.missing for node in gather(Shelf([held]), ROOT).nodes] == [missing]


def test_of_each_person_the_newest_like_or_dislike_counts() -> None:
    shelf = Shelf(
        [
            summary(ALICE, "root.pgp", 1),
            act(BOB, "like", 10, ROOT),
            act(BOB, "like", 11, ROOT),
            act(BOB, "dislike", 12, ROOT),
            act(CAROL, "dislike", 10, ROOT),
            act(CAROL, "like", 13, ROOT),
            act(ALICE, "share", 14, ROOT),
            act(BOB, "share", 15, ROOT, words="read this"),
            act(BOB, "bookmark", 16, ROOT),
        ]
    )
    thread = gather(shelf, ROOT)
    root = thread.nodes[0]
    assert (root.likes, root.dislikes, root.shares) == ((CAROL,), (BOB,), (ALICE, BOB))
    assert shape(thread) == [(0, "root.pgp"), (1, "share-15.pgp")]  # what somebody said to it is read


def test_what_was_asked_for_stands_in_its_thread_whatever_it_is() -> None:
    acts = [act(BOB, kind, at, ROOT) for at, kind in enumerate(("like", "share", "bookmark"), 10)]
    shelf = Shelf([summary(ALICE, "root.pgp", 1), *acts])
    for one in acts:
        assert shape(gather(shelf, one.address)) == [(0, "root.pgp"), (1, one.name)]


def test_an_edit_after_the_answer_is_told() -> None:
    root = summary(ALICE, "root.pgp", 30)
    shelf = Shelf(
        [
            root,
            summary(BOB, "1.pgp", 20, ROOT, seen="1" * 64),
            summary(BOB, "2.pgp", 40, ROOT, seen="2" * 64),
            summary(BOB, "3.pgp", 50, ROOT, seen=root.sha256),
            summary(BOB, "4.pgp", 60, ROOT),
        ]
    )
    assert [node.saw for node in gather(shelf, ROOT).nodes] == ["", "older", "other", "", ""]


# --- hostile -----------------------------------------------------------------------------------------------


def test_circles_end() -> None:
    one, two, three = (Address(BOB, f"{number}.pgp") for number in (1, 2, 3))
    shelf = Shelf(
        [summary(BOB, "1.pgp", 1, two), summary(BOB, "2.pgp", 2, three, two), summary(BOB, "3.pgp", 3, one)]
    )
    for asked in (one, two, three):
        assert sorted(name for _, name in shape(gather(shelf, asked))) == ["1.pgp", "2.pgp", "3.pgp"]


def test_ten_thousand_answers_are_cut_and_the_one_asked_for_is_there() -> None:
    many = [summary(BOB, f"{number}.pgp", number, ROOT) for number in range(1, 10_001)]
    shelf = Shelf([summary(ALICE, "root.pgp", 0), *many])
    started = time.process_time()
    thread = gather(shelf, Address(BOB, "9999.pgp"))
    assert time.process_time() - started < 5
    assert len(thread.nodes) == MOST + 1
    assert thread.left_out == 10_001 - len(thread.nodes)
    assert thread.asked in [node.address for node in thread.nodes]


def test_a_chain_without_end_is_cut_at_both_ends() -> None:
    chain = [summary(BOB, "0.pgp", 0)] + [
        summary(BOB, f"{number}.pgp", number, Address(BOB, f"{number - 1}.pgp"))
        for number in range(1, 10_000)
    ]
    thread = gather(Shelf(chain), Address(BOB, "5000.pgp"))
    assert thread.nodes[0].address.name == f"{5000 - DEEPEST}.pgp"
    assert thread.nodes[-1].depth <= DEEPEST + 1
    assert thread.asked in [node.address for node in thread.nodes]


_ADDRESSES = [Address(person, f"{number}.pgp") for person in PEOPLE for number in range(3)]


@st.composite
def _shelves(draw: st.DrawFn) -> Shelf:
    found = []
    for at, address in enumerate(draw(st.lists(st.sampled_from(_ADDRESSES), unique=True))):
        to = draw(st.lists(st.sampled_from(_ADDRESSES), max_size=3))
        name = address.name or ""
        one = summary(address.author, name, draw(st.integers(0, 9)) if at else 0, *to)
        kind = draw(st.sampled_from(["", "", "like", "share"]))
        if kind:
            objects = tuple(Reference(target) for target in to)
            one = replace(one, links=Links(act=kind, objects=objects), words=draw(st.sampled_from(["", "x"])))  # type: ignore[arg-type]
        found.append(one)
    return Shelf(found)


@settings(max_examples=80)
@given(_shelves(), st.sampled_from(_ADDRESSES), st.integers(1, 6), st.integers(1, 4))
def test_whatever_points_where_it_is_a_tree_with_the_post_in_it(
    shelf: Shelf, asked: Address, most: int, deepest: int
) -> None:
    thread = gather(shelf, asked, most=most, deepest=deepest)
    addresses = [node.address for node in thread.nodes]
    assert len(set(addresses)) == len(addresses) <= most + deepest
    assert asked in addresses
    assert (thread.nodes[0].depth, thread.nodes[0].parent) == (0, None)
    above: dict[Address, Node] = {}
    for node in thread.nodes:
        if node.parent is not None:
            assert above[node.parent].depth == node.depth - 1
        above[node.address] = node


# --- from real trees ---------------------------------------------------------------------------------------


def put(reader: Someone, author: Someone, name: str, document: dict[str, object], *people: Someone) -> None:
    """A post of somebody, in his tree and in that of who reads."""
    audience = frozenset({author.fpr, *(one.fpr for one in people)})
    publish_document(author.account, author.keyring, document, name, audience)
    if reader is not author:
        reader.fetch(author, name)


def test_nobody_likes_in_the_name_of_somebody_else(world: World) -> None:
    alice, bob, carol = world.alice, world.bob, world.carol
    put(alice, alice, "root.json.pgp", {"@type": "SocialMediaPosting", "articleBody": "x"}, bob, carol)
    target = {"@id": f"mau:/p2p/{alice.fpr}/root.json.pgp"}
    for number, agent in enumerate((carol.fpr, alice.fpr)):
        forged = {"@type": "LikeAction", "agent": {"@id": f"mau:/p2p/{agent}"}, "object": target}
        put(alice, bob, f"forged-{number}.json.pgp", forged, alice)
    true = {"@type": "LikeAction", "agent": {"@id": f"mau:/p2p/{bob.fpr}"}, "object": target}
    with Reading(alice.account, alice.keyring) as reading:
        reading.refresh()
        (root,) = gather(reading, Address(alice.fpr, "root.json.pgp")).nodes
        assert root.likes == ()
        put(alice, bob, "true.json.pgp", true, alice)
        reading.refresh()
        (root,) = gather(reading, Address(alice.fpr, "root.json.pgp")).nodes
        assert root.likes == (bob.fpr,)


def test_a_reply_to_a_post_that_its_author_edited_says_so(world: World) -> None:
    alice, bob = world.alice, world.bob
    post = {"@type": "SocialMediaPosting", "articleBody": "x"}
    put(alice, alice, "root.json.pgp", post, bob)
    seen = alice.account.posts().sha256("root.json.pgp")
    parent = {"@id": f"mau:/p2p/{alice.fpr}/root.json.pgp", "sha256": seen}
    put(alice, bob, "re.json.pgp", {"@type": "Comment", "text": "y", "parentItem": parent}, alice)
    with Reading(alice.account, alice.keyring) as reading:
        reading.refresh()
        assert [n.saw for n in gather(reading, Address(alice.fpr, "root.json.pgp")).nodes] == ["", ""]
        put(alice, alice, "root.json.pgp", post | {"articleBody": "changed"}, bob)
        reading.refresh()
        assert [n.saw for n in gather(reading, Address(bob.fpr, "re.json.pgp")).nodes] == ["", "older"]
