"""Whether a document answers, names or is for somebody. Pure.

Read as people write it, without expanding JSON-LD: nothing is decided by it but what somebody is shown first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal

from mau.content.activity import unwrapped
from mau.content.address import Address, resolve_iri
from mau.content.links import act_of, word_of
from mau.content.posting import type_of
from mau.errors import AddressMalformed
from mau.fingerprint import Fingerprint

Directed = Literal["post", "reply", "mention", "like", "dislike", "share", "follow", "message"]

_ACTS: Final[dict[str, Directed]] = {
    "like": "like",
    "dislike": "dislike",
    "share": "share",
    "follow": "follow",
}
_ANSWERS: Final = frozenset({"inReplyTo", "parentItem", "about"})
_NAMES: Final = frozenset({"mentions", "about", "tag", "to", "inReplyTo", "parentItem"})
_RECIPIENTS: Final = frozenset({"recipient", "toRecipient", "ccRecipient", "bccRecipient"})
_LINKS: Final = ("@id", "id", "href", "url")
_MOST: Final = 1000  # links of one document that are looked at


def directed_at(me: Fingerprint, author: Fingerprint, document: dict[str, Any] | None) -> Directed:
    """What a document of `author` is to me: an answer to a post of mine, a like of it, a message to me ...

    An answer says ``inReplyTo``, ``parentItem`` or ``about`` of an address of a post of mine; a mention names
    me, or a post of mine, in one of these or in ``mentions``, ``tag`` or ``to``. A like or a share has a post
    of mine as its ``object``, and its author as its agent; a message has me as a ``recipient``.
    """
    if not document:
        return "post"
    document = unwrapped(document)
    act = act_of(author, document)
    if act:
        return _ACTS.get(act, "post") if _acted_upon(me, author, document) else "post"
    found: Directed = "post"
    is_message = word_of(type_of(document)) == "Message"
    for word, address in _addresses(author, document):
        if address.author != me:
            continue
        if is_message and word in _RECIPIENTS:
            return "message"
        if word in _ANSWERS and address.name is not None:
            if not is_message:
                return "reply"
            found = "reply"
        elif word in _NAMES and found == "post":
            found = "mention"
    return found


def _acted_upon(me: Fingerprint, author: Fingerprint, document: dict[str, Any]) -> bool:
    return any(word == "object" and address.author == me for word, address in _addresses(author, document))


def _addresses(author: Fingerprint, document: dict[str, Any]) -> Iterator[tuple[str, Address]]:
    """What points to somebody of Mau, with the word that does; at most so many links are looked at."""
    left = _MOST
    for key, value in document.items():
        word = word_of(key)
        if word != "object" and word not in _NAMES and word not in _RECIPIENTS:
            continue
        for link in _links(value):
            left -= 1
            if left < 0:
                return
            try:
                address = resolve_iri(link, author)
            except AddressMalformed:
                continue
            if address is not None:
                yield word, address


def _links(value: Any) -> Iterator[str]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            yield from (one[key] for key in _LINKS if isinstance(one.get(key), str))
