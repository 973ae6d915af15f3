"""What there is to read in a post, kept for those that were shown lately (spec/reading.md RE7).

Opening a post costs a millisecond, and loading what opens it more than showing a page does. So what was shown
is kept beside the notes, sealed to the account, and taken only for a file that is still the one it came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mau.content.binding import PUBLIC, Audience
from mau.fingerprint import Fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mau.reader.open import OpenedPost

LARGEST: Final = 64 << 10
"""Bytes of a content that is kept; larger ones are opened each time."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a post that holds says. `size` is the content's in bytes, `signed_at` in unix seconds; `document`,
    `filename`, `audience` and `notes` as those of `OpenedPost`."""

    author: Fingerprint
    name: str
    signed_at: int
    size: int
    document: dict[str, Any] | None
    audience: Audience | None = None
    filename: str | None = None
    notes: tuple[str, ...] = ()


def content_of(post: OpenedPost) -> Content:
    """The content of a post that was opened."""
    return Content(
        post.author,
        post.name,
        post.signed_at,
        post.opened.size,
        post.document,
        post.audience,
        post.filename,
        post.notes,
    )


def dump_content(content: Content) -> dict[str, Any]:
    """As JSON."""
    audience: object = None
    if content.audience == PUBLIC:
        audience = "everybody"
    elif content.audience is not None:
        audience = sorted(one.hex for one in content.audience)
    return {
        "author": content.author.hex,
        "name": content.name,
        "signed_at": content.signed_at,
        "size": content.size,
        "document": content.document,
        "audience": audience,
        "filename": content.filename,
        "notes": content.notes,
    }


def load_content(said: Mapping[str, Any]) -> Content:
    """Back from `dump_content`."""
    audience = said["audience"]
    people: Audience | None = None
    if audience is not None:
        people = PUBLIC if isinstance(audience, str) else frozenset(map(Fingerprint.parse, audience))
    return Content(
        Fingerprint.parse(said["author"]),
        said["name"],
        said["signed_at"],
        said["size"],
        said["document"],
        people,
        said["filename"],
        tuple(said["notes"]),
    )
