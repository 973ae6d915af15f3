"""Types, their words, and what is wrong with a document (spec/content.md CT1-CT24)."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.content.kinds import KINDS, THING, Kind, Value, kind_of, problems, said, written
from mau.content.kinds.table import KIN
from mau.content.kinds.values import fault, is_date, iso_duration, rating_of

PAPER = (Path(__file__).parents[2] / "spec" / "content.md").read_text(encoding="utf-8")
POST = "mau:/p2p/" + "a" * 40 + "/x.pgp"
TYPES = [
    *(
        "SocialMediaPosting",
        "Article",
        "Recipe",
        "Event",
        "Review",
        "Question",
        "Answer",
        "Comment",
        "Message",
    ),
    *(
        "ShareAction",
        "LikeAction",
        "DislikeAction",
        "FollowAction",
        "BookmarkAction",
        "DeleteAction",
        "Person",
    ),
    *("ImageObject", "VideoObject", "AudioObject", "MediaObject", "Collection"),
]


def test_there_is_a_template_for_every_type() -> None:
    assert list(KINDS) == TYPES


def test_the_paper_has_the_same_table() -> None:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAPER.splitlines()]
    listed = {row[0]: row[1:] for row in rows if row[0] in KINDS and len(row) == 4}
    assert list(listed) == TYPES

    def bold(kind: Kind, word: str) -> str:
        return f"**{word}**" if word in kind.required else word

    for kind in KINDS.values():
        words = ", ".join(bold(kind, word.name) for word in kind.words)
        assert listed[kind.name] == [bold(kind, kind.title or ""), bold(kind, kind.body), words]


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_its_own_examples_are_no_problem(kind: Kind) -> None:
    words = {kind.body: "text", **({kind.title: "title"} if kind.title else {})}
    for word in kind.words:
        value = written(word.value, word.example.replace(POST[:9] + "FPR/NAME.pgp", POST))
        words[word.name] = [value, value] if word.many else value
    assert problems({"@type": kind.name, **words}) == []
    assert kind.article == ("an" if kind.name[0] in "AEI" else "a")
    assert kind.required <= {kind.title, kind.body, *(word.name for word in kind.words)}
    assert all(word.label and not word.label.endswith(":") for word in kind.words)


def test_kin_is_kin_of_something() -> None:
    assert set(KIN.values()) <= KINDS.keys()
    assert not KIN.keys() & KINDS.keys()


@pytest.mark.parametrize(
    ("stated", "name"),
    [
        ("Recipe", "Recipe"),
        ("https://schema.org/Recipe", "Recipe"),
        ("schema:MusicEvent", "Event"),
        (["x:Unknown", 7, "BlogPosting", "Recipe"], "Article"),
        ("Spaceship", "Thing"),
        (None, "Thing"),
        ({}, "Thing"),
        ([], "Thing"),
    ],
)
def test_the_type_that_counts(stated: object, name: str) -> None:
    assert kind_of({"@type": stated}).name == name
    assert kind_of({"type": stated}).name == name


def test_what_is_missing_and_what_does_not_fit_is_said() -> None:
    assert problems({"@type": "Event", "schema:name": " ", "startDate": "tomorrow"}) == [
        "an Event needs name",
        "startDate: 'tomorrow' is not a date such as 2026-12-24 or 2026-12-24T18:00+01:00",
    ]
    assert problems({"@type": "Comment", "text": "x", "parentItem": {"@id": "mau:/p2p/nobody"}}) == [
        "parentItem: what is there is not an address such as mau:/p2p/FPR/NAME.pgp"
    ]
    assert problems({"@type": "SocialMediaPosting"}) == ["a SocialMediaPosting needs articleBody"]


def test_a_picture_needs_no_words() -> None:
    assert problems({"@type": "SocialMediaPosting", "associatedMedia": [{"contentUrl": POST}]}) == []


@pytest.mark.parametrize(
    "document",
    [
        {"@type": "Spaceship", "startDate": 7, "warp": True},
        {},
        {"@type": "Article", "headline": "x", "articleBody": "x", "warp": [1, {}], "hyper": None},
        {
            "@type": "Recipe",
            "name": "x",
            "recipeIngredient": "flour",
            "recipeInstructions": [{"text": "Knead"}],
        },
    ],
)
def test_unknown_types_and_words_and_single_values_are_no_problem(document: dict[str, Any]) -> None:
    assert problems(document) == []


def test_problems_are_bounded() -> None:
    found = problems({"@type": "Recipe", "recipeIngredient": [None] * 100_000, "prepTime": "x" * 1_000_000})
    assert len(found) <= 20
    assert all(len(one) < 300 for one in found)


# --- values ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "line", "value"),
    [
        (Value.TEXT, "x", "x"),
        (Value.TEXT, 7, "7"),
        (Value.DATE, "2026-12-24 18:00", "2026-12-24T18:00"),
        (Value.DATE, date(2026, 12, 24), "2026-12-24"),
        (Value.DATE, datetime(2026, 12, 24, 18, 0), "2026-12-24T18:00:00"),
        (Value.DURATION, "1h 30min", "PT1H30M"),
        (Value.DURATION, "90 min", "PT90M"),
        (Value.DURATION, "2 days", "P2D"),
        (Value.DURATION, "PT20M", "PT20M"),
        (Value.NUMBER, "1600", 1600),
        (Value.NUMBER, "1.5", 1.5),
        (Value.RATING, "4/5", {"@type": "Rating", "ratingValue": 4, "bestRating": 5}),
        (Value.RATING, "7.5 of 10", {"@type": "Rating", "ratingValue": 7.5, "bestRating": 10}),
        (Value.RATING, 4, {"@type": "Rating", "ratingValue": 4, "bestRating": 5}),
        (Value.RATING, "★★★☆☆", {"@type": "Rating", "ratingValue": 3, "bestRating": 5}),
        (Value.PERSON, "The choir", {"@type": "Person", "name": "The choir"}),
        (Value.PERSON, POST[:49], {"@id": POST[:49]}),
        (Value.THING, "Alien: the film", {"@type": "Thing", "name": "Alien: the film"}),
        (Value.THING, "https://example.org/x", {"@id": "https://example.org/x"}),
        (Value.POST, POST, {"@id": POST}),
        (Value.PLACE, "Town hall", "Town hall"),
    ],
)
def test_what_people_write_and_what_documents_hold(kind: Value, line: object, value: object) -> None:
    assert written(kind, line) == value
    assert fault(kind, value) == ""
    again = said(kind, value)
    assert again is not None
    assert written(kind, again) == value


@pytest.mark.parametrize("kind", Value)
@pytest.mark.parametrize("value", [True, None, {"a": 1}, [1], "", "x\n", "4 stars maybe"])
def test_what_does_not_fit_stays_as_it_is_or_comes_back(kind: Value, value: object) -> None:
    made = written(kind, value)
    back = said(kind, value)
    assert made == value or fault(kind, made) == "" or isinstance(made, str)
    assert back is None or written(kind, back) == value


@pytest.mark.parametrize(
    "text", ["2026", "2026-02", "2026-02-28", "2024-02-29T00:00Z", "2026-02-28T01:02:03.5+01:00"]
)
def test_dates(text: str) -> None:
    assert is_date(text)


@pytest.mark.parametrize(
    "text", ["", "2026-13", "2026-02-30", "26-02-28", "2026-02-28T25:00", "2026-02-28T", "٢٠٢٦"]
)
def test_no_dates(text: str) -> None:
    assert not is_date(text)


def test_durations() -> None:
    assert iso_duration("P1Y2M3W4DT5H6M7.5S") == ("1", "2", "3", "4", "5", "6", "7.5")
    assert [iso_duration(text) for text in ("P", "PT", "1H", "PT1D", "P1H", "PT1H ", "pt1h")] == [None] * 7


def test_ratings() -> None:
    assert rating_of({"ratingValue": "4", "bestRating": "10"}) == (4, 10)
    for held in ({"ratingValue": 6}, {"ratingValue": -1}, {"ratingValue": 1e400}, True, "x", {}, "6/5"):
        assert rating_of(held) is None


@given(st.sampled_from(Value), st.from_type(str) | st.floats() | st.integers() | st.booleans() | st.none())
def test_nothing_that_people_write_is_an_error(kind: Value, line: object) -> None:
    made = written(kind, line)
    assert isinstance(fault(kind, made), str)
    back = said(kind, made)
    assert back is None or written(kind, back) == made


def test_the_label_of_an_example_is_in_the_paper_as_a_kind_of_value() -> None:
    kinds = {row[2:].partition(" |")[0] for row in re.findall(r"^\| [a-z]+ \|", PAPER, re.MULTILINE)}
    assert {kind.value if kind is not Value.URL else "address" for kind in Value} <= kinds
    assert THING.words == ()
    assert json.dumps(sorted(KINDS)) == json.dumps(sorted(TYPES))
