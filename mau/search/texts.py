"""What of a post can be searched: texts, tags, the names of its file (spec/search.md ST1-ST6). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mau.content.shown import words_of

if TYPE_CHECKING:
    from mau.reader.open import OpenedPost
    from mau.reader.summary import Summary

MAX_TEXT: Final = 256 << 10
"""Characters of one post that are searched."""


@dataclass(frozen=True, slots=True)
class Texts:
    """`body`: all there is to read in it, in every language; `labels`: its tags and the names of its file."""

    body: str = ""
    labels: str = ""


def texts_of(summary: Summary, post: OpenedPost | None) -> Texts:
    """The texts of a post; of one that was not opened, its names alone."""
    labels = [*summary.tags, summary.name.removesuffix(".pgp")]
    body = ""
    if post is not None:
        if post.filename:
            labels.append(post.filename)
        if post.document is not None:
            body = words_of(post.author, post.document, signed_at=post.signed_at)[:MAX_TEXT]
        else:
            body = _plain(post.opened.data)
    return Texts(body, "\n".join(labels))


def _plain(data: bytes | None) -> str:
    """The content of a file if it is plain text, else ""."""
    if data is None or len(data) > 4 * MAX_TEXT or b"\0" in data:
        return ""
    try:
        return data.decode()[:MAX_TEXT]
    except UnicodeDecodeError:
        return ""
