"""The address book: where peers were reached (spec/sync.md).

An address is a hint, and only a handshake proves who lives there. The book keeps what was proven, when, and
how often it failed since, so that the best address is tried first. It is derived state in ``.peers/``:
deleting it costs the time of telling addresses again.
"""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass

from mau.derived import Database
from mau.fingerprint import Fingerprint
from mau.hostport import Address, format_address, parse_address
from mau.tree.layout import Root

__all__ = ["MAX_PER_PERSON", "Address", "AddressBook", "KnownAddress", "format_address", "parse_address"]

_SCHEMA = """
CREATE TABLE address (
  fingerprint BLOB NOT NULL,
  host TEXT NOT NULL,
  port INTEGER NOT NULL,
  source TEXT NOT NULL,
  first_proven INTEGER NOT NULL,
  last_proven INTEGER NOT NULL,
  last_failed INTEGER,
  failures INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (fingerprint, host, port)
) WITHOUT ROWID
"""

# Beyond this many addresses of one person, the longest unproven one is forgotten.
MAX_PER_PERSON = 16


@dataclass(frozen=True, slots=True)
class KnownAddress:
    """One line of the book: times in Unix seconds of this machine's clock, failures since the last proof."""

    fingerprint: Fingerprint
    host: str
    port: int
    source: str
    first_proven: int
    last_proven: int
    last_failed: int | None
    failures: int


class AddressBook:
    """The book of one tree. Safe with several processes; every method is one transaction."""

    def __init__(self, root: Root) -> None:
        self._database = Database(root.state_dir("peers") / "addresses.db", _SCHEMA, 1)

    def stamp(self) -> object:
        """Another value when anything in the book changed, whoever changed it; one question to the disk."""
        try:
            found = self._database.path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns

    def addresses(self, fingerprint: Fingerprint) -> list[Address]:
        """Where that person was reached, the address worth trying first being first."""
        return [(known.host, known.port) for known in self.known(fingerprint)]

    def known(self, fingerprint: Fingerprint | None = None) -> list[KnownAddress]:
        """Lines of one person or of all; within a person the best first."""

        def read(connection: sqlite3.Connection) -> list[KnownAddress]:
            # An address that did not fail since its proof comes before every one that did.
            rows = connection.execute(
                "SELECT fingerprint, host, port, source, first_proven, last_proven, last_failed, failures"
                " FROM address WHERE ? IS NULL OR fingerprint = ?"
                " ORDER BY fingerprint, failures > 0, last_proven DESC, failures, host, port",
                (fingerprint.raw if fingerprint else None,) * 2,
            )
            return [KnownAddress(Fingerprint(row[0]), *row[1:]) for row in rows]

        return self._database.run(read)

    def proven(self, fingerprint: Fingerprint, host: str, port: int, *, source: str = "told") -> None:
        """A handshake just proved that this person answers there. ``source``: who gave the hint."""
        now = int(time.time())

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO address (fingerprint, host, port, source, first_proven, last_proven)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " last_proven = excluded.last_proven, failures = 0, last_failed = NULL",
                (fingerprint.raw, host, port, source, now, now),
            )
            connection.execute(
                "DELETE FROM address WHERE fingerprint = ? AND (host, port) NOT IN"
                " (SELECT host, port FROM address WHERE fingerprint = ?"
                " ORDER BY failures > 0, last_proven DESC, failures, host = ? DESC LIMIT ?)",
                (fingerprint.raw, fingerprint.raw, host, MAX_PER_PERSON),
            )

        self._database.run(write)

    def failed(self, fingerprint: Fingerprint, host: str, port: int) -> None:
        """Nobody answered there, or somebody else did. An address that was never proven is not noted."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE address SET failures = failures + 1, last_failed = ?"
                " WHERE fingerprint = ? AND host = ? AND port = ?",
                (int(time.time()), fingerprint.raw, host, port),
            )

        self._database.run(write)

    def forget(self, fingerprint: Fingerprint, host: str, port: int) -> None:
        """Strike one line."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "DELETE FROM address WHERE fingerprint = ? AND host = ? AND port = ?",
                (fingerprint.raw, host, port),
            )

        self._database.run(write)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()
