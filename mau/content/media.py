"""The pictures, films and files that belong to a document (spec/content.md CT77, CT78). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from mau.content.address import Address, resolve_iri
from mau.content.kinds import kind_of
from mau.content.links import Reference
from mau.content.spoken import Speaker, shortened
from mau.errors import AddressMalformed
from mau.fingerprint import Fingerprint

Sort = Literal["image", "video", "audio", "file"]

MAX_MEDIA: Final = 100
WORDS: Final = ("associatedMedia", "image", "video", "audio", "photo", "logo", "encoding")
"""Words whose values are media."""
_BY_WORD: Final[dict[str, Sort]] = {
    "image": "image",
    "photo": "image",
    "logo": "image",
    "thumbnail": "image",
    "video": "video",
    "audio": "audio",
}
_BY_TYPE: Final[dict[str, Sort]] = {
    "ImageObject": "image",
    "VideoObject": "video",
    "AudioObject": "audio",
}
_LONGEST: Final = 2000
_LARGEST: Final = 1_000_000  # pixels


@dataclass(frozen=True, slots=True)
class Media:
    """A picture, a film or another file that belongs to a document.

    `reference`: where it lies in Mau; `url`: where on the web, "" when nowhere. `alt`: what is in it.
    Width and height in pixels, 0 when not said; `size` as it is said.
    """

    reference: Reference | None
    url: str
    kind: Sort
    name: str
    alt: str
    encoding: str
    width: int
    height: int
    thumbnail: Reference | None
    size: str = ""


def media_of(author: Fingerprint, held: dict[str, Any], speaker: Speaker) -> tuple[Media, ...]:
    """The media of a document of `author` whose words have no prefixes; at most `MAX_MEDIA`, each once."""
    found: dict[tuple[Reference | None, str], Media] = {}
    for word, value in _values(held):
        media = _medium(author, value, _BY_WORD.get(word, "file"), speaker)
        if media is not None:
            found.setdefault((media.reference, media.url), media)
        if len(found) == MAX_MEDIA:
            break
    return tuple(found.values())


def _values(held: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What may be one of them; a document that is a picture itself comes first."""
    if "contentUrl" in held:
        yield "", held
    for word in WORDS:
        value = held.get(word)
        for one in (value if isinstance(value, list) else [value])[: 2 * MAX_MEDIA]:
            yield word, one


def _medium(author: Fingerprint, value: Any, sort: Sort, speaker: Speaker) -> Media | None:
    if isinstance(value, str):
        value = {"contentUrl": value}
    if not isinstance(value, dict):
        return None
    reference, url = _place(author, value)
    if reference is None and not url:
        return None
    known = _BY_TYPE.get(kind_of(value).name)
    encoding = _field(value, "encodingFormat", speaker, 100)
    main = encoding.partition("/")[0]
    thumbnail = value.get("thumbnail")
    return Media(
        reference,
        url,
        known or (main if main in {"image", "video", "audio"} else sort),  # type: ignore[arg-type]
        _field(value, "name", speaker, 200),
        _field(value, "description", speaker, 1000) or _field(value, "caption", speaker, 1000),
        encoding,
        _pixels(value.get("width")),
        _pixels(value.get("height")),
        _place(author, thumbnail)[0] if isinstance(thumbnail, dict) else None,
        _field(value, "contentSize", speaker, 40),
    )


def _place(author: Fingerprint, value: dict[str, Any]) -> tuple[Reference | None, str]:
    """Where it lies: in Mau, or on the web."""
    said = value.get("sha256")
    sha256 = said if isinstance(said, str) and len(said) == 64 and said.isalnum() else None
    for word in ("contentUrl", "@id", "url", "id"):
        held = value.get(word)
        iri = held.get("@id", held.get("id")) if isinstance(held, dict) else held
        if not isinstance(iri, str) or len(iri) > _LONGEST:
            continue
        if iri.startswith(("mau:", "/p2p/")):
            address = _address(author, iri)
            if address is not None and address.name is not None:
                return Reference(Address(address.author, address.name), address.version or sha256), ""
        elif iri.startswith(("https://", "http://")):
            return None, shortened(iri)
    return None, ""


def _address(author: Fingerprint, iri: str) -> Address | None:
    try:
        return resolve_iri(iri, author)
    except AddressMalformed:
        return None


def _field(value: dict[str, Any], word: str, speaker: Speaker, most: int) -> str:
    held = value.get(word)
    return " ".join(shortened(speaker.spoken(held), most).split()) if held is not None else ""


def _pixels(value: Any) -> int:
    if isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 8:
        value = int(value)
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LARGEST
    return int(value) if fits else 0
