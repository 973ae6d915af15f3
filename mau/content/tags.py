"""Hashtags: the words after ``#`` in a text, and those in ``keywords`` (spec/conversations.md). Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

from mau.content.links import word_of
from mau.content.posting import text_of

MAX_TAGS: Final = 100
MAX_TAG: Final = 100
"""Characters."""
_TAG: Final = re.compile(r"(?<![\w/&])#(\w*[^\W\d_]\w*)")
_LISTED: Final = re.compile(r"[,;\n]")


def fold_tag(word: str) -> str:
    """A tag as it is compared: without ``#``, in one normal form and small letters."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", word.strip().lstrip("#")).casefold())


def tags_of(document: dict[str, Any] | None) -> tuple[str, ...]:
    """The tags of a document, folded, in the order in which they stand there; at most `MAX_TAGS`."""
    found: dict[str, None] = {}
    for word in [*_keywords(document or {}), *_TAG.findall(text_of(document or {}))]:
        tag = fold_tag(word)
        if 0 < len(tag) <= MAX_TAG:
            found[tag] = None
        if len(found) == MAX_TAGS:
            break
    return tuple(found)


def _keywords(document: dict[str, Any]) -> list[str]:
    words: list[str] = []
    for key, value in document.items():
        if word_of(key) != "keywords":
            continue
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str):
                words += _LISTED.split(one[:10_000])
    return words
