"""Lengths of time as people write them."""

from __future__ import annotations

import pytest

from mau.duration import duration_words, parse_duration
from mau.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("8h", 28_800), ("2d", 172_800), ("1h30m", 5400), (" 8H ", 28_800)],
)
def test_what_people_write(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "8", "0h", "1.5h", "30m1h", "h", "8 h", "٣h", "1h1h", "9999999d"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(UsageError):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (5400, "1 h 30 min"), (90_061, "1 d 1 h"), (-5, "0 s")],
)
def test_what_people_read(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words
