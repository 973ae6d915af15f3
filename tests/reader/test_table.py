"""The table says the same of posts as a plain list of them would, whatever was noted in whatever order."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mau.content.address import Address
from mau.content.links import Links, Reference
from mau.fingerprint import Fingerprint
from mau.reader import table
from mau.reader.rows import Choice
from mau.reader.summary import Summary
from mau.reader.table import Table

PEOPLE = [Fingerprint(bytes([number]) * 20) for number in (1, 2, 3)]
SUM = "ab" * 32
TIMES = st.integers(0, 5)
PEOPLE_ST = st.sampled_from(PEOPLE)
NAMES = st.sampled_from(["a.pgp", "b.pgp", "c.pgp", "d\u20ac.pgp"])


@st.composite
def summaries(draw: st.DrawFn) -> Summary:
    target = Reference(Address(draw(PEOPLE_ST), draw(NAMES)))
    act = draw(st.sampled_from(["", "", "like", "share"]))
    links = (
        Links(objects=(target,), act=act) if act else Links(answers=draw(st.sampled_from([(), (target,)])))
    )  # type: ignore[arg-type]
    return Summary(
        author=draw(PEOPLE_ST),
        name=draw(NAMES),
        sha256=SUM,
        size=1,
        time=draw(TIMES),
        error=draw(st.sampled_from(["", "", "", "MalformedPost"])),
        type=draw(st.sampled_from(["Article", "Recipe", ""])),
        tags=draw(st.sampled_from([(), ("tea",), ("tea", "cake")])),
        links=links,
        apart=draw(st.sampled_from(["", "", "", "contact"])),
        hidden=draw(st.booleans()),
    )


choices = st.builds(
    Choice,
    authors=st.none() | st.frozensets(PEOPLE_ST),
    since=st.none() | TIMES,
    until=st.none() | TIMES,
    types=st.frozensets(st.sampled_from(["Article", ""])),
    tag=st.sampled_from(["", "tea", "#TEA", "none"]),
    acts=st.none() | st.frozensets(st.sampled_from(["", "share", "like"])),
)


@settings(max_examples=60)
@given(st.lists(summaries(), max_size=12), choices, st.booleans())
def test_it_answers_as_a_list_would(noted: list[Summary], choice: Choice, stored: bool) -> None:
    held = Table()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "_CHUNK", 2)
        plain: dict[tuple[Fingerprint, str], Summary] = {}
        for one in noted:
            held.put(one, b"stamp")
            plain[one.author, one.name] = one
        if stored:
            image = held.image()
            held.close()
            held = Table(image)
        expected = sorted(
            filter(choice.fits, plain.values()), key=lambda one: (-one.time, one.author, one.name)
        )
        assert [(row.author, row.name) for row in held.newest(choice)] == [
            (one.author, one.name) for one in expected
        ]
        address = Address(PEOPLE[0], "a.pgp")
        pointing = {
            (one.author, one.name)
            for one in plain.values()
            if not one.error
            and not one.apart
            and address in [each.address for each in (*one.links.answers, *one.links.objects)]
        }
        assert {(row.author, row.name) for row in held.pointing_at(address)} == pointing
        assert len(held.acts_upon(address)) == len(pointing)
    held.close()


def test_what_is_to_be_judged_again_is_known_by_its_time() -> None:
    held = Table()
    later = Summary(PEOPLE[0], "a.pgp", SUM, 1, 0, error="FromTheFuture")
    held.put(later, b"stamp", again=100)
    held.put(Summary(PEOPLE[0], "b.pgp", SUM, 1, 0), b"")
    assert held.due(99) == []
    assert held.due(100) == [(PEOPLE[0], "a.pgp")]
    assert held.unsettled() == [(PEOPLE[0], "b.pgp")]
    assert held.wrong() == {"FromTheFuture": 1}
    held.drop(PEOPLE[0], ["a.pgp"])
    assert held.due(100) == []
    held.close()


def test_what_is_sorted_is_written_to_no_disk() -> None:
    first = Table()
    second = Table(first.image())
    for held in (first, second):
        assert held._db.execute("PRAGMA temp_store").fetchone() == (2,)  # MEMORY
        held.close()
