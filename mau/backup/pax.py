"""A pax archive as it grows (POSIX.1-2001; spec/backup.md B3)."""

from __future__ import annotations

import os
import stat
import tarfile
from typing import BinaryIO, Final

from mau.tree import safe

_BLOCK: Final = 512
_RECORD: Final = 20 * _BLOCK


class PaxArchive:
    """A pax archive as it grows."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._written = 0
        self._seekable = out.seekable()

    def directory(self, path: str, status: os.stat_result) -> None:
        """An entry for a directory."""
        info = _info(path, status)
        info.type = tarfile.DIRTYPE
        self._head(info)

    def file(self, path: str, status: os.stat_result, size: int, *, exactly: bool) -> None:
        """The header of a file; `exactly` keeps the fractions of its time, by which versions are ordered."""
        info = _info(path, status)
        info.size = size
        if exactly:
            seconds, nanoseconds = divmod(max(0, status.st_mtime_ns), 1_000_000_000)
            info.pax_headers = {"mtime": f"{seconds}.{nanoseconds:09}"}
        self._head(info)

    def _head(self, info: tarfile.TarInfo) -> None:
        self.write(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))

    def write(self, data: bytes) -> None:
        """Bytes of a file, after its header."""
        self._out.write(data)
        self._written += len(data)

    def pad(self, size: int) -> None:
        """What is missing to a whole block after so many bytes."""
        self.write(bytes(-size % _BLOCK))

    def fill(self, size: int) -> None:
        """So many empty bytes, in the place of what did not come."""
        while size:
            some = min(size, safe.CHUNK)
            self.write(bytes(some))
            size -= some

    def tell(self) -> int | None:
        """Where it is; None when there is no way back."""
        return self._written if self._seekable else None

    def back_to(self, position: int) -> None:
        """Take back everything after that."""
        self._out.seek(position)
        self._out.truncate()
        self._written = position

    def end(self) -> None:
        """Two empty blocks, in a whole record as tar programs write it."""
        self.write(bytes(2 * _BLOCK))
        self.write(bytes(-self._written % _RECORD))
        self._out.flush()


def _info(path: str, status: os.stat_result) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)
    info.mode = stat.S_IMODE(status.st_mode) & 0o777
    info.uid, info.gid = status.st_uid, status.st_gid
    info.mtime = max(0, int(status.st_mtime))
    return info
