"""From what a person wrote to a document that can be published (spec/writing.md P60-P69). Pure.

A page (Markdown below words) or, raw, the document itself in JSON. Who wrote it and when is added; what is
wrong is a PageMalformed that says where.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from mau.content.address import person_iri
from mau.content.binding import UNBOUND, Audience, Statement, document_statement
from mau.content.frontmatter import (
    AUDIENCE,
    Page,
    document_of,
    doubtful_words,
    kind_of_page,
    read_page,
)
from mau.content.jsonld import MAX_DEPTH, MAX_DOCUMENT, doubled, parse
from mau.content.kinds import Kind, kind_of, problems
from mau.content.posting import type_of
from mau.content.tags import with_keywords
from mau.content.templates import without_empty
from mau.content.yamltext import same
from mau.errors import MalformedPost, PageMalformed, Renamed
from mau.fingerprint import Fingerprint

Form = Literal["md", "json"]
FORMS: Final[tuple[Form, ...]] = ("md", "json")
_ABOUT_WORD: Final = re.compile(r"([A-Za-z]+):|needs ([A-Za-z]+)$")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_WORDS_OF_A_PAGE: Final = {"keywords": "tags", "inLanguage": "language"}


@dataclass(frozen=True, slots=True)
class Written:
    """What somebody wrote: the document, and what it says about the post that it shall become.

    `audience` are words for people and groups, `stated` the audience that a raw document states itself; both
    can be missing. `name` is "" when it names none. `attach` are paths.
    """

    document: dict[str, Any]
    audience: tuple[str, ...] = ()
    stated: Audience | None = None
    name: str = ""
    attach: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What may be a mistake, and was taken as it stands."""


def read_written(
    text: str,
    form: Form,
    author: Fingerprint,
    kind: Kind,
    base: Mapping[str, Any] | None = None,
    *,
    refer: Callable[[str], str] | None = None,
) -> Written:
    """Read a page or a raw document of `author`; `kind` is what a page is that names no type.

    `base`: the document that the page was made of, `refer`: what short references mean (`document_of`).
    PageMalformed, and what `refer` raises.
    """
    if form == "json":
        return _raw(text, author, new=base is None)
    return _page(read_page(text), kind, base, refer)


def _page(
    page: Page, kind: Kind, base: Mapping[str, Any] | None, refer: Callable[[str], str] | None
) -> Written:
    document = document_of(page, kind, base, refer=refer)
    wrong = problems(document)
    if wrong:
        raise PageMalformed("\n".join(_placed(page, kind_of_page(page, kind), one) for one in wrong))
    people = tuple(word for key in AUDIENCE for word in page.listed(key))
    notes = tuple(doubtful_words(page, kind, base))
    return Written(document, people, None, page.text("name"), page.listed("attach"), notes)


def _placed(page: Page, kind: Kind, problem: str) -> str:
    """A problem in the words of the page, with the line of the word that it is about."""
    found = _ABOUT_WORD.match(problem) or _ABOUT_WORD.search(problem)
    word = (found[1] or found[2]) if found else ""
    said = "title" if word == kind.title else _WORDS_OF_A_PAGE.get(word, word)
    if word and problem.endswith(f"needs {word}"):
        called = "a text below the words" if word == kind.body else f"`{said}:`"
        return f"{problem.removesuffix(word)}{called}"
    return f"{page.where(said) or page.where(word)}{problem}"


def _raw(text: str, author: Fingerprint, *, new: bool) -> Written:
    data = text.encode("utf-8", "replace")
    document = parse(data)
    if document is None:
        raise PageMalformed(_why_not(text))
    twice = _twice(document)
    if twice:
        raise PageMalformed(f"{twice!r:.80} is there twice in one object")
    if new:
        document = without_empty(document)
    wrong = problems(document)
    if wrong:
        raise PageMalformed("\n".join(wrong))
    statement = _statement(author, document)
    return Written(document, (), statement.audience, statement.name or "")


def _twice(document: dict[str, Any]) -> str:
    """A word that an object of the document gives more than once, "" when none does."""
    waiting: list[Any] = [document]
    while waiting:
        value = waiting.pop()
        if doubled(value):
            return min(doubled(value))
        if isinstance(value, dict | list):
            waiting.extend(value.values() if isinstance(value, dict) else value)
    return ""


def _statement(author: Fingerprint, document: dict[str, Any]) -> Statement:
    try:
        return document_statement(author, document) if "@context" in document else UNBOUND
    except (MalformedPost, Renamed) as error:
        raise PageMalformed(f"that cannot be a post of yours: {error}") from None


def _why_not(text: str) -> str:
    if len(text.encode("utf-8", "replace")) > MAX_DOCUMENT:
        return f"a document has at most {MAX_DOCUMENT >> 20} MiB"
    try:
        read = json.loads(text)
    except json.JSONDecodeError as error:
        return f"line {error.lineno}: no JSON: {error.msg[:1].lower()}{error.msg[1:]}"
    except (ValueError, RecursionError):
        read = {}
    if not isinstance(read, dict):
        return "line 1: a document is one object, between { and }"
    return f"a document nests at most {MAX_DEPTH} deep, and NaN is no JSON"


def raw_page(document: Mapping[str, Any]) -> str:
    """A document as JSON that people can read and change."""
    text = json.dumps(finite(document), ensure_ascii=False, indent=2)
    return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text) + "\n"


def finite(value: Any) -> Any:
    """A value with null in the place of numbers that no JSON can hold."""
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def says_nothing(text: str, form: Form, start: str) -> bool:
    """Whether somebody emptied what he was given, or left all of it that counts: nothing after all."""
    if not text.strip() or text == start:
        return True
    if form == "json":
        return text.strip() in {"{}", "null"}
    try:
        page, given = read_page(text), read_page(start)
    except PageMalformed:
        return False
    empty = not page.meta and not page.body.strip()
    return empty or (same(page.meta, given.meta) and page.body.strip() == given.body.strip())


# --- who and when ------------------------------------------------------------------------------------------

_SAID: Final = frozenset({"Comment", "Answer"})
_NEITHER: Final = frozenset({"Person", "Event"})


def stamped(document: Mapping[str, Any], author: Fingerprint, now: datetime) -> dict[str, Any]:
    """A new document with its author, time and tags, in the words of its type, where it does not say them."""
    me = {"@id": person_iri(author)}
    kind = kind_of(dict(document)).name
    if kind in _NEITHER:
        return dict(document)
    if kind.endswith("Action"):
        words: dict[str, Any] = {"agent": me, "startTime": moment(now)}
    elif kind == "Message":
        words = {"sender": me, "dateSent": moment(now)}
    elif kind in _SAID:
        words = {"author": me, "dateCreated": moment(now)}
    else:
        words = {"author": me, "datePublished": moment(now)}
    first = {"@type": document["@type"]} if "@type" in document else {}
    missing = {word: value for word, value in words.items() if word not in document}
    return with_keywords({**first, **missing, **document})


def restamped(
    document: Mapping[str, Any], now: datetime, before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A document that was changed, saying when; `before`: what it was, whose tags may have gone."""
    return with_keywords({**document, "dateModified": moment(now)}, before)


def moment(now: datetime) -> str:
    """A time as documents state it."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_of(seconds: float) -> str:
    """Unix seconds as documents state a time."""
    return moment(datetime.fromtimestamp(seconds, UTC))


def title_words(document: Mapping[str, Any]) -> str:
    """The words that a name may be made of: the title, else the text."""
    from mau.content.posting import text_of

    return text_of(dict(document))[:200] or type_of(dict(document))
