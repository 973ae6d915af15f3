"""What signatures were found to state, kept for the next start of the server (`mau.sealed`).

To open a post costs five times as much as to read it, and the first listing after a start would open all of
them. A proof belongs to one content and to one state of its author's key: any other is found out anew.
"""

from __future__ import annotations

import hashlib
import json
import threading
from typing import Final

from mau.account import Account
from mau.content.binding import PUBLIC, Audience
from mau.fingerprint import Fingerprint
from mau.openpgp import Certificate
from mau.sealed import Sealed
from mau.server.visibility import Proof

_FLUSH: Final = 200
_EVERYBODY: Final = "everybody"


class Proofs:
    """Proofs of one tree. Used from several threads."""

    def __init__(self, account: Account) -> None:
        self._sealed = Sealed(account, "server", "proofs")
        self._known: dict[Fingerprint, dict[bytes, bytes]] = {}
        self._new: dict[Fingerprint, dict[bytes, bytes]] = {}
        self._lock = threading.Lock()

    def get(self, author: Fingerprint, sha256: str, certificate: Certificate) -> Proof | None:
        """The proof of a content; None when it is not known."""
        key = _key(author, sha256, certificate)
        with self._lock:
            known = self._known.get(author)
            if known is None:
                known = self._known[author] = self._sealed.load(author.raw)
            sealed = known.pop(key, None)  # whoever asked keeps it
        if sealed is None:
            return None
        found = self._sealed.open(author.raw, key, sealed)
        return None if found is None else _read(found)

    def put(self, author: Fingerprint, sha256: str, certificate: Certificate, proof: Proof) -> None:
        """Remember one; it is written together with others."""
        key = _key(author, sha256, certificate)
        sealed = self._sealed.seal(author.raw, key, _written(proof))
        with self._lock:
            self._new.setdefault(author, {})[key] = sealed
            if sum(map(len, self._new.values())) < _FLUSH:
                return
            self._flush()

    def flush(self) -> None:
        """Write what is not written yet."""
        with self._lock:
            self._flush()

    def close(self) -> None:
        """Write the rest and let go of the file."""
        with self._lock:
            self._flush()
            self._sealed.close()

    def _flush(self) -> None:
        new, self._new = self._new, {}
        for author, entries in new.items():
            self._sealed.store(author.raw, entries)


def _key(author: Fingerprint, sha256: str, certificate: Certificate) -> bytes:
    return hashlib.sha256(author.raw + bytes.fromhex(sha256) + bytes(certificate)).digest()[:16]


def _written(proof: Proof) -> bytes:
    audience: str | list[str] | None = None
    if proof.audience == PUBLIC:
        audience = _EVERYBODY
    elif proof.audience is not None:
        audience = [one.hex for one in sorted(proof.audience)]
    return json.dumps([proof.holds, proof.name, audience]).encode()


def _read(data: bytes) -> Proof:
    holds, name, stated = json.loads(data)
    audience: Audience | None = None
    if stated == _EVERYBODY:
        audience = PUBLIC
    elif stated is not None:
        audience = frozenset(Fingerprint.parse(one) for one in stated)
    return Proof(holds, name, audience)
