"""What watchdog tells, gathered until somebody looks: which names, which authors, or everything.

Events are hints (spec/index.md I14). Whatever happened to a name, the answer is to look at it; and where many
things happened, to look at all of the author.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)

from mau.fingerprint import Fingerprint
from mau.tree.layout import parse_author
from mau.tree.names import is_post_name

# Opened, and closed without writing, are left out: reading a tree would make events of every file.
EVENTS: Final[list[type[FileSystemEvent]]] = [
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
]
INDEX_DIR: Final = ".index"
_SOON: Final = 0.07  # seconds: a file that was closed, moved or removed; by then its stamp is settled
_QUIET: Final = 0.2  # seconds without an event: a file that is being written
_LATEST: Final = 0.6  # seconds after the first event: a file that is written on and on
_MANY: Final = 500  # names of one author: it is cheaper to look at all of them
_FLOOD: Final = 4000  # names in all: the kernel may have lost some


@dataclass(slots=True)
class Due:
    """What is to be looked at now."""

    everything: bool = False
    directories: bool = False
    """Directories of authors came, went or were renamed."""
    authors: set[Fingerprint] = field(default_factory=set)
    names: dict[Fingerprint, list[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.everything or self.directories or bool(self.authors or self.names)


class Gathered(FileSystemEventHandler):
    """Takes events from watchdog's thread and gives what is due to another. Takes note only, never looks."""

    def __init__(self, base: str) -> None:
        """`base`: the path of the root, as watchdog tells it."""
        self._base = base
        self._condition = threading.Condition()
        self._names: dict[tuple[Fingerprint, str], tuple[float, float]] = {}
        self._count: dict[Fingerprint, int] = {}
        self._authors: set[Fingerprint] = set()
        self._everything = False
        self._directories = False
        self._stopped = False
        self._wakes = 0.0

    # --- taking --------------------------------------------------------------------------------------------

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Note where something happened; of a move, both ends."""
        soon = not isinstance(event, FileCreatedEvent | FileModifiedEvent)
        for path in (event.src_path, event.dest_path):
            if path:
                self.note(os.fsdecode(path), soon=soon)

    def note(self, path: str, *, soon: bool) -> None:
        """Something happened there. `soon`: it is over."""
        above, _, name = path.rpartition("/")
        if above == self._base:
            author = parse_author(name)
            if author is not None:
                self.note_author(author[0], directories=True)
            elif name == INDEX_DIR:
                self.note_everything()
            return
        author = parse_author(above.rpartition("/")[2])
        if author is not None and is_post_name(name):
            self.note_name(author[0], name, soon=soon)

    def note_name(self, author: Fingerprint, name: str, *, soon: bool) -> None:
        """Look at that file before long."""
        now = time.monotonic()
        with self._condition:
            if author in self._authors or self._everything:
                return
            before = self._names.get((author, name))
            if before is None:
                self._count[author] = self._count.get(author, 0) + 1
            latest = before[1] if before else now + _LATEST
            due = min(now + (_SOON if soon else _QUIET), latest)
            self._names[author, name] = (due, latest)
            wake = due < self._wakes
            if self._count[author] > _MANY:
                self._authors.add(author)
                self._names = {key: when for key, when in self._names.items() if key[0] != author}
                del self._count[author]
            if len(self._names) > _FLOOD:
                self._everything = True
                self._names.clear()
                self._count.clear()
            if wake or author in self._authors or self._everything:
                self._condition.notify_all()

    def note_author(self, author: Fingerprint, *, directories: bool = False) -> None:
        """Look at all of that author."""
        with self._condition:
            self._authors.add(author)
            self._directories |= directories
            self._condition.notify_all()

    def note_everything(self) -> None:
        """Look at everything: events may be missing."""
        with self._condition:
            self._everything = True
            self._condition.notify_all()

    def stop(self) -> None:
        """Whoever waits goes home."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()

    # --- giving --------------------------------------------------------------------------------------------

    def wait(self, until: float) -> Due | None:
        """What is due, at the latest at that time (monotonic), when it may be nothing. None: stopped."""
        with self._condition:
            while not self._stopped:
                now = time.monotonic()
                due = self._taken(now)
                if due or now >= until:
                    return due
                self._wakes = min((when for when, _ in self._names.values()), default=until)
                self._condition.wait(max(min(self._wakes, until) - now, 0.001))
            return None

    def _taken(self, now: float) -> Due:
        due = Due(self._everything, self._directories, self._authors)
        self._everything = self._directories = False
        self._authors = set()
        if due.everything:
            self._names.clear()
            self._count.clear()
            return due
        ready = [key for key, (when, _) in self._names.items() if when <= now or key[0] in due.authors]
        for author, name in ready:
            del self._names[author, name]
            self._count[author] -= 1
            if not self._count[author]:
                del self._count[author]
            if author not in due.authors:
                due.names.setdefault(author, []).append(name)
        return due


class Complaints(logging.Handler):
    """Hears watchdog's own warnings: it tells nobody else that the kernel dropped events."""

    def __init__(self, heard: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        """Whatever it warns of, something may be missing."""
        self._heard()
