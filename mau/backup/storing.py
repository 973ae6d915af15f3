"""One file after the other into an archive, each as it was at one moment (spec/backup.md B7)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mau.backup.pax import PaxArchive
from mau.backup.report import LeftOut, Taken
from mau.errors import NoSuchPost, NotAFile
from mau.tree import safe
from mau.tree.names import VERSIONS_SUFFIX

Progress = Callable[[int, int], None]
"""``progress(files, bytes)``: how much was written so far."""

IN_MEMORY: Final = 1 << 20
"""Files up to so many bytes are read at once, and again when they were changed meanwhile."""
_TRIES: Final = 5
_SETTLED_NS: Final = 50_000_000


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

    def read(
        self, directory: int, name: str, path: str, *, most: int | None = None, quiet: bool = False
    ) -> Read | None:
        """A file as it was at one moment. One larger than `most` goes to the archive as it is read."""
        try:
            for _ in range(_TRIES):
                fd, before = safe.open_regular(name, at=directory)
                with safe.closing(fd):
                    if most is not None and before.st_size > most:
                        self._large(fd, before, path)
                        return None
                    data = _content(fd, before)
                    if data is not None:
                        return Read(path, before, data)
            self.leave_out(path, "it was changed all the time")
        except NoSuchPost:
            pass
        except NotAFile:
            if not quiet:
                self.taken.left_out.append(LeftOut(path, "it is no regular file", expected=True))
        except OSError as error:
            self.leave_out(path, words_of(error))
        return None

    def write(self, read: Read, *, exactly: bool = False) -> None:
        """A file that was read."""
        self.archive.file(read.path, read.status, len(read.data), exactly=exactly)
        self.archive.write(read.data)
        self.archive.pad(len(read.data))
        self._count(len(read.data))

    def _large(self, fd: int, before: os.stat_result, path: str) -> None:
        """In pieces. Where it was changed meanwhile the entry is taken back, if the archive can be."""
        start = self.archive.tell()
        for _ in range(_TRIES):
            size = before.st_size
            self.archive.file(path, before, size, exactly=VERSIONS_SUFFIX + "/" in path)
            left = size
            while left:
                chunk = os.read(fd, min(left, safe.CHUNK))
                if not chunk:
                    break
                self.archive.write(chunk)
                left -= len(chunk)
            after = os.fstat(fd)
            if not left and _same(before, after):
                self.archive.pad(size)
                self._count(size)
                return
            if start is None:
                self.archive.fill(left)
                self.archive.pad(size)
                break
            self.archive.back_to(start)
            os.lseek(fd, 0, os.SEEK_SET)
            before = after
        self.leave_out(
            path,
            "it was changed while it was read" + (", and is torn in the archive" if start is None else ""),
        )

    def _count(self, size: int) -> None:
        self.taken.files += 1
        self.taken.size += size
        if self._progress is not None:
            self._progress(self.taken.files, self.taken.size)


def _content(fd: int, before: os.stat_result) -> bytes | None:
    """All bytes of an open file when nobody changed it meanwhile.

    The clock of a file system advances in ticks: a change within one leaves the same time. So a file that was
    changed a moment ago is looked at again when it has settled.
    """
    parts = []
    while chunk := os.read(fd, max(before.st_size + 1, 1 << 16)):
        parts.append(chunk)
    data = b"".join(parts)
    if 0 <= time.time_ns() - before.st_mtime_ns < _SETTLED_NS:
        time.sleep(_SETTLED_NS / 1e9)
        if os.pread(fd, len(data) + 1, 0) != data:
            return None
    return data if len(data) == before.st_size and _same(before, os.fstat(fd)) else None


def _same(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)


def words_of(error: Exception) -> str:
    """Why something could not be read."""
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
