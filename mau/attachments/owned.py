"""Which of one's own files belong to which of one's own posts (spec/attachments.md AT50-AT51)."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mau.attachments.media import exchange, part_of, parts_of
from mau.content.jsonld import MAX_DOCUMENT
from mau.deletion.publishing import undelete
from mau.deletion.resigning import opened_own
from mau.errors import MauError
from mau.publish import publish_document, writable
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


def files_alone_of(account: Account, keyring: Keyring, name: str) -> list[str]:
    """The own files that were attached to an own post, are held, and belong to no other post: go with it."""
    posts = account.posts()
    here = [one for one in files_of(account, keyring, name) if posts.entry(one) is not None]
    others = referred_to(account, keyring, {name}) if here else set()
    return [one for one in here if one not in others and _was_attached(account, keyring, one)]


def bring_back(account: Account, keyring: Keyring, name: str) -> list[str]:
    """Bring back the deleted files of an own post that was brought back, and state their new sums in it.

    The names of those that are there again. Files of which nothing is held any more stay away.
    """
    post = open_post(account, keyring, account.fingerprint, name)
    posts = account.posts()
    sums: dict[str, str] = {}

    def change(value: dict[str, Any]) -> dict[str, Any]:
        part = part_of(account.fingerprint, value)
        if part is None or part.author != account.fingerprint or part.name == name:
            return value
        if part.name not in sums and posts.entry(part.name) is None:
            held = {version.sha256 for version in posts.versions(part.name)}
            if held:
                done = undelete(account, keyring, part.name, part.sha256 if part.sha256 in held else None)
                sums[part.name] = done.published.sha256 if done.published is not None else part.sha256
        return {**value, "sha256": sums[part.name]} if part.name in sums else value

    document = exchange(post.document, change)
    if sums and post.audience is not None:
        publish_document(account, keyring, document, name, writable(keyring, post.audience))
    return list(sums)


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


def _was_attached(account: Account, keyring: Keyring, name: str) -> bool:
    try:
        with opened_own(account, keyring, name, None) as (post, _):
            return post.attached is not None
    except MauError:
        return False


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
