"""Whatever is told, the book stays small, and nothing that was proven gives way to a hint."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.addressbook import (
    MAX_PER_PERSON,
    MAX_PER_SOURCE,
    SOURCES,
    AddressBook,
    KnownAddress,
    best_first,
    bounds,
    waits,
)
from mau.addressbook.known import surplus
from mau.fingerprint import Fingerprint
from mau.tree.layout import Root

BOB = Fingerprint(b"b" * 20)
NOW = 1_800_000_000


@st.composite
def lines(draw: st.DrawFn) -> KnownAddress:
    times = st.integers(NOW - 10**6, NOW)
    proven = draw(st.none() | times)
    failures = draw(st.integers(0, 30))
    failed = draw(times) if failures else draw(st.none() | times)
    return KnownAddress(
        BOB,
        draw(st.sampled_from(["a", "b", "::1", "192.0.2.1"])),
        draw(st.integers(1, 20)),
        draw(st.sampled_from(SOURCES)),
        draw(times),
        proven,
        proven,
        failed,
        failed,
        failures,
    )


people = st.lists(lines(), max_size=40, unique_by=lambda line: (line.host, line.port))


@given(people, st.randoms())
def test_the_order_does_not_depend_on_how_the_lines_come(held: list[KnownAddress], chance: object) -> None:
    shuffled = sorted(held, key=lambda _: chance.random())  # type: ignore[attr-defined]
    assert best_first(held, NOW) == best_first(shuffled, NOW)
    assert sorted(surplus(held), key=repr) == sorted(surplus(shuffled), key=repr)


@given(people)
def test_first_comes_what_was_proven_then_hints_then_what_failed_then_what_waits(
    held: list[KnownAddress],
) -> None:
    def group(line: KnownAddress) -> int:
        if waits(line.failures, line.last_failed, NOW):
            return 3
        return 2 if line.failures else int(line.last_proven is None)

    ordered = best_first(held, NOW)
    assert [group(line) for line in ordered] == sorted(map(group, held))
    proofs = [line.last_proven or 0 for line in ordered if group(line) == 0]
    assert proofs == sorted(proofs, reverse=True)
    ranks = [SOURCES.index(line.source) for line in ordered if group(line) == 1]
    assert ranks == sorted(ranks)


@given(people)
def test_hints_give_way_before_anything_proven_and_what_was_given_never_does(
    held: list[KnownAddress],
) -> None:
    gone = surplus(held)
    stays = [line for line in held if line not in gone]
    by_hand = [line for line in held if line.source == "given"]
    assert all(line in stays for line in by_hand)
    assert len(stays) <= max(MAX_PER_PERSON, len(by_hand))
    for source in SOURCES[1:]:
        assert sum(line.fleeting and line.source == source for line in stays) <= MAX_PER_SOURCE
    if any(line.last_proven is not None for line in gone):
        assert not any(line.fleeting for line in stays)


@given(st.integers(0, 100), st.none() | st.integers(NOW - 10**6, NOW + 10**6))
def test_nothing_waits_longer_than_a_day(failures: int, failed: int | None) -> None:
    if waits(failures, failed, NOW):
        assert failures >= 3
        assert failed is not None
        assert not waits(failures, failed, NOW + 24 * 3600)  # also when the clock was set back since
    assert not waits(failures, None, NOW)


steps = st.lists(
    st.tuples(
        st.sampled_from(["told", "proven", "failed", "given"]),
        st.integers(1, 30),
        st.sampled_from(SOURCES[1:]),
    ),
    max_size=60,
)


@given(steps)
def test_whatever_happens_the_book_keeps_its_bounds(done: list[tuple[str, int, str]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        kept = AddressBook(Root(Path(directory)))
        for what, port, source in done:
            before = {line.port for line in kept.known(BOB) if line.last_proven is not None}
            match what:
                case "told":
                    there = kept.told(BOB, "host", port, source=source)  # type: ignore[arg-type]
                    assert there == (("host", port) in {(one.host, one.port) for one in kept.known(BOB)})
                case "proven":
                    kept.proven(BOB, "host", port)
                    assert kept.addresses(BOB)[0][1] == port or len(kept.addresses(BOB)) > 1
                case "failed":
                    kept.failed(BOB, "host", port)
                case "given":
                    kept.take_given({BOB: [("host", port)]})
            after = kept.known(BOB)
            assert len(after) <= MAX_PER_PERSON
            if what != "proven":
                assert before <= {line.port for line in after}
        kept.close()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(bounds, "MAX_STRANGERS", 20)
    return 20


def test_strangers_cannot_fill_the_book_nor_push_out_whom_i_follow(tmp_path: Path, small: int) -> None:
    root = Root(tmp_path)
    root.ensure()
    root.follow(BOB)
    kept = AddressBook(root)
    kept.told(BOB, "host", 1, source="kademlia")
    kept.proven(BOB, "host", 2)
    strangers = [Fingerprint(bytes([1, number]) * 10) for number in range(3 * small)]
    for one in strangers:
        kept.told(one, "host", 3, source="kademlia")
        kept.proven(one, "host", 4, kad=True)
    of_strangers = [line for line in kept.known() if line.fingerprint != BOB]
    assert sum(line.last_proven is None for line in of_strangers) <= small
    assert sum(line.last_proven is not None for line in of_strangers) <= small
    assert set(kept.addresses(BOB)) == {("host", 1), ("host", 2)}
    kept.close()


def test_who_makes_people_up_by_the_thousand_in_one_network_pushes_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MAX_STRANGERS", 100)
    book = AddressBook(Root(tmp_path))
    honest = [Fingerprint(number.to_bytes(20)) for number in range(1, 41)]
    for number, one in enumerate(honest):
        book.proven(one, f"198.{number}.0.1", 1, source="asked", kad=True)
        book.told(one, f"198.{number}.0.2", 1, source="kademlia")
    for number in range(1_000, 1_400):
        made_up = Fingerprint(number.to_bytes(20))
        book.proven(made_up, f"203.0.113.{number % 250}", number, source="asked", kad=True)
        book.told(made_up, f"203.0.{number % 250}.1", number, source="kademlia")
    assert len(book.known()) <= 200
    for number, one in enumerate(honest):
        assert {line.host for line in book.known(one)} == {f"198.{number}.0.1", f"198.{number}.0.2"}
    book.close()
