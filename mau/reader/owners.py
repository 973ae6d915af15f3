"""Whose key ids a verdict rests on: what somebody can read for whom it was not meant is refused (RE9). Pure.

An answer is a key id (8 bytes) and whose it was said to be. While all of them stay the same, so does the
verdict, whatever else changes among the keys that are held.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from mau.fingerprint import Fingerprint

if TYPE_CHECKING:
    from mau.keyring import Person
    from mau.openpgp import Certificate
    from mau.reader.open import Keys

Owners = tuple[tuple[bytes, Fingerprint | None], ...]
"""(key id, owner), in the order of the key ids, each once."""
OwnerOf = Callable[[bytes], Fingerprint | None]

_KEYID = 8
_LENGTH = 28
_NOBODY = bytes(20)


class Asking:
    """Keys that remember whose key ids were asked for."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._asked: dict[bytes, Fingerprint | None] = {}

    def certificate(self, fingerprint: Fingerprint) -> Certificate | None:
        """The key to verify somebody with."""
        return self._keys.certificate(fingerprint)

    def owner_of(self, keyid: bytes) -> Fingerprint | None:
        """The one person who holds that key id."""
        if keyid not in self._asked:
            self._asked[keyid] = self._keys.owner_of(keyid)
        return self._asked[keyid]

    @property
    def asked(self) -> Owners:
        """What was answered."""
        return tuple(sorted(self._asked.items(), key=lambda one: one[0]))


def still_hold(owners: Owners, owner_of: OwnerOf) -> bool:
    """Whether each of these is answered the same now."""
    return all(owner_of(keyid) == owner for keyid, owner in owners)


def pack(owners: Owners) -> bytes:
    """As bytes, 28 for each."""
    return b"".join(keyid + (_NOBODY if owner is None else owner.raw) for keyid, owner in owners)


def unpack(said: bytes) -> Owners:
    """Back from `pack`. ValueError."""
    if len(said) % _LENGTH:
        raise ValueError("cut off")
    parts = [said[at : at + _LENGTH] for at in range(0, len(said), _LENGTH)]
    return tuple(
        (one[:_KEYID], None if one[_KEYID:] == _NOBODY else Fingerprint(one[_KEYID:])) for one in parts
    )


def state_of_people(people: Iterable[Person]) -> bytes:
    """What stands for all from which it follows who holds which key id."""
    said = hashlib.sha256()
    for person in sorted(people, key=lambda one: one.fingerprint):
        said.update(person.fingerprint.raw + person.status.encode() + b"\0")
        said.update(hashlib.sha256(bytes(person.certificate)).digest())
    return said.digest()
