"""What is told of a file, and what is asked of the caller. Values only."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Final

from mau.fingerprint import Fingerprint
from mau.tree.index.clock import seconds_of

_STAMP: Final = struct.Struct("<5Q")
_MASK: Final = (1 << 64) - 1
_SETTLED_NS: Final = 50_000_000
_CLOCK_WRONG_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Examined:
    """What the caller says of one content; a function of the bytes and of the name, of nothing else."""

    kind: str
    readers: tuple[bytes, ...] = ()
    """Under what the file is found by `after` and `before`: key ids, and marks of the caller's choosing."""
    stated: bytes = b""
    """Kept as it is."""


Examine = Callable[[Fingerprint, str, BinaryIO], Examined]
"""``examine(author, name, handle)``: the handle is at its beginning. Errors of reading may pass through."""

Changed = Callable[[Fingerprint, bool, str | None], None]
"""``changed(author, hidden, name)``; a name of None: too much of that author to tell it one by one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: size in bytes, sha256 in hex, and when this content became current (see `clock`)."""

    author: Fingerprint
    name: str
    hidden: bool
    size: int
    sha256: str
    clock: int
    kind: str
    stated: bytes
    stamp: bytes
    """`stamp_of` the file when it was read. Empty: it had just been changed, so its stamp proves nothing."""

    @property
    def modified(self) -> int:
        """When this became current, in whole Unix seconds."""
        return seconds_of(self.clock)


@dataclass(frozen=True, slots=True)
class Page:
    """Entries in the order that was asked for. `more`: there are others beyond the last one."""

    generation: str
    """Positions (clocks) mean something in this generation only."""
    changed: int
    """The clock at the author's last change, removals included: when it is the same, so is every page."""
    entries: tuple[Entry, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Since:
    """What became current after a clock, oldest first, and what there is in all.

    ``files`` and ``hidden`` count everything of the author: where they do not fit what the caller has with
    the ``entries``, something was removed, or moved between his two directories.
    """

    generation: str
    changed: int
    files: int
    hidden: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a rescan found: files that are new or have another content, files that are gone.

    `unsettled` files were being written, or changed a moment before: the next rescan reads them again.
    """

    changed: int = 0
    removed: int = 0
    unsettled: int = 0

    def __add__(self, other: Refreshed) -> Refreshed:
        return Refreshed(
            self.changed + other.changed, self.removed + other.removed, self.unsettled + other.unsettled
        )


def stamp_of(found: os.stat_result) -> bytes:
    """What changes with every change of a file: device, inode, size and both times, as 40 bytes."""
    return _STAMP.pack(
        found.st_dev & _MASK,
        found.st_ino & _MASK,
        found.st_size,
        found.st_mtime_ns & _MASK,  # may be set by hand to beyond 64 bits, and below zero
        found.st_ctime_ns & _MASK,
    )


def is_settled(found: os.stat_result, now_ns: int) -> bool:
    """Whether another change would surely leave another stamp.

    The clock of a file system advances in ticks: two changes within one leave the same times. A time that
    lies well ahead was written before the system's clock was set back, and the next change will differ.
    """
    age = now_ns - found.st_ctime_ns
    return age > _SETTLED_NS or age < -_CLOCK_WRONG_NS
