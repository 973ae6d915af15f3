"""What was read stays small, and two files of it are one (spec/marks.md MK10-MK14)."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.fingerprint import Fingerprint
from mau.marks import subject as subjects
from mau.marks.decisions import MAX_DECISIONS, MAX_REVOKED, Decision, Decisions
from mau.marks.document import dump_decisions, dump_reads, load_decisions, load_reads
from mau.marks.reads import MAX_READ, MAX_UNREAD, Reads

ME = Fingerprint(b"m" * 20)
ALICE, BOB = Fingerprint(b"a" * 20), Fingerprint(b"b" * 20)

posts = st.tuples(
    st.sampled_from([ALICE, BOB]), st.sampled_from(["1.pgp", "2.pgp", "ä.pgp"]), st.integers(1, 9)
)
steps = st.one_of(
    st.tuples(st.just("read"), posts),
    st.tuples(st.just("unread"), posts),
    st.tuples(st.just("until"), st.integers(1, 9), st.sampled_from([None, [ALICE], [BOB]])),
    st.just(("nothing",)),
)


def after(start: Reads, said: list[Any]) -> Reads:
    reads = start
    for step in said:
        at = max(100, reads.latest + 1)
        match step:
            case ("read" | "unread", post):
                reads = reads.marked([post], at, read=step[0] == "read")
            case ("until", until, authors):
                reads = reads.all_read(until, at, authors)
            case _:
                reads = reads.all_unread(at)
    return reads


def sensible(said: list[Any]) -> list[Any]:
    """Without marks of a content that is older than the one of that post that was marked before."""
    newest: dict[Any, int] = {}
    kept = []
    for step in said:
        if step[0] in ("read", "unread"):
            *which, when = step[1]
            if when < newest.get(tuple(which), 0):
                continue
            newest[tuple(which)] = when
        kept.append(step)
    return kept


def answers(reads: Reads) -> list[bool]:
    return [
        reads.is_read(author, name, when)
        for author in (ALICE, BOB)
        for name in ("1.pgp", "2.pgp", "ä.pgp", "other.pgp")
        for when in range(1, 11)
    ]


@given(st.lists(steps, max_size=8))
def test_the_last_word_counts(said: list[Any]) -> None:
    """Against a model that remembers everything that was said, in order."""

    said = sensible(said)

    def is_read(author: Fingerprint, name: str, when: int) -> bool:
        for step in reversed(said):
            match step:
                case ("read" | "unread", (who, which, marked)) if (who, which) == (author, name):
                    if when <= marked:
                        return bool(step[0] == "read")
                case ("until", until, authors) if when <= until and (authors is None or author in authors):
                    return True
                case ("nothing",):
                    return False
        return False

    reads = after(Reads(), said)
    for author in (ALICE, BOB):
        for name in ("1.pgp", "2.pgp", "ä.pgp", "other.pgp"):
            # An older content than the one that was marked last is not there any more.
            last = max(
                (one[1][2] for one in said if one[0].endswith("read") and one[1][:2] == (author, name)),
                default=1,
            )
            for when in range(last, 11):
                assert reads.is_read(author, name, when) == is_read(author, name, when)


@given(st.lists(steps, max_size=4), st.lists(steps, max_size=4), st.lists(steps, max_size=4))
def test_two_files_are_put_together_in_any_order(
    before: list[Any], here: list[Any], there: list[Any]
) -> None:
    start = after(Reads(), before)
    one, other = after(start, here), after(start, there)
    assert answers(one.merged(other)) == answers(other.merged(one))
    assert answers(one.merged(start)) == answers(one)
    assert one.merged(one) == one
    together = one.merged(other)
    assert answers(together.merged(other)) == answers(together)
    if not any(step[0] != "read" for step in (*here, *there)):
        assert answers(together) == [a or b for a, b in zip(answers(one), answers(other), strict=True)]


@given(st.lists(steps, max_size=8))
def test_what_is_written_is_read_again(said: list[Any]) -> None:
    reads = after(Reads(), said)
    document = json.loads(json.dumps(dump_reads(reads, ME)))
    assert load_reads(document, ME) == reads


def test_a_hundred_thousand_read_posts_are_a_small_file() -> None:
    reads = Reads()
    for start in range(0, 100_000, 500):
        some = [
            (BOB, f"2026-11-20-{number:08}.json.pgp", 10_000 + number) for number in range(start, start + 500)
        ]
        reads = reads.marked(some, max(200_000, reads.latest + 1), read=True)
    assert sum(mark.read for mark in reads.marks.values()) <= MAX_READ
    assert all(
        reads.is_read(BOB, f"2026-11-20-{number:08}.json.pgp", 10_000 + number) for number in range(100_000)
    )
    assert not reads.is_read(BOB, "later.pgp", 200_000)
    assert not reads.is_read(ALICE, "old.pgp", 10_000)
    assert len(json.dumps(dump_reads(reads, ME))) < 200_000


def test_what_is_called_unread_stays_so_when_the_horizon_goes_up() -> None:
    reads = (
        Reads().marked([(BOB, "keep.pgp", 5)], 9, read=True).marked([(BOB, "keep.pgp", 5)], 10, read=False)
    )
    reads = reads.all_read(4, 11).marked([(BOB, "keep.pgp", 5)], 12, read=False)
    older = reads
    reads = reads.marked([(BOB, f"{n}.pgp", n) for n in range(6, 2 * MAX_READ)], 100, read=True)
    assert reads.until(BOB) > 5
    for found in (reads, reads.merged(older), older.merged(reads)):
        assert found.is_read(BOB, "other.pgp", 5)
    assert not Reads().all_read(9, 1).marked([(BOB, "x.pgp", 5)], 2, read=False).is_read(BOB, "x.pgp", 5)


def test_so_many_unread_ones_are_remembered_and_not_more() -> None:
    reads = Reads().all_read(10, 1)
    for number in range(MAX_UNREAD + 50):
        reads = reads.marked([(BOB, f"{number}.pgp", 5)], 2 + number, read=False)
    assert len(reads.marks) == MAX_UNREAD
    assert reads.is_read(BOB, "0.pgp", 5)
    assert not reads.is_read(BOB, f"{MAX_UNREAD + 49}.pgp", 5)


# --- decisions ---------------------------------------------------------------------------------------------

decided = st.builds(
    Decision,
    st.sampled_from(["mute", "block"]),
    st.sampled_from([subjects.person(ALICE), subjects.person(BOB)]),
    st.integers(1, 5),
    st.booleans(),
    st.one_of(st.none(), st.integers(1, 9)),
)


@given(st.lists(decided), st.lists(decided), st.lists(decided))
def test_of_decisions_the_newest_counts_whoever_brings_it(
    one: list[Decision], other: list[Decision], third: list[Decision]
) -> None:
    a, b, c = Decisions.of(one), Decisions.of(other), Decisions.of(third)
    assert a.merged(b) == b.merged(a)
    assert a.merged(b).merged(c) == a.merged(b.merged(c))
    assert a.merged(a) == a
    assert load_decisions(json.loads(json.dumps(dump_decisions(a, ME))), ME) == a


def test_more_decisions_than_so_many_are_not_kept() -> None:
    many = [
        Decision("mute", subjects.tag(f"t{number}"), number, number % 2 == 0)
        for number in range(2 * MAX_DECISIONS + 100)
    ]
    held = Decisions.of(many).held.values()
    assert sum(one.on for one in held) == MAX_DECISIONS
    assert sum(not one.on for one in held) == MAX_REVOKED


# --- what a hand or another program wrote ------------------------------------------------------------------

json_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False),
        st.text(max_size=20),
        st.sampled_from(
            [
                "ReadAction",
                "IgnoreAction",
                "RejectAction",
                f"mau:/p2p/{BOB.hex}",
                "2026-11-20T00:00:00Z",
                "mau:/p2p/",
            ]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                ["@type", "@id", "object", "startTime", "endTime", "actionStatus", "name", "text"]
            ),
            inner,
            max_size=6,
        ),
    ),
    max_leaves=12,
)


@given(json_values)
def test_whatever_stands_in_a_file_is_no_error(value: Any) -> None:
    for document in ({"hasPart": value}, {"hasPart": [value]}, {}):
        load_reads(document, ME)
        load_decisions(document, ME)


@pytest.mark.parametrize(
    "action",
    [
        {
            "@type": "RejectAction",
            "object": {"@id": f"mau:/p2p/{ME.hex}"},
            "startTime": "2026-11-20T00:00:00Z",
        },
        {"@type": "RejectAction", "object": {"name": "tag"}, "startTime": "2026-11-20T00:00:00Z"},
        {
            "@type": "BookmarkAction",
            "object": {"@id": f"mau:/p2p/{BOB.hex}"},
            "startTime": "2026-11-20T00:00:00Z",
        },
        {
            "@type": "IgnoreAction",
            "object": {"@id": f"mau:/p2p/{BOB.hex}"},
            "startTime": "2026-13-40T00:00:00Z",
        },
        {
            "@type": "IgnoreAction",
            "object": {"@id": f"mau:/p2p/{BOB.hex}"},
            "startTime": "2026-11-20T00:00:00Z",
            "endTime": "some day",
        },
    ],
)
def test_a_decision_that_makes_no_sense_is_none(action: dict[str, Any]) -> None:
    """A block of oneself, a mute whose end cannot be read: better none than what its owner did not mean."""
    assert not load_decisions({"hasPart": [action]}, ME).held


def test_a_file_full_of_nonsense_takes_no_long_time() -> None:
    began = time.process_time()
    load_reads({"hasPart": [{"@type": "ReadAction", "object": [{}] * 10}] * 50_000}, ME)
    assert time.process_time() - began < 5
