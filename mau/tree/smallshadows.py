"""The shadows of short posts, together in one database (spec/tree.md H1).

A file of its own for each of them would cost the disk almost as much as the post itself: every new file is a
new entry in two tables of the file system, and the post's own sync waits for those too.
"""

from __future__ import annotations

import atexit
import os
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from mau.derived import Database

T = TypeVar("T")

_SCHEMA: Final = """
CREATE TABLE shadow (
    author TEXT NOT NULL, name TEXT NOT NULL,
    sum BLOB NOT NULL, mtime_ns INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (author, name)
) WITHOUT ROWID
"""
_KEPT_OPEN: Final = 4

_open: OrderedDict[tuple[int, Path], SmallShadows] = OrderedDict()
_guard = threading.Lock()


class SmallShadows:
    """The database of one tree. Whatever is wrong with it, there is no shadow: nothing here fails."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._database = Database(path, _SCHEMA, 1, shared=True)

    def get(self, author: str, name: str) -> tuple[bytes, bytes, int] | None:
        """The content, its sha256 (32 bytes) and the time (ns) of the post it was made from."""
        found: tuple[bytes, bytes, int] | None = self._run(
            lambda db: db.execute(
                "SELECT data, sum, mtime_ns FROM shadow WHERE author = ? AND name = ?", (author, name)
            ).fetchone(),
            None,
        )
        return found

    def put(self, author: str, name: str, row: tuple[bytes, bytes, int]) -> bool:
        """Keep content, sum and time; False when that did not work."""
        data, total, mtime_ns = row
        return self._run(
            lambda db: bool(
                db.execute(
                    "INSERT OR REPLACE INTO shadow (author, name, data, sum, mtime_ns)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (author, name, data, total, mtime_ns),
                )
            ),
            False,
        )

    def drop(self, author: str, name: str) -> None:
        """Forget one."""
        self._run(
            lambda db: db.execute("DELETE FROM shadow WHERE author = ? AND name = ?", (author, name)), None
        )

    def times(self, author: str) -> dict[str, tuple[int, int]]:
        """Of every shadow the size and the time (ns) of the post it was made from."""
        rows: list[tuple[str, int, int]] = self._run(
            lambda db: db.execute(
                "SELECT name, length(data), mtime_ns FROM shadow WHERE author = ?", (author,)
            ).fetchall(),
            [],
        )
        return {name: (size, mtime_ns) for name, size, mtime_ns in rows}

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._database.close()

    def _run(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        with self._lock:
            try:
                return self._database.run(work)
            except (sqlite3.Error, OSError):
                return otherwise


def small_shadows(directory: Path) -> SmallShadows:
    """The database in ``.shadow`` of a tree; the few used last stay open."""
    key = (os.getpid(), directory)
    with _guard:
        found = _open.pop(key, None) or SmallShadows(directory / "small.sqlite")
        _open[key] = found
        while len(_open) > _KEPT_OPEN:
            _open.popitem(last=False)[1].close()
    return found


@atexit.register
def _close_all() -> None:
    for (pid, _), shadows in _open.items():
        if pid == os.getpid():
            shadows.close()
