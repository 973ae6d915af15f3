"""What a source has: documents in our words, not yet anybody's post (spec/imports.md). Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Reach = Literal["public", "followers", "direct"]
"""For whom it was where it comes from."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of an archive that belongs to a document: its path in there, and what is in it, in words."""

    place: str
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One document. `id` is the source's own name for it, `answers` that of what it answers ("": nothing).

    `document` is in the words of schema.org and holds neither an address of Mau nor an audience.
    """

    id: str
    document: dict[str, Any]
    published: datetime | None = None
    reach: Reach = "public"
    answers: str = ""
    files: tuple[FoundFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What one source has, oldest first. `title` is what it calls itself; `feeds` are others that it names.

    `left_out`: how many were passed over, by the reason in words.
    """

    title: str
    items: tuple[Found, ...] = ()
    feeds: tuple[str, ...] = ()
    left_out: Counter[str] = field(default_factory=Counter)
