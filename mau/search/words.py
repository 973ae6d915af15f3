"""The index of words: SQLite's full-text search in a database that lives in memory (spec/search.md SI1-SI6).

It holds no texts, only which token stands where (a contentless FTS5 table). A post's number is its time and a
running number, so that the newest come first without sorting, and a span of time is a span of numbers. What
is gone is only marked: its words stay until the index is made anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from mau.errors import LocalError
from mau.fingerprint import Fingerprint
from mau.search.folding import tokens

_SCHEMA: Final = """
CREATE VIRTUAL TABLE words USING fts5(
  body, labels, who, kind, author, content='', columnsize=0, tokenize='ascii');
CREATE TABLE post (id INTEGER PRIMARY KEY, author BLOB, name TEXT, sha256 BLOB, gone INTEGER NOT NULL);
"""
_BY_NAME: Final = "CREATE INDEX IF NOT EXISTS by_name ON post (author, name) WHERE gone = 0"
_SHIFT: Final = 20
_LATEST: Final = (1 << 42) - 1


class Words(NamedTuple):
    """What is noted of one content: strings only, so that it is also the form in which it is logged.

    `author` and `sha256` in hex, `time` the signature's in unix seconds; `who`: fingerprints, by spaces.
    """

    author: str
    name: str
    sha256: str
    time: int
    body: str
    labels: str
    who: str
    kind: str


@dataclass(frozen=True, slots=True)
class Known:
    """One content that is in the index."""

    number: int
    author: Fingerprint
    name: str
    sha256: str


class WordIndex:
    """One database; ``image`` is what `image()` gave before. ValueError when that is none."""

    def __init__(self, image: bytes | bytearray | None = None) -> None:
        self._db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        try:
            if image is not None:
                self._db.deserialize(image)
            # Sorting spills nowhere but into memory.
            self._db.execute("PRAGMA temp_store = MEMORY")
            if image is None:
                self._db.executescript(_SCHEMA)
            self._db.execute("SELECT id FROM post LIMIT 1")
            self._db.execute(_BY_NAME)  # without it, each post that comes would look at all the others
        except (sqlite3.Error, MemoryError) as error:
            self._db.close()
            if "no such module" in str(error):
                raise LocalError("the SQLite of this Python knows no full-text search (FTS5)") from error
            raise ValueError("no image of an index") from error

    def close(self) -> None:
        """Let go of the memory."""
        self._db.close()

    def image(self) -> bytes:
        """All of it, to be sealed and kept."""
        self._db.execute("INSERT INTO words (words) VALUES ('optimize')")
        return self._db.serialize()

    def __len__(self) -> int:
        return self._count("gone = 0")

    @property
    def gone(self) -> int:
        """How many of those that it holds are there no longer."""
        return self._count("gone = 1")

    def add(self, batch: Iterable[Words]) -> None:
        """Add contents, those of equal names in the place of older ones."""
        latest = {(words.author, words.name): words for words in batch}
        self._db.execute("BEGIN")
        try:
            # In ascending order: FTS5 writes out what it holds whenever a number is less than the last.
            for words in sorted(latest.values(), key=lambda one: one.time):
                author = bytes.fromhex(words.author)
                self._db.execute(
                    "UPDATE post SET gone = 1 WHERE author = ? AND name = ? AND gone = 0",
                    (author, words.name),
                )
                number = self._free(words.time)
                self._db.execute(
                    "INSERT INTO post VALUES (?, ?, ?, ?, 0)",
                    (number, author, words.name, bytes.fromhex(words.sha256)),
                )
                self._db.execute(
                    "INSERT INTO words (rowid, body, labels, who, kind, author) VALUES (?, ?, ?, ?, ?, ?)",
                    (number, *map(_line, words[4:]), words.author),
                )
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def remove(self, numbers: Iterable[int]) -> None:
        """Have these found no longer."""
        self._db.execute("BEGIN")
        self._db.executemany("UPDATE post SET gone = 1 WHERE id = ?", ((one,) for one in numbers))
        self._db.execute("COMMIT")

    def known(self) -> Iterator[tuple[int, bytes, str, bytes]]:
        """All that is held: number, author, name, sha256."""
        return self._db.execute("SELECT id, author, name, sha256 FROM post WHERE gone = 0")

    def find(self, expression: str, since: int | None, until: int | None) -> Iterator[Known]:
        """Those that fit, newest first; `expression` "" fits all. Unix seconds; `until` is not included."""
        low = _clamped(since if since is not None else 0) << _SHIFT
        high = _clamped(until if until is not None else _LATEST) << _SHIFT
        arguments: tuple[Any, ...] = (low, high)
        source = "SELECT id FROM post WHERE id >= ? AND id < ? ORDER BY id DESC"
        if expression:
            source = (
                "SELECT rowid FROM words WHERE words MATCH ? AND rowid >= ? AND rowid < ? ORDER BY rowid DESC"
            )
            arguments = (expression, low, high)
        for (number,) in self._db.execute(source, arguments):
            row = self._db.execute(
                "SELECT author, name, sha256 FROM post WHERE id = ? AND gone = 0", (number,)
            ).fetchone()
            if row is not None:
                yield Known(number, Fingerprint(row[0]), row[1], row[2].hex())

    def _free(self, time: int) -> int:
        """A number that no content of that second has."""
        first = _clamped(time) << _SHIFT
        last = self._db.execute(
            "SELECT max(id) FROM post WHERE id >= ? AND id < ?", (first, first + (1 << _SHIFT))
        ).fetchone()[0]
        return first if last is None else int(last) + 1

    def _count(self, which: str) -> int:
        found: int = self._db.execute(f"SELECT count(*) FROM post WHERE {which}").fetchone()[0]  # noqa: S608
        return found


def _clamped(time: int) -> int:
    return min(max(time, 0), _LATEST)


def _line(text: str) -> str:
    """A text as FTS5 gets it: tokens between spaces, which its tokenizer takes as they are."""
    return " ".join(tokens(text))
