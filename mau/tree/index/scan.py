"""Bringing the rows up to what the directories hold: whole authors, single names (spec/index.md I8-I13, I17).

Files are read outside of any transaction. What was found out is noted in one that first looks again whether
it still holds; so of two processes that read a file at different moments, the later content stays.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO, Final

from mau.errors import NoAccount
from mau.fingerprint import Fingerprint
from mau.tree.index import rows
from mau.tree.index.entry import Examine, Examined, Refreshed, stamp_of
from mau.tree.index.shelf import LARGE, Shelf, Unreadable, Unstable
from mau.tree.index.store import Renewed, Store
from mau.tree.index.writer import Writer
from mau.tree.layout import Root

Defer = Callable[[Fingerprint, str], None]

UNKNOWN: Final = "unknown"
"""The kind of a file that could not be examined: found under no reader."""
_BATCH: Final = 250
_BUDGET: Final = 0.3  # seconds
_TRIES: Final = 3
_log = logging.getLogger("mau.tree.index")


@dataclass(slots=True)
class Checked:
    """What became of single names."""

    changed: int = 0
    removed: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)

    def add(self, other: Checked) -> None:
        """Take in what became of others."""
        self.changed += other.changed
        self.removed += other.removed
        self.unsettled += other.unsettled


@dataclass(slots=True)
class _Differences:
    generation: str
    known: bool
    """Whether anything of the author was noted before."""
    read: list[tuple[bool, int, str]] = field(default_factory=list)
    """Files to be read, as (large, mtime_ns, name): their order."""
    moved: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


class Scanner:
    """Compares and notes; the thread that calls it does the work."""

    def __init__(self, root: Root, store: Store, examine: Examine) -> None:
        self._root = root
        self._store = store
        self._ask = examine

    def refresh(self, author: Fingerprint | None = None, defer: Defer | None = None) -> Refreshed:
        """Compare everything of one author, or of all, with what is noted.

        With `defer`, large files are handed to it instead of being read here. NoAccount when this is not a
        whole tree: then nothing is noted as gone.
        """
        self._require_tree()
        total = Refreshed()
        with self._store.scanning():
            for one in self._authors() if author is None else [author]:
                total += self._whole(one, defer)
        return total

    def check(self, author: Fingerprint, names: Iterable[str]) -> Checked:
        """Look at single names, whatever their stamps say. NoAccount as above."""
        self._require_tree()
        return self._noted(author, names, None)

    def _require_tree(self) -> None:
        if not self._root.mau.is_dir():
            raise NoAccount(f"{str(self._root.path)!r} is no whole tree (any more): it holds no .mau")

    def _authors(self) -> list[Fingerprint]:
        here = {author for author, _ in self._root.authors()}
        return sorted(here | set(self._store.run(rows.authors, write=False)[1]))

    # --- one author ----------------------------------------------------------------------------------------

    def _whole(self, author: Fingerprint, defer: Defer | None) -> Refreshed:
        while True:
            try:
                differences = self._compare(author)
                if differences is None:
                    return Refreshed()
                return self._apply(author, differences, defer)
            except Renewed:
                continue
            except OSError as error:  # what was known of this author stays, and the others go on
                _log.warning("the directory of %s cannot be read: %s", author.hex, error)
                return Refreshed()

    def _compare(self, author: Fingerprint) -> _Differences | None:
        """What the rows lack; None when nothing is, or was, there."""
        with Shelf(self._root, author) as shelf:

            def work(connection: sqlite3.Connection) -> _Differences | None:
                state = rows.author_state(connection, author)
                noted = rows.stamps(connection, state.number) if state else iter(())
                found = _Differences("", state is not None and state.complete)
                following = _next(noted)
                for name, hidden, info in shelf.all():
                    while following is not None and following[0] < name:
                        found.gone.append(following[0])
                        following = _next(noted)
                    if following is None or following[0] != name:
                        found.read.append((info.st_size >= LARGE, info.st_mtime_ns, name))
                        continue
                    _, stamp, was_hidden = following
                    following = _next(noted)
                    if stamp != stamp_of(info):
                        found.read.append((info.st_size >= LARGE, info.st_mtime_ns, name))
                    elif was_hidden != hidden:
                        found.moved.append(name)
                while following is not None:
                    found.gone.append(following[0])
                    following = _next(noted)
                return found if state is not None or shelf.is_there else None

            generation, found = self._store.run(work, write=False)
        if found is not None:
            found.generation = generation
            # Those that changed first come first, and what takes long keeps nobody waiting.
            found.read.sort()
        return found

    def _apply(self, author: Fingerprint, found: _Differences, defer: Defer | None) -> Refreshed:
        done = Checked()
        generation = found.generation
        for start in range(0, len(found.gone) + len(found.moved), _BATCH):
            self._placed(author, [*found.gone, *found.moved][start : start + _BATCH], generation, done)
        here = (name for large, _, name in found.read if not (large and defer))
        done.add(self._noted(author, here, generation))
        if not found.known:
            self._store.run(
                lambda tables: Writer(tables, author, self._store.now).complete(),
                write=True,
                generation=generation,
            )
        if defer:
            for large, _, name in found.read:
                if large:
                    defer(author, name)
        return Refreshed(done.changed, len(done.removed), len(done.unsettled))

    # --- names ---------------------------------------------------------------------------------------------

    def _placed(self, author: Fingerprint, names: Sequence[str], generation: str, done: Checked) -> None:
        """Note that files are gone, or lie in the author's other directory, without reading them."""
        with Shelf(self._root, author) as shelf:

            def work(connection: sqlite3.Connection) -> tuple[list[str], list[str]]:
                return _place(connection, shelf, names, self._store.now)

            removed, others = self._store.run(work, write=True, generation=generation)[1]
        done.removed += removed
        done.add(self._noted(author, others, generation))

    def _noted(self, author: Fingerprint, names: Iterable[str], generation: str | None) -> Checked:
        """Look at these names and note what is there, some at a time."""
        done = Checked()
        waiting = iter(names)
        again: list[tuple[int, str]] = []
        while batch := [*again, *((0, name) for name in islice(waiting, _BATCH - len(again)))]:
            tries = {name: tried + 1 for tried, name in batch}
            looked, troubled, count = self._look(author, tries)
            with Shelf(self._root, author) as shelf:

                def work(
                    connection: sqlite3.Connection,
                    shelf: Shelf = shelf,
                    looked: dict[str, rows.Looked | None] = looked,
                ) -> tuple[Checked, list[str]]:
                    return _write(connection, shelf, looked, self._store.now)

                written, stale = self._store.run(work, write=True, generation=generation)[1]
            done.add(written)
            troubled += stale
            done.unsettled += [name for name in troubled if tries[name] >= _TRIES]
            again = [(tries[name], name) for name in troubled if tries[name] < _TRIES]
            again += batch[count:]  # there was no time for the rest
        return done

    def _look(
        self, author: Fingerprint, names: Iterable[str]
    ) -> tuple[dict[str, rows.Looked | None], list[str], int]:
        """Read files for as long as nobody minds to wait for the first of them; how many were tried."""
        found: dict[str, rows.Looked | None] = {}
        troubled: list[str] = []
        count = 0
        pause = time.monotonic() + _BUDGET
        with Shelf(self._root, author) as shelf:
            for name in names:
                count += 1
                try:
                    found[name] = shelf.look(name, self._examine)
                except Unstable:
                    troubled.append(name)
                except Unreadable as error:  # what was known of it stays
                    _log.warning("%s/%s cannot be read: %s", author.hex, ascii(name), error)
                if time.monotonic() > pause:
                    break
        return found, troubled, count

    def _examine(self, author: Fingerprint, name: str, handle: BinaryIO) -> Examined:
        try:
            return self._ask(author, name, handle)
        except OSError:
            raise
        except Exception:  # whatever one file makes of it, the others go on
            _log.exception("%s/%s could not be examined", author.hex, ascii(name))
            return Examined(UNKNOWN)


def _place(
    connection: sqlite3.Connection, shelf: Shelf, names: Sequence[str], now: Callable[[], int]
) -> tuple[list[str], list[str]]:
    """Note the place of files that were read before: (gone, to be read)."""
    removed: list[str] = []
    others: list[str] = []
    writer = Writer(connection, shelf.author, now)
    for name in names:
        place = shelf.find(name)
        if place is None:
            if writer.drop(name):
                removed.append(name)
        elif writer.stamp(name) == stamp_of(place[1]):
            writer.move(name, place[0])
        else:
            others.append(name)
    writer.done()
    return removed, others


def _write(
    connection: sqlite3.Connection,
    shelf: Shelf,
    looked: dict[str, rows.Looked | None],
    now: Callable[[], int],
) -> tuple[Checked, list[str]]:
    """Note what was looked at, where it still holds; what does not hold is to be looked at again."""
    done = Checked()
    again: list[str] = []
    writer = Writer(connection, shelf.author, now)
    for name, one in looked.items():
        if not shelf.is_still(name, one):
            again.append(name)
        elif one is None:
            if writer.drop(name):
                done.removed.append(name)
        else:
            done.changed += writer.put(name, one)
            if not one.settled:
                done.unsettled.append(name)
    writer.done()
    return done, again


def _next(noted: Iterator[tuple[str, bytes, int]]) -> tuple[str, bytes, int] | None:
    return next(noted, None)
