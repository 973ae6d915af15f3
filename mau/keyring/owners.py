"""A subkey has one owner: who may read what is encrypted to a key id (spec/keyring.md K8). Pure.

OpenPGP lets anybody put somebody else's encryption subkey into his own certificate. Whoever is looked up by
key id must therefore be the only one who holds it, or nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from mau.fingerprint import Fingerprint
from mau.keyring.person import Person

_RANKS = ("me", "friend", "known")


class Owners:
    """Who holds which encryption key id (8 bytes): the owner of the account, his friends, known keys."""

    def __init__(self, people: Iterable[Person]) -> None:
        # Every key in a certificate, bound or not, is quick to find; whether it is bound is asked of few.
        self._carriers: dict[bytes, list[Person]] = {}
        for person in people:
            for keyid in person.certificate.key_ids:
                self._carriers.setdefault(keyid, []).append(person)
        self.owner_of = lru_cache(4096)(self._owner_of)

    def _owner_of(self, keyid: bytes) -> Fingerprint | None:
        return one_owner((person.status, person.fingerprint) for person in self.claimants(keyid))

    def claimants(self, keyid: bytes) -> Iterator[Person]:
        """Everybody whose certificate binds that encryption key, rightly or not."""
        for person in self._carriers.get(keyid, ()):
            if keyid in person.certificate.encryption_keyids:
                yield person


def one_owner(claims: Iterable[tuple[str, Fingerprint]]) -> Fingerprint | None:
    """Decide between (status, who) claims to one key id.

    Mine is mine; a confirmed friend wins over known keys; between equals, and among others, nobody holds it.
    """
    by_rank: dict[str, set[Fingerprint]] = {}
    for status, fingerprint in claims:
        by_rank.setdefault(status, set()).add(fingerprint)
    for rank in _RANKS:
        if rank in by_rank:
            holders = by_rank[rank]
            return next(iter(holders)) if len(holders) == 1 else None
    return None
