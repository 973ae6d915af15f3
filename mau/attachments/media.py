"""The objects of ``associatedMedia``: how we write them and exchange their sums (AT10-AT14). Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mau.attachments.formats import word_for
from mau.content.address import post_iri, resolve_iri
from mau.errors import AddressMalformed
from mau.fingerprint import Fingerprint

MEDIA: Final = "associatedMedia"
THUMBNAIL: Final = "thumbnail"
URL: Final = "contentUrl"
MAX_PARTS: Final = 400
"""Files of one post that count; what comes after is passed over."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that was stored: as what, under which name, with which sha256 (of the .pgp file).

    ``size`` in bytes of the content; width and height in pixels, 0 when there are none.
    """

    name: str
    sha256: str
    encoding: str
    size: int
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """A file that a document says belongs to it: the post `name` of `author`; `sha256` is "" when not said.

    What it is `called`, its `encoding` and its `alt` text are the document's words: shown, not believed.
    """

    author: Fingerprint
    name: str
    sha256: str = ""
    called: str = ""
    encoding: str = ""
    alt: str = ""
    is_thumbnail: bool = False


def media_object(
    author: Fingerprint, stored: Stored, called: str = "", alt: str = "", thumbnail: Stored | None = None
) -> dict[str, Any]:
    """One object for ``associatedMedia``."""
    made = _object(author, stored)
    made["contentSize"] = f"{stored.size} B"
    if called:
        made["name"] = called
    if alt:
        made["description"] = alt
    if thumbnail is not None:
        made[THUMBNAIL] = _object(author, thumbnail)
    return made


def _object(author: Fingerprint, stored: Stored) -> dict[str, Any]:
    made: dict[str, Any] = {
        "@type": word_for(stored.encoding),
        URL: post_iri(author, stored.name),
        "sha256": stored.sha256,
        "encodingFormat": stored.encoding,
    }
    if stored.width and stored.height:
        made.update(width=stored.width, height=stored.height)
    return made


def with_media(document: Mapping[str, Any], media: list[dict[str, Any]]) -> dict[str, Any]:
    """The document with these objects after those that it has; unchanged when there are none."""
    if not media:
        return dict(document)
    before = document.get(MEDIA, [])
    return {**document, MEDIA: [*(before if isinstance(before, list) else [before]), *media]}


def parts_of(author: Fingerprint, document: Mapping[str, Any] | None) -> list[Part]:
    """The files that belong to a document of `author`, wherever in it they stand; never an error.

    In the order in which they stand there, thumbnails after what they show.
    """
    found: list[Part] = []
    waiting: list[tuple[Any, bool]] = [(document, False)]
    while waiting and len(found) < MAX_PARTS:
        value, small = waiting.pop()
        if isinstance(value, dict):
            part = part_of(author, value, small)
            if part is not None:
                found.append(part)
            waiting += [(one, small or key == THUMBNAIL) for key, one in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [(one, small) for one in reversed(value)]
    return found


def exchange(value: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """A document in which each object with a ``contentUrl`` is replaced by what `change` makes of it."""
    if isinstance(value, list):
        return [exchange(one, change) for one in value]
    if not isinstance(value, dict):
        return value
    made = change(value) if isinstance(value.get(URL), str) else value
    return {key: exchange(one, change) for key, one in made.items()}


def part_of(author: Fingerprint, value: Mapping[str, Any], is_thumbnail: bool = False) -> Part | None:
    """The file that one media object of a document of `author` means; None when it is none of Mau."""
    iri = value.get(URL)
    if not isinstance(iri, str):
        return None
    try:
        address = resolve_iri(iri, author)
    except AddressMalformed:
        return None
    if address is None or address.name is None:
        return None
    return Part(
        address.author,
        address.name,
        address.version or _text(value.get("sha256")),
        _text(value.get("name")),
        _text(value.get("encodingFormat")),
        _text(value.get("description")),
        is_thumbnail,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
