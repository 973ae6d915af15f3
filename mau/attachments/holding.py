"""Finding the very content that a document means, by its sha256 (spec/attachments.md E40-E44)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mau.content.links import Reference
from mau.errors import MauError
from mau.reader.open import directories_of, open_post

if TYPE_CHECKING:
    from mau.account import Account
    from mau.fingerprint import Fingerprint
    from mau.keyring import Keyring
    from mau.tree.posts import AuthorDir

State = Literal["held", "version", "other", "missing"]


@dataclass(frozen=True, slots=True)
class Held:
    """What is held of a file that a document means, and where.

    ``held``: that very content; ``version``: it, as an older content; ``other``: its name has something else
    only; ``missing``: nothing has it. `version` is the sha256 to open it with, None for the current content;
    `size` is that of the stored file in bytes.
    """

    state: State
    directory: AuthorDir | None = None
    version: str | None = None
    size: int = 0


def find_held(account: Account, author: Fingerprint, name: str, sha256: str) -> Held:
    """Where the content `sha256` of a post lies; "" means whatever its name has now."""
    other: Held | None = None
    for directory in directories_of(account, author):
        try:
            entry = directory.entry(name)
            if entry is not None:
                here = Held("held", directory, None, entry.size)
                if not sha256 or directory.sha256(name) == sha256:
                    return here
                other = other or Held("other", directory, None, entry.size)
            for version in directory.versions(name) if sha256 else ():
                if version.sha256 == sha256:
                    return Held("version", directory, sha256, version.size)
        except (MauError, OSError):
            continue
    return other or Held("missing")


def content_of(account: Account, keyring: Keyring, reference: Reference, limit: int) -> bytes | None:
    """The content that a reference means, when it is held, holds, and has at most `limit` bytes stored."""
    address = reference.address
    if address.name is None:
        return None
    found = find_held(account, address.author, address.name, reference.sha256 or "")
    if found.state not in {"held", "version"} or found.size > limit:
        return None
    try:
        return open_post(account, keyring, address.author, address.name, found.version).opened.data
    except (MauError, OSError):
        return None
