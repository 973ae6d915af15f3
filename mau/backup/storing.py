"""One file after the other into an archive, each as it was at one moment (spec/backup.md B7)."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mau.backup.pax import PaxArchive
from mau.backup.report import LeftOut, Taken, words_of
from mau.errors import NoSuchPost, NotAFile
from mau.tree import safe
from mau.tree.names import VERSIONS_SUFFIX

Progress = Callable[[int, int], None]
"""``progress(files, bytes)``: how much was written so far."""

IN_MEMORY: Final = 1 << 20
"""Files up to so many bytes are read at once, and again when they were changed meanwhile."""
_TRIES: Final = 5
_SETTLED_NS: Final = 50_000_000
_CHANGED_ALWAYS: Final = "it was changed all the time"


# --- one file ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Read:
    """A file that was read whole."""

    path: str
    status: os.stat_result
    data: bytes


class Storing:
    """Reads files and writes entries; notes what cannot be had."""

    def __init__(self, archive: PaxArchive, progress: Progress | None) -> None:
        self.archive = archive
        self.taken = Taken()
        self._progress = progress

    def leave_out(self, path: str, reason: str) -> None:
        """Note that something that belongs into the archive is not in it."""
        self.taken.left_out.append(LeftOut(path, reason))

    def directory(self, path: str, status: os.stat_result) -> None:
        """A directory, which may be empty."""
        self.archive.directory(path, status)

    def file(self, directory: int, name: str, path: str, *, exactly: bool = False) -> None:
        """One file, small or large; gone since it was listed is no trouble: then it has another name now."""
        read = self.read(directory, name, path, most=IN_MEMORY)
        if read is not None:
            self.write(read, exactly=exactly)

    def read(self, directory: int, name: str, path: str, *, most: int) -> Read | None:
        """A file as it was at one moment. One larger than `most` goes to the archive as it is read.

        OSError of the archive; what is wrong with the file itself is noted.
        """
        with contextlib.ExitStack() as stack:
            try:
                for _ in range(_TRIES):
                    fd, found = safe.open_regular(name, at=directory)
                    stack.enter_context(safe.closing(fd))
                    if found.st_size > most:
                        break
                    read = _content(fd, path)
                    if read is not None:
                        return read
                else:
                    self.leave_out(path, _CHANGED_ALWAYS)
                    return None
            except NoSuchPost:
                return None
            except NotAFile:
                self.taken.left_out.append(LeftOut(path, "it is no regular file", expected=True))
                return None
            except OSError as error:
                self.leave_out(path, words_of(error))
                return None
            self._large(fd, path)
        return None

    def write(self, read: Read, *, exactly: bool = False) -> None:
        """A file that was read."""
        self.archive.file(read.path, read.status, len(read.data), exactly=exactly)
        self.archive.write(read.data)
        self.archive.pad(len(read.data))
        self._count(len(read.data))

    def _large(self, fd: int, path: str) -> None:
        """In pieces. Where that went wrong the entry is taken back, if the archive can be, else filled up."""
        start = self.archive.tell()
        reason = _CHANGED_ALWAYS
        for _ in range(_TRIES):
            before = _settled(fd)
            if before is None:
                continue
            self.archive.file(path, before, before.st_size, exactly=VERSIONS_SUFFIX + "/" in path)
            left, trouble = self._copy(fd, before.st_size)
            if not left and trouble is None and _same(before, os.fstat(fd)):
                self.archive.pad(before.st_size)
                self._count(before.st_size)
                return
            reason = "it was changed while it was read" if trouble is None else words_of(trouble)
            if start is None:
                self.archive.fill(left)
                self.archive.pad(before.st_size)
                reason += ", and is torn in the archive"
                break
            self.archive.back_to(start)
            if trouble is not None:  # a disk that fails is not asked again and again
                break
            os.lseek(fd, 0, os.SEEK_SET)
        self.leave_out(path, reason)

    def _copy(self, fd: int, size: int) -> tuple[int, OSError | None]:
        """So many bytes of a file to the archive; how many did not come, and what went wrong in reading."""
        left = size
        while left:
            try:
                chunk = os.read(fd, min(left, safe.CHUNK))
            except OSError as error:
                return left, error
            if not chunk:
                break
            self.archive.write(chunk)
            left -= len(chunk)
        return left, None

    def _count(self, size: int) -> None:
        self.taken.files += 1
        self.taken.size += size
        if self._progress is not None:
            self._progress(self.taken.files, self.taken.size)


def _content(fd: int, path: str) -> Read | None:
    """All bytes of an open file when nobody changed it meanwhile."""
    before = _settled(fd)
    if before is None:
        return None
    data = b""
    # One byte more tells that it grew; who writes on and on is not followed.
    while len(data) <= before.st_size and (chunk := os.read(fd, before.st_size + 1 - len(data))):
        data += chunk
    whole = len(data) == before.st_size and _same(before, os.fstat(fd))
    return Read(path, before, data) if whole else None


def _settled(fd: int) -> os.stat_result | None:
    """What an open file is, once another change would leave another time; None while it goes on changing.

    The clock of a file system advances in ticks: a change within one leaves the same time.
    """
    for _ in range(_TRIES):
        found = os.fstat(fd)
        if not 0 <= time.time_ns() - found.st_mtime_ns < _SETTLED_NS:
            return found
        time.sleep(_SETTLED_NS / 1e9)
    return None


def _same(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
