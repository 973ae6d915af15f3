"""Dates, tags, conditions, by the letter of RFC 9110."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.server.conditions import failed_condition, http_date, parse_date, range_applies, tag_matches

NOW = 1_795_000_000  # November 2026
TAG = "a" * 64


@given(st.integers(0, 253_402_300_799))
def test_a_date_comes_back(seconds: int) -> None:
    assert parse_date(http_date(seconds), NOW) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784111777),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 784111777),
        ("Sun Nov  6 08:49:37 1994", 784111777),
        ("Mon, 01 Jan 0001 00:00:00 GMT", -62135596800),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 4102444800),
        ("Saturday, 01-Jan-77 00:00:00 GMT", 220924800),
        ("Wednesday, 01-Jan-76 00:00:00 GMT", 3345062400),
        ("Fri, 31 Dec 9999 23:59:60 GMT", 253402300799),
    ],
)
def test_the_three_forms_are_read(text: str, seconds: int) -> None:
    assert parse_date(text, NOW) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "", "yesterday", "0", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 +0100",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 0000 00:00:00 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, ٠٦ Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
    ],
)  # fmt: skip
def test_other_dates_are_none(text: str) -> None:
    with pytest.raises(ValueError):
        parse_date(text, NOW)


@given(st.text(max_size=40))
def test_any_text_is_a_date_or_none(text: str) -> None:
    with contextlib.suppress(ValueError):
        parse_date(text, NOW)


@pytest.mark.parametrize(
    ("header", "weak", "strong"),
    [
        (f'"{TAG}"', True, True), (f'W/"{TAG}"', True, False), ("*", True, True), (" * ", True, True),
        (f'"x", "{TAG}"', True, True), (f'"x",W/"{TAG}" , ""', True, False), (f', "{TAG}",', True, True),
        ('"x"', False, False), (TAG, False, False), (f'w/"{TAG}"', False, False), ("", False, False),
        (f'"x" nonsense "{TAG}"', False, False), (f'"{TAG}', False, False), ("*, *", False, False),
    ],
)  # fmt: skip
def test_tags_are_compared_weakly_and_strongly(header: str, weak: bool, strong: bool) -> None:
    assert tag_matches(header, TAG, weak=True) is weak
    assert tag_matches(header, TAG, weak=False) is strong


BEFORE, SAME, AFTER = (http_date(NOW + shift) for shift in (-10, 0, 10))
HIT, MISS = f'"{TAG}"', '"other"'


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, None),
        ({"If-Match": HIT}, None), ({"If-Match": MISS}, 412), ({"If-Match": "*"}, None),
        ({"If-Match": f"W/{HIT}"}, 412),
        ({"If-None-Match": HIT}, 304), ({"If-None-Match": f"W/{HIT}"}, 304), ({"If-None-Match": MISS}, None),
        ({"If-None-Match": "*"}, 304),
        ({"If-Unmodified-Since": BEFORE}, 412), ({"If-Unmodified-Since": SAME}, None),
        ({"If-Unmodified-Since": AFTER}, None), ({"If-Unmodified-Since": "nonsense"}, None),
        ({"If-Match": HIT, "If-Unmodified-Since": BEFORE}, None),
        ({"If-Match": MISS, "If-None-Match": HIT}, 412), ({"If-Match": HIT, "If-None-Match": HIT}, 304),
        ({"If-Unmodified-Since": BEFORE, "If-None-Match": HIT}, 412),
        ({"If-Modified-Since": AFTER}, None), ({"If-Modified-Since": AFTER, "If-None-Match": MISS}, None),
    ],
)  # fmt: skip
def test_conditions_in_their_order(headers: dict[str, str], status: int | None) -> None:
    assert failed_condition(headers, tag=TAG, modified=NOW, now=NOW) == status


@pytest.mark.parametrize(
    ("headers", "applies"),
    [
        ({}, False),
        ({"Range": "bytes=0-1"}, True),
        ({"Range": "bytes=0-1", "If-Range": HIT}, True),
        ({"Range": "bytes=0-1", "If-Range": f"W/{HIT}"}, False),
        ({"Range": "bytes=0-1", "If-Range": MISS}, False),
        ({"Range": "bytes=0-1", "If-Range": AFTER}, False),
    ],
)
def test_a_range_is_honoured_for_the_same_content_only(headers: dict[str, str], applies: bool) -> None:
    assert range_applies(headers, tag=TAG) is applies
