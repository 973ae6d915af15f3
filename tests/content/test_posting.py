"""What people read in documents, and the words that names take over."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.content.posting import slug, text_of, type_of
from mau.tree.names import post_name


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"articleBody": "x"}, "x"),
        ({"headline": "t", "articleBody": "x"}, "t\n\nx"),
        ({"name": "t", "text": "x"}, "t\n\nx"),
        ({"name": "t", "headline": "h"}, "h"),
        ({"headline": ["a", "b"], "description": {"@value": "d", "@language": "en"}}, "a\nb\n\nd"),
        ({"articleBody": 7}, ""),
        ({"articleBody": {"@value": ["x"]}}, ""),
        ({"articleBody": "", "text": "x"}, "x"),
        ({}, ""),
    ],
)
def test_text_of_a_document(document: dict[str, Any], text: str) -> None:
    assert text_of(document) == text


@pytest.mark.parametrize(
    ("document", "kind"),
    [({"@type": "A"}, "A"), ({"type": ["A", "B"]}, "A"), ({"@type": []}, ""), ({"@type": 7}, ""), ({}, "")],
)
def test_type_of_a_document(document: dict[str, Any], kind: str) -> None:
    assert type_of(document) == kind


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, World!", "hello-world"),
        ("  Grüße\u200b aus\nŁódź  ", "grüße-aus-łódź"),
        ("हिन्दी भाषा", "हिन्दी-भाषा"),
        ("../../etc/passwd", "etc-passwd"),
        ("?!", ""),
        ("", ""),
        ("a" * 100, "a" * 48),
        ("word " * 100, "-".join(["word"] * 9)),
        ("x\x00y\x1b[31m", "x-y-31m"),
    ],
)
def test_words_for_a_name(text: str, words: str) -> None:
    assert slug(text) == words


@given(st.text())
def test_words_are_always_fit_for_a_name(text: str) -> None:
    words = slug(text)
    if words:
        assert post_name(f"{words}-99.json") == f"{words}-99.json.pgp"
        assert slug(words) == words
