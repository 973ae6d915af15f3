"""A public post as the pages know it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mau.content.shown import Media, languages_in, shown
from mau.fingerprint import Fingerprint

PER_PAGE = 20
"""Posts on one page of the list."""
IN_FEED = 50
"""Posts in the feed: the newest."""
MAX_TEXT = 64 * 1024
"""Bytes of a file that is no document, up to which it is shown as text."""
_TITLE = 80
_LANGUAGES = 10


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose posts they are; ``created`` is the key's time in unix seconds."""

    fingerprint: Fingerprint
    name: str
    created: int


@dataclass(frozen=True, slots=True)
class Brief:
    """One public post without its content. ``signed_at`` in unix seconds; ``size`` of the file, in bytes.

    ``bound``: it states its name and that it is public, so that others may pass it on. ``shown``: it is in
    the list of posts and in the feed; a DeleteAction is not.
    """

    name: str
    sha256: str
    size: int
    signed_at: int
    bound: bool
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Post:
    """A public post with what there is to show of it.

    ``document``: the JSON object that it is, and ``source`` its text word for word; None when it is none.
    ``text``: what there is to read: title, text and facts.
    ``filename``: what the file was called. ``content_size``: in bytes.
    """

    brief: Brief
    document: dict[str, Any] | None
    source: str
    text: str
    filename: str | None
    content_size: int

    @property
    def stem(self) -> str:
        """The name without ``.pgp``."""
        return self.brief.name.removesuffix(".pgp")

    @property
    def title(self) -> str:
        """A short line that tells it from others: never empty."""
        first = self.filename or next(filter(None, map(str.strip, self.text.splitlines())), "")
        return shortened(" ".join(first.split()), _TITLE) or self.stem


def make_post(
    author: Fingerprint,
    brief: Brief,
    document: dict[str, Any] | None,
    data: bytes | None,
    filename: str | None,
    size: int,
) -> Post:
    """``data``: the content, None when it is too large to be shown; ``document``: the object that it is."""
    if document is not None and data is not None:
        return Post(brief, document, data.decode(), _text(author, brief, document), filename, size)
    return Post(brief, None, "", _readable(data), filename, size)


def shown_of(briefs: Iterable[Brief]) -> list[Brief]:
    """Those that are shown as posts, in their order."""
    return [brief for brief in briefs if brief.shown]


def shortened(text: str, characters: int) -> str:
    """At most so many characters, with an ellipsis for what is left out."""
    return text if len(text) <= characters else text[: characters - 1].rstrip() + "…"


def count_pages(posts: int) -> int:
    """How many pages a list has: at least one."""
    return max(1, -(-posts // PER_PAGE))


def _text(author: Fingerprint, brief: Brief, document: dict[str, Any]) -> str:
    seen = shown(author, document, signed_at=brief.signed_at)
    # A page is for everybody: title and text in the other languages follow.
    others = [shown(author, document, [one]) for one in languages_in(document)[:_LANGUAGES] if one]
    texts = dict.fromkeys("\n\n".join(filter(None, (one.title, one.body))) for one in (seen, *others))
    facts = seen.text_of_facts
    media = "\n".join(map(_medium, seen.media))
    return "\n\n".join(filter(None, (*texts, facts, media)))


def _medium(media: Media) -> str:
    """The line that stands for a picture or another file: a page has none of them in it."""
    words = {"image": "Picture", "video": "Film", "audio": "Sound", "file": "File"}[media.kind]
    where = media.url if media.reference is None else str(media.reference.address)
    return f"[{words}: {', '.join(filter(None, (media.alt or media.name, media.size)))}] {where}"


def _readable(data: bytes | None) -> str:
    """The content if it is plain text, else ""."""
    if data is None or len(data) > MAX_TEXT:
        return ""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return ""
    return "" if any(sign < " " and sign not in "\t\n\r\f" for sign in text) else text
