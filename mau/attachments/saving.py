"""Attached files written into a directory of the owner's, each only after it was checked (AT43)."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mau.attachments.formats import HEAD, encoding_of
from mau.attachments.holding import State, find_held, open_held
from mau.attachments.media import Part
from mau.attachments.naming import file_name
from mau.errors import PostError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mau.account import Account
    from mau.keyring import Keyring
    from mau.reader.open import OpenedPost


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of one file: where it lies now, or why nowhere; ``size`` in bytes of its content."""

    part: Part
    state: State
    path: Path | None = None
    size: int = 0
    problem: PostError | None = None


def look_at(account: Account, parts: Sequence[Part]) -> list[Saved]:
    """What is held of each, without opening any."""
    found = []
    for part in parts:
        with find_held(account, part) as held:
            found.append(Saved(part, held.state, None, held.size))
    return found


def save_media(account: Account, keyring: Keyring, parts: Sequence[Part], directory: Path) -> list[Saved]:
    """Write each that is held, and holds, into `directory` under a harmless name; nothing is replaced."""
    if not directory.is_dir():
        raise UsageError(f"{str(directory)!r} is no directory")
    return [_save(account, keyring, part, directory) for part in parts]


def _save(account: Account, keyring: Keyring, part: Part, directory: Path) -> Saved:
    with find_held(account, part) as held:
        if held.file is None:
            return Saved(part, held.state, None, held.size)
        beside = directory / f".mau-{secrets.token_hex(8)}.tmp"
        try:
            post = open_held(account, keyring, part, held, beside)
            path = _placed(part, post, beside, directory)
        except PostError as error:
            return Saved(part, held.state, None, held.size, error)
        finally:
            beside.unlink(missing_ok=True)
    return Saved(part, held.state, path, post.opened.size)


def _placed(part: Part, post: OpenedPost, beside: Path, directory: Path) -> Path:
    """Give the file its name, which is free: a hard link replaces nothing."""
    with beside.open("rb") as file:
        encoding = encoding_of(file.read(HEAD))
        os.fsync(file.fileno())
    taken = set(os.listdir(directory))  # noqa: PTH208 - names
    while True:
        name = file_name(part.called or post.filename or "", part.name.partition(".")[0], encoding, taken)
        try:
            (directory / name).hardlink_to(beside)
        except FileExistsError:
            taken.add(name)
        except OSError:  # a disk without hard links
            if not os.path.lexists(directory / name):
                beside.rename(directory / name)
                return directory / name
            taken.add(name)
        else:
            return directory / name
