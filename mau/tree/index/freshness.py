"""The mark of a living watch: as long as somebody holds it, no other process need look for edits (I24).

A shared lock on ``.index/watched``. It ends with the process that holds it, however that ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path
from typing import Final

_NAME: Final = "watched"
_PROBES: Final = 3
_PAUSE: Final = 0.001  # seconds


class Freshness:
    """Held by a `Watch` while it sees every change. Not shared between threads."""

    def __init__(self) -> None:
        self._held: tuple[Path, int] | None = None

    def hold(self, directory: Path) -> None:
        """Hold the mark of the index in this directory; quick when it is held."""
        path = directory / _NAME
        if self._held is not None and self._held[0] == path and _lies_at(path, self._held[1]):
            return
        self.release()
        with contextlib.suppress(FileNotFoundError):  # the directory was deleted: it comes back, and we do
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            fcntl.flock(fd, fcntl.LOCK_SH)
            self._held = path, fd

    def release(self) -> None:
        """From now on somebody else has to look."""
        if self._held is not None:
            os.close(self._held[1])
            self._held = None


def is_held(directory: Path) -> bool:
    """Whether a living process sees every change of the tree that this index is of."""
    try:
        fd = os.open(directory / _NAME, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        for _ in range(_PROBES):
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:  # a watch, or another who asks and lets go at once
                time.sleep(_PAUSE)
            else:
                return False
    finally:
        os.close(fd)
    return True


def _lies_at(path: Path, fd: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(fd))
    except OSError:
        return False
