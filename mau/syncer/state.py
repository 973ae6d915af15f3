"""What the syncer remembers between runs, in ``.syncer/`` (spec/sync.md S13-S16).

All of it is derived: without it everything is listed, fetched and judged once more.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mau.derived import Database
from mau.fingerprint import Fingerprint
from mau.syncer.report import Trouble
from mau.syncer.sums import Stamp
from mau.tree.layout import Root
from mau.wire.listing import Item

_SCHEMA = """
CREATE TABLE refused (
  author BLOB NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL,
  source BLOB NOT NULL,
  error TEXT NOT NULL, words TEXT NOT NULL,
  PRIMARY KEY (author, name, sha256, source)
) WITHOUT ROWID;
CREATE TABLE pending (
  source BLOB NOT NULL, author BLOB NOT NULL, name TEXT NOT NULL,
  sha256 TEXT NOT NULL, size INTEGER NOT NULL, error TEXT NOT NULL,
  PRIMARY KEY (source, author, name)
) WITHOUT ROWID;
CREATE TABLE cursor (
  source BLOB NOT NULL, author BLOB NOT NULL,
  last_modified TEXT, rounds INTEGER NOT NULL, dates TEXT NOT NULL, token TEXT, compared INTEGER NOT NULL,
  PRIMARY KEY (source, author)
) WITHOUT ROWID;
CREATE TABLE sums (
  author BLOB NOT NULL, name TEXT NOT NULL,
  dev INTEGER NOT NULL, ino INTEGER NOT NULL, size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, sha256 TEXT NOT NULL,
  PRIMARY KEY (author, name)
) WITHOUT ROWID;
CREATE TABLE removed (
  author BLOB NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL,
  PRIMARY KEY (author, name, sha256)
) WITHOUT ROWID;
CREATE TABLE usage (author BLOB PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID
"""

_ANYBODY = b""  # source of a verdict that lies in the bytes


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the last sync with a peer ended.

    ``last_modified``: the server's own words, None when it gave none or nothing was synced yet. ``rounds``:
    syncs since everything was listed. ``dates``: worth asking a server that cuts (see paging). ``token``: the
    position in the listing of a server that knows pages. ``compared``: when everything was last listed, by
    our clock in Unix seconds; only says when to do it again.
    """

    last_modified: str | None = None
    rounds: int = 0
    dates: tuple[int, ...] = ()
    token: str | None = None
    compared: int = 0


class State:
    """The syncer's memory of one tree. Safe with several processes; every method is one transaction."""

    def __init__(self, root: Root) -> None:
        self._database = Database(root.state_dir("syncer") / "state.db", _SCHEMA, 3)

    def refused(self, source: Fingerprint, author: Fingerprint) -> set[tuple[str, str]]:
        """(name, sha256) of what was refused for ever, or from this source."""

        def read(connection: sqlite3.Connection) -> set[tuple[str, str]]:
            rows = connection.execute(
                "SELECT name, sha256 FROM refused WHERE author = ? AND source IN (?, ?)",
                (author.raw, _ANYBODY, source.raw),
            )
            return {(name, sha256) for name, sha256 in rows}

        return self._database.run(read)

    def refuse(
        self, author: Fingerprint, troubles: Iterable[Trouble], *, source: Fingerprint | None = None
    ) -> None:
        """Remember verdicts: for ever, or with ``source`` against that source only."""
        where = source.raw if source else _ANYBODY
        rows = [(author.raw, one.name, one.sha256, where, one.kind, one.words[:500]) for one in troubles]

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany("INSERT OR REPLACE INTO refused VALUES (?, ?, ?, ?, ?, ?)", rows)

        if rows:
            self._database.run(write)

    def pending(self, source: Fingerprint, author: Fingerprint) -> list[Item]:
        """What was listed and is still wanted, though a listing of what is new need not show it again."""

        def read(connection: sqlite3.Connection) -> list[Item]:
            rows = connection.execute(
                "SELECT name, size, sha256 FROM pending WHERE source = ? AND author = ? ORDER BY name",
                (source.raw, author.raw),
            )
            return [Item(*row) for row in rows]

        return self._database.run(read)

    def cursor(self, source: Fingerprint, author: Fingerprint) -> Cursor:
        """Where the last sync ended; empty on first contact."""

        def read(connection: sqlite3.Connection) -> Cursor:
            row = connection.execute(
                "SELECT last_modified, rounds, dates, token, compared FROM cursor "
                "WHERE source = ? AND author = ?",
                (source.raw, author.raw),
            ).fetchone()
            return Cursor() if row is None else Cursor(row[0], row[1], tuple(json.loads(row[2])), *row[3:])

        return self._database.run(read)

    def finish(
        self,
        source: Fingerprint,
        author: Fingerprint,
        cursor: Cursor,
        pending: Sequence[tuple[Item, str]],
    ) -> None:
        """Note the end of a round: where it ended, and (item, kind of error) of all that is still wanted."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "DELETE FROM pending WHERE source = ? AND author = ?", (source.raw, author.raw)
            )
            _write_cursor(connection, source, author, cursor)
            _write_pending(connection, source, author, pending)

        self._database.run(write)

    def advance(
        self,
        source: Fingerprint,
        author: Fingerprint,
        cursor: Cursor,
        names: Iterable[str],
        pending: Sequence[tuple[Item, str]],
    ) -> None:
        """Note that everything up to ``cursor`` is dealt with: of these ``names``, what is still wanted."""
        keys = [(source.raw, author.raw, name) for name in names]

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany("DELETE FROM pending WHERE source = ? AND author = ? AND name = ?", keys)
            _write_cursor(connection, source, author, cursor)
            _write_pending(connection, source, author, pending)

        self._database.run(write)

    def compare_again(self, author: Fingerprint, *, at: Fingerprint | None = None) -> None:
        """List and compare everything of ``author`` in the next round at each host, or ``at`` one of them."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE cursor SET token = NULL, last_modified = NULL "
                "WHERE author = ? AND source = coalesce(?, source)",
                (author.raw, at.raw if at else None),
            )

        self._database.run(write)

    def sums(self, author: Fingerprint) -> dict[str, tuple[Stamp, str]]:
        """What files held as, when they were last read; by name."""

        def read(connection: sqlite3.Connection) -> dict[str, tuple[Stamp, str]]:
            rows = connection.execute(
                "SELECT name, dev, ino, size, mtime_ns, ctime_ns, sha256 FROM sums WHERE author = ?",
                (author.raw,),
            )
            return {row[0]: (row[1:6], row[6]) for row in rows}

        return self._database.run(read)

    def learn_sums(self, author: Fingerprint, learned: Mapping[str, tuple[Stamp, str]]) -> None:
        """Remember what was read."""
        rows = [(author.raw, name, *stamp, sha256) for name, (stamp, sha256) in learned.items()]

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany("INSERT OR REPLACE INTO sums VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

        if rows:
            self._database.run(write)

    # --- what was done by hand -----------------------------------------------------------------------------

    def removed(self, author: Fingerprint) -> set[tuple[str, str]]:
        """(name, sha256) of what was held and somebody removed: it is not fetched again."""

        def read(connection: sqlite3.Connection) -> set[tuple[str, str]]:
            return set(connection.execute("SELECT name, sha256 FROM removed WHERE author = ?", (author.raw,)))

        return self._database.run(read)

    def remove(self, author: Fingerprint, gone: Iterable[tuple[str, str]], *, for_good: bool) -> None:
        """Forget the sums of (name, sha256) that are gone; with ``for_good``, they are not to come back."""
        rows = [(author.raw, name, sha256) for name, sha256 in gone]

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "DELETE FROM sums WHERE author = ? AND name = ?", [(row[0], row[1]) for row in rows]
            )
            if for_good:
                connection.executemany("INSERT OR REPLACE INTO removed VALUES (?, ?, ?)", rows)

        if rows:
            self._database.run(write)

    def recall(self, author: Fingerprint, name: str) -> None:
        """What was removed under that name, or refused for ever, may come again."""

        def write(connection: sqlite3.Connection) -> None:
            for table in ("removed", "refused"):
                connection.execute(
                    f"DELETE FROM {table} WHERE author = ? AND name = ?",  # noqa: S608 - constants
                    (author.raw, name),
                )

        self._database.run(write)

    # --- how much there is ---------------------------------------------------------------------------------

    def used(self, author: Fingerprint, size: int) -> int:
        """Note the bytes that are held of somebody; return those of all, as they were noted last."""

        def write(connection: sqlite3.Connection) -> int:
            connection.execute("INSERT OR REPLACE INTO usage VALUES (?, ?)", (author.raw, size))
            return int(connection.execute("SELECT sum(bytes) FROM usage").fetchone()[0])

        return self._database.run(write)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()


def _write_cursor(
    connection: sqlite3.Connection, source: Fingerprint, author: Fingerprint, cursor: Cursor
) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO cursor VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *(source.raw, author.raw, cursor.last_modified, cursor.rounds, json.dumps(cursor.dates)),
            *(cursor.token, cursor.compared),
        ),
    )


def _write_pending(
    connection: sqlite3.Connection,
    source: Fingerprint,
    author: Fingerprint,
    pending: Iterable[tuple[Item, str]],
) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO pending VALUES (?, ?, ?, ?, ?, ?)",
        [(source.raw, author.raw, item.name, item.sum, item.size, kind) for item, kind in pending],
    )
