"""What a document points at: the post it answers, the post it acts upon, files that belong to it. Pure.

Read as people write it (spec/conversations.md), without expanding JSON-LD: nothing is decided by it but what
is shown where. Addresses that are broken or lead elsewhere than to Mau are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from mau.content.activity import unwrapped
from mau.content.address import Address, resolve_iri
from mau.content.posting import type_of
from mau.errors import AddressMalformed
from mau.fingerprint import Fingerprint

Act = Literal["", "share", "like", "dislike", "bookmark", "follow"]

_ACTS: Final[dict[str, Act]] = {
    "ShareAction": "share",
    "LikeAction": "like",
    "DislikeAction": "dislike",
    "BookmarkAction": "bookmark",
    "FollowAction": "follow",
    # ActivityStreams
    "Announce": "share",
    "Like": "like",
    "Dislike": "dislike",
    "Follow": "follow",
}
_AGENTS: Final = ("agent", "actor")
_ANSWERS: Final = ("parentItem", "inReplyTo", "itemReviewed", "about")
_MEDIA: Final = ("associatedMedia", "image", "video", "audio", "attachment", "thumbnail")
_MENTIONS: Final = ("mentions", "recipient", "to", "tag")
_IDS: Final = ("@id", "id", "url", "href", "contentUrl")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MOST: Final = 200
"""Links of one kind; what comes after is passed over."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A post that a document points at; `sha256` is the content that its author saw, None when not said."""

    address: Address
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Links:
    """Where a document points to. `act` is what it does to `objects`; "" when it is no such action.

    Nobody acts for somebody else: an action whose agent is another than its author is none.
    """

    answers: tuple[Reference, ...] = ()
    act: Act = ""
    objects: tuple[Reference, ...] = ()
    mentions: tuple[Fingerprint, ...] = ()
    media: tuple[Reference, ...] = ()


NO_LINKS: Final = Links()


def links_of(author: Fingerprint, document: dict[str, Any] | None) -> Links:
    """Read the links of a document of `author`; never an error."""
    if not document:
        return NO_LINKS
    document = unwrapped(document)
    act = act_of(author, document)
    return Links(
        answers=() if act else _references(author, document, _ANSWERS),
        act=act,
        objects=_references(author, document, ("object",), people=True) if act else (),
        mentions=_people(author, document),
        media=_references(author, document, _MEDIA),
    )


def act_of(author: Fingerprint, document: dict[str, Any]) -> Act:
    """What a document of `author` does; "" when it is no action, or one whose agent is somebody else."""
    document = unwrapped(document)
    act = _ACTS.get(word_of(type_of(document)), "")
    return act if act and _acts_himself(author, document) else ""


def _acts_himself(author: Fingerprint, document: dict[str, Any]) -> bool:
    """Whether no address of an agent is stated, or one of them is the author's."""
    stated = [
        iri for value in _values(document, _AGENTS) for iri, _ in _stated(value) if ":" in iri or "/" in iri
    ]
    return not stated or any(_address(author, iri) == Address(author) for iri in stated)


def word_of(term: str) -> str:
    """A term without the prefix or the vocabulary before it: ``https://schema.org/name`` -> ``name``."""
    return term.replace("#", "/").replace(":", "/").rpartition("/")[2]


def _references(
    author: Fingerprint, document: dict[str, Any], words: tuple[str, ...], *, people: bool = False
) -> tuple[Reference, ...]:
    found: dict[Reference, None] = {}
    for value in _values(document, words):
        for iri, sha256 in _stated(value):
            address = _address(author, iri)
            if address is None or (address.name is None and not people):
                continue
            found[Reference(Address(address.author, address.name), address.version or sha256)] = None
            break
        if len(found) >= _MOST:
            break
    return tuple(found)


def _people(author: Fingerprint, document: dict[str, Any]) -> tuple[Fingerprint, ...]:
    found: dict[Fingerprint, None] = {}
    for value in _values(document, _MENTIONS):
        for iri, _ in _stated(value):
            address = _address(author, iri)
            if address is not None and address.name is None:
                found[address.author] = None
                break
        if len(found) >= _MOST:
            break
    return tuple(found)


def _values(document: dict[str, Any], words: tuple[str, ...]) -> Iterator[Any]:
    for key, value in document.items():
        if word_of(key) in words:
            yield from value if isinstance(value, list) else [value]


def _stated(value: Any) -> Iterator[tuple[str, str | None]]:
    """The addresses that one value gives, the most telling first, with the sha256 beside them."""
    if isinstance(value, str):
        yield value, None
    elif isinstance(value, dict):
        said = value.get("sha256")
        sha256 = said if isinstance(said, str) and _SHA256.fullmatch(said) else None
        for key in _IDS:
            iri = value.get(key)
            if isinstance(iri, str):
                yield iri, sha256


def _address(author: Fingerprint, iri: str) -> Address | None:
    # A plain word would resolve to a post of that name: only what is written as an address is one here.
    if not iri.startswith("/p2p/") and iri[:4].lower() != "mau:":
        return None
    try:
        return resolve_iri(iri, author)
    except AddressMalformed:
        return None
