"""A folder whose finished files become posts (spec/writing.md P90-P99).

Whether a file is finished is told by three things: it was not changed for a moment, nobody has it open for
writing, and no editor has left its mark beside it. What watchdog tells is a hint to look again.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import hashlib
import os
import re
import signal
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mau.attachments import Attachment
from mau.errors import AlreadyRunning, MauError, UsageError
from mau.tree import safe
from mau.tree.recovery import remove_temp
from mau.tree.rename import NotSupportedHere, rename_new
from mau.writing.composing import FORMS
from mau.writing.publishing import Source, forget, noted_files, noted_name

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent

SETTLED: Final = 1.0
"""Seconds for which a finished file was not changed."""
PUBLISHED: Final = "published"
"""The directory below, to which published files are moved."""
MAX_FILE: Final = 2 << 20  # bytes
_MARKS: Final = r"\.{0}\.sw[a-z]|\.#{0}|#{0}#|\.~lock\.{0}#|\.{0}\.kate-swp"
_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at the folder showed: finished files, and which ones editors have open, by their marks.

    `unsettled`: look again soon.
    """

    finished: tuple[str, ...]
    open_in: dict[str, str]
    unsettled: bool


@dataclass(slots=True)
class Folder:
    """A folder, locked against a second program that would publish the same files; use `opened`."""

    path: Path
    settled: float
    _directory: int
    _seen: dict[str, tuple[_Stamp, float]] = field(default_factory=dict)

    @classmethod
    @contextlib.contextmanager
    def opened(cls, path: Path, *, settled: float = SETTLED) -> Iterator[Folder]:
        """A folder for the length of a ``with`` block; AlreadyRunning, OSError."""
        directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        with safe.closing(directory):
            try:
                fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyRunning(f"another program publishes what is in {str(path)!r} already") from None
            folder = cls(path, settled, directory)
            folder.tidy()
            yield folder

    def tidy(self) -> None:
        """Remove what programs that were killed left here: temporary files, notes of files that are gone."""
        for item in self._entries():
            if safe.TEMP_NAME.fullmatch(item.name):
                remove_temp(self._directory, item.name)
        for name in noted_files(self.path):
            noted = noted_name(self.path / name)
            if noted is not None and (not (self.path / name).exists() or self._was_moved(name, noted.sha256)):
                forget(self.path / name)

    def _was_moved(self, name: str, sha256: str) -> bool:
        """Whether a published file of that name and content was moved away: the one here is another."""
        stem, _, ending = name.rpartition(".")
        for path in (self.path / PUBLISHED).glob(f"{glob.escape(stem)}*.{ending}"):
            with contextlib.suppress(MauError, OSError):
                if hashlib.sha256(safe.read_bytes(path, MAX_FILE)).hexdigest() == sha256:
                    return self._differs(name, sha256)
        return False

    def _differs(self, name: str, sha256: str) -> bool:
        return hashlib.sha256(self.read(name)).hexdigest() != sha256

    def look(self) -> Looked:
        """Which files are finished now."""
        names = {item.name: item for item in self._entries()}
        finished, open_in, unsettled = [], {}, False
        now = time.monotonic()
        for name in sorted(names):
            if name[0] in ".#~" or not name.endswith(tuple(f".{form}" for form in FORMS)):
                continue
            with contextlib.suppress(FileNotFoundError):
                info = names[name].stat(follow_symlinks=False)
                if not stat.S_ISREG(info.st_mode) or not info.st_size:
                    continue
                stamp = (info.st_ino, info.st_size, info.st_mtime_ns)
                before, since = self._seen.get(name, (None, now))
                self._seen[name] = (stamp, since if before == stamp else now)
                mark = next((one for one in names if _is_mark(one, name)), None)
                if mark is not None:
                    open_in[name] = mark
                elif before != stamp or now - since < self.settled or self._is_being_written(name):
                    unsettled = True
                else:
                    finished.append(name)
        self._seen = {name: seen for name, seen in self._seen.items() if name in names}
        return Looked(tuple(finished), open_in, unsettled)

    def read(self, name: str) -> bytes:
        """What a file holds. NoSuchPost, NotAFile (also when it is too large)."""
        return safe.read_bytes(self.path / name, MAX_FILE)

    def attachments(self, source: Source, paths: tuple[str, ...]) -> list[Attachment]:
        """The files that a page names, to be attached while this is open; UsageError for one outside of it.

        Who can write here can publish. He shall not be able to read everything else as well.
        """
        bases = self.path.absolute(), self.path.resolve()
        found = []
        for path in paths:
            # By the words alone: what links mean can change until it is opened, and none is followed then.
            meant = Path(os.path.normpath(source.path.parent.absolute() / path))
            base = next((base for base in bases if base in meant.parents), None)
            if base is None:
                raise UsageError(f"{path!r} lies outside of the folder, so it is not attached")
            found.append(Attachment(meant.relative_to(base), below=self._directory))
        return found

    def move_away(self, name: str) -> str:
        """Move a file that was published to the directory for those; its path from here."""
        place = safe.make_dir(PUBLISHED, at=self._directory)
        with safe.closing(place):
            for number in range(1, 10_000):
                stem, dot, ending = name.rpartition(".")
                target = name if number == 1 else f"{stem}-{number}{dot}{ending}"
                try:
                    _rename(self._directory, name, place, target)
                except FileExistsError:
                    continue
                safe.sync(place)
                safe.sync(self._directory)
                return f"{PUBLISHED}/{target}"
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), f"{PUBLISHED}/{name}")

    def _entries(self) -> list[os.DirEntry[str]]:
        with os.scandir(self._directory) as scan:
            return list(scan)

    def _is_being_written(self, name: str) -> bool:
        """Whether somebody has it open for writing, as far as the system tells."""
        lease = getattr(fcntl, "F_SETLEASE", None)
        if lease is None:
            return False
        fd, _ = safe.open_regular(name, at=self._directory)
        with safe.closing(fd):
            try:
                # Who opens it meanwhile makes the system tell us, with a signal that ends a process unless it
                # is this one.
                fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
                fcntl.fcntl(fd, lease, fcntl.F_RDLCK)
            except OSError as error:
                return error.errno == errno.EAGAIN
            with contextlib.suppress(OSError):
                fcntl.fcntl(fd, lease, fcntl.F_UNLCK)
        return False

    @contextlib.contextmanager
    def watching(self, changed: threading.Event) -> Iterator[bool]:
        """Set the event whenever something happens here; whether that works."""
        from watchdog.events import FileSystemEventHandler
        from watchdog.observers import Observer

        from mau.tree.index.events import EVENTS

        class Handler(FileSystemEventHandler):
            def on_any_event(self, _event: FileSystemEvent) -> None:
                changed.set()

        observer = Observer()
        try:
            observer.schedule(Handler(), str(self.path), recursive=False, event_filter=EVENTS)
            observer.start()
        except OSError:  # no more watches: it is looked at from time to time
            yield False
            return
        try:
            yield True
        finally:
            observer.stop()
            observer.join()


def _is_mark(one: str, name: str) -> bool:
    """Whether a file is one that an editor keeps beside the file `name` while it is open there."""
    return one != name and re.fullmatch(_MARKS.format(re.escape(name)), one) is not None


def _rename(directory: int, name: str, to: int, target: str) -> None:
    try:
        rename_new(directory, name, target, to=to)
    except NotSupportedHere:
        os.link(name, target, src_dir_fd=directory, dst_dir_fd=to, follow_symlinks=False)
        os.unlink(name, dir_fd=directory)
