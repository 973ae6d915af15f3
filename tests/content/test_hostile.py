"""Any JSON by anybody: shown without an error, bounded, in time in proportion (spec/content.md CT60)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.content.facts import MAX_ALL, MAX_FACTS, MAX_ITEMS
from mau.content.jsonld import parse
from mau.content.kinds import KINDS, kind_of, problems
from mau.content.media import MAX_MEDIA
from mau.content.posting import text_of, type_of
from mau.content.shown import MAX_BODY, MAX_TITLE, Shown, shown, words_of
from mau.content.spoken import MAX_VALUE
from mau.fingerprint import Fingerprint

FPR = Fingerprint(b"a" * 20)
STREAMS = "https://www.w3.org/ns/activitystreams"
WORDS = [
    *(
        "@context",
        "@type",
        "type",
        "@id",
        "id",
        "@value",
        "@language",
        "@list",
        "name",
        "headline",
        "articleBody",
    ),
    *(
        "text",
        "content",
        "contentMap",
        "summary",
        "object",
        "attachment",
        "tag",
        "recipeInstructions",
        "step",
    ),
    *(
        "itemListElement",
        "suggestedAnswer",
        "upvoteCount",
        "keywords",
        "reviewRating",
        "ratingValue",
        "location",
    ),
    *(
        "bestRating",
        "address",
        "startDate",
        "image",
        "contentUrl",
        "url",
        "href",
        "width",
        "thumbnail",
        "sha256",
    ),
    *(
        "datePublished",
        "author",
        "inLanguage",
        "encodingFormat",
        "additionalProperty",
        "value",
        "oneOf",
        "replies",
    ),
    *("totalItems", "mediaType", "schema:name", "", ":", "#"),
]
TEXTS = [
    *(
        "https://schema.org",
        STREAMS,
        *KINDS,
        "Create",
        "Note",
        "as:Note",
        "PropertyValue",
        "Hashtag",
        "Mention",
    ),
    *(
        "mau:/p2p/" + "a" * 40 + "/x.pgp",
        "https://e.example",
        "PT1H",
        "2026-01-01",
        "0001-01-01T00:00:00+23:59",
    ),
    *("9999-12-31T23:59:59", "de", "@none", "text/html", "<p>x", "\ud800", "\x1b[2J", "\u202e", "\x00"),
]
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from(TEXTS)
)
keys = st.sampled_from(WORDS) | st.text(st.characters(), max_size=5)
values: st.SearchStrategy[Any] = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=8),
    max_leaves=20,
)


def check(seen: Shown) -> None:
    """What holds for whatever is shown."""
    texts = [seen.title, seen.type, seen.body, seen.language]
    for fact in seen.facts:
        texts += [fact.label, fact.value, *fact.items, *fact.marked]
        assert len(fact.items) <= MAX_ITEMS + 1
        assert all(len(item) <= MAX_VALUE for item in fact.items)
    for media in seen.media:
        texts += [media.url, media.name, media.alt, media.encoding, media.size]
        assert media.url == "" or media.url.startswith(("https://", "http://"))
    for text in texts:
        text.encode()  # no lone surrogates
    assert "\n" not in seen.title
    assert len(seen.title) <= MAX_TITLE
    assert len(seen.body) <= MAX_BODY
    assert len(seen.facts) <= MAX_FACTS + 1
    assert len(seen.media) <= MAX_MEDIA
    assert sum(len(fact.value) for fact in seen.facts) <= 2 * MAX_ALL + MAX_VALUE
    json.dumps(seen.text)


@given(st.dictionaries(keys, values, max_size=12))
def test_any_document_can_be_shown(document: dict[str, Any]) -> None:
    check(shown(FPR, document, ["de", "en"], signed_at=1_767_225_600))
    words_of(FPR, document).encode()
    text_of(document).encode()
    type_of(document).encode()
    assert all(isinstance(one, str) for one in problems(document))
    assert kind_of(document).name


def _deep(depth: int) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for number in range(depth):
        document = {
            "@type": "Note",
            "name": document,
            "object": document,
            "@value": [document] * (number % 3),
        }
    return document


def _within(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


_TEXT = "x" * 5_000_000
HUGE: dict[str, dict[str, Any]] = {
    "deep objects": {"@context": STREAMS, "type": "Create", "object": _deep(50_000)},
    "deep lists": {word: _within(50_000) for word in WORDS if not word.startswith("@")},
    "long texts": dict.fromkeys(WORDS, _TEXT),
    "long lists": {word: list(range(100_000)) for word in WORDS},
    "lists of lists": {f"w{number}": [[{"a": [1] * 50}] * 100] * 100 for number in range(100)},
    "many words": {str(number): number for number in range(100_000)},
    "many languages": {"text": [{"@value": "x", "@language": f"a-{number}"} for number in range(50_000)]},
    "a map of languages": {
        "@context": STREAMS,
        "contentMap": {f"a-{number}": "<p>x" for number in range(50_000)},
    },
    "much media": {
        "image": [{"contentUrl": f"https://e.example/{n}", "name": ["a"] * 500} for n in range(2_000)]
    },
    "steps in steps": {
        "@type": "Recipe",
        "recipeInstructions": [{"itemListElement": [{"text": "x"}] * 1000}] * 1000,
    },
    "tags without an end": {"@context": STREAMS, "type": "Note", "content": "<a " * 300_000},
    "numbers": {"x": [10**400, -(10**5000), float("inf"), float("nan")] * 1000, "width": 10**5000},
    "commas": {"keywords": "," * 1_000_000},
    "lone surrogates": {"text": "\ud800" * 1_000_000, "\udc00": "\ud800", "inLanguage": "\ud800"},
}


@pytest.mark.parametrize("document", HUGE.values(), ids=HUGE.keys())
def test_the_huge_and_the_deep_are_bounded(document: dict[str, Any]) -> None:
    check(shown(FPR, document, ["de"]))
    assert len(words_of(FPR, document)) <= MAX_BODY
    assert len(problems(document)) <= 20


def test_what_is_left_out_is_counted() -> None:
    facts = shown(FPR, {f"w{number}": number for number in range(10_000)}).facts
    assert facts[-1].value == f"{10_000 - MAX_FACTS} more"


def test_all_that_fits_a_document_is_shown_whole() -> None:
    text = "word " * 200_000
    document = parse(json.dumps({"@type": "Article", "articleBody": text}).encode())
    assert document is not None
    assert shown(FPR, document).body == text
