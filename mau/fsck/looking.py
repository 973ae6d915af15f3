"""Small looks at directories and names, for the walk over a tree."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator

from mau.errors import InvalidName, MauError
from mau.fingerprint import Fingerprint
from mau.tree import safe
from mau.tree.names import POST_SUFFIX, check_post_name


def is_in_use(directory: int, name: str) -> bool:
    """Whether a living program writes a temporary file (spec/tree.md R2)."""
    try:
        fd, _ = safe.open_regular(name, at=directory)
    except (MauError, OSError):
        return False
    with safe.closing(fd):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def wrong(name: str) -> str:
    """Why no post can be called so."""
    try:
        check_post_name(name)
    except InvalidName as error:
        return str(error)
    return ""


def entries_of(directory: int) -> list[os.DirEntry[str]]:
    """What lies in a directory, by name."""
    with os.scandir(directory) as scan:
        return sorted(scan, key=lambda entry: entry.name)


def status_of(entry: os.DirEntry[str]) -> os.stat_result | None:
    """What an entry is, no link followed; None when it is gone."""
    try:
        return entry.stat(follow_symlinks=False)
    except OSError:
        return None


def count(top: int, author: Fingerprint, hidden: bool) -> int:
    """How many posts there are, about, for the progress."""
    try:
        with safe.closing(safe.open_dir(f".{author.hex}" if hidden else author.hex, at=top)) as directory:
            return sum(1 for _ in _names(directory))
    except (OSError, MauError):
        return 0


def _names(directory: int) -> Iterator[str]:
    with os.scandir(directory) as scan:
        for entry in scan:
            if entry.name.endswith(POST_SUFFIX):
                yield entry.name
