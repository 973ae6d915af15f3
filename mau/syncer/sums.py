"""Sums of files that are held, without reading again what has not changed (spec/sync.md, S17)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from mau.tree.posts import AuthorDir, Entry

# A file that changed so lately could change once more without its times showing it, in nanoseconds.
_SETTLED: Final = 2_000_000_000

Stamp = tuple[int, int, int, int, int]
"""Device, inode, size in bytes, times of content and inode in ns: together they change with every write."""


def stamp_of(entry: Entry) -> Stamp:
    """The stamp of a post as it was found."""
    return entry.dev, entry.ino, entry.size, entry.mtime_ns, entry.ctime_ns


class Sums:
    """Answers from what is known; ``learned`` is what had to be read and is worth remembering."""

    def __init__(self, posts: AuthorDir, known: Mapping[str, tuple[Stamp, str]]) -> None:
        self._posts = posts
        self.known = known
        self._now = time.time_ns()
        self.learned: dict[str, tuple[Stamp, str]] = {}

    def of(self, entry: Entry) -> str:
        """The sha256 (hex) of a post. NoSuchPost and NotAFile when it is not there any more."""
        stamp = stamp_of(entry)
        known = self.known.get(entry.name)
        if known is not None and known[0] == stamp:
            return known[1]
        sha256 = self._posts.sha256(entry.name)
        if abs(self._now - entry.ctime_ns) > _SETTLED:
            self.learned[entry.name] = (stamp, sha256)
        return sha256
