"""Single values as people read them: dates, durations, ratings, places, people, and anything else. Pure.

Nothing that JSON can hold is an error here; every answer has at most `MAX_VALUE` characters, and looking for
it ends after so many of the values that are nested (spec/content.md CT70).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, Final

from mau.content.kinds.values import is_date, is_duration, iso_duration, rating_of
from mau.content.languages import chosen, texts_of
from mau.content.links import word_of
from mau.content.posting import sound

MAX_VALUE: Final = 2000
"""Characters of one value."""
_LOOKED: Final = 200
"""Values that are looked at for one answer."""
_LOOKED_IN_ALL: Final = 20_000
_DEEPEST: Final = 4
_NAMES: Final = ("name", "headline", "title", "text", "articleBody", "legalName")
_PLACES: Final = ("@id", "id", "url", "contentUrl", "href")
_PASSED: Final = frozenset((*_PLACES, "encodingFormat", "sha256", "type"))
_POSTAL: Final = ("streetAddress", "postOfficeBoxNumber", "postalCode", "addressLocality", "addressRegion")
_UNITS: Final = ("years", "months", "weeks", "days", "h", "min", "s")
_MOMENT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d)(?::(\d\d))?(?::(\d\d)(?:[.,]\d+)?)?(Z|[+-][\d:]+)?", re.ASCII
)
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def shortened(text: str, most: int = MAX_VALUE) -> str:
    """The beginning of a text, with an ellipsis for what is left out, without lone surrogates."""
    return sound(text if len(text) <= most else f"{text[: most - 1].rstrip()}…")


def label_of(word: str) -> str:
    """A word as people read it: ``recipeYield`` -> ``Recipe yield``."""
    parts = _HUMP.sub(" ", shortened(word_of(word) or word, 60)).split()
    return " ".join(
        [part.capitalize() if not number else _lowered(part) for number, part in enumerate(parts)]
    )


def _lowered(part: str) -> str:
    return part if part.isupper() and len(part) > 1 else part.lower()


class Speaker:
    """Says values in the language that fits best, until it has looked at very many."""

    def __init__(self, languages: Sequence[str] = (), default: str = "") -> None:
        """`default`: the language of texts that state none."""
        self._languages = languages
        self._default = default
        self._in_all = _LOOKED_IN_ALL
        self._left = 0

    def spoken(self, value: Any) -> str:
        """Any value in words; "" when there is nothing in it."""
        self._left = most = min(_LOOKED, self._in_all)
        said = shortened(self._say(value, _DEEPEST).strip())
        self._in_all -= most - max(self._left, 0)
        return said

    def _say(self, value: Any, depth: int) -> str:
        self._left -= 1
        if self._left < 0:
            return "…"
        if isinstance(value, str):
            return _text(value[: MAX_VALUE + 1])
        if isinstance(value, list):
            return self._list(value, depth)
        if isinstance(value, dict):
            return self._object(value, depth)
        return number_words(value)

    def _list(self, values: list[Any], depth: int) -> str:
        if values and isinstance(values[0], dict) and "@value" in values[0]:
            text = chosen(texts_of(values), self._languages, self._default)[0]
            if text:
                return text[: MAX_VALUE + 1]
        if depth <= 0:
            return "…" if values else ""
        found = []
        for one in values[: self._left + 1]:
            found.append(self._say(one, depth - 1))
            if self._left < 0:
                break
        return ", ".join(filter(None, found))

    def _object(self, value: dict[str, Any], depth: int) -> str:
        if "@value" in value:
            inner = value["@value"]
            return "…" if isinstance(inner, dict | list) else self._say(inner, 0)
        if "@list" in value or "@set" in value:
            return self._say(value.get("@list", value.get("@set")), depth - 1) if depth > 0 else "…"
        rating = stars(value) if "ratingValue" in value else ""
        if rating:
            return rating
        if depth <= 0:
            return "…" if value else ""
        named = next((text for word in _NAMES if (text := self._said(value, word, depth))), "")
        place = self._place(value, depth)
        if named or place:
            where = next((text for word in _PLACES if (text := self._said(value, word, 0))), "")
            parts = [named, place] if place else [named]
            said = ", ".join(filter(None, parts))
            return f"{said} ({where})" if where and where != said and not where.startswith("_:") else said
        return self._said_all(value, depth)

    def _said(self, value: dict[str, Any], word: str, depth: int) -> str:
        held = value.get(word)
        return self._say(held, depth - 1) if held is not None else ""

    def _place(self, value: dict[str, Any], depth: int) -> str:
        """The lines of a postal address, or of the one that a place has."""
        parts = [self._said(value, word, 1) for word in _POSTAL if word in value]
        for word in ("address", "addressCountry"):
            if word in value and (word == "addressCountry" or not parts):
                parts.append(self._said(value, word, depth))
        return ", ".join(filter(None, parts))

    def _said_all(self, value: dict[str, Any], depth: int) -> str:
        alone = next((value[word] for word in _PLACES if word in value), None)
        found = [] if alone is None else [self._say(alone, depth - 1)]
        for word, one in value.items():
            if word.startswith("@") or word in _PASSED:
                continue
            text = self._say(one, depth - 1)
            if text:
                found.append(f"{label_of(word)}: {text}")
            if self._left < 0:
                break
        return "; ".join(found)


def number_words(value: Any) -> str:
    """A number or a truth value in words; "" for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value) if value.bit_length() < 400 else "a number without bounds"
    if isinstance(value, float):
        if not math.isfinite(value):
            return "a number without bounds"
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return ""


def _text(text: str) -> str:
    """A text; a moment or a duration as people read it."""
    if len(text) <= 40 and text[:1].isascii():
        if text[:4].isdigit() and is_date(text):
            return moment_words(text)
        if text[:1] == "P" and is_duration(text):
            return duration_words(text)
    return text


def moment_words(text: str) -> str:
    """A moment of ISO 8601 to the minute, or to the second where that is not 0; anything else as it is."""
    found = _MOMENT.fullmatch(text)
    if found is None or not is_date(text):
        return text
    day, hour, minute, second, zone = found.groups()
    if zone:
        zone = " UTC" if zone in {"Z", "+00", "+0000", "+00:00"} else zone
    return f"{day} {hour}:{minute or '00'}{f':{second}' if second not in (None, '00') else ''}{zone or ''}"


def duration_words(text: str) -> str:
    """A duration of ISO 8601 in words: ``PT1H30M`` -> ``1 h 30 min``; what is none as it is."""
    counts = iso_duration(text)
    if counts is None:
        return text
    parts = []
    for count, unit in zip(counts, _UNITS, strict=True):
        if count.strip("0."):
            number = count.lstrip("0")
            parts.append(f"{number} {unit.removesuffix('s') if number == '1' and len(unit) > 2 else unit}")
    return " ".join(parts) or "0 s"


def stars(value: Any) -> str:
    """A rating as stars and in numbers; "" when it is none."""
    found = rating_of(value)
    if found is None:
        return ""
    given, best = found
    words = f"{number_words(given)} of {number_words(best)}"
    if best > 10 or not best.is_integer():
        return words
    full, half = divmod(round(2 * given), 2)
    return f"{'★' * full}{'½' * half}{'☆' * (int(best) - full - half)} ({words})"
