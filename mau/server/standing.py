"""What one visitor may find of one author, before any file is looked at."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from mau.catalogue import ANY, SIGNED
from mau.openpgp import Certificate
from mau.server.visibility import Shelf, Visitor, may_enter


@dataclass(frozen=True, slots=True)
class Standing:
    """A visitor before the files of an author.

    ``readers``: under what the index finds everything that may be for him, and more; empty: there is nothing.
    ``digest``: 16 bytes that are others as soon as other rules hold for him: then he may read what he could
    not read before although no file has changed, so no position in the order of changes means anything.
    """

    shelf: Shelf
    visitor: Visitor
    readers: tuple[bytes, ...]
    digest: bytes


def standing_of(shelf: Shelf, visitor: Visitor, certificate: Certificate | None) -> Standing:
    """``certificate``: the author's, as it is held here."""
    readers: tuple[bytes, ...] = ()
    if may_enter(shelf, visitor):
        readers = (ANY,) if visitor.fingerprint == shelf.author else (SIGNED, *sorted(visitor.keyids))
    said = hashlib.sha256()
    for part in (
        shelf.author.raw,
        shelf.me.raw,
        shelf.relay.encode(),
        visitor.fingerprint.raw if visitor.fingerprint else b"",
        b"refused" if visitor.refused else b"friend" if visitor.friend else b"",
        b"" if certificate is None else bytes(certificate),
        *sorted(visitor.keyids),
    ):
        said.update(len(part).to_bytes(4, "big") + part)
    return Standing(shelf, visitor, readers, said.digest()[:16])
