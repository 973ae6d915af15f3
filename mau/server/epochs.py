"""Since when a visitor may read what he may read (spec/http.yaml H66). Derived: forgotten is as good as now.

Who asks for what changed since a date gets everything when other rules hold for him since then: a new friend
may read files that are older than the friendship.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from typing import Final

from mau.derived import Database
from mau.fingerprint import Fingerprint
from mau.server.standing import Standing
from mau.tree.layout import Root

_SCHEMA: Final = """
CREATE TABLE epoch (
  author BLOB NOT NULL, visitor BLOB NOT NULL, digest BLOB NOT NULL, since INTEGER NOT NULL,
  PRIMARY KEY (author, visitor)
) WITHOUT ROWID
"""
_STRANGER: Final = b""  # all of them are one to the rules; a row for each could fill the disk


class Epochs:
    """Remembers rules by author and visitor. Used from several threads."""

    def __init__(self, root: Root) -> None:
        self._database = Database(root.state_dir("server") / "epochs.db", _SCHEMA, 1, shared=True)
        self._known: dict[tuple[bytes, bytes], tuple[bytes, int]] = {}
        self._lock = threading.Lock()

    def since(self, standing: Standing, changed: int) -> int:
        """The first Unix second in all of which what counts for this visitor counted, as far as is known.

        ``changed``: the second of the author's last change. No date that was told before is as late as this,
        whatever the system's clock did.
        """
        author, visitor = standing.shelf.author, standing.visitor
        key = (author.raw, _row(visitor.fingerprint, author, held=visitor.friend or bool(visitor.keyids)))
        digest = standing.digest if key[1] else _for_strangers(standing)
        with self._lock:
            known = self._known.get(key)
            if known is None or known[0] != digest:
                known = self._known[key] = (digest, self._noted(key, digest, changed))
            return known[1]

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._database.close()

    def _noted(self, key: tuple[bytes, bytes], digest: bytes, changed: int) -> int:
        def work(connection: sqlite3.Connection) -> int:
            row = connection.execute(
                "SELECT digest, since FROM epoch WHERE author = ? AND visitor = ?", key
            ).fetchone()
            if row is not None and row[0] == digest:
                return int(row[1])
            since = max(int(time.time()), changed, 0 if row is None else int(row[1])) + 1
            connection.execute("INSERT OR REPLACE INTO epoch VALUES (?, ?, ?, ?)", (*key, digest, since))
            return since

        return self._database.run(work)


def _row(visitor: Fingerprint | None, author: Fingerprint, *, held: bool) -> bytes:
    return visitor.raw if visitor is not None and (held or visitor == author) else _STRANGER


def _for_strangers(standing: Standing) -> bytes:
    """What counts for all strangers alike."""
    return f"{standing.shelf.relay} {standing.readers!r}".encode()
