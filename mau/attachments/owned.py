"""Which of one's own files belong to which of one's own posts (spec/attachments.md E50-E52)."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mau.attachments.media import parts_of
from mau.content.jsonld import MAX_DOCUMENT
from mau.deletion.resigning import opened_own
from mau.errors import MauError
from mau.reader.open import open_post
from mau.tree.names import PRIVATE_NAMES

if TYPE_CHECKING:
    from mau.account import Account
    from mau.keyring import Keyring
    from mau.reader.open import OpenedPost

_LARGEST = MAX_DOCUMENT + (64 << 10)
"""Bytes of a stored file that can be a document: what is encrypted is a little larger than what is in it."""


def files_of(account: Account, keyring: Keyring, name: str) -> list[str]:
    """The own files that an own post refers to, now or in an older content of it."""
    found: dict[str, None] = {}
    versions = [version.sha256 for version in account.posts().versions(name)]
    for version in (None, *versions):
        try:
            document = open_post(account, keyring, account.fingerprint, name, version).document
        except MauError:
            continue
        for part in parts_of(account.fingerprint, document):
            if part.author == account.fingerprint and part.name != name:
                found[part.name] = None
    return list(found)


def referred_to(account: Account, keyring: Keyring, but: Container[str] = ()) -> set[str]:
    """The own files that any own post refers to now, `but` these posts; opens every one of them."""
    return {
        part.name
        for post in _documents(account, keyring, but)
        for part in parts_of(account.fingerprint, post.document)
        if part.author == account.fingerprint
    }


@dataclass(frozen=True, slots=True)
class Unused:
    """An own file that no own post refers to; ``size`` in bytes as stored, ``signed_at`` in unix seconds."""

    name: str
    filename: str
    size: int
    signed_at: int


def unused(account: Account, keyring: Keyring) -> list[Unused]:
    """Own files that say they are attached, and no own post refers to them: something was cut off.

    Opens every own file, large ones too.
    """
    used = referred_to(account, keyring)
    found = []
    for entry in account.posts().entries():
        if entry.name in used or entry.name in PRIVATE_NAMES:
            continue
        try:
            with opened_own(account, keyring, entry.name, None) as (post, _):
                if post.attached is not None:
                    found.append(Unused(entry.name, post.filename or "", entry.size, post.signed_at))
        except MauError:  # what does not hold is a matter of `mau fsck`
            continue
    return found


def _documents(account: Account, keyring: Keyring, but: Container[str]) -> Iterator[OpenedPost]:
    for entry in account.posts().entries():
        if entry.size > _LARGEST or entry.name in but or entry.name in PRIVATE_NAMES:
            continue
        try:
            post = open_post(account, keyring, account.fingerprint, entry.name)
        except MauError:
            continue
        if post.document is not None:
            yield post
