"""What a DeleteAction looks like, and what one that came says (spec/messages.md M70-M75). Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from mau.content.address import person_iri, post_iri, resolve_iri
from mau.content.binding import Audience, Statement, document_statement
from mau.content.jsonld import doubled
from mau.errors import AddressMalformed, MalformedPost, UsageError
from mau.fingerprint import Fingerprint
from mau.tree.names import PRIVATE_NAMES, is_post_name

MAX_NAMED: Final = 4096
"""Contents that one DeleteAction names at most; more of them take several."""

_SCHEMA = ("", "schema:", "http://schema.org/", "https://schema.org/")
_TYPES = frozenset(prefix + "DeleteAction" for prefix in _SCHEMA)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Delete:
    """What one DeleteAction says: ``target`` is deleted, with the contents ``sha256s`` (hex).

    ``name``: its own name; both names are whole, with ``.pgp``. ``signed_at`` in unix seconds; ``audience``:
    for whom it is.
    """

    author: Fingerprint
    name: str
    target: str
    sha256s: frozenset[str]
    signed_at: int
    audience: Audience


def compose_delete(
    author: Fingerprint, target: str, sha256s: Collection[str], now: datetime
) -> dict[str, Any]:
    """The document that deletes the post `target`; `bind_document` adds where it lies and for whom."""
    if len(sha256s) > MAX_NAMED:
        raise UsageError(f"one DeleteAction names at most {MAX_NAMED} contents")
    return {
        "@type": "DeleteAction",
        "agent": {"@id": person_iri(author)},
        "endTime": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "object": {
            "@type": "MediaObject",
            "@id": post_iri(author, target),
            "sha256": sorted(sha256s),
        },
    }


def is_delete(document: dict[str, Any] | None) -> bool:
    """Whether a document says that it is a DeleteAction, of whatever: it is not shown as a post."""
    if document is None:
        return False
    stated = document.get("@type", document.get("type"))
    types = stated if isinstance(stated, list) else [stated]
    return any(isinstance(one, str) and one in _TYPES for one in types)


def read_delete(
    author: Fingerprint,
    statement: Statement,
    signed_at: int,
    document: dict[str, Any] | None,
) -> Delete | None:
    """What a post of `author` deletes; None when it is no DeleteAction about a post of his.

    `statement` is what counts for the post. MalformedPost when it is one, but not of the form that M72 gives.
    """
    if document is None or not is_delete(document):
        return None
    # Bound by its own words: a file that its author merely shared says nothing for him.
    if statement.name is None or statement.audience is None:
        return None
    if document_statement(author, document) != statement:
        return None
    about = document.get("object")
    if doubled(document) & {"@type", "type", "object"} or doubled(about):
        raise MalformedPost("a DeleteAction gives something twice")
    if not isinstance(about, dict) or "@context" in about:
        return None
    target = _target(author, about)
    if target is None or target == statement.name:
        return None
    return Delete(author, statement.name, target, _sums(about), signed_at, statement.audience)


def _target(author: Fingerprint, about: dict[str, Any]) -> str | None:
    if "@id" in about and "id" in about:
        raise MalformedPost("a DeleteAction states the same in two words: @id, id")
    iri = about.get("@id", about.get("id"))
    if not isinstance(iri, str):
        return None
    try:
        address = resolve_iri(iri, author)
    except AddressMalformed as error:
        raise MalformedPost(str(error)) from None
    if address is None or address.author != author or address.name is None or address.version is not None:
        return None
    return address.name if is_post_name(address.name) and address.name not in PRIVATE_NAMES else None


def _sums(about: dict[str, Any]) -> frozenset[str]:
    stated = about.get("sha256", [])
    sums = stated if isinstance(stated, list) else [stated]
    if len(sums) > MAX_NAMED:
        raise MalformedPost(f"a DeleteAction names more than {MAX_NAMED} contents")
    for one in sums:
        if not isinstance(one, str) or not _SHA256.fullmatch(one):
            raise MalformedPost("a DeleteAction names a content otherwise than by its sha256")
    return frozenset(sums)
