"""Values as people write them and as documents hold them, and what is wrong with one (spec/content.md CT20).

`written` makes of what somebody wrote the shape that documents have; `said` is the way back for what can be
written in one line. Neither fails: what does not fit stays as it is, and `fault` says why it does not. Pure.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from typing import Any, Final

from mau.content.address import resolve_iri
from mau.content.kinds.kind import Value
from mau.errors import AddressMalformed
from mau.fingerprint import Fingerprint

_NOBODY: Final = Fingerprint(bytes(20))  # a base for addresses that need none
_LONGEST: Final = 2000
"""Characters of a value that is not a text; longer ones are no such value."""

_DATE: Final = re.compile(
    r"\d{4}(?:-\d\d(?:-\d\d(?:[T ]\d\d(?::\d\d(?::\d\d(?:[.,]\d{1,9})?)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?)?)?",
    re.ASCII,
)
_ISO_DURATION: Final = re.compile(
    r"P(?=.)(?:(\d{1,6})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})W)?(?:(\d{1,6})D)?"
    r"(?:T(?=.)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6}(?:\.\d{1,9})?)S)?)?",
    re.ASCII,
)
_DURATION: Final = re.compile(
    r"(?:(\d{1,4}) ?(?:d|days?))? ?(?:(\d{1,4}) ?(?:h|hours?))? ?(?:(\d{1,4}) ?(?:m|min|minutes?))?"
    r" ?(?:(\d{1,5}) ?(?:s|sec|seconds?))?",
    re.ASCII,
)
_NUMBER: Final = re.compile(r"[+-]?\d{1,18}(?:\.\d{1,18})?(?:[eE][+-]?\d{1,2})?", re.ASCII)
_RATING: Final = re.compile(r"(\d{1,6}(?:\.\d{1,6})?) ?(?:/|of|out of) ?(\d{1,6})", re.ASCII)
_STARS: Final = re.compile(r"(★{0,10})(☆{0,10})")
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}:[^\x00-\x20\x7f-\x9f<>\"{}|\\^`\ud800-\udfff]+")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,10}")
_ADDRESS: Final = ("mau:", "/p2p/")
_LINK: Final = (*_ADDRESS, "http://", "https://")

_FORMS: Final[dict[Value, str]] = {
    Value.TEXT: "a text",
    Value.DATE: "a date such as 2026-12-24 or 2026-12-24T18:00+01:00",
    Value.DURATION: "a duration such as PT1H30M (1 h 30 min) or P2D (2 days)",
    Value.NUMBER: "a number",
    Value.RATING: "a rating such as 4/5",
    Value.PLACE: "a place: its name or address",
    Value.URL: "an address such as https://example.org/",
    Value.LANGUAGE: "a language such as en or pt-BR",
    Value.PERSON: "a person: a name or an address",
    Value.THING: "a name or an address",
    Value.POST: "an address such as mau:/p2p/FPR/NAME.pgp",
}


def fault(kind: Value, held: Any) -> str:
    """What belongs there, when a single value of a document is not of that kind; "" when it is."""
    return "" if _fits(kind, held) else _FORMS[kind]


def _fits(kind: Value, held: Any) -> bool:
    if isinstance(held, dict) and "@value" in held:
        held = held["@value"]
    match kind:
        case Value.TEXT:
            return isinstance(held, str | dict) or _is_number(held)
        case Value.DATE:
            return isinstance(held, str) and is_date(held)
        case Value.DURATION:
            return isinstance(held, str) and is_duration(held)
        case Value.NUMBER:
            return (
                _is_number(held) or isinstance(held, dict) or (_short(held) and bool(_NUMBER.fullmatch(held)))
            )
        case Value.RATING:
            return rating_of(held) is not None
        case Value.URL:
            return is_url(held) or (isinstance(held, dict) and is_url(_iri(held)))
        case Value.LANGUAGE:
            return isinstance(held, dict) or (_short(held) and bool(_LANGUAGE.fullmatch(held)))
        case Value.POST:
            iri = _iri(held) if isinstance(held, dict) else held
            return is_url(iri) or (isinstance(held, dict) and iri is None)
        case _:
            return isinstance(held, str | dict)


def is_date(text: str) -> bool:
    """Whether that is a day, a month, a year or a moment of ISO 8601, and there is one of that name."""
    if len(text) > 40 or not _DATE.fullmatch(text):
        return False
    if len(text) < 10:
        return len(text) == 4 or (len(text) == 7 and "01" <= text[5:] <= "12")
    try:
        datetime.fromisoformat(text.replace(",", "."))
    except ValueError:
        return False
    return True


def is_duration(text: str) -> bool:
    """Whether that is a duration of ISO 8601."""
    return iso_duration(text) is not None


def iso_duration(text: str) -> tuple[str, ...] | None:
    """A duration from years to seconds (seven counts, "" for what is not said); None when it is none."""
    found = _ISO_DURATION.fullmatch(text) if len(text) <= 60 else None
    return None if found is None else tuple(count or "" for count in found.groups())


def is_url(held: Any) -> bool:
    """Whether that is an absolute address of any scheme, or an address of Mau in any spelling."""
    if not _short(held):
        return False
    if held.startswith(_ADDRESS):
        try:
            return resolve_iri(held, _NOBODY) is not None
        except AddressMalformed:
            return False
    return _URL.fullmatch(held) is not None


def rating_of(held: Any) -> tuple[float, float] | None:
    """A rating and the best that there can be, 5 when it is not said; None when that is none."""
    best: Any = 5
    if isinstance(held, dict):
        held, best = held.get("ratingValue"), held.get("bestRating", 5)
    elif _short(held) and (found := _RATING.fullmatch(held)):
        held, best = found.groups()
    value, most = _number(held), _number(best)
    if value is None or most is None or not 0 <= value <= most or not 0 < most <= 1e6:
        return None
    return value, most


def _number(held: Any) -> float | None:
    if _is_number(held):
        return float(held)
    return float(held) if _short(held) and _NUMBER.fullmatch(held) else None


def _is_number(held: Any) -> bool:
    if isinstance(held, bool):
        return False
    if isinstance(held, int):
        return held.bit_length() < 1000
    return isinstance(held, float) and math.isfinite(held)


def _short(held: Any) -> bool:
    return isinstance(held, str) and len(held) <= _LONGEST


def _iri(held: dict[str, Any]) -> Any:
    return next((held[word] for word in ("@id", "id", "url", "contentUrl") if word in held), None)


# --- people ------------------------------------------------------------------------------------------------


def written(kind: Value, said: Any) -> Any:
    """The value for a document of what somebody wrote: a text, a number or a date (of YAML, for example)."""
    if isinstance(said, datetime | date):
        said = said.isoformat()
    if isinstance(said, bool) or not isinstance(said, str | int | float):
        return said
    text = str(said).strip() if isinstance(said, str) else ""
    match kind:
        case Value.DATE:
            return text.replace(" ", "T", 1) if is_date(text) else str(said)
        case Value.DURATION:
            return _written_duration(text)
        case Value.NUMBER if text and _NUMBER.fullmatch(text):
            return float(text) if {".", "e", "E"} & set(text) else int(text)
        case Value.RATING:
            return _written_rating(text or said)
        case Value.PERSON:
            return {"@id": text} if text.startswith(_ADDRESS) else {"@type": "Person", "name": str(said)}
        case Value.THING:
            return (
                {"@id": text}
                if text.startswith(_LINK) and is_url(text)
                else {"@type": "Thing", "name": str(said)}
            )
        case Value.POST if is_url(text):
            return {"@id": text}
        case Value.TEXT | Value.PLACE | Value.LANGUAGE | Value.URL:
            return said if isinstance(said, str) else str(said)
    return said


def _written_duration(text: str) -> str:
    found = _DURATION.fullmatch(text.lower()) if 0 < len(text) <= 60 else None
    if found is None or not any(found.groups()):
        return text
    days, hours, minutes, seconds = (f"{int(count)}" if count else "" for count in found.groups())
    day = f"{days}D" if days else ""
    parts = zip((hours, minutes, seconds), "HMS", strict=True)
    time = "".join(f"{count}{unit}" for count, unit in parts if count)
    return f"P{day}{'T' if time else ''}{time}"


def _written_rating(said: Any) -> Any:
    stars = _STARS.fullmatch(said) if isinstance(said, str) and said else None
    found = (float(len(stars[1])), float(len(stars[1] + stars[2]))) if stars else rating_of(said)
    if found is None:
        return said
    value, best = found
    return {"@type": "Rating", "ratingValue": _plain(value), "bestRating": _plain(best)}


def _plain(number: float) -> int | float:
    return int(number) if number.is_integer() else number


def said(kind: Value, held: Any) -> str | int | float | None:
    """What somebody would write for a value of a document; None when `written` would not make it of that."""
    line: Any = None
    if isinstance(held, str | int | float) and not isinstance(held, bool):
        line = held
    elif isinstance(held, dict):
        match kind:
            case Value.RATING:
                found = rating_of(held)
                line = None if found is None else f"{_plain(found[0])}/{_plain(found[1])}"
            case Value.PERSON | Value.THING | Value.POST:
                line = held.get("@id", held.get("name"))
    if not isinstance(line, str | int | float):
        return None
    return line if written(kind, line) == held else None
