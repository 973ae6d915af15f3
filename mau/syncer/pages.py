"""Going through a listing page by page: when it goes on, and when that is no listing any more
(spec/sync.md S18-S22). Pure.
"""

from __future__ import annotations

import hashlib
from typing import Final

from mau.errors import PeerMisbehaved
from mau.wire.paths import PAGE_MOST

PAGE: Final = PAGE_MOST
"""Items that are asked for at once."""
ROUND_MOST: Final = 250_000
"""Items of one author that one round looks at, those that come again counted each time."""
REFUSED_MOST: Final = 10_000
"""Entries that are none which one round bears."""


class Pages:
    """Watches over the pages of one round. What it holds does not grow with what is listed."""

    def __init__(self, most: int = ROUND_MOST, page: int = PAGE) -> None:
        self._most = most
        self._page = page
        self._seen: set[bytes] = set()
        self._refused = 0
        self.count = 0
        """Items that were listed so far."""

    def refused(self, entries: int) -> None:
        """Note so many entries of a page that are none; PeerMisbehaved when there were too many."""
        self._refused += entries
        if self._refused > REFUSED_MOST:
            raise PeerMisbehaved(f"its listing has {self._refused:,} entries that are none")

    def goes_on(self, asked: str | None, items: int, cursor: str) -> bool:
        """Whether there is more after the page of so many ``items`` that was asked from ``asked``.

        ``cursor`` is the position after it. PeerMisbehaved when it leads back to where we were, or when there
        is no end to it.
        """
        if asked is not None:
            self._seen.add(_short(asked))
        self.count += items
        if self.is_last(items):
            return False
        if _short(cursor) in self._seen:
            raise PeerMisbehaved("its listing leads in a circle")
        if self.count >= self._most:
            raise PeerMisbehaved(f"its listing goes on after {self.count:,} entries: the rest another time")
        return True

    def is_last(self, items: int) -> bool:
        """Whether a page of so many items is the last for now."""
        return items < self._page


def _short(cursor: str) -> bytes:
    return hashlib.blake2b(cursor.encode(), digest_size=16).digest()
