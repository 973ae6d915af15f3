"""The very content that a document means, by its sha256 (spec/attachments.md AT40-AT44)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Literal

from mau.attachments.media import Part
from mau.content.links import Reference
from mau.errors import MauError
from mau.reader.open import directories_of, open_source

if TYPE_CHECKING:
    from mau.account import Account
    from mau.keyring import Keyring
    from mau.reader.open import OpenedPost
    from mau.tree.posts import AuthorDir

_PIECE: Final = 1 << 20
State = Literal["held", "version", "other", "missing"]


@dataclass(frozen=True, slots=True)
class Held:
    """What is held of a file that a document means.

    ``held``: that very content; ``version``: it, as an older content; ``other``: its name has something else
    only; ``missing``: nothing has it. `size` is that of the stored file in bytes. `file` is that content,
    open at its beginning, while the block lasts.
    """

    state: State
    size: int = 0
    file: BinaryIO | None = None


@contextmanager
def find_held(account: Account, part: Part) -> Iterator[Held]:
    """The content that a document means; where it states no sha256, whatever the name has now.

    What is hashed is what is opened: nobody can exchange it in between.
    """
    with ExitStack() as opened:
        yield _find(account, part, opened)


def _find(account: Account, part: Part, opened: ExitStack) -> Held:
    other = Held("missing")
    for directory in directories_of(account, part.author):
        try:
            found = _current(directory, part, opened) or _version(directory, part, opened)
            if found is not None:
                return found
            if directory.entry(part.name) is not None:
                other = Held("other")
        except (MauError, OSError):  # it went meanwhile, or a name that none can have
            continue
    return other


def _current(directory: AuthorDir, part: Part, opened: ExitStack) -> Held | None:
    entry = directory.entry(part.name)
    if entry is None:
        return None
    file = opened.enter_context(directory.open(part.name))
    if part.sha256 and _sum(file) != part.sha256:
        return None
    file.seek(0)
    return Held("held", entry.size, file)


def _sum(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while piece := file.read(_PIECE):
        digest.update(piece)
    return digest.hexdigest()


def _version(directory: AuthorDir, part: Part, opened: ExitStack) -> Held | None:
    for version in directory.versions(part.name):
        if version.sha256 == part.sha256:
            file = opened.enter_context(directory.open_version(part.name, part.sha256))
            return Held("version", version.size, file)
    return None


def open_held(
    account: Account, keyring: Keyring, part: Part, held: Held, sink: Path | None = None
) -> OpenedPost:
    """Open what was found, with all that is checked about a post; into the file `sink`. PostError."""
    assert held.file is not None  # noqa: S101 - it was found
    return open_source(account, keyring, part.author, part.name, held.file, sink=sink, held=True)


def content_of(account: Account, keyring: Keyring, reference: Reference, limit: int) -> bytes | None:
    """The content that a reference means, when it is held, holds, and has at most `limit` bytes stored."""
    address = reference.address
    if address.name is None:
        return None
    part = Part(address.author, address.name, reference.sha256 or "")
    with find_held(account, part) as held:
        if held.file is None or held.size > limit:
            return None
        try:
            return open_held(account, keyring, part, held).opened.data
        except (MauError, OSError):
            return None
