"""A person as the keyring knows him."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mau.fingerprint import Fingerprint
from mau.keyring.names import suggest

if TYPE_CHECKING:
    from mau.openpgp import Certificate

Status = Literal["me", "friend", "known", "unconfirmed"]


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody is to the owner of this account.

    friend: confirmed, may be written to. known: confirmed, to verify with and to be named with ``--to`` only.
    unconfirmed: a key file of mine lies there, for verifying only; there is no local name then.
    """

    fingerprint: Fingerprint
    local_name: str
    certificate: Certificate
    groups: tuple[str, ...]
    status: Status
    reported: Certificate | None = None
    """The key with what its owner published since and nobody confirmed yet: for showing only."""

    @property
    def confirmed(self) -> bool:
        """Whether the keyring statement says so."""
        return self.status != "unconfirmed"

    @property
    def news(self) -> list[str]:
        """What waits to be confirmed, in words; user ids with ``!r``."""
        return [] if self.reported is None else describe_news(self.certificate, self.reported)

    @property
    def label(self) -> str:
        """How to call somebody in a line of text: the local name, else the fingerprint."""
        return self.local_name or self.fingerprint.hex


@dataclass(frozen=True, slots=True)
class News:
    """What a fetched copy of somebody's key brought, in words; user ids with ``!r``.

    ``changes``: in force now. ``waiting``: everything that waits to be confirmed; ``fresh``: some of that was
    not known before.
    """

    person: Person
    changes: tuple[str, ...]
    waiting: tuple[str, ...]
    fresh: bool


def plain_name(certificate: Certificate) -> str:
    """A local name made of what a key says, whether it is in use or not; "" when nothing of it serves."""
    return suggest(certificate.name, certificate.email)


def describe_news(held: Certificate, reported: Certificate) -> list[str]:
    """What a reported key has that the held one has not, as far as it would change anything, in words."""
    gained = [user_id for user_id in reported.user_ids if user_id not in held.user_ids]
    subkeys = sorted(reported.encryption_keyids - held.encryption_keyids - reported.revoked_subkeys)
    words = [f"new user id: {user_id!r}" for user_id in gained]
    return words + [f"new encryption key {keyid.hex()}" for keyid in subkeys]


def describe_changes(old: Certificate, new: Certificate) -> list[str]:
    """What a newer copy of a key brings, in words; user ids with ``!r``, for others wrote them."""
    gained = [user_id for user_id in new.user_ids if user_id not in old.user_ids]
    lost = [user_id for user_id in old.user_ids if user_id not in new.user_ids]
    subkeys = sorted(new.encryption_keyids - old.encryption_keyids)
    changes = [f"new user id: {user_id!r}" for user_id in gained]
    changes += [f"user id no longer valid: {user_id!r}" for user_id in lost]
    changes += [f"new encryption key {keyid.hex()}" for keyid in subkeys]
    if new.revoked and not old.revoked:
        changes.append("the key is revoked now: nothing is encrypted to it any more")
    if new.expires != old.expires:
        changes.append("it does not expire any more" if new.expires is None else "its expiry changed")
    if not changes and bytes(new) != bytes(old):
        changes.append("new signatures")
    return changes
