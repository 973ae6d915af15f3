"""The face of the index: questions, rescans, and who wants to be told (spec/index.md)."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from mau.fingerprint import Fingerprint
from mau.tree.index import rows
from mau.tree.index.entry import Changed, Entry, Examine, Page, Refreshed, Since
from mau.tree.index.freshness import is_held
from mau.tree.index.place import index_dir
from mau.tree.index.scan import Checked, Defer, Scanner
from mau.tree.index.store import Store
from mau.tree.index.writer import Writer
from mau.tree.layout import Root

if TYPE_CHECKING:
    from mau.tree.index.watch import Watch

T = TypeVar("T")

_ALL: Final = (1 << 63) - 1
_NAMES: Final = 1000
_ATTEMPTS: Final = 5
_ONE_BY_ONE: Final = 256
"""So many changes are told one by one; of more, only whose they are."""
_log = logging.getLogger("mau.tree.index")


class Index:
    """The index of one tree. Any number of processes may have one, and any number of threads share this."""

    def __init__(self, root: Root, store: Store, examine: Examine) -> None:
        self.root = root
        self._store = store
        self._scanner = Scanner(root, store, examine)
        self._listeners: list[Changed] = []
        self._lock = threading.Lock()
        self._telling = threading.Lock()
        self._told: tuple[str, int] | None = None
        self._untold = False

    @classmethod
    def open(
        cls,
        root: Root,
        examine: Examine,
        *,
        examiner: str = "",
        directory: Path | None = None,
        now: Callable[[], int] = time.time_ns,
    ) -> Index:
        """The index of `root`, made when there is none; nothing is read yet.

        `examiner` names what `examine` says: when it says something else than in the release before, give it
        another name, and everything is read anew. `directory`: where the index lies, when not in the tree.
        `now`: the system's clock, in ns; what changes are dated by.
        NoAccount when there is no tree.
        """
        place = index_dir(root) if directory is None else directory
        inside = place.parent == root.path
        if inside:
            store = Store(lambda: root.state_dir("index"), lambda: place, examiner, now)
        else:
            store = Store(lambda: _made(place), lambda: root.path, examiner, now)
        return cls(root, store, examine)

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database. End a `watch` before."""
        self._store.close()

    # --- questions -----------------------------------------------------------------------------------------

    @property
    def generation(self) -> str:
        """A random word; another one once the index was begun anew, and then no position holds any more."""
        return self._store.generation

    def after(self, author: Fingerprint, readers: Sequence[bytes], clock: int, limit: int) -> Page:
        """Oldest first: at most `limit` entries found under any of `readers` with a clock beyond `clock`.

        What changes later has a higher clock than everything told before. So who asks again from the clock of
        the last entry he got sees every change. 0 is before everything.
        """
        return self._page(author, readers, clock, limit, newest_first=False)

    def before(self, author: Fingerprint, readers: Sequence[bytes], clock: int | None, limit: int) -> Page:
        """Newest first: the same backwards; a clock of None is the end."""
        return self._page(author, readers, _ALL if clock is None else clock, limit, newest_first=True)

    def entry(self, author: Fingerprint, name: str) -> Entry | None:
        """What is known of one file."""

        def work(connection: sqlite3.Connection, state: rows.State) -> Entry | None:
            return rows.one(connection, author, state.number, name)

        found = self._ask(author, work)[1]
        return found[0] if found else None

    def entries(self, author: Fingerprint) -> Iterator[Entry]:
        """Every file of the author by name, those found under no reader too; some at a time."""
        name = ""
        while True:

            def work(connection: sqlite3.Connection, state: rows.State, name: str = name) -> list[Entry]:
                return rows.some(connection, author, state.number, name, _NAMES)

            answer = self._ask(author, work)[1]
            found = answer[0] if answer else []
            yield from found
            if len(found) < _NAMES:
                return
            name = found[-1].name

    def unsettled(self, author: Fingerprint) -> list[str]:
        """Names of files that had been changed a moment before they were read: to be read again."""

        def work(connection: sqlite3.Connection, state: rows.State) -> list[str]:
            return rows.unsettled(connection, state.number)

        answer = self._ask(author, work)[1]
        return answer[0] if answer else []

    def changed(self, author: Fingerprint) -> tuple[str, int]:
        """(generation, clock of the author's last change): when they are the same, every page is."""

        def work(connection: sqlite3.Connection, state: rows.State) -> int:
            return state.changed

        generation, answer = self._ask(author, work)
        return generation, answer[0] if answer else 0

    def since(self, author: Fingerprint, clock: int) -> Since:
        """What became current after that clock; 0 is before everything."""

        def work(
            connection: sqlite3.Connection, state: rows.State
        ) -> tuple[int, tuple[int, int], list[Entry]]:
            found = rows.changed_since(connection, author, state.number, clock)
            return state.changed, rows.counted(connection, state.number), found

        generation, answer = self._ask(author, work)
        if not answer:
            return Since(generation, 0, 0, 0, ())
        changed, (files, hidden), found = answer[0]
        return Since(generation, changed, files, hidden, tuple(found))

    @property
    def is_watched(self) -> bool:
        """Whether a living process, this or another, sees every change and keeps the index fresh (I24)."""
        return is_held(self._store.directory)

    @property
    def directory(self) -> Path:
        """Where the index lies."""
        return self._store.directory

    # --- bringing it up to date ----------------------------------------------------------------------------

    def refresh(self, author: Fingerprint | None = None, *, defer: Defer | None = None) -> Refreshed:
        """Compare the tree, or one author's part of it, with the index, and read what differs.

        NoAccount when the tree is not whole. `defer(author, name)` gets large files instead of reading them.
        """
        done = self._scanner.refresh(author, defer)
        self.tell()
        return done

    def check(self, author: Fingerprint, names: Sequence[str]) -> Checked:
        """Read single files again, whatever their stamps say; those that were removed by name."""
        done = self._scanner.check(author, names)
        self.tell()
        for name in done.removed:
            self._call(author, False, name)
        return done

    def outdate(self, author: Fingerprint, entries: Sequence[Entry]) -> None:
        """Somebody saw other contents in these files than the entries say: what they hold now is a change.

        Otherwise a content that came back before it was missed would keep a clock that was passed over.
        """

        def work(connection: sqlite3.Connection) -> None:
            writer = Writer(connection, author, self._store.now)
            for entry in entries:
                state = rows.author_state(connection, author)
                known = rows.one(connection, author, state.number, entry.name) if state else None
                if known is not None and known.clock == entry.clock:
                    writer.drop(entry.name)
            writer.done()

        self._store.run(work, write=True)
        self.check(author, [entry.name for entry in entries])

    def watch(self, *, rescan_every: float | None = None) -> Watch:
        """A context manager that keeps the index fresh meanwhile, with threads of its own.

        `rescan_every`: seconds between full rescans; by default minutes, or half of one where nothing can be
        watched.
        """
        from mau.tree.index.watch import Watch

        return Watch(self, rescan_every)

    # --- telling -------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def subscribe(self, changed: Changed) -> Iterator[None]:
        """Have ``changed(author, hidden, name)`` called after each change, for the length of the block.

        With a `watch` everything is told, otherwise what rescans of this process find. A name of None means
        that too much of the author changed to tell it one by one. It is called from any thread and must
        return at once; a loop's ``call_soon_threadsafe`` fits.
        """
        with self._lock:
            if self._told is None:
                self._told = self._store.run(rows.last_clock, write=False)
            self._listeners.append(changed)
        try:
            yield
        finally:
            with self._lock:
                self._listeners.remove(changed)

    def tell(self) -> None:
        """Tell what changed since it was told last, whichever process noted it.

        One thread tells at a time and nobody waits for it: it goes on as long as there is something new.
        """
        self._untold = True
        while self._untold and self._telling.acquire(blocking=False):
            try:
                self._untold = False
                self._tell()
            finally:
                self._telling.release()

    def _tell(self) -> None:
        told = self._told
        if told is None:
            return

        def work(
            connection: sqlite3.Connection,
        ) -> tuple[int, list[tuple[int, Fingerprint, bool, str]], list[Fingerprint]]:
            last = rows.last_clock(connection)
            if last == told[1]:
                return last, [], []
            found = rows.since(connection, told[1], _ONE_BY_ONE + 1)
            changed = rows.authors_since(connection, told[1])
            if len(found) > _ONE_BY_ONE:
                return last, [], [author for author, _ in changed]
            # Of a file that is gone no row tells; only that the author's last change was none of these.
            clocks = {clock for clock, *_ in found}
            return last, found, [author for author, clock in changed if clock not in clocks]

        generation, (last, found, many) = self._store.run(work, write=False)
        if generation != told[0]:
            found, many = [], self._store.run(rows.authors, write=False)[1]
        self._told = (generation, last)
        for author in many:
            self._call(author, False, None)
        for _, author, hidden, name in found:
            if author not in many:
                self._call(author, hidden, name)

    def _call(self, author: Fingerprint, hidden: bool, name: str | None) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            try:
                listener(author, hidden, name)
            except Exception:  # one that fails keeps nobody else from being told
                _log.exception("a subscriber failed")

    # --- inside --------------------------------------------------------------------------------------------

    def _page(
        self, author: Fingerprint, readers: Sequence[bytes], clock: int, limit: int, *, newest_first: bool
    ) -> Page:
        def work(connection: sqlite3.Connection, state: rows.State) -> tuple[int, list[Entry]]:
            found = rows.page(
                connection, author, state.number, readers, clock, limit + 1, newest_first=newest_first
            )
            return state.changed, found

        generation, answer = self._ask(author, work)
        if not answer:
            return Page(generation, 0, (), more=False)
        changed, found = answer[0]
        return Page(generation, changed, tuple(found[:limit]), more=len(found) > limit)

    def _ask(
        self, author: Fingerprint, work: Callable[[sqlite3.Connection, rows.State], T]
    ) -> tuple[str, list[T]]:
        """Do `work` on what is known of the author; nothing when there is nothing of him.

        Who was never looked at completely, in this generation, is looked at first.
        """

        def attempt(connection: sqlite3.Connection) -> tuple[bool, list[T]]:
            state = rows.author_state(connection, author)
            if state is None or not state.complete:
                return False, []
            return True, [work(connection, state)]

        for _ in range(_ATTEMPTS):
            generation, (complete, answer) = self._store.run(attempt, write=False)
            if complete or not self._is_held(author):
                break
            self.refresh(author)
        return generation, answer

    def _is_held(self, author: Fingerprint) -> bool:
        return any(place.is_dir() for place in (self.root.author_dir(author), self.root.hidden_dir(author)))


def _made(directory: Path) -> Path:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory
