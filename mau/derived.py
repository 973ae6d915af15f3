"""Derived state in SQLite: what costs time when it is deleted, and never data (spec/tree.md).

Several processes may use one file. A damaged file is thrown away and begun anew, under a lock, so that two
processes that find the damage at once do not throw away each other's new beginning.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_TABLE = re.compile(r"CREATE TABLE (\w+)")

# How long one process waits for another's transaction, in seconds. Transactions here last milliseconds.
BUSY_TIMEOUT = 10.0
_ATTEMPTS = 5


class Database:
    """One SQLite file with one schema; ``run`` is the way in."""

    def __init__(
        self,
        path: Path,
        schema: str,
        version: int,
        *,
        shared: bool = False,
        earlier: Mapping[int, str] | None = None,
    ) -> None:
        """``path``: the file, whose directory exists. ``schema``: SQL that makes the tables.

        ``version``: of the schema; a file of another version is begun anew, unless ``earlier`` has the SQL
        that makes this one of it. ``shared``: several threads use it, one at a time, which is for the caller
        to see to.
        """
        self.path = path
        self._schema = schema
        self._version = version
        self._shared = shared
        self._earlier = earlier or {}
        self._connection: sqlite3.Connection | None = None

    def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do ``work`` in one transaction; once more on a new file when the old one turns out damaged.

        Another process may be quicker and put a new file in the place of one that is open here: SQLite calls
        that an I/O error, and trying again is all that it takes.
        """
        for _ in range(_ATTEMPTS):
            try:
                with self._transaction() as connection:
                    return work(connection)
            except sqlite3.OperationalError as error:
                if _code(error) == sqlite3.SQLITE_IOERR:
                    self.close()
                    continue
                if not _is_damage(error):
                    raise
            except sqlite3.DatabaseError:
                pass
            self._begin_anew()
        with self._transaction() as connection:
            return work(connection)

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection
        if connection is None or not self._is_current():
            self.close()
            connection = self._connection = self._connect()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def _is_current(self) -> bool:
        """Whether the path still names the file that is open: somebody may have deleted it."""
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return False
        return (there.st_dev, there.st_ino) == self._opened

    def _connect(self) -> sqlite3.Connection:
        # Made by hand first: SQLite would give it the mode that the umask leaves.
        made = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(made, 0o600)
        finally:
            os.close(made)
        connection = sqlite3.connect(
            self.path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=not self._shared
        )
        try:
            stat = self.path.stat()
            self._opened = (stat.st_dev, stat.st_ino)
            # It is derived: a power failure may cost the last entries, and a damaged file is begun anew.
            connection.execute("PRAGMA synchronous = OFF")
            # A journal that stays is not made anew for each transaction.
            connection.execute("PRAGMA journal_mode = PERSIST")
            if connection.execute("PRAGMA user_version").fetchone()[0] != self._version:
                self._make(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _make(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        held = connection.execute("PRAGMA user_version").fetchone()[0]
        if held != self._version:
            if not self._carry_over(connection, held):
                tables = connection.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                ).fetchall()
                for (table,) in tables:
                    connection.execute('DROP TABLE "' + table.replace('"', '""') + '"')
                _run_all(connection, self._schema)
            connection.execute(f"PRAGMA user_version = {self._version:d}")
        connection.execute("COMMIT")

    def _carry_over(self, connection: sqlite3.Connection, held: int) -> bool:
        """Make this version of an earlier one; False, and nothing is changed, when that does not go."""
        if held not in self._earlier:
            return False
        connection.execute("SAVEPOINT earlier")
        try:
            _run_all(connection, self._earlier[held])
        except sqlite3.OperationalError as error:
            if not _is_damage(error):
                raise
            connection.execute("ROLLBACK TO earlier")
            connection.execute("RELEASE earlier")
            return False
        connection.execute("RELEASE earlier")
        return True

    def _begin_anew(self) -> None:
        self.close()
        lock = os.open(
            self.path.with_name(self.path.name + ".lock"),
            os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC,
            0o600,
        )
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._is_sound():  # another process was faster
                return
            for suffix in ("", "-journal", "-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        finally:
            os.close(lock)

    def _is_sound(self) -> bool:
        try:
            connection = self._connect()
            try:
                answer = connection.execute("PRAGMA quick_check").fetchone()
                tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            finally:
                connection.close()
        except sqlite3.DatabaseError:
            return False
        wanted = set(_TABLE.findall(self._schema))
        return bool(answer) and answer[0] == "ok" and wanted <= {table for (table,) in tables}


def _run_all(connection: sqlite3.Connection, script: str) -> None:
    """Run statements one by one: SQLite's own way would end the transaction."""
    for statement in script.split(";"):
        if statement.strip():
            connection.execute(statement)


def _is_damage(error: sqlite3.OperationalError) -> bool:
    """Tell a damaged schema from a locked file or a full disk."""
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code, 0 when there is none."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
