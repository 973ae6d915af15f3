"""What of a document that a web page holds is taken over, in which form (spec/imports.md IM20-IM29). Pure.

It will be signed by whoever imports it. So nothing in it may act, address anybody, or point at a post of Mau:
types and words are taken from a list, and values that are addresses are those of the web or none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urljoin

from mau.content.jsonld import known_context
from mau.content.links import word_of
from mau.content.origin import host_of
from mau.content.plaintext import text_of_html
from mau.imports.vocabulary import ADDRESSES, POSTS, REFUSED, WORDS

MAX_DOCUMENT: Final = 256 << 10
"""Bytes of one document in JSON; larger ones are left out."""
MAX_TEXT: Final = 128 << 10
"""Characters of one text; the rest is cut off."""
MAX_LOOKED_AT: Final = 4 << 20
"""Characters of one page, each time that they are looked at."""
_MAX_DEPTH: Final = 8
_MAX_LIST: Final = 200
_MAX_VALUES: Final = 2000
_MAX_PLACES: Final = 20_000
_PER_VALUE: Final = 20
"""Characters that looking at a value is worth beside its text."""

_INSIDE: Final = (
    "@graph",
    "mainEntity",
    "itemListElement",
    "item",
    "blogPost",
    "hasPart",
    "mainEntityOfPage",
)
_MAX_CONTEXTS: Final = 8
_ONLY_VOCABULARY: Final = frozenset({"@vocab"})


@dataclass(slots=True)
class Budget:
    """How many characters may still be looked at. What a page says once, it can name a thousand times."""

    left: int = MAX_LOOKED_AT

    @property
    def spent(self) -> bool:
        return self.left < 0

    def take(self, characters: int) -> bool:
        """Take off so many and one value; False when there are not so many."""
        self.left -= characters + _PER_VALUE
        return not self.spent


@dataclass(slots=True)
class _Room:
    """What is left for one document: values of its own, characters with all others of the page."""

    budget: Budget
    values: int = _MAX_VALUES


def documents_in(values: list[Any]) -> Iterator[dict[str, Any]]:
    """The objects that values from a page hold, at the places where pages put what they are about."""
    waiting: list[tuple[Any, Any, int]] = [(one, None, 0) for one in reversed(values[:_MAX_LIST])]
    count = 0
    while waiting and count < _MAX_PLACES:
        value, context, depth = waiting.pop()
        count += 1
        if isinstance(value, list):
            waiting.extend((one, context, depth) for one in reversed(value[:_MAX_LIST]))
        elif isinstance(value, dict):
            stated = value.get("@context", context)
            yield value if "@context" in value or stated is None else {"@context": stated, **value}
            if depth < _MAX_DEPTH:
                inner = (value[key] for key in _INSIDE if key in value)
                waiting.extend((one, stated, depth + 1) for one in reversed(list(inner)))


def joined(document: dict[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The document with what it names by `@id` alone put in, where that stands elsewhere on the page."""

    def put(value: Any) -> Any:
        if isinstance(value, list):
            return [put(one) for one in value[:_MAX_LIST]]
        if isinstance(value, dict) and value.keys() == {"@id"} and isinstance(value["@id"], str):
            return nodes.get(value["@id"], value)
        return value

    return {key: value if key in _INSIDE else put(value) for key, value in document.items()}


def types_of(document: Mapping[str, Any]) -> list[str]:
    """Its types, in words of schema.org; none when it speaks another language."""
    context = document.get("@context")
    if isinstance(context, dict) and context.keys() <= _ONLY_VOCABULARY:
        context = context.get("@vocab")
    if isinstance(context, list) and len(context) > _MAX_CONTEXTS:  # it is that of all that lies in it, too
        return []
    if not known_context({"@context": context}):
        return []
    stated = document.get("@type")
    types = stated if isinstance(stated, list) else [stated]
    return [word_of(one) for one in types[:8] if isinstance(one, str)]


def taken_over(document: Mapping[str, Any], page: str, budget: Budget | None = None) -> dict[str, Any] | None:
    """What is taken over of a document that stands on ``page``; None when it is none that becomes a post.

    ``url`` is where it is to be read: its own, or the page's. None, too, when ``budget`` is spent by then.
    """
    types = types_of(document)
    kind = next((one for one in types if one in POSTS), None)
    if kind is None or any(one.endswith("Action") for one in types):
        return None
    room = _Room(budget or Budget())
    found: dict[str, Any] = {"@type": kind}
    for key, value in document.items():
        word = word_of(key)
        if word in WORDS and word not in found:
            kept = _cleaned(value, word, page, 0, room)
            if kept is not None:
                found[word] = kept
    if room.budget.spent:
        return None
    own = address_of(document, page)
    found["url"] = own or page
    if len(json.dumps(found).encode()) > MAX_DOCUMENT or len(found) <= 2:
        return None
    return found


def address_of(document: Mapping[str, Any], page: str) -> str:
    """Where a document is to be read, as an address of the web; "" when it does not say."""
    for key in ("url", "mainEntityOfPage", "@id"):
        value = document.get(key)
        if isinstance(value, dict):
            value = value.get("@id", value.get("url"))
        if isinstance(value, str):
            address = web_address(value, page)
            if address:
                return address.partition("#")[0] if key == "@id" else address
    return ""


def web_address(value: str, page: str) -> str:
    """An address of the web, resolved where it stands; "" when it is none."""
    text = value.strip()
    if not text or len(text) > 2000 or any(sign.isspace() or sign < " " for sign in text):
        return ""
    try:
        joined = urljoin(page, text)
    except ValueError:
        return ""
    return joined if host_of(joined) else ""


def time_of(value: Any) -> datetime | None:
    """A time as documents state it (ISO 8601), in UTC; None when it is none."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        found = datetime.fromisoformat(value.strip())
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def plain_text(value: str) -> str:
    """A text that may be HTML, as a person would read it; at most `MAX_TEXT` characters."""
    return text_of_html(value[: 4 * MAX_TEXT]).strip()[:MAX_TEXT]


def _cleaned(value: Any, word: str, page: str, depth: int, room: _Room) -> Any:
    """The value without what may not be in it; None when nothing is left."""
    room.values -= 1
    if room.values < 0 or depth > _MAX_DEPTH:
        return None
    if isinstance(value, str):
        return _text(value, word, page) if room.budget.take(_cost(value)) else None
    if not room.budget.take(0):
        return None
    if isinstance(value, bool | int) or (isinstance(value, float) and abs(value) < 1e15):
        return value if not isinstance(value, int) or abs(value) < 1 << 53 else None
    if isinstance(value, list):
        kept = [_cleaned(one, word, page, depth + 1, room) for one in value[:_MAX_LIST]]
        return [one for one in kept if one is not None] or None
    if isinstance(value, dict):
        return _object(value, page, depth, room)
    return None


def _cost(text: str) -> int:
    return min(len(text), 4 * MAX_TEXT)


def _text(value: str, word: str, page: str) -> str | None:
    if word in ADDRESSES:
        return web_address(value, page) or None
    text = plain_text(value)
    # What another program could take for an address of Mau: nobody is spoken to, nothing pointed at.
    if text.casefold().startswith(("mau:", "/p2p/")):
        return None
    return text or None


def _object(value: dict[str, Any], page: str, depth: int, room: _Room) -> dict[str, Any] | None:
    kept: dict[str, Any] = {}
    for key, inner in value.items():
        if not room.budget.take(len(key)):
            return None
        word = word_of(key)
        if key == "@type":
            stated = inner[0] if isinstance(inner, list) and inner else inner
            if isinstance(stated, str) and not word_of(stated).endswith("Action"):
                kept["@type"] = word_of(stated)[:100]
        elif key == "@id":
            address = web_address(inner, page) if isinstance(inner, str) else ""
            if address and "url" not in value:
                kept["url"] = address
        elif key in {"@value", "@language"}:
            if isinstance(inner, str) and room.budget.take(_cost(inner)):
                kept[key] = plain_text(inner)
        elif key[:1] != "@" and word not in REFUSED and len(word) <= 100:
            cleaned = _cleaned(inner, word, page, depth + 1, room)
            if cleaned is not None:
                kept[word] = cleaned
    return kept if kept.keys() - {"@type"} else None
