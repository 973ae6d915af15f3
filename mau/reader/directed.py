"""Whether a document answers or names somebody. Pure.

Read as people write it, without expanding JSON-LD: nothing is decided by it but what somebody is shown first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal

from mau.content.address import resolve_iri
from mau.errors import AddressMalformed
from mau.fingerprint import Fingerprint

Directed = Literal["post", "reply", "mention"]

_ANSWERS: Final = frozenset({"inReplyTo", "parentItem", "about"})
_NAMES: Final = frozenset({"mentions", "about", "tag", "to", "inReplyTo", "parentItem"})
_LINKS: Final = ("@id", "id", "href", "url")
_MOST: Final = 1000  # links of one document that are looked at


def directed_at(me: Fingerprint, author: Fingerprint, document: dict[str, Any] | None) -> Directed:
    """What a document of `author` is to me: an answer to a post of mine, a mention of me, or just a post.

    An answer says ``inReplyTo``, ``parentItem`` or ``about`` of an address of a post of mine; a mention names
    me, or a post of mine, in one of these or in ``mentions``, ``tag`` or ``to``.
    """
    found: Directed = "post"
    left = _MOST
    for key, value in (document or {}).items():
        word = _word(key)
        if word not in _NAMES:
            continue
        for link in _links(value):
            left -= 1
            if left < 0:
                return found
            try:
                address = resolve_iri(link, author)
            except AddressMalformed:
                continue
            if address is None or address.author != me:
                continue
            if word in _ANSWERS and address.name is not None:
                return "reply"
            found = "mention"
    return found


def _word(key: str) -> str:
    """A term without the prefix or the vocabulary before it."""
    return key.replace("#", "/").replace(":", "/").rpartition("/")[2]


def _links(value: Any) -> Iterator[str]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            yield from (one[key] for key in _LINKS if isinstance(one.get(key), str))
