"""Keys of members whom one does not know: out of the list, to verify with (spec/groups.md G42-G43)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mau.errors import KeyRefused, MauError
from mau.fingerprint import Fingerprint
from mau.introduction import judge_key

if TYPE_CHECKING:
    from mau.groups.document import GroupList
    from mau.keyring import Keyring, Person
    from mau.openpgp import Certificate


@dataclass(frozen=True, slots=True)
class HeldKeys:
    """``held``: whose keys are held now and were not; ``missing``: whose the list does not give."""

    held: tuple[Person, ...]
    missing: tuple[Fingerprint, ...]


def unknown_members(keyring: Keyring, listed: GroupList) -> list[Fingerprint]:
    """Members of whom no key is held."""
    return [one for one in listed.members if keyring.person(one) is None]


def hold_keys(keyring: Keyring, listed: GroupList) -> HeldKeys:
    """Take the keys that the list gives, each made of the fingerprint that the list names, or it counts for
    nothing. They verify; nobody becomes a friend, or is written to, by it."""
    held: list[Person] = []
    missing: list[Fingerprint] = []
    for fingerprint in unknown_members(keyring, listed):
        certificate = _given(listed, fingerprint)
        if certificate is None:
            missing.append(fingerprint)
            continue
        try:
            held.append(keyring.hold(certificate))
        except KeyRefused:
            missing.append(fingerprint)
    return HeldKeys(tuple(held), tuple(missing))


def _given(listed: GroupList, fingerprint: Fingerprint) -> Certificate | None:
    data = listed.members[fingerprint].key
    if not data:
        return None
    try:
        return judge_key(data, fingerprint).without_others()
    except MauError:
        return None
