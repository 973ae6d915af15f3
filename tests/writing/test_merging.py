"""Two people, or two devices, change one document."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mau.writing.merging import merged

values = st.none() | st.integers(0, 3) | st.lists(st.integers(0, 2), max_size=2)
documents = st.dictionaries(st.sampled_from("abcd"), values)


@given(documents, documents)
def test_who_changed_nothing_is_in_nobodys_way(base: dict[str, Any], other: dict[str, Any]) -> None:
    assert merged(base, base, other) == (other, ())
    assert merged(base, other, base) == (other, ())
    assert merged(base, other, other) == (other, ())


@given(documents, documents, documents)
def test_every_change_is_in_the_result_or_a_clash(
    base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    both, clashes = merged(base, mine, theirs)
    for word in "abcd":
        before, ours, others, now = (one.get(word, "none") for one in (base, mine, theirs, both))
        if ours != before:
            assert now == ours
            assert (word in clashes) == (others not in (before, ours))
        else:
            assert now == others


def test_numbers_and_truth_are_not_the_same() -> None:
    assert merged({"a": 1}, {"a": True}, {"a": 1.0}) == ({"a": True}, ("a",))
