"""A second copy of own small posts, so that an edit by hand still leaves a version (spec/tree.md H1-H5).

The shadow of a short post lies in a database (``smallshadows``), that of a longer one in a file
``.shadow/FPR/NAME.pgp``: the content as it was committed last, then its sha256 as 32 bytes.
Shadows are written after the fact and without fsync; the sum at the end tells a whole one from a torn one.
They are derived: without them only the contents of edits made by hand are missing.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mau.errors import NoSuchPost, NotAFile
from mau.fingerprint import Fingerprint
from mau.tree import safe
from mau.tree.layout import Root
from mau.tree.staging import SHADOW_LIMIT, Digest

if TYPE_CHECKING:
    from mau.tree.smallshadows import SmallShadows

LIMIT: Final = 32 << 10
"""Shadows up to this many bytes lie in the database; larger ones in files, which can share blocks."""

_SUM_BYTES: Final = 32
_FICLONE: Final = 0x40049409  # linux/fs.h: share the blocks of another file


@dataclass(frozen=True, slots=True)
class Shadow:
    """What a post held when it was committed last."""

    data: bytes
    sha256: str
    mtime_ns: int


class Shadows:
    """The shadows of one author; used under the lock of his directory."""

    __slots__ = ("_author", "_directory", "_small")

    def __init__(self, directory: int, small: SmallShadows, author: str) -> None:
        """`directory` is a descriptor of where the files lie, `small` the database of the others."""
        self._directory = directory
        self._small = small
        self._author = author

    @classmethod
    @contextlib.contextmanager
    def opened(cls, root: Root, fpr: Fingerprint) -> Iterator[Shadows]:
        """The shadows of `fpr`, for the length of the block."""
        try:
            above = safe.open_dir(f"{root.path}/.shadow")
        except FileNotFoundError:
            above = safe.open_dir(root.state_dir("shadow"))
        with safe.closing(above), safe.closing(_author(above, fpr)) as directory:
            from mau.tree.smallshadows import small_shadows  # SQLite, which who only reads does not need

            yield cls(directory, small_shadows(root.path / ".shadow"), fpr.hex)

    def read(self, name: str) -> Shadow | None:
        """The shadow of a post; None when there is none, or not a whole one."""
        row = self._small.get(self._author, name)
        if row is not None:
            data, total, mtime_ns = row
            digest = hashlib.sha256(data)
            return Shadow(data, digest.hexdigest(), mtime_ns) if digest.digest() == total else None
        try:
            fd, found = safe.open_regular(name, at=self._directory)
        except (NoSuchPost, NotAFile):
            return None
        with safe.closing(fd):
            if not _SUM_BYTES <= found.st_size <= SHADOW_LIMIT + _SUM_BYTES:
                return None
            whole = os.pread(fd, found.st_size, 0)
        data, end = whole[:-_SUM_BYTES], whole[-_SUM_BYTES:]
        digest = hashlib.sha256(data)
        return Shadow(data, digest.hexdigest(), found.st_mtime_ns) if digest.digest() == end else None

    def write(self, name: str, source: int, digest: Digest) -> None:
        """Make the shadow of a post from its file, open as `source`; too large a one gets none.

        Never fails: a disk too full for a shadow still holds the post, and the room that was left.
        """
        with contextlib.suppress(OSError):
            if digest.data is not None and digest.size <= LIMIT:
                row = (digest.data, bytes.fromhex(digest.sha256), digest.mtime_ns)
                if self._small.put(self._author, name, row):
                    safe.unlink_quietly(name, at=self._directory)
                    return
            self.drop(name)
            if digest.data is None:
                return
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with safe.closing(os.open(name, flags, 0o600, dir_fd=self._directory)) as fd:
                try:
                    os.fchmod(fd, 0o600)  # whatever the umask took away
                    end = bytes.fromhex(digest.sha256)
                    if _share_blocks(fd, source):
                        os.pwrite(fd, end, digest.size)
                    else:
                        safe.write_all(fd, digest.data + end)
                    # The same time as the post: that is how an edit is noticed without reading (H4).
                    os.utime(fd, ns=(digest.mtime_ns, digest.mtime_ns))
                except OSError:
                    self.drop(name)

    def drop(self, name: str) -> None:
        """Remove the shadow of a post."""
        self._small.drop(self._author, name)
        safe.unlink_quietly(name, at=self._directory)

    def times(self) -> dict[str, tuple[int, int]]:
        """Of every shadow the size and the time (ns) of the post it was made from."""
        found = {}
        with os.scandir(self._directory) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    info = entry.stat(follow_symlinks=False)
                    found[entry.name] = (info.st_size - _SUM_BYTES, info.st_mtime_ns)
        return found | self._small.times(self._author)


def _author(above: int, fpr: Fingerprint) -> int:
    try:
        return safe.open_dir(fpr.hex, at=above)
    except FileNotFoundError:
        return safe.make_dir(fpr.hex, at=above)


def _share_blocks(target: int, source: int) -> bool:
    if sys.platform != "linux":
        return False
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True
