"""Keeping the index as fresh as an answer needs it: what was written a moment ago is told of.

While the tree is watched, changes show within a second anyway. Here is what makes that at once, where it is
cheap: an author's directory that changed is looked through before it is listed, unless that takes long; and a
file that is no longer what the index says is read again.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import Final

from mau.errors import MauError
from mau.fingerprint import Fingerprint
from mau.tree.index import Index

_CHEAP: Final = 0.02
"""Seconds that a look through a directory may take, to be taken before an answer."""
_PAUSE: Final = 500
"""After one that took longer, so many times as long goes by until the next."""
_SETTLED_NS: Final = 50_000_000
_MOST: Final = 100

_Seen = tuple[int, int, int]


class Freshness:
    """What of the index is known to be as the tree is. Used from several threads."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self.watched = False
        """Whether somebody watches the tree: then what would take long is left to them."""
        self._seen: dict[Fingerprint, tuple[_Seen | None, ...]] = {}
        self._pause: dict[Fingerprint, float] = {}
        self._doubts: dict[Fingerprint, dict[str, None]] = {}
        self._lock = threading.Lock()

    def doubt(self, author: Fingerprint, name: str) -> None:
        """The file is not what the index says; it is read again before the author is listed next."""
        with self._lock:
            doubts = self._doubts.setdefault(author, {})
            if len(doubts) < _MOST:
                doubts[name] = None

    def settle(self, author: Fingerprint, names: list[str]) -> bool:
        """Read files again that are not what the index says; whether any of them is there after all.

        NoAccount when the tree is not whole.
        """
        if self._index.check(author, names).unsettled:
            time.sleep(_SETTLED_NS / 1e9)  # changed a moment ago: then its stamp says what it is
            self._index.check(author, names)
        return any(self._index.entry(author, name) is not None for name in names)

    def see_to(self, author: Fingerprint) -> None:
        """Bring the author's part up to date, if that is cheap."""
        now = time.time_ns()
        seen = self._look(author)
        with self._lock:
            doubts = list(self._doubts.pop(author, ()))
            known = self._seen.get(author)
            slow = self.watched and time.monotonic() < self._pause.get(author, 0.0)
        # A tree that is not whole is listed as it was last.
        with contextlib.suppress(MauError, OSError):
            if known != seen and not slow:
                began = time.monotonic()
                self._index.refresh(author, defer=_leave if self.watched else None)
                ended = time.monotonic()
                with self._lock:
                    if ended - began > _CHEAP:
                        self._pause[author] = ended + (ended - began) * _PAUSE
                    # Within one tick of the file system's clock there may be another change.
                    if all(one is None or now - one[2] > _SETTLED_NS for one in seen):
                        self._seen[author] = seen
            elif doubts:
                self._index.check(author, doubts)

    def _look(self, author: Fingerprint) -> tuple[_Seen | None, ...]:
        root = self._index.root
        return tuple(_seen(os.fspath(place)) for place in (root.author_dir(author), root.hidden_dir(author)))


def _seen(path: str) -> _Seen | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns


def _leave(_author: Fingerprint, _name: str) -> None:
    """A large file is read by whoever watches."""
