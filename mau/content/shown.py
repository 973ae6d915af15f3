"""Any document as people see it: title, text, facts, media (spec/content.md CT60-CT78). Pure, never an error.

What comes in may be anything that JSON can hold, by anybody. What comes out is bounded, holds no lone
surrogates, and is plain text: whoever shows it escapes what steers a terminal, and writes HTML of it himself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from mau.content.activity import as_schema
from mau.content.address import person_iri
from mau.content.facts import Fact, facts_of
from mau.content.kinds import THING, kind_of
from mau.content.languages import chosen, is_language, texts_of
from mau.content.links import word_of
from mau.content.media import Media, media_of
from mau.content.plaintext import text_of_html
from mau.content.posting import sound, type_of
from mau.content.spoken import Speaker, shortened
from mau.fingerprint import Fingerprint

__all__ = ["Fact", "Media", "Shown", "shown", "words_of"]

MAX_TITLE: Final = 300
MAX_BODY: Final = 1 << 20
"""Characters: a document that `jsonld.parse` reads has no longer text."""
_TITLES: Final = ("headline", "name")
_BODIES: Final = ("articleBody", "text", "reviewBody", "description")
_HTML: Final = ("text/html", "application/xhtml+xml")

_LINK: Final = re.compile(r"(?<!\S)\(?(?:mau:)?/p2p/[0-9a-f]{40}\S*", re.IGNORECASE)

Markup = Literal["markdown", "plain"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A document as people see it.

    `type` is its word in schema.org, `language` that of the body, "" when not said. `markup`: whether the
    body is Markdown, or a text that means what it says.
    """

    type: str
    title: str
    body: str
    facts: tuple[Fact, ...] = ()
    media: tuple[Media, ...] = ()
    language: str = ""
    markup: Markup = "markdown"

    @property
    def text(self) -> str:
        """Title, body and facts as one plain text."""
        return "\n\n".join(filter(None, (self.title, self.body, self.text_of_facts)))

    @property
    def text_of_facts(self) -> str:
        """The facts, each beginning a line."""
        return "\n".join(map(_line, self.facts))


def shown(
    author: Fingerprint,
    document: dict[str, Any],
    languages: Sequence[str] = (),
    *,
    signed_at: int | None = None,
) -> Shown:
    """What there is to see of a document of `author`, in the first of `languages` that it has.

    With `signed_at`, in unix seconds, dates that only repeat it are no facts.
    """
    seen = as_schema(document)
    kind = kind_of(seen)
    held = _plain_words(seen)
    stated = held.get("inLanguage")
    default = stated if isinstance(stated, str) and is_language(stated) else ""
    title_word, title, _ = _text(held, kind.title, _TITLES, languages, default)
    body_word, body, language = _text(held, None if kind is THING else kind.body, _BODIES, languages, default)
    markup, body = _markup(held, body)
    speaker = Speaker(languages, default)
    told = frozenset(filter(None, (title_word, body_word)))
    return Shown(
        type=shortened(word_of(type_of(seen)), 100),
        title=shortened(" ".join(title[: 4 * MAX_TITLE].split()), MAX_TITLE),
        body=shortened(body.replace("\r\n", "\n").replace("\r", "\n").strip("\n"), MAX_BODY),
        facts=facts_of(held, kind, told, speaker, author=person_iri(author), signed_at=signed_at),
        media=media_of(author, held, Speaker(languages, default)),
        language=language,
        markup=markup,
    )


def languages_in(document: dict[str, Any]) -> tuple[str, ...]:
    """The languages that title and text of a document are in, in their order; "" for none that is said."""
    seen = as_schema(document)
    held = _plain_words(seen)
    kind = kind_of(seen)
    words = dict.fromkeys(filter(None, (kind.title, kind.body, *_TITLES, *_BODIES)))
    return tuple(dict.fromkeys(language for word in words for _, language in texts_of(held.get(word))))


def words_of(author: Fingerprint, document: dict[str, Any], *, signed_at: int | None = None) -> str:
    """All there is to read in a document, in every language, for a search: bounded like what is shown.

    Without the posts and people of Mau that it links to: addresses are no text. `signed_at` as of `shown`.
    """
    seen = as_schema(document)
    held = _plain_words(seen)
    texts = [text for word in (*_TITLES, *_BODIES, "abstract") for text, _ in texts_of(held.get(word))]
    parts = shown(author, document, signed_at=signed_at)
    alt = [f"{media.name} {media.alt}".strip() for media in parts.media]
    told = [_LINK.sub("", fact.value).strip() for fact in parts.facts]
    return sound("\n".join(dict.fromkeys(filter(None, (*texts, *told, *alt)))))[:MAX_BODY]


def _plain_words(document: dict[str, Any]) -> dict[str, Any]:
    """The words of a document without prefixes; what is given without one counts before its other forms."""
    held: dict[str, Any] = {}
    for key, value in document.items():
        word = key if key.startswith("@") else word_of(key) or key
        if word not in held or word == key:
            held[word] = value
    return held


def _text(
    held: dict[str, Any], best: str | None, others: tuple[str, ...], languages: Sequence[str], default: str
) -> tuple[str, str, str]:
    """The first of some words that has a text: the word, the text, its language."""
    for word in (best, *others) if best else others:
        text, language = chosen(texts_of(held.get(word)), languages, default)
        if text.strip():
            return word, text, language
    return "", "", ""


def _markup(held: dict[str, Any], body: str) -> tuple[Markup, str]:
    """What the body is written in: Markdown unless the document says something else."""
    stated = held.get("encodingFormat")
    if isinstance(stated, str) and stated in _HTML:
        return "plain", text_of_html(body)
    return ("plain" if isinstance(stated, str) and stated.startswith("text/plain") else "markdown"), body


def _line(fact: Fact) -> str:
    return "\n".join([f"{fact.label}:", *fact.marked]) if fact.items else f"{fact.label}: {fact.value}"
