"""What became of each file, for backups and for restoring. Values, and words for errors."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from typing import Final, Literal

What = Literal["back", "newer", "version", "aside", "same", "kept", "refused"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something in the tree that is not in the backup, and why."""

    path: str
    reason: str
    expected: bool = False
    """Whether it never belongs into a backup; else what the backup holds is not all."""


@dataclass(slots=True)
class Taken:
    """What a backup holds: files, their bytes, and what it does not hold."""

    files: int = 0
    size: int = 0
    left_out: list[LeftOut] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether everything that belongs into it is in it."""
        return all(one.expected for one in self.left_out)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One file of an archive.

    back: it was not held, and is now. newer: it took the place of something older. version: something newer
    is held, and it is an older version of that now. aside: put beside something else of that name.
    same: held already. kept: what is held counts. refused: see `words`.
    """

    path: str
    what: What
    words: str = ""


@dataclass(slots=True)
class Restored:
    """What became of all of them."""

    outcomes: list[Outcome] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """What is wrong with the archive as a whole, and what to do about the tree afterwards."""
    derived: int = 0
    withdrawn: int = 0

    def add(self, path: str, what: What, words: str = "") -> None:
        """Note one."""
        self.outcomes.append(Outcome(path, what, words))

    def count(self, what: What) -> int:
        """How many of that kind."""
        return sum(one.what == what for one in self.outcomes)


_OF_ALL: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENODEV}
)


def require_of_one(error: Exception) -> None:
    """Raise what is no trouble of a single file: there is no use in going on with the next one."""
    if isinstance(error, OSError) and error.errno in _OF_ALL:
        raise error


def words_of(error: Exception) -> str:
    """Why one was refused, or could not be read."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error) or (error.__doc__ or "").strip().partition("\n")[0]
