"""What was found in files, noted with their stamps: the tables, and what stands in them (M83)."""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mau.content.binding import PUBLIC, Audience, Public
from mau.deletion.document import Delete
from mau.fingerprint import Fingerprint
from mau.tree.posts import Entry

SCHEMA: Final = """
CREATE TABLE author (author BLOB PRIMARY KEY, key BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE looked (
  author BLOB NOT NULL, hidden INTEGER NOT NULL, name TEXT NOT NULL, stamp BLOB NOT NULL,
  target TEXT, said TEXT,
  PRIMARY KEY (author, hidden, name)
) WITHOUT ROWID;
CREATE INDEX about ON looked (author, target) WHERE target IS NOT NULL
"""
UNSETTLED: Final = b""
"""The stamp of a file that is looked at again: another change may leave the same one."""
_STAMP: Final = struct.Struct("<5Q")
_MASK: Final = (1 << 64) - 1


@dataclass(slots=True)
class Looked:
    """A file with this stamp was looked at; ``delete``: the DeleteAction that it is."""

    stamp: bytes
    delete: Delete | None


def read_looked(db: sqlite3.Connection, author: Fingerprint, hidden: bool, key: bytes) -> dict[str, Looked]:
    """By name, what is noted of the files of one directory; nothing when it was with another key."""
    row = db.execute("SELECT key FROM author WHERE author = ?", (author.raw,)).fetchone()
    if row is not None and row[0] != key:
        # Another copy of the key: what did not hold may, and the other way round.
        db.execute("DELETE FROM looked WHERE author = ?", (author.raw,))
        db.execute("DELETE FROM author WHERE author = ?", (author.raw,))
        return {}
    query = "SELECT name, stamp, target, said FROM looked WHERE author = ? AND hidden = ?"
    rows = db.execute(query, (author.raw, hidden))
    return {
        name: Looked(stamp, None if said is None else _loaded(author, name, target, said))
        for name, stamp, target, said in rows
    }


def read_deletes(
    db: sqlite3.Connection, author: Fingerprint, target: str | None = None
) -> list[tuple[Delete, bytes, bool]]:
    """The DeleteActions that are noted, about one post or all; with the stamp, and whether it is hidden."""
    query = "SELECT name, target, said, stamp, hidden FROM looked WHERE author = ? AND target IS NOT NULL"
    values: tuple[object, ...] = (author.raw,)
    if target is not None:
        query += " AND target = ?"
        values += (target,)
    return [
        (_loaded(author, name, about, said), stamp, bool(hidden))
        for name, about, said, stamp, hidden in db.execute(query, values)
    ]


def write_looked(
    db: sqlite3.Connection,
    author: Fingerprint,
    hidden: bool,
    fresh: Iterable[tuple[str, Looked]],
    gone: Iterable[str],
    key: bytes | None,
) -> None:
    """Note files that were looked at, and those that are gone; `key`: everything was looked at with it."""
    rows = [(author.raw, hidden, name, looked.stamp, *_dumped(looked.delete)) for name, looked in fresh]
    names = [(author.raw, hidden, name) for name in gone]
    db.executemany("INSERT OR REPLACE INTO looked VALUES (?, ?, ?, ?, ?, ?)", rows)
    db.executemany("DELETE FROM looked WHERE author = ? AND hidden = ? AND name = ?", names)
    if key is not None:
        db.execute("INSERT OR REPLACE INTO author VALUES (?, ?)", (author.raw, key))


def knows(db: sqlite3.Connection, author: Fingerprint, key: bytes) -> bool:
    """Whether all files of the author were looked at with this key."""
    row = db.execute("SELECT key FROM author WHERE author = ?", (author.raw,)).fetchone()
    return row is not None and row[0] == key


def stamp_of(entry: Entry) -> bytes:
    """What changes with every change of a file."""
    times = (entry.mtime_ns & _MASK, entry.ctime_ns & _MASK)
    return _STAMP.pack(entry.dev & _MASK, entry.ino & _MASK, entry.size, *times)


def _dumped(delete: Delete | None) -> tuple[str | None, str | None]:
    if delete is None:
        return None, None
    people = None if isinstance(delete.audience, Public) else sorted(one.hex for one in delete.audience)
    return delete.target, json.dumps([sorted(delete.sha256s), delete.signed_at, people])


def _loaded(author: Fingerprint, name: str, target: str, said: str) -> Delete:
    sums, signed_at, people = json.loads(said)
    audience: Audience = PUBLIC if people is None else frozenset(map(Fingerprint.parse, people))
    return Delete(author, name, target, frozenset(sums), signed_at, audience)
