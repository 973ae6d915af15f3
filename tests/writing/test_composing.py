"""What people write becomes documents, and documents become what people can change."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.content.kinds import KINDS
from mau.errors import PageMalformed
from mau.fingerprint import Fingerprint
from mau.writing.composing import raw_page, read_written, restamped, says_nothing, stamped

ME = Fingerprint(bytes(range(20)))
POST = KINDS["SocialMediaPosting"]
NOW = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


words = st.text(st.characters(codec="utf-8"), min_size=1).map("x".__add__)


@given(st.dictionaries(words, values, max_size=4))
def test_raw_and_left_as_it_is_it_is_the_same(document: dict[str, Any]) -> None:
    document = {"@type": "Poem", **document}
    text = raw_page(document).encode().decode()
    assert json.dumps(read_written(text, "json", ME, POST, {}).document) == json.dumps(document)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: no JSON"),
        ('{\n"a": 1,\n}', "line 3: no JSON"),
        ("[]", "one object"),
        ("{" * 100, "no JSON"),
        ('{"a":' * 100 + "1" + "}" * 100, "nests at most 64 deep"),
        ('{"a": NaN}', "NaN is no JSON"),
        ('{"a": "' + "x" * (1 << 20) + '"}', "at most 1 MiB"),
        ('{"@type": "Event", "name": "x"}', "an Event needs startDate"),
        ('{"@context": "https://schema.org", "@id": "mau:/p2p/' + "0" * 40 + '/x.pgp"}', "of yours"),
        ('{"@context": "https://schema.org", "@id": "a.pgp", "@id": "b.pgp"}', "'@id' is there twice"),
        ('{"@type": "Poem", "a": [{"b": 1, "b": 2}]}', "'b' is there twice"),
    ],
)
def test_what_is_wrong_with_a_document_is_said(text: str, says: str) -> None:
    with pytest.raises(PageMalformed) as error:
        read_written(text, "json", ME, POST)
    assert says in str(error.value)


def test_every_problem_of_a_page_is_said_in_its_words() -> None:
    page = "---\ntype: Recipe\ncookTime: long\ntags: [a]\nlanguage: no language\n---\n"
    with pytest.raises(PageMalformed) as error:
        read_written(page, "md", ME, POST)
    assert str(error.value).split("\n") == [
        "a Recipe needs `title:`",
        "a Recipe needs `recipeIngredient:`",
        "a Recipe needs `recipeInstructions:`",
        "line 3: cookTime: 'long' is not a duration such as PT1H30M (1 h 30 min) or P2D (2 days)",
        "line 5: inLanguage: 'no language' is not a language such as en or pt-BR",
    ]


def test_what_is_said_about_the_post_is_not_in_the_document() -> None:
    page = "---\nfor: bob, @tea\nto: [carol]\nname: x\nattach: a.jpg, b.jpg\n---\nHello"
    written = read_written(page, "md", ME, POST)
    assert written.document == {"@type": "SocialMediaPosting", "articleBody": "Hello"}
    assert written.audience == ("bob", "@tea", "carol")
    assert (written.name, written.attach) == ("x", ("a.jpg", "b.jpg"))
    for wrong in ("for: {a: b}", "name: [x]", "attach: [[x]]"):
        with pytest.raises(PageMalformed, match="line 2"):
            read_written(f"---\n{wrong}\n---\nHello", "md", ME, POST)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("Recipe", {"author", "datePublished"}),
        ("Poem", {"author", "datePublished"}),
        ("Comment", {"author", "dateCreated"}),
        ("Message", {"sender", "dateSent"}),
        ("LikeAction", {"agent", "startTime"}),
        ("Event", set()),
        ("Person", set()),
    ],
)
def test_who_and_when_is_said_in_the_words_of_the_type(kind: str, words: set[str]) -> None:
    made = stamped({"@type": kind}, ME, NOW)
    assert made.keys() - {"@type"} == words
    assert set(map(str, made.values())) <= {kind, "2026-11-21T20:00:00Z", str({"@id": f"mau:/p2p/{ME}"})}
    said = {"@type": kind, **dict.fromkeys(words, "said")}
    assert stamped(said, ME, NOW) == said
    assert restamped(said, NOW) == {**said, "dateModified": "2026-11-21T20:00:00Z"}


def test_what_says_nothing() -> None:
    start = "---\n# note\ntype: X\ntitle:\n---\n\n"
    for text in ("", " \n", "---\n---\n", start, "---\ntype: X\n---\n\n\n", "---\n# another\ntype: X\n---"):
        assert says_nothing(text, "md", start)
    for text in ("x", "---\ntype: Y\n---\n", "---\ntype: X\n---\nx", "---\nbroken"):
        assert not says_nothing(text, "md", start)
    assert says_nothing("{}\n", "json", "{ }")
    assert not says_nothing('{"a": 1}', "json", "{}")
