"""Changes of what stands in the index; each gets a clock of its own (spec/index.md I6)."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Callable, Sequence

from mau.fingerprint import Fingerprint
from mau.tree.index.clock import following
from mau.tree.index.rows import Looked, author_state, last_clock, reader_id


class Writer:
    """Changes of one author within one transaction; every one gets a clock of its own."""

    def __init__(self, connection: sqlite3.Connection, author: Fingerprint, now: Callable[[], int]) -> None:
        self._connection = connection
        self._now = now
        self._readers: dict[bytes, int] = {}
        state = author_state(connection, author)
        self._number = (
            state.number
            if state
            else self._insert("INSERT INTO author (fingerprint) VALUES (?)", (author.raw,))
        )
        self._clock = self._before = last_clock(connection)

    def put(self, name: str, looked: Looked) -> bool:
        """Note a file as it is; True when its content is another than before."""
        row = self._connection.execute(
            "SELECT id, sha256, clock, kind, readers, stated, stamp FROM file WHERE author = ? AND name = ?",
            (self._number, name),
        ).fetchone()
        if row is not None and row[6] == looked.stamp and not looked.settled:
            return False  # another process read it later than we did
        stamp = looked.stamp if looked.settled else b""
        keys = self._keys(looked.examined.readers)
        said = (looked.examined.kind, keys, looked.examined.stated)
        if row is not None and row[1] == looked.sha256 and row[3:6] == said:
            self._connection.execute(
                "UPDATE file SET hidden = ?, stamp = ? WHERE id = ?", (looked.hidden, stamp, row[0])
            )
            return False
        if row is not None:
            self._unfind(row[2], row[4])
        clock = self._tick()
        values = (looked.hidden, looked.size, looked.sha256, stamp, clock, *said)
        if row is None:
            number = self._insert(
                "INSERT INTO file (author, name, hidden, size, sha256, stamp, clock, kind, readers, stated)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (self._number, name, *values),
            )
        else:
            number = row[0]
            self._connection.execute(
                "UPDATE file SET hidden = ?, size = ?, sha256 = ?, stamp = ?, clock = ?, kind = ?,"
                " readers = ?, stated = ? WHERE id = ?",
                (*values, number),
            )
        self._connection.executemany(
            "INSERT INTO found VALUES (?, ?, ?, ?)",
            ((self._number, key, clock, number) for key in _unpacked(keys)),
        )
        return True

    def drop(self, name: str) -> bool:
        """A file is gone; False when nothing was known of it."""
        row = self._connection.execute(
            "DELETE FROM file WHERE author = ? AND name = ? RETURNING clock, readers", (self._number, name)
        ).fetchone()
        if row is None:
            return False
        self._unfind(*row)
        self._tick()
        return True

    def move(self, name: str, hidden: bool) -> None:
        """The same file lies in the author's other directory now."""
        self._connection.execute(
            "UPDATE file SET hidden = ? WHERE author = ? AND name = ?", (hidden, self._number, name)
        )

    def complete(self) -> None:
        """Everything of the author was read."""
        self._connection.execute("UPDATE author SET complete = 1 WHERE id = ?", (self._number,))

    def stamp(self, name: str) -> bytes | None:
        """The stamp that is noted of a file."""
        row = self._connection.execute(
            "SELECT stamp FROM file WHERE author = ? AND name = ?", (self._number, name)
        ).fetchone()
        return None if row is None else bytes(row[0])

    def done(self) -> None:
        """Note how far the clock went."""
        if self._clock != self._before:
            self._connection.execute("UPDATE meta SET clock = ?", (self._clock,))
            self._connection.execute(
                "UPDATE author SET changed = ? WHERE id = ?", (self._clock, self._number)
            )

    def _insert(self, statement: str, values: tuple[object, ...]) -> int:
        return int(self._connection.execute(statement, values).lastrowid or 0)

    def _tick(self) -> int:
        self._clock = following(self._clock, self._now())
        return self._clock

    def _unfind(self, clock: int, keys: bytes) -> None:
        self._connection.executemany(
            "DELETE FROM found WHERE author = ? AND reader = ? AND clock = ?",
            ((self._number, key, clock) for key in _unpacked(keys)),
        )

    def _keys(self, readers: Sequence[bytes]) -> bytes:
        """The numbers of the readers, packed: each once, in order."""
        numbers = set()
        for reader in readers:
            number = self._readers.get(reader)
            if number is None:
                number = reader_id(self._connection, reader)
                if number is None:
                    number = self._insert("INSERT INTO reader (key) VALUES (?)", (reader,))
                self._readers[reader] = number
            numbers.add(number)
        return struct.pack(f"<{len(numbers)}I", *sorted(numbers))


def _unpacked(keys: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(keys) // 4}I", keys)
