"""What stands in the index: the tables, and the few questions that are asked of them.

A file has one row, however many may read it, and one line in `found` for each reader under which it is found.
Those lie in the order (author, reader, clock), so a page is read from them without touching anything else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mau.fingerprint import Fingerprint
from mau.tree.index.entry import Entry, Examined

SCHEMA_VERSION: Final = 2
_MAGIC: Final = 0x6D617569  # "maui", for file(1)

_SCHEMA: Final = (
    """CREATE TABLE meta (
        generation TEXT NOT NULL, device TEXT NOT NULL, inode TEXT NOT NULL, examiner TEXT NOT NULL,
        beside TEXT NOT NULL, clock INTEGER NOT NULL)""",
    # complete: everything that lay there was read once in this generation.
    """CREATE TABLE author (
        id INTEGER PRIMARY KEY, fingerprint BLOB NOT NULL UNIQUE, complete INTEGER NOT NULL DEFAULT 0,
        changed INTEGER NOT NULL DEFAULT 0)""",
    "CREATE TABLE reader (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE)",
    """CREATE TABLE file (
        id INTEGER PRIMARY KEY, author INTEGER NOT NULL, name TEXT NOT NULL, hidden INTEGER NOT NULL,
        size INTEGER NOT NULL, sha256 BLOB NOT NULL, stamp BLOB NOT NULL, clock INTEGER NOT NULL UNIQUE,
        kind TEXT NOT NULL, readers BLOB NOT NULL, stated BLOB NOT NULL, UNIQUE (author, name))""",
    """CREATE TABLE found (
        author INTEGER NOT NULL, reader INTEGER NOT NULL, clock INTEGER NOT NULL, file INTEGER NOT NULL,
        PRIMARY KEY (author, reader, clock)) WITHOUT ROWID""",
    "CREATE INDEX unsettled ON file (author) WHERE stamp = x''",
)
_COLUMNS: Final = "name, hidden, size, sha256, clock, kind, stated, stamp"
_TYPES: Final = (str, int, int, bytes, int, str, bytes, bytes)
_FOREIGN: Final = "a row that was not written here"
_SUM: Final = 32  # bytes of a sha256
_MOST_READERS: Final = 400  # of one visitor; SQLite joins at most 500 questions


@dataclass(frozen=True, slots=True)
class Meta:
    """What must fit for a database to be used: whose it is, where it lies, what its rows mean."""

    generation: str
    device: str
    inode: str
    examiner: str
    beside: str = ""
    """Which files it consists of (I3): a copy that is put over them is another one."""


@dataclass(frozen=True, slots=True)
class State:
    """What is known of an author as a whole. `complete`: everything of his was read in this generation."""

    number: int
    complete: bool
    changed: int
    """The clock of his last change, removals included."""


@dataclass(frozen=True, slots=True)
class Looked:
    """One file as it was read just now."""

    hidden: bool
    size: int
    sha256: bytes
    stamp: bytes
    settled: bool
    """Whether it cannot change any more without leaving another stamp."""
    examined: Examined


# --- the file ----------------------------------------------------------------------------------------------


def create(connection: sqlite3.Connection, meta: Meta, clock: int) -> None:
    """Make the tables in an empty file."""
    for statement in _SCHEMA:
        connection.execute(statement)
    connection.execute(
        "INSERT INTO meta VALUES (?, ?, ?, ?, ?, ?)",
        (meta.generation, meta.device, meta.inode, meta.examiner, meta.beside, clock),
    )
    connection.execute(f"PRAGMA application_id = {_MAGIC:d}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION:d}")


def read_meta(connection: sqlite3.Connection) -> Meta | None:
    """What the file says of itself; None when it is of another version, or not an index at all."""
    if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
        return None
    row = connection.execute("SELECT generation, device, inode, examiner, beside FROM meta").fetchone()
    return None if row is None else Meta(*row)


def note_files(connection: sqlite3.Connection, beside: str) -> None:
    """Note which files it consists of, once they are there."""
    connection.execute("UPDATE meta SET beside = ?", (beside,))


def last_clock(connection: sqlite3.Connection) -> int:
    """The clock of the last change."""
    row = connection.execute("SELECT clock FROM meta").fetchone()
    return int(row[0]) if row and isinstance(row[0], int) else 0


# --- authors -----------------------------------------------------------------------------------------------


def author_state(connection: sqlite3.Connection, author: Fingerprint) -> State | None:
    """None when nothing is known of the author."""
    row = connection.execute(
        "SELECT id, complete, changed FROM author WHERE fingerprint = ?", (author.raw,)
    ).fetchone()
    return None if row is None else State(row[0], bool(row[1]), row[2])


def authors(connection: sqlite3.Connection) -> list[Fingerprint]:
    """Every author of whom something is known."""
    return [Fingerprint(raw) for (raw,) in connection.execute("SELECT fingerprint FROM author ORDER BY 1")]


# --- reading -----------------------------------------------------------------------------------------------


def stamps(connection: sqlite3.Connection, number: int) -> Iterator[tuple[str, bytes, int]]:
    """(name, stamp, hidden) of every file of the author, in the order of code points."""
    for row in connection.execute(
        "SELECT name, stamp, hidden FROM file WHERE author = ? ORDER BY name", (number,)
    ):
        if type(row[0]) is not str or type(row[1]) is not bytes:
            raise sqlite3.DatabaseError(_FOREIGN)
        yield row


def one(connection: sqlite3.Connection, author: Fingerprint, number: int, name: str) -> Entry | None:
    """The row of one file."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM file WHERE author = ? AND name = ?",  # noqa: S608 - constants
        (number, name),
    ).fetchone()
    return None if row is None else _entry(author, row)


def unsettled(connection: sqlite3.Connection, number: int) -> list[str]:
    """Names of files whose stamp proves nothing."""
    found = connection.execute("SELECT name FROM file WHERE author = ? AND stamp = x''", (number,))
    return [name for (name,) in found]


def some(
    connection: sqlite3.Connection, author: Fingerprint, number: int, after: str, limit: int
) -> list[Entry]:
    """Files in the order of their names, after that name."""
    found = connection.execute(
        f"SELECT {_COLUMNS} FROM file WHERE author = ? AND name > ? ORDER BY name LIMIT ?",  # noqa: S608
        (number, after, limit),
    )
    return [_entry(author, row) for row in found]


def changed_since(
    connection: sqlite3.Connection, author: Fingerprint, number: int, clock: int
) -> list[Entry]:
    """Files of the author that became current after that clock, oldest first."""
    found = connection.execute(
        f"SELECT {_COLUMNS} FROM file WHERE author = ? AND clock > ? ORDER BY clock",  # noqa: S608
        (number, clock),
    )
    return [_entry(author, row) for row in found]


def counted(connection: sqlite3.Connection, number: int) -> tuple[int, int]:
    """(files of the author, how many of them are hidden)."""
    row = connection.execute(
        "SELECT count(*), coalesce(sum(hidden), 0) FROM file WHERE author = ?", (number,)
    ).fetchone()
    return int(row[0]), int(row[1])


def page(
    connection: sqlite3.Connection,
    author: Fingerprint,
    number: int,
    readers: Sequence[bytes],
    position: int,
    limit: int,
    *,
    newest_first: bool,
) -> list[Entry]:
    """Files that are found under any of the readers, on one side of a position, nearest first.

    From each reader's own order at most `limit` lines are read, whatever else there is.
    """
    keys = [key for key in (reader_id(connection, reader) for reader in set(readers)) if key is not None]
    if not keys:
        return []
    side, order = ("<", "DESC") if newest_first else (">", "ASC")
    part = (
        "SELECT * FROM (SELECT clock, file FROM found WHERE author = ? AND reader = ?"  # noqa: S608
        f" AND clock {side} ? ORDER BY clock {order} LIMIT ?)"
    )
    together = " UNION ".join([part] * len(keys[:_MOST_READERS]))
    columns = ", ".join(f"file.{column}" for column in _COLUMNS.split(", "))
    question = (
        f"SELECT {columns} FROM ({together} ORDER BY clock {order} LIMIT ?) AS line"  # noqa: S608
        f" CROSS JOIN file ON file.id = line.file ORDER BY line.clock {order}"
    )
    values = [value for key in keys[:_MOST_READERS] for value in (number, key, position, limit)]
    return [_entry(author, row) for row in connection.execute(question, [*values, limit])]


def since(connection: sqlite3.Connection, clock: int, limit: int) -> list[tuple[int, Fingerprint, bool, str]]:
    """(clock, author, hidden, name) of what changed after that clock, of all authors."""
    found = connection.execute(
        "SELECT file.clock, fingerprint, hidden, name FROM file JOIN author ON author.id = file.author"
        " WHERE file.clock > ? ORDER BY file.clock LIMIT ?",
        (clock, limit),
    )
    return [(at, Fingerprint(raw), bool(hidden), name) for at, raw, hidden, name in found]


def authors_since(connection: sqlite3.Connection, clock: int) -> list[tuple[Fingerprint, int]]:
    """(author, clock of the last change) of all of whom anything changed after that clock."""
    found = connection.execute("SELECT fingerprint, changed FROM author WHERE changed > ?", (clock,))
    return [(Fingerprint(raw), changed) for raw, changed in found]


def reader_id(connection: sqlite3.Connection, reader: bytes) -> int | None:
    """The number of a reader; None when nothing was ever found under it."""
    row = connection.execute("SELECT id FROM reader WHERE key = ?", (reader,)).fetchone()
    return None if row is None else int(row[0])


def _entry(author: Fingerprint, row: tuple[str, int, int, bytes, int, str, bytes, bytes]) -> Entry:
    name, hidden, size, sha256, clock, kind, stated, stamp = row
    if tuple(map(type, row)) != _TYPES or not clock > 0 or len(sha256) != _SUM or "/" in name or "\0" in name:
        raise sqlite3.DatabaseError(_FOREIGN)
    return Entry(author, name, bool(hidden), size, sha256.hex(), clock, kind, stated, stamp)
