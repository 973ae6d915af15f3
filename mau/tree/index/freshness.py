"""The mark of a living watch: as long as somebody holds it, no other process need look for edits (I24).

A shared lock on ``.index/watched``. It ends with the process that holds it, however that ends. Who asks
whether it is held takes it for a moment, alone; so those who ask take turns, by a lock on ``.index/asking``.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path
from typing import Final

_NAME: Final = "watched"
_ASKING: Final = "asking"
_PATIENCE: Final = 0.1  # seconds; a turn takes microseconds, unless whoever has it was stopped
_PAUSE: Final = 0.001  # seconds


class Freshness:
    """Held by a `Watch` while it sees every change. Not shared between threads."""

    def __init__(self) -> None:
        self._held: tuple[Path, int] | None = None
        self._marked: tuple[Path, tuple[int, int] | None] | None = None

    def hold(self, directory: Path) -> None:
        """Hold the mark of the index in this directory; quick when it is held."""
        path = directory / _NAME
        if self._held is not None and self._held[0] == path and _lies_at(path, self._held[1]):
            return
        self.release()
        # A mark that is gone from an index that is not another one yet goes with it: made anew in the middle
        # of that, it would keep the directory there, and nobody would notice that the index is gone.
        marking = directory, _identity(directory / "current")
        with contextlib.suppress(FileNotFoundError):  # the directory was deleted: it comes back, and we do
            there = marking[1] is not None or self._marked is None
            fd = _opened(path, make=there and marking != self._marked)
            fcntl.flock(fd, fcntl.LOCK_SH)
            self._held, self._marked = (path, fd), marking

    def release(self) -> None:
        """From now on somebody else has to look."""
        if self._held is not None:
            os.close(self._held[1])
            self._held = None


def is_held(directory: Path) -> bool:
    """Whether a living process sees every change of the tree that this index is of.

    False also where it cannot be told: then whoever asks looks himself, which is always right.
    """
    with contextlib.ExitStack() as opened:
        try:
            watched = os.open(directory / _NAME, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            opened.callback(os.close, watched)
            asking = _opened(directory / _ASKING)
            opened.callback(os.close, asking)
        except OSError:
            return False
        end = time.monotonic() + _PATIENCE
        while not _taken(asking):
            if time.monotonic() > end:
                return False
            time.sleep(_PAUSE)
        held = not _taken(watched)
        fcntl.flock(watched, fcntl.LOCK_UN)  # before the next one has his turn
        return held


def _opened(path: Path, *, make: bool = True) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT * make | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_ino, found.st_ctime_ns


def _taken(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lies_at(path: Path, fd: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(fd))
    except OSError:
        return False
