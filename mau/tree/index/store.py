"""The SQLite file of the index: its generations, and beginning anew (spec/index.md I1-I5).

    .index/current            the generation that counts
    .index/GENERATION.db      its database, with -wal and -shm
    .index/lock               held by whoever begins anew
    .index/scan               held by whoever rescans
    .index/watched, asking    held by whoever watches, and by whoever asks whether somebody does

Each generation has a file name of its own. SQLite removes a write-ahead log by its *name* when the last
connection closes; so a process that has a deleted database open cannot take away the log of the new one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from mau.errors import MauError, NoSuchPost, NotAFile
from mau.tree import safe
from mau.tree.index import rows

T = TypeVar("T")
Stat = tuple[int, int]

_BUSY: Final = 60.0  # seconds; transactions last milliseconds, but disks may not
_CACHE_KIB: Final = 4096
_LOG_PAGES: Final = (
    4000  # of 4 KiB, before the log is written back: a first scan changes the same pages often
)
_DAMAGE: Final = frozenset(
    {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CANTOPEN}
)
_ATTEMPTS: Final = 20


class Renewed(Exception):
    """The index was begun anew: what was read before belongs to another generation."""


class Gone(Exception):
    """There is no usable database of this generation."""


class _Opened:
    """The connection of one thread; closed when the thread has ended."""

    __slots__ = ("__weakref__", "connection", "files", "generation")

    def __init__(
        self, connection: sqlite3.Connection, generation: str, files: tuple[Stat, Stat, Stat]
    ) -> None:
        self.connection = connection
        self.generation = generation
        self.files = files

    def __del__(self) -> None:
        self.connection.close()


class Store:
    """The database of one index. Every thread has a connection of its own."""

    def __init__(
        self, place: Callable[[], Path], noted: Callable[[], Path], examiner: str, now: Callable[[], int]
    ) -> None:
        """`place`: makes and names the directory. `noted`: the directory whose identity is noted.

        `examiner`: names what the caller's examining says; other words, other generation. `now`: the
        system's clock in ns.
        """
        self._place = place
        self._noted = noted
        self._examiner = examiner
        self.now = now
        self._local = threading.local()
        self._all: weakref.WeakSet[_Opened] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._directory = place()

    # --- the way in ----------------------------------------------------------------------------------------

    @property
    def generation(self) -> str:
        """A random word, another one after every new beginning."""
        return self.run(lambda _: None, write=False)[0]

    def run(
        self, work: Callable[[sqlite3.Connection], T], *, write: bool, generation: str | None = None
    ) -> tuple[str, T]:
        """Do `work` in one transaction; with the generation that it was done in.

        Renewed when that is not `generation`. When the file turns out damaged, it is begun anew and the work
        is done on the new one, or, with a `generation`, Renewed.
        """
        for attempt in range(_ATTEMPTS):
            opened = self._open()
            if generation is not None and opened.generation != generation:
                raise Renewed
            try:
                with _transaction(opened.connection, write=write):
                    return opened.generation, work(opened.connection)
            except sqlite3.DatabaseError as error:
                # A file that was taken away under our hands fails in many ways.
                there = self._files(opened.generation) == opened.files
                if (there and not _is_damage(error)) or attempt == _ATTEMPTS - 1:
                    raise
                self._forget()
                if there:
                    self._begin_anew(opened.generation, damaged=True)
        raise AssertionError

    @contextlib.contextmanager
    def scanning(self) -> Iterator[None]:
        """Only one process and thread rescans at a time; the next finds nothing left to do."""
        with _locked(self._made() / "scan"):
            yield

    def close(self) -> None:
        """Let go of every connection, of other threads too."""
        with self._lock:
            everyone, self._all = list(self._all), weakref.WeakSet()
            self._local = threading.local()
        for opened in everyone:
            opened.connection.close()

    @property
    def directory(self) -> Path:
        """Where it lies, or lay."""
        return self._directory

    # --- opening -------------------------------------------------------------------------------------------

    def _made(self) -> Path:
        while not self._directory.is_dir():
            with contextlib.suppress(FileNotFoundError):  # deleted the moment after it was made
                self._directory = self._place()
        return self._directory

    def _open(self) -> _Opened:
        for _ in range(_ATTEMPTS):
            opened: _Opened | None = getattr(self._local, "opened", None)
            if opened is not None:
                if self._files(opened.generation) == opened.files:
                    return opened
                self._forget()
            generation = self._current()
            try:
                self._local.opened = self._connect(generation)
            except Gone:
                self._begin_anew(generation)
        raise sqlite3.OperationalError("the index is begun anew again and again")

    def _files(self, generation: str) -> tuple[Stat, Stat, Stat] | None:
        """What tells that the database is still the one that counts; None when one of them is missing."""
        base = str(self._directory)
        try:
            directory, current, database = (
                os.lstat(path) for path in (base, f"{base}/current", f"{base}/{generation}.db")
            )
        except OSError:
            return None
        return (
            (directory.st_dev, directory.st_ino),
            (current.st_ino, current.st_ctime_ns),
            (database.st_dev, database.st_ino),
        )

    def _current(self) -> str:
        """The word in `current`; "" when there is none."""
        try:
            word = safe.read_bytes(self._made() / "current", 100).decode("ascii").strip()
        except (NoSuchPost, NotAFile, UnicodeDecodeError):
            return ""
        return word if word.isalnum() else ""

    def _connect(self, generation: str) -> _Opened:
        files = self._files(generation) if generation else None
        if files is None:
            raise Gone
        try:
            connection = _connected(self._directory / f"{generation}.db")
        except sqlite3.DatabaseError as error:
            if self._files(generation) != files:
                raise Gone from error
            raise
        try:
            meta = rows.read_meta(connection)
            if meta != rows.Meta(generation, *self._identity(), self._examiner, _named(files)):
                raise Gone
        except sqlite3.DatabaseError as error:
            connection.close()
            if _is_damage(error) or self._files(generation) != files:
                raise Gone from error
            raise
        except FileNotFoundError as error:
            connection.close()
            raise Gone from error
        except BaseException:
            connection.close()
            raise
        opened = _Opened(connection, generation, files)
        with self._lock:
            self._all.add(opened)
        return opened

    def _identity(self) -> tuple[str, str]:
        found = self._noted().stat()
        return str(found.st_dev), str(found.st_ino)

    def _forget(self) -> None:
        opened: _Opened | None = getattr(self._local, "opened", None)
        if opened is not None:
            self._local.opened = None
            opened.connection.close()

    # --- beginning anew ------------------------------------------------------------------------------------

    def _begin_anew(self, failed: str, *, damaged: bool = False) -> None:
        """Make a new, empty generation, unless another process did so since `failed` was found wanting.

        What was found `damaged` may open well all the same.
        """
        with _locked(self._made() / "lock"):
            if self._current() != failed or (not damaged and self._opens(failed)):
                return
            generation = secrets.token_hex(8)
            path = self._directory / f"{generation}.db"
            try:
                floor = self._floor()
                # Made by hand first: SQLite would give it the mode that the umask leaves.
                flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                os.close(os.open(path, flags, 0o600))
            except FileNotFoundError:
                return  # deleted meanwhile: the next attempt finds that out
            try:
                self._fill(path, generation, floor)
            except (OSError, MauError, Gone, sqlite3.DatabaseError):
                if path.exists():
                    raise

    def _fill(self, path: Path, generation: str, floor: int) -> None:
        """Make a database of an empty file, and let it be the one that counts."""
        connection = _connected(path)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            with _transaction(connection, write=True):
                rows.create(connection, rows.Meta(generation, *self._identity(), self._examiner), floor)
        finally:
            connection.close()
        safe.write_bytes(self._directory / "current", generation.encode() + b"\n")
        self._note_files(path, generation)
        for old in self._directory.iterdir():
            if ".db" in old.name and not old.name.startswith(generation):
                with contextlib.suppress(OSError):
                    old.unlink()

    def _opens(self, generation: str) -> bool:
        """Whether it can be used by now: whoever made it had not come to the end of that."""
        try:
            self._connect(generation).connection.close()
        except Gone:
            return False
        return True

    def _note_files(self, path: Path, generation: str) -> None:
        """Only now do the files have the times that they keep. Until then nobody uses them."""
        files = self._files(generation)
        if files is None:
            return  # deleted meanwhile: the next question finds that out
        connection = _connected(path)
        try:
            with _transaction(connection, write=True):
                rows.note_files(connection, _named(files))
        finally:
            connection.close()

    def _floor(self) -> int:
        """A clock that no change had before, as far as can be told from what is left (I7).

        The status change time of a file cannot be set by hand: it is what the system's clock said then.
        """
        latest = self.now()
        places = [self._directory, self._noted(), self._noted().parent]
        places += [path for path in self._directory.iterdir() if ".db" in path.name]
        for place in places:
            with contextlib.suppress(OSError):
                latest = max(latest, os.lstat(place).st_ctime_ns)
        floor = latest // 1000
        for path in self._directory.glob("*.db"):
            with contextlib.suppress(sqlite3.Error, OSError, Gone):
                connection = _connected(path)
                try:
                    floor = max(floor, rows.last_clock(connection))
                finally:
                    connection.close()
        return floor


def _named(files: tuple[Stat, Stat, Stat]) -> str:
    """What tells the files of an index from copies of them that were put in their place.

    The time at which the status of `current` changed cannot be set by hand, and nothing of ours touches that
    file again; a copy of the database that is put there beside a `current` that stays is another inode.
    """
    _, (current, changed), (_, database) = files
    return f"{current} {changed} {database}"


def _connected(path: Path) -> sqlite3.Connection:
    """A connection to a file that is there; Gone when it is no database."""
    if path.is_symlink() or not path.is_file():
        raise Gone
    connection = None
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=_BUSY,
            isolation_level=None,
            check_same_thread=False,
        )
        # In a write-ahead log that is enough for a database which a power failure leaves whole.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB:d}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES:d}")
    except BaseException as error:
        if connection is not None:
            connection.close()
        if isinstance(error, sqlite3.DatabaseError) and _is_damage(error):
            raise Gone from error
        raise
    return connection


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection, *, write: bool) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file that is still there once the lock is held."""
    while True:
        with contextlib.suppress(FileExistsError):
            path.parent.mkdir(mode=0o700)
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:  # the directory was deleted the moment after it was made
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            if _lies_at(path, fd):
                yield
                return
        finally:
            os.close(fd)


def _lies_at(path: Path, fd: int) -> bool:
    try:
        there = path.lstat()
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(fd))


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Tell damage, or a file that is gone, from a busy one and from a full disk."""
    if not isinstance(error, sqlite3.OperationalError):
        return not isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError)
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in _DAMAGE or code == sqlite3.SQLITE_IOERR_SHORT_READ
