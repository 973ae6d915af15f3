"""Any document as people see it: title, text, facts, media (spec/content.md C60-C79). Pure, never an error.

What comes in may be anything that JSON can hold, by anybody. What comes out is bounded, holds no lone
surrogates, and is plain text: whoever shows it escapes what steers a terminal, and writes HTML of it himself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mau.content.kinds import kind_of
from mau.content.languages import chosen, texts_of
from mau.content.links import Reference, word_of
from mau.content.posting import type_of
from mau.fingerprint import Fingerprint


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a document says beside its text. `items`: its elements where it is a list."""

    label: str
    value: str
    items: tuple[str, ...] = ()
    word: str = ""


@dataclass(frozen=True, slots=True)
class Media:
    """A picture, a film or another file that belongs to a document.

    `reference`: where it lies in Mau; `url`: where else, "" when nowhere. `alt`: what is in it, in words.
    Width and height in pixels, 0 when not said.
    """

    reference: Reference | None
    url: str
    kind: Literal["image", "video", "audio", "file"]
    name: str
    alt: str
    encoding: str
    width: int
    height: int
    thumbnail: Reference | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A document as people see it. `type` is its word as it was stated, `language` that of the body.

    `markup`: whether the body is Markdown, or a text that means what it says.
    """

    type: str
    title: str
    body: str
    facts: tuple[Fact, ...] = ()
    media: tuple[Media, ...] = ()
    language: str = ""
    markup: Literal["markdown", "plain"] = "markdown"


def shown(author: Fingerprint, document: dict[str, Any], languages: Sequence[str] = ()) -> Shown:
    """What there is to see of a document of `author`, in the first of `languages` that it has."""
    kind = kind_of(document)
    title = chosen(texts_of(document.get(kind.title or "headline")), languages)[0]
    body, language = chosen(texts_of(document.get(kind.body)), languages)
    return Shown(word_of(type_of(document)), title, body, language=language)
