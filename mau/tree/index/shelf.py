"""The directories of one author, as one: a name in ``FPR`` counts before the same name in ``.FPR`` (I9)."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import time
from collections.abc import Iterator
from typing import BinaryIO, Final, cast

from mau.errors import NoSuchPost, NotAFile
from mau.fingerprint import Fingerprint
from mau.tree import safe
from mau.tree.index.entry import Examine, is_settled, stamp_of
from mau.tree.index.rows import Looked
from mau.tree.layout import Root
from mau.tree.names import is_post_name

LARGE: Final = 64 << 20
"""From so many bytes on, hashing takes long enough to keep others waiting."""


class Unstable(Exception):
    """The file was changed while it was read."""


class Unreadable(Exception):
    """The file cannot be read: the disk fails, or we may not."""


class Shelf:
    """Open descriptors of ``FPR`` and ``.FPR``, of those that are there; a context manager."""

    def __init__(self, root: Root, author: Fingerprint) -> None:
        self.author = author
        self._directories: list[tuple[bool, int]] = []
        try:
            for hidden, path in ((False, root.author_dir(author)), (True, root.hidden_dir(author))):
                with contextlib.suppress(FileNotFoundError, NotAFile):
                    self._directories.append((hidden, safe.open_dir(path)))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Shelf:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the descriptors."""
        while self._directories:
            os.close(self._directories.pop()[1])

    @property
    def is_there(self) -> bool:
        """Whether the author has a directory at all."""
        return bool(self._directories)

    def names(self) -> list[str]:
        """Names that can be posts, each once, in the order of code points."""
        found: list[str] = []
        for _, directory in self._directories:
            with os.scandir(directory) as scan:
                found += [item.name for item in scan if is_post_name(item.name)]
        if len(self._directories) > 1:
            found = list(set(found))
        found.sort()
        return found

    def find(self, name: str) -> tuple[bool, os.stat_result] | None:
        """(hidden, what it is) of the regular file that counts under that name."""
        for hidden, directory in self._directories:
            with contextlib.suppress(FileNotFoundError):
                found = os.stat(name, dir_fd=directory, follow_symlinks=False)
                if stat.S_ISREG(found.st_mode):
                    return hidden, found
        return None

    def all(self) -> Iterator[tuple[str, bool, os.stat_result]]:
        """Every file that counts, in the order of code points."""
        for name in self.names():
            place = self.find(name)
            if place is not None:
                yield name, *place

    def look(self, name: str, examine: Examine) -> Looked | None:
        """Read the file: its sum, and what the caller says of it. None when it is not there.

        Unstable when it changed meanwhile; Unreadable.
        """
        place = self.find(name)
        if place is None:
            return None
        hidden, _ = place
        directory = dict(self._directories)[hidden]
        began = time.time_ns()
        try:
            fd, before = safe.open_regular(name, at=directory)
        except (NoSuchPost, NotAFile) as error:
            raise Unstable from error
        except OSError as error:
            raise Unreadable(str(error)) from error
        with cast(BinaryIO, os.fdopen(fd, "rb")) as handle:
            try:
                sha256 = _sum(handle)
                handle.seek(0)
                examined = examine(self.author, name, handle)
                after = os.fstat(handle.fileno())
            except OSError as error:
                raise Unreadable(str(error)) from error
        stamp = stamp_of(before)
        if stamp_of(after) != stamp:
            raise Unstable
        return Looked(hidden, before.st_size, sha256, stamp, is_settled(before, began), examined)

    def is_still(self, name: str, looked: Looked | None) -> bool:
        """Whether what was looked at is what lies there now."""
        place = self.find(name)
        if place is None or looked is None:
            return place is None and looked is None
        return place[0] == looked.hidden and stamp_of(place[1]) == looked.stamp


def _sum(handle: BinaryIO) -> bytes:
    digest = hashlib.sha256()
    while chunk := handle.read(safe.CHUNK):
        digest.update(chunk)
    return digest.digest()
