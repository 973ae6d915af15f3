"""A word means the name it fits best, and short forms lead back to what they stand for."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from mau.conversation.naming import letters_of, meant_names, short_name
from mau.errors import InvalidName
from mau.tree.names import post_name, random_name

KETTLE = ["kettle.json.pgp", "kettle-2.json.pgp", "Kettle.json.pgp"]


def test_the_best_kind_of_fit_alone_counts() -> None:
    assert meant_names("kettle.json", KETTLE) == ["kettle.json.pgp"]
    assert meant_names("kettle.json.pgp", KETTLE) == ["kettle.json.pgp"]
    assert meant_names("KETTLE.json", KETTLE) == ["kettle.json.pgp", "Kettle.json.pgp"]
    assert meant_names("kettle", KETTLE) == KETTLE
    assert meant_names("kettle-", KETTLE) == ["kettle-2.json.pgp"]
    assert meant_names("pot", KETTLE) == []
    assert meant_names("", KETTLE) == []


def test_random_letters_stand_for_a_name_that_tells_nothing() -> None:
    names = ["2026-11-20-k3v9x2qa.json.pgp", "2026-11-20-k3w2aaaa.pgp", "k3v.pgp"]
    assert [letters_of(name) for name in names] == ["k3v9x2qa", "k3w2aaaa", None]
    assert meant_names("k3v9x2qa", names) == names[:1]
    assert meant_names("k3w", names) == names[1:2]
    assert meant_names("k3v", names) == names[2:]  # a name comes before what letters begin with
    assert meant_names("2026-11-20", names) == names[:2]


@given(st.integers(0, 4_000_000_000), st.sampled_from(["", ".json", ".jpg"]))
def test_our_own_random_names_are_recognised(now: int, suffix: str) -> None:
    name = post_name(random_name(datetime.fromtimestamp(now, UTC), suffix))
    assert len(letters_of(name) or "") == 8


@given(st.lists(st.text(min_size=1, max_size=12), max_size=6))
def test_a_short_form_leads_back_to_its_name(words: list[str]) -> None:
    names = []
    for word in words:
        try:
            names.append(post_name(word))
        except InvalidName:
            continue
    for name in names:
        assert name in meant_names(short_name(name), names)
