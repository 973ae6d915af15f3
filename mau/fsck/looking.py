"""Small looks at directories and names, for the walk over a tree."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator

from mau.errors import InvalidName, MauError, NoSuchPost
from mau.fingerprint import Fingerprint
from mau.tree import safe
from mau.tree.lock import locked
from mau.tree.names import POST_SUFFIX, check_post_name


def is_left_over(directory: int, name: str) -> bool:
    """Whether a temporary file is there which no living program writes (spec/tree.md R2).

    One that is in the middle of a commit holds the lock of the directory: until it is free nothing is told.
    """
    with _nobody_commits(directory):
        try:
            file, _ = safe.open_regular(name, at=directory)
        except NoSuchPost:
            return False
        except (MauError, OSError):
            return True
        with safe.closing(file):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
    return True


@contextlib.contextmanager
def _nobody_commits(directory: int) -> Iterator[None]:
    """Hold the lock of a directory, where it has one that may be taken."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # on a share that is read-only, say: then nobody writes
            fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=directory)
            stack.enter_context(safe.closing(fd))
            stack.enter_context(locked(fd))
        yield


def is_twin(directory: int, post: str, versions: int, version: str) -> bool:
    """Whether a version is a second name of the post (spec/tree.md R5), and not only while it is replaced."""

    def same() -> bool:
        try:
            one = os.stat(post, dir_fd=directory, follow_symlinks=False)
            other = os.stat(version, dir_fd=versions, follow_symlinks=False)
        except OSError:
            return False
        return os.path.samestat(one, other)

    if not same():
        return False
    with _nobody_commits(directory):
        return same()


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
