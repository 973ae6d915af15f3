"""JSON-LD of others, read without ever being made to fetch, recurse or wait (spec/messages.md M20-M27).

`parse` turns bytes into a JSON object or says that they are none: size and nesting are capped before the
parser sees them, and what a parser in another language may read differently (a key given twice, NaN, other
encodings than UTF-8) is noted or refused. `known_context` says whether the words of a document mean what we
think. `expand` is PyLD with a loader that knows only what is bundled here; it is imported on first use,
because the shapes that people really write need no expansion.
"""

from __future__ import annotations

import json
import math
import re
import warnings
from functools import cache
from importlib import resources
from typing import Any

from mau.errors import MalformedPost

MAX_DOCUMENT = 1 << 20  # bytes; larger files are never read as documents
MAX_DEPTH = 64  # nested arrays and objects
MAX_EXPANDED = 4000  # values of a document that PyLD is shown (about 0.2 s)

SCHEMA_ORG = "https://schema.org"
_SCHEMA_SPELLINGS = frozenset(
    {"https://schema.org", "https://schema.org/", "http://schema.org", "http://schema.org/"}
)

_START = re.compile(rb"[ \t\r\n]*\{")
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_NOT_BRACKET = bytes(set(range(256)) - set(b"[]{}"))


class Document(dict[str, Any]):
    """A JSON object; `doubled` holds the keys that its text gives more than once."""

    __slots__ = ("doubled",)
    doubled: frozenset[str]


def parse(data: bytes) -> dict[str, Any] | None:
    """The JSON object that `data` is; None when it is none, is no UTF-8, is too large or nests too deep."""
    if len(data) > MAX_DOCUMENT or not _START.match(data) or not _shallow(data):
        return None
    try:
        document = _DECODER.decode(data.decode())
    except (ValueError, RecursionError):  # ValueError covers UnicodeDecodeError and JSONDecodeError
        return None
    return document if isinstance(document, dict) else None


def _shallow(data: bytes) -> bool:
    if data.count(b"{") + data.count(b"[") <= MAX_DEPTH:
        return True
    depth = 0
    for bracket in _STRING.sub(b"", data).translate(None, _NOT_BRACKET):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            return False
    return True


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    seen: set[str] = set()
    marked = Document(plain)
    marked.doubled = frozenset(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return marked


def _integer(digits: str) -> int | float:
    # int() refuses thousands of digits (and would take quadratic time); nothing we act upon is that large.
    return int(digits) if len(digits) < 400 else math.copysign(math.inf, -1 if digits[0] == "-" else 1)


def _constant(word: str) -> float:
    raise ValueError(f"{word} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_constant=_constant)


def doubled(value: Any) -> frozenset[str]:
    """The keys that an object from `parse` was given more than once."""
    return value.doubled if isinstance(value, Document) else frozenset()


def known_context(document: dict[str, Any]) -> bool:
    """Whether every context of the document is one that is bundled here, so that its words are understood."""
    context = document.get("@context")
    if isinstance(context, str):
        return context in _SCHEMA_SPELLINGS
    if isinstance(context, list):
        return bool(context) and all(isinstance(one, str) and one in _SCHEMA_SPELLINGS for one in context)
    return False


# --- expansion ---------------------------------------------------------------------------------------------


def expand(document: dict[str, Any], base: str) -> list[Any]:
    """Expand with bundled contexts only; what is wrong with the document, or too much, is a MalformedPost."""
    if count_values(document, MAX_EXPANDED) > MAX_EXPANDED:
        raise MalformedPost(f"the document states more than {MAX_EXPANDED} values where a few are expected")
    from pyld import jsonld  # 200 ms that most posts need not pay

    options = {"base": base, "documentLoader": _load, "processingMode": "json-ld-1.1"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of languages that it does not know
            expanded = jsonld.expand(document, options)
    except (jsonld.JsonLdError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise MalformedPost(f"not valid JSON-LD: {type(error).__name__}") from None
    return expanded if isinstance(expanded, list) else []


def count_values(value: Any, enough: int) -> int:
    """How many values (keys included) a JSON value holds; counting ends soon after `enough`."""
    waiting, count = [value], 0
    while waiting and count <= enough:
        one = waiting.pop()
        count += 1
        if isinstance(one, dict):
            count += len(one)
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return count


def _load(url: str, _options: Any = None) -> dict[str, Any]:
    if url not in _SCHEMA_SPELLINGS:
        raise ValueError("only bundled contexts are ever loaded")
    return {
        "contentType": "application/ld+json",
        "contextUrl": None,
        "documentUrl": url,
        "document": _schema(),
        "tag": "static",  # processed once, not for every document
    }


@cache
def _schema() -> dict[str, Any]:
    text = resources.files("mau.content").joinpath("contexts/schema.jsonld").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
