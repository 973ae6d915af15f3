"""The beginnings of large files, kept until the rest of them comes (spec/sync.md S27-S31).

They lie in ``.syncer/`` under the sha256 of the whole, whoever listed it: what one source began another may
finish, and the sum over all bytes says whether it is right. At most `MOST` are kept, none for longer than
`OLDEST`, and they make way for anything else: they are derived.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, cast

from mau.errors import NotAFile, TreeChanged
from mau.tree import safe
from mau.tree.layout import Root
from mau.tree.staging import Staged

MOST: Final = 16
"""Partial files of one tree."""
OLDEST: Final = 14 * 86_400
"""Seconds after which a beginning that did not grow is given up."""

_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NAME: Final = re.compile(r"[0-9a-f]{64}\.part")


class Partials:
    """The partial files of one tree."""

    def __init__(self, root: Root) -> None:
        self._path = root.state_dir("syncer")

    @contextlib.contextmanager
    def open(self, sha256: str) -> Iterator[Partial]:
        """The beginning of that content, perhaps empty; stays until it is dropped.

        It is locked meanwhile: TreeChanged when another process is at it.
        """
        with safe.closing(safe.open_dir(self._path)) as directory:
            name = f"{sha256}.part"
            fd = _open_locked(name, directory)
            with cast(BinaryIO, os.fdopen(fd, "r+b")) as file:
                yield Partial(file, self._path / name, directory)

    def clear(self, now: float | None = None) -> None:
        """Remove what is old, and the oldest of what is too much; what is in use stays."""
        now = time.time() if now is None else now
        with safe.closing(safe.open_dir(self._path)) as directory:
            kept = 0
            for written, name in _newest_first(directory):
                # A time that lies ahead is no younger than any other: clocks go wrong.
                if kept >= MOST or abs(now - written) > OLDEST:
                    _drop_unused(name, directory)
                else:
                    kept += 1

    def make_room(self, wanted: int) -> int:
        """Remove the oldest until so many bytes of the disk are free; return how many are."""
        free = shutil.disk_usage(self._path).free
        if free >= wanted:
            return free
        with safe.closing(safe.open_dir(self._path)) as directory:
            for _, name in reversed(_newest_first(directory)):
                if _drop_unused(name, directory):
                    free = shutil.disk_usage(self._path).free
                if free >= wanted:
                    break
        return free


class Partial:
    """One of them, locked. ``file``: open for reading and writing; ``path``: where it lies."""

    def __init__(self, file: BinaryIO, path: Path, directory: int) -> None:
        self.file = file
        self.path = path
        self._directory = directory

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return os.fstat(self.file.fileno()).st_size

    def fill(self, staged: Staged) -> None:
        """Let what was staged be this content, without copying it where the disk can."""
        self.file.flush()
        try:
            safe.unlink_quietly(staged.temp, at=staged.directory)
            os.link(self.path, staged.temp, dst_dir_fd=staged.directory, follow_symlinks=False)
        except OSError:
            with self.path.open("rb") as source, staged.path.open("xb") as target:
                shutil.copyfileobj(source, target, safe.CHUNK)

    def drop(self) -> None:
        """Remove it: it is complete, or worthless."""
        safe.unlink_quietly(self.path.name, at=self._directory)


def _newest_first(directory: int) -> list[tuple[float, str]]:
    """(time of the last write, name) of every partial file."""
    found = []
    with os.scandir(directory) as entries:
        for entry in entries:
            if _NAME.fullmatch(entry.name):
                with contextlib.suppress(FileNotFoundError):
                    found.append((entry.stat(follow_symlinks=False).st_mtime, entry.name))
    return sorted(found, reverse=True)


def _open_locked(name: str, directory: int) -> int:
    """Open a partial file that nobody else uses, made when missing; TreeChanged, NotAFile."""
    while True:
        try:
            fd = os.open(name, _FLAGS, 0o600, dir_fd=directory)
        except OSError as error:
            raise safe.translate(error, name) from error
        try:
            safe.require_regular(name, os.fstat(fd))
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            links = os.fstat(fd).st_nlink
        except BaseException as error:
            os.close(fd)
            if isinstance(error, BlockingIOError):
                raise TreeChanged("another sync is bringing it") from error
            raise
        if links == 1:
            return fd
        os.close(fd)
        if links > 1:  # it became a post, and what held it was killed then: that name is no partial file's
            safe.unlink_quietly(name, at=directory)


def _drop_unused(name: str, directory: int) -> bool:
    """Remove one that nobody uses; False when it stays."""
    try:
        fd = _open_locked(name, directory)
    except (TreeChanged, NotAFile):
        return False
    with safe.closing(fd):
        return safe.unlink_quietly(name, at=directory)
