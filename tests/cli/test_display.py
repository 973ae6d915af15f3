"""Posts on a terminal, as `mau open` and lists show them (spec/content.md CT80-CT84)."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.content.address import person_iri, post_iri
from mau.content.jsonld import MAX_DOCUMENT, parse
from mau.content.shown import shown
from mau.fingerprint import Fingerprint
from mau.publish import publish_document
from mau_cli.display import content_lines, item_lines
from mau_cli.output import width
from mau_cli.wrapping import plain
from tests.cli.desk import Desk, desk, trees, world

__all__ = ["desk", "trees", "world"]

FPR = Fingerprint(b"a" * 20)
RECIPE = {
    "@type": "Recipe",
    "name": [{"@value": "Bread", "@language": "en"}, {"@value": "Brot", "@language": "de"}],
    "description": "A **good** one.\n\n- crisp",
    "prepTime": "PT20M",
    "recipeIngredient": ["500 g flour", "water\u202e"],
    "recipeInstructions": ["Knead.", "Bake."],
    "image": "https://e.example/bread.jpg",
}


def lines(document: dict[str, Any], columns: int = 60, *, styled: bool = False) -> list[str]:
    return [plain(line) for line in content_lines(shown(FPR, document), columns, styled=styled)]


def test_a_whole_document() -> None:
    assert lines(RECIPE) == [
        "Recipe",
        "",
        "# Bread",
        "",
        "A **good** one.",
        "",
        "- crisp",
        "",
        "Preparation: 20 min",
        "Ingredients:",
        "  - 500 g flour",
        "  - water\\u202e",
        "Steps:",
        "  1. Knead.",
        "  2. Bake.",
    ]
    assert lines(RECIPE, styled=True)[2:7] == ["Bread", "", "A good one.", "", "• crisp"]


def test_a_document_with_nothing_in_it_says_so() -> None:
    assert lines({"@type": "Spaceship"}) == ["Spaceship", "", "There is nothing in it."]
    assert lines({"@type": "SocialMediaPosting", "articleBody": "x"}) == ["x"]
    assert lines({"@type": "rideOffer\x1b", "seats": 3}) == ["Ride offer\\x1b", "", "Seats: 3"]


def test_a_document_among_others() -> None:
    found = item_lines(FPR, RECIPE, width=40, languages=("de",))
    assert found == [
        "Recipe: Brot",
        "A **good** one.",
        "",
        "- crisp",
        "Preparation: 20 min",
        "Ingredients: 500 g flour, water\\u202e",
        "Steps: Knead., Bake.",
    ]
    assert item_lines(FPR, RECIPE, width=40, media=True)[-1] == "[picture]"
    long = item_lines(FPR, {"text": "word " * 1000, **{f"fact{n}": "x" * 500 for n in range(20)}}, width=40)
    assert len(" ".join(long)) < 600 + 6 * 200


HOSTILE = st.recursive(
    st.text(st.characters())
    | st.sampled_from(["\x1b]0;x\x07", "\u202e", "&#x9b;2J", "\u0301" * 50])
    | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
WORDS = st.sampled_from(["@type", "name", "text", "keywords", "recipeIngredient", "location", "x\x1b[2J"])


@given(st.dictionaries(WORDS, HOSTILE), st.booleans())
def test_no_document_steers_the_terminal(document: dict[str, Any], styled: bool) -> None:
    for line in [*lines(document, 40, styled=styled), *item_lines(FPR, document, width=40)]:
        assert width(line) <= 40
        assert not {"\x1b", "\x07", "\x9b", "\n", "\r", "\u202e"} & set(line)


@pytest.fixture
def recipe(desk: Desk) -> str:
    """A recipe of Alice's for Bob, which answers a post of hers."""
    alice = desk.world.alice
    people = [{"@id": person_iri(one.fpr)} for one in (alice, desk.world.bob)]
    document = {**RECIPE, "isPartOf": {"@id": post_iri(alice.fpr, "book.pgp")}, "mentions": people}
    publish_document(
        alice.account, alice.keyring, document, "bread.json.pgp", desk.world.for_(desk.world.bob)
    )
    return desk.world.bob.fetch(alice, "bread.json.pgp")


def test_open_as_text_in_a_pipe(desk: Desk, recipe: str) -> None:
    bob = desk.world.bob
    text = desk.mau(bob, "open", "alice", recipe, "--as", "text", MAU_READER_LANGUAGES="de-AT").text
    assert text.startswith("Recipe\n\n# Brot\n\nA **good** one.\n")
    assert "Part of: alice/book.pgp\n" in text
    assert "Mentions:\n  - alice\n  - you\n" in text
    assert "[picture]\n  https://e.example/bread.jpg\n" in text
    assert desk.mau(bob, "open", "alice", recipe, "--as", "raw").out.startswith(b'{"@context"')
    desk.mau(bob, "open", "alice", recipe, "--as", "text", "-o", "x", code=2)


def test_a_terminal_with_styles_and_one_without(desk: Desk, recipe: str) -> None:
    styled = desk.terminal(desk.world.bob, "open", "alice", recipe)
    assert "\x1b[1mBread\x1b[0m\n" in styled.replace("\r", "")
    assert "A \x1b[1mgood\x1b[0m one." in styled


@pytest.mark.parametrize("part", ["word ", "漢"])
def test_a_long_document_takes_memory_in_proportion(part: str) -> None:
    text = part * (MAX_DOCUMENT // 8 // len(part.encode()))
    document = parse(json.dumps({"articleBody": text}, ensure_ascii=False).encode())
    assert document is not None
    tracemalloc.start()
    try:
        assert lines(document, 80, styled=True)
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()
