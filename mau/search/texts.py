"""What of a post can be searched: its title, its texts, its tags and names (spec/search.md T1-T6). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mau.content.links import word_of

if TYPE_CHECKING:
    from mau.reader.open import OpenedPost
    from mau.reader.summary import Summary

MAX_TEXT: Final = 256 << 10
"""Characters of one post that are searched."""
_MOST: Final = 4000
"""Values of a document that are looked at."""
_TITLES: Final = frozenset({"headline", "alternativeHeadline", "name", "title"})
# Words whose values are no text of a person: addresses, sums, times, kinds.
_PASSED: Final = frozenset({
    "@context", "@id", "@type", "@language", "@direction", "id", "type", "url", "sha256", "contentUrl",
    "contentSize", "encodingFormat", "thumbnail", "thumbnailUrl", "audience", "agent", "inLanguage",
    "sameAs", "datePublished", "dateModified", "dateCreated", "dateSent", "startTime", "endTime", "published",
    "updated", "mediaType", "width", "height", "identifier", "isBasedOn", "sdPublisher", "sdDatePublished",
})  # fmt: skip
_ADDRESS: Final = re.compile(r"(?:[a-z][a-z0-9+.-]*:|/p2p/)\S*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Texts:
    """`title`: what it is called; `body`: what it says; `labels`: its tags and the names of its file."""

    title: str = ""
    body: str = ""
    labels: str = ""


NO_TEXTS: Final = Texts()


def texts_of(summary: Summary, post: OpenedPost | None) -> Texts:
    """The texts of a post; of one that was not opened, its names alone."""
    labels = [*summary.tags, summary.name.removesuffix(".pgp")]
    if post is None:
        return Texts(labels="\n".join(labels))
    if post.filename:
        labels.append(post.filename)
    if post.document is None:
        return Texts(body=_plain(post.opened.data), labels="\n".join(labels))
    titles: list[str] = []
    bodies: list[str] = []
    room = MAX_TEXT
    for key, text in _texts(post.document):
        taken = text[:room]
        room -= len(taken)
        (titles if key in _TITLES else bodies).append(taken)
        if room <= 0:
            break
    return Texts("\n".join(titles), "\n".join(bodies), "\n".join(labels))


def _texts(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every text in a document with the word it stands under, in its order; at the top a title is a title."""
    waiting: list[tuple[str, Any, int]] = [("", document, 0)]
    count = 0
    while waiting and count < _MOST:
        key, value, depth = waiting.pop()
        count += 1
        if isinstance(value, str):
            if not _ADDRESS.fullmatch(value):
                yield (key if depth <= 1 else "", value)
        elif isinstance(value, list):
            waiting.extend((key, one, depth) for one in reversed(value[:_MOST]))
        elif isinstance(value, dict):
            inner = [(word_of(word), one) for word, one in value.items() if word_of(word) not in _PASSED]
            # A text with its language is one value with the word that it stands under.
            waiting.extend(
                (key, one, depth) if word == "@value" else (word, one, depth + 1)
                for word, one in reversed(inner[:_MOST])
            )


def _plain(data: bytes | None) -> str:
    """The content of a file if it is plain text, else ""."""
    if data is None or len(data) > 4 * MAX_TEXT or b"\0" in data:
        return ""
    try:
        return data.decode()[:MAX_TEXT]
    except UnicodeDecodeError:
        return ""
