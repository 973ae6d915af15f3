"""The thread that keeps the index fresh: events as hints, rescans as the truth (spec/index.md I14-I18).

One watch for the root and one for each author's directories, none of them recursive: directories of versions
and the index itself would only make noise, and use up watches that are limited.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mau.errors import MauError
from mau.fingerprint import Fingerprint
from mau.tree.index.events import EVENTS, Complaints, Due, Gathered
from mau.tree.index.freshness import Freshness
from mau.tree.index.place import is_remote
from mau.tree.index.shelf import LARGE

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver, ObservedWatch

    from mau.tree.index.index import Index

_RESCAN: Final = 600.0
_RESCAN_UNWATCHED: Final = 30.0
_RETRY: Final = 5.0
_PAIRING: Final = 0.01  # seconds: the two ends of a move come together, or are two events
_log = logging.getLogger("mau.tree.index")


class Watch:
    """Keeps an index fresh for the length of a ``with`` block; see `Index.watch`."""

    def __init__(self, index: Index, rescan_every: float | None = None) -> None:
        self._index = index
        self._rescan = rescan_every
        self._base = os.path.realpath(index.root.path)
        self._gathered = Gathered(self._base)
        self._thread = threading.Thread(target=self._run, name="mau-index", daemon=True)
        self._heavy = ThreadPoolExecutor(1, "mau-index-large")
        self._hashing: set[tuple[Fingerprint, str]] = set()
        self._observer: BaseObserver | None = None
        self._watched: dict[str, tuple[tuple[int, int], ObservedWatch]] = {}
        self._complete = True
        self._ready = threading.Event()
        self._freshness = Freshness()
        self._complaints = Complaints(self._gathered.note_everything)

    def __enter__(self) -> Watch:
        logging.getLogger("watchdog").addHandler(self._complaints)
        try:
            self._start_observer()
            self._thread.start()
        except BaseException:
            self._stop_observer()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._gathered.stop()
        self._thread.join()
        self._heavy.shutdown(wait=True, cancel_futures=True)
        self._stop_observer()

    @property
    def watching(self) -> bool:
        """Whether everything is watched; if not, changes show after the next rescan only."""
        return self._observer is not None and self._complete

    def wait_ready(self, timeout: float | None = None) -> bool:
        """Wait until the first rescan is done; False when it was not in that time (seconds)."""
        return self._ready.wait(timeout)

    # --- the thread ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        due: Due | None = Due(everything=True)
        next_scan = 0.0
        while due is not None:
            if due.everything or time.monotonic() >= next_scan:
                due.everything = True
            try:
                self._handle(due)
            except Exception as error:  # the tree may not be there, or not whole: it may come back
                told = not isinstance(error, MauError)
                _log.warning("the index cannot be brought up to date: %s", error, exc_info=told)
                next_scan = time.monotonic() + min(self._rescan or _RETRY, _RETRY)
            else:
                if due.everything:
                    self._ready.set()
                    wait = self._rescan or (_RESCAN if self.watching else _RESCAN_UNWATCHED)
                    next_scan = time.monotonic() + wait
            self._tell_others()
            due = self._gathered.wait(next_scan)
        self._freshness.release()

    def _tell_others(self) -> None:
        """Whether other processes may go by what the index says."""
        try:
            if self.watching and self._ready.is_set():
                self._freshness.hold(self._index.directory)
            else:
                self._freshness.release()
        except OSError as error:  # then they look themselves
            _log.warning("the mark of a fresh index cannot be made: %s", error)

    def _handle(self, due: Due) -> None:
        if due.everything:
            self._place_watches()
            unsettled = self._index.refresh(defer=self._defer).unsettled
            if unsettled:
                self._later(None)
            return
        if due.directories:
            self._place_watches()
        for author in due.authors:
            if self._index.refresh(author, defer=self._defer).unsettled:
                self._later(author)
        for author, names in due.names.items():
            self._check(author, names)

    def _check(self, author: Fingerprint, names: list[str]) -> None:
        small = []
        for name in names:
            if self._is_large(author, name):
                self._defer(author, name)
            else:
                small.append(name)
        if small:
            for name in self._index.check(author, small).unsettled:
                self._gathered.note_name(author, name, soon=False)

    def _later(self, author: Fingerprint | None) -> None:
        """Read again, in a moment, what had only just been changed."""
        for one in [author] if author else [one for one, _ in self._index.root.authors()]:
            for entry in self._index.unsettled(one):
                self._gathered.note_name(one, entry, soon=False)

    # --- large files ---------------------------------------------------------------------------------------

    def _is_large(self, author: Fingerprint, name: str) -> bool:
        for place in (self._index.root.author_dir(author), self._index.root.hidden_dir(author)):
            with contextlib.suppress(OSError):
                return os.lstat(place / name).st_size >= LARGE
        return False

    def _defer(self, author: Fingerprint, name: str) -> None:
        """Have a large file read by a thread that keeps nobody waiting."""
        if (author, name) not in self._hashing:
            self._hashing.add((author, name))
            self._heavy.submit(self._read_large, author, name)

    def _read_large(self, author: Fingerprint, name: str) -> None:
        self._hashing.discard((author, name))  # what happens to it from now on is another matter
        try:
            unsettled = self._index.check(author, [name]).unsettled
        except Exception:
            _log.exception("%s/%s cannot be brought into the index", author.hex, ascii(name))
            return
        if unsettled:
            self._gathered.note_name(author, name, soon=False)

    # --- watches -------------------------------------------------------------------------------------------

    def _start_observer(self) -> None:
        if is_remote(self._index.root.path):
            return  # what other machines do there makes no events
        try:
            observer = _new_observer()
            observer.start()
        except OSError as error:
            _log.warning("the tree cannot be watched (%s): changes show after the next rescan only", error)
            return
        self._observer = observer
        self._place_watches()

    def _stop_observer(self) -> None:
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
            self._observer = None
        logging.getLogger("watchdog").removeHandler(self._complaints)

    def _place_watches(self) -> None:
        """Watch what is there now: a directory that was replaced by another is watched anew."""
        if self._observer is None:
            return
        wanted = {self._base: _identity(self._base)}
        for author, hidden in self._index.root.authors():
            path = f"{self._base}/{'.' if hidden else ''}{author.hex}"
            wanted[path] = _identity(path)
        for path, (identity, watch) in list(self._watched.items()):
            if wanted.get(path) != identity:
                del self._watched[path]
                self._observer.unschedule(watch)
        complete = True
        for path, found in wanted.items():
            if found is None or path in self._watched:
                continue
            try:
                watch = self._observer.schedule(self._gathered, path, event_filter=EVENTS)
            except OSError as error:
                if self._complete:
                    _log.warning("%r cannot be watched: %s", path, error)
                complete = False
                continue
            self._watched[path] = (found, watch)
        self._complete = complete


def _new_observer() -> BaseObserver:
    """One that tells of both ends of a move at once.

    As it comes, watchdog keeps the first end for half a second to find the second one, and everything that
    happens in that directory meanwhile waits behind it; and what was moved in looks like the beginning of a
    file that is being written. We look at names, whatever became of them.
    """
    from watchdog.utils import UnsupportedLibcError

    if sys.platform == "linux":
        with contextlib.suppress(UnsupportedLibcError):
            from watchdog.observers.inotify import InotifyObserver
            from watchdog.observers.inotify_move_event_grouper import InotifyMoveEventGrouper

            InotifyMoveEventGrouper.delay = _PAIRING
            return InotifyObserver(generate_full_events=True)
    from watchdog.observers import Observer

    return Observer()


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
