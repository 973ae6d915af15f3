"""Texts as schema.org documents: made for our own posts, and read out of everybody's for people to see."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import Any

from mau.content.activity import as_schema
from mau.content.address import person_iri
from mau.fingerprint import Fingerprint

_TITLES = ("headline", "name")
_BODIES = ("articleBody", "text", "reviewBody", "description")
_LONE = re.compile("[\ud800-\udfff]")
_MAX_WORDS = 48  # characters of a text or a file name that a name takes over


def compose_posting(author: Fingerprint, text: str, now: datetime) -> dict[str, Any]:
    """A SocialMediaPosting of `text` with its tags; `bind_document` adds where and for whom."""
    from mau.content.tags import with_keywords  # which reads texts by this module

    return with_keywords(
        {
            "@type": "SocialMediaPosting",
            "author": {"@id": person_iri(author)},
            "datePublished": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "articleBody": text,
        }
    )


def type_of(document: dict[str, Any]) -> str:
    """What a document says it is, for people: its first type, "" when it says none."""
    stated = document.get("@type", document.get("type"))
    first = stated[0] if isinstance(stated, list) and stated else stated
    return sound(first) if isinstance(first, str) else ""


def text_of(document: dict[str, Any]) -> str:
    """What there is to read in a document: its title and its text in all languages, "" when it has neither.

    HTML of ActivityStreams is plain text here; nothing in it is a lone surrogate.
    """
    document = as_schema(document)
    parts = [_first(document, _TITLES), _first(document, _BODIES)]
    return sound("\n\n".join(part for part in parts if part))


def sound(text: str) -> str:
    """The text with U+FFFD for each lone surrogate, which no encoding can write."""
    return text if text.isascii() else _LONE.sub("\ufffd", text)


def _first(document: dict[str, Any], words: tuple[str, ...]) -> str:
    for word in words:
        found = _words(document.get(word))
        if found:
            return found
    return ""


def _words(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(filter(None, map(_words, value)))
    if isinstance(value, dict):
        value = value.get("@value")
    return value if isinstance(value, str) else ""


def slug(text: str) -> str:
    """The first words of a text as a part of a file name: letters, digits and their marks, joined by hyphens.

    In small letters, at most 48 characters, "" when there are no words in it.
    """
    words: list[str] = []
    room = _MAX_WORDS
    for word in "".join(map(_letter, unicodedata.normalize("NFC", text[:1000]).lower())).split():
        if words and len(word) > room:
            break
        words.append(word[:room])
        room -= len(word) + 1
    return unicodedata.normalize("NFC", "-".join(words))


def _letter(character: str) -> str:
    return character if unicodedata.category(character)[0] in "LNM" else " "
