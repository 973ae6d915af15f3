"""A file on its way into the tree: written under a dot-name, then committed or gone (spec/tree.md W1-W3)."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self, cast

from mau.errors import MauError
from mau.tree import safe

SHADOW_LIMIT: Final = 1 << 20
"""Own posts up to this many bytes are shadowed; so many are kept in memory while they are committed."""

_SYNCING: Final = 8


@dataclass(frozen=True, slots=True)
class Digest:
    """What a file holds: its sha256 (hex), its size in bytes, the time it was written, its bytes when few."""

    sha256: str
    size: int
    mtime_ns: int
    data: bytes | None


class Staged:
    """A temporary file in a directory of posts. Use it as a context manager: what is not committed goes.

    `file` is open for writing and reading; `path` is for libraries that want a path. Whatever wrote there
    last is what counts, also when it replaced the file instead of filling it.
    """

    __slots__ = ("_path", "directory", "fd", "file", "temp")

    def __init__(self, directory: int, path: str) -> None:
        """Take over the descriptor `directory`; `path` is where it lies."""
        self.directory = directory
        self.fd = -1
        try:
            self.fd, self.temp = safe.create_temp(directory)
            self.file: BinaryIO = cast(BinaryIO, os.fdopen(self.fd, "w+b"))
        except BaseException:
            self.directory = -1
            os.close(directory)
            raise
        self._path = path

    @property
    def path(self) -> Path:
        """Where the temporary file lies."""
        return Path(self._path, self.temp)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the temporary file unless it was committed, and let go of everything."""
        if self.directory < 0:
            return
        directory, self.directory = self.directory, -1
        try:
            if self.temp:
                self._discard(directory)
        finally:
            # An error of the last flush (disk full) must not keep us from closing: nothing is lost by it.
            with contextlib.suppress(OSError):
                self.file.close()
            os.close(directory)

    def digest(self) -> Digest:
        """Flush, and hash what is there."""
        self.file.flush()
        found = os.stat(self.temp, dir_fd=self.directory, follow_symlinks=False)
        if not os.path.samestat(found, os.fstat(self.fd)):
            found = self._follow_replacement()
        return digest_fd(self.fd, found)

    def _follow_replacement(self) -> os.stat_result:
        """Take the file that now has the temporary name: a library put another one there."""
        fd, found = safe.open_regular(self.temp, at=self.directory)
        self.file.close()
        os.fchmod(fd, 0o600)
        self.fd = fd
        self.file = cast(BinaryIO, os.fdopen(fd, "rb"))
        return found

    def _discard(self, directory: int) -> None:
        """Remove what was staged, but nothing else that may have its name by now (W6)."""
        with contextlib.suppress(FileNotFoundError):
            found = os.stat(self.temp, dir_fd=directory, follow_symlinks=False)
            if self.temp.endswith(".tmp") or os.path.samestat(found, os.fstat(self.fd)):
                os.unlink(self.temp, dir_fd=directory)


def sync_many(batch: Sequence[Staged]) -> list[Digest | MauError | OSError]:
    """Bring staged files to the disk; at each place its digest, or what went wrong.

    Many at once: a journal takes all that wait for it in one go, ten times as many as one after the other.
    """
    if len(batch) == 1:
        return [_synced(batch[0])]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(_SYNCING, len(batch) or 1)) as pool:
        return list(pool.map(_synced, batch))


def _synced(staged: Staged) -> Digest | MauError | OSError:
    try:
        digest = staged.digest()
        safe.sync(staged.fd)
    except (MauError, OSError) as error:
        return error
    return digest


def digest_fd(fd: int, found: os.stat_result) -> Digest:
    """The digest of an open file that was `found` just now."""
    if found.st_size > SHADOW_LIMIT:
        return Digest(*hash_fd(fd), found.st_mtime_ns, None)
    data = os.pread(fd, found.st_size, 0)
    return Digest(hashlib.sha256(data).hexdigest(), len(data), found.st_mtime_ns, data)


def hash_fd(fd: int) -> tuple[str, int]:
    """The sha256 (hex) and the number of bytes of an open file, from its beginning; keeps its position."""
    digest = hashlib.sha256()
    offset = 0
    step = min(os.fstat(fd).st_size + 1, safe.CHUNK)  # one more than there is: a small file is read once
    while chunk := os.pread(fd, step, offset):
        digest.update(chunk)
        offset += len(chunk)
        if len(chunk) < step:
            break
    return digest.hexdigest(), offset
