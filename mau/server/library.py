"""What a visitor gets: pages of an author's files, and open files. Blocking; the shell calls it in threads.

The index says what may be for a visitor, and in which order it came to be; whether it is for him is proven
from each file itself, once for each content. So a row of the index that somebody else wrote opens nothing.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

from mau.catalogue import examine
from mau.deletion.rules import Deletes
from mau.errors import NoSuchPost, TreeError
from mau.fingerprint import Fingerprint
from mau.server.facts import Record
from mau.server.files import Files
from mau.server.standing import Standing, standing_of
from mau.tree import safe
from mau.tree.index import Entry, Page, stamp_of
from mau.tree.posts import AuthorDir
from mau.wire.listing import Item

_TRIES = 3
_BUDGET = 0.05
"""Seconds of work after which a listing gives others their turn."""
_AT_ONCE = 1000
_OUR_TROUBLE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""It passes, and says nothing about a file: to leave one out of a page for it would be to lose it."""


class Renewed(Exception):
    """The index was begun anew meanwhile: what was read before belongs to another order."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One file of a listing, and its place in the order of changes (a clock of the index)."""

    item: Item
    clock: int


@dataclass(frozen=True, slots=True)
class Part:
    """Files that a visitor may read, the oldest change first, of one generation of the index.

    ``older``: whether there is something before the first of them.
    """

    generation: str
    listed: list[Listed]
    older: bool = False


class Library(Files):
    """The tree as visitors may see it."""

    # --- listing -------------------------------------------------------------------------------------------

    def standing(self, author: Fingerprint, proven: Fingerprint | None) -> Standing:
        """What holds for who proved to be ``proven`` before the files of the author."""
        visitor = self._visitor(proven)
        return standing_of(self._shelf(author), visitor, self._people.certificate(author))

    def page(
        self, standing: Standing, clock: int | None, limit: int, *, newest_first: bool = False
    ) -> Generator[None, None, Part]:
        """At most ``limit`` files that changed after ``clock``; with ``newest_first`` the last before it.

        ``clock`` None is the beginning, or the end. Yields to give others a turn. Renewed.
        """
        author = standing.shelf.author
        if not standing.readers:
            return Part(self.index.generation, [])
        self._see_to(author)
        forward = not newest_first
        found, generation = yield from self._walk(standing, clock, limit, forward=forward)
        if newest_first:
            found.reverse()
        first = found[0].clock if found else clock
        if forward and clock is not None and not found:
            first = clock + 1  # before an empty page is what the one before ended with
        older = False
        if first is not None and first > 0:
            before, same = yield from self._walk(standing, first, 1, forward=False)
            if same != generation:
                raise Renewed
            older = bool(before)
        return Part(generation, found, older)

    def listing(self, standing: Standing, clock: int = 0) -> Generator[None, None, Part]:
        """All files that changed after ``clock``. Yields to give others a turn. Renewed."""
        if not standing.readers:
            return Part(self.index.generation, [])
        self._see_to(standing.shelf.author)
        found, generation = yield from self._walk(standing, clock, None, forward=True)
        return Part(generation, found)

    def has_any(self, standing: Standing) -> Generator[None, None, bool]:
        """Whether there is anything at all of the author that the visitor may read. Renewed."""
        return bool((yield from self.page(standing, None, 1, newest_first=True)).listed)

    def _see_to(self, author: Fingerprint) -> None:
        """Bring the author's part up to date. What was signed ahead of the clock and is believed by now is
        a change, too, though no file tells of it."""
        self.freshness.see_to(author)
        names = self._facts.come_of_age(author, time.time())
        entries = [entry for name in names if (entry := self.index.entry(author, name)) is not None]
        if entries:
            self.index.outdate(author, entries)

    def _walk(
        self, standing: Standing, clock: int | None, limit: int | None, *, forward: bool
    ) -> Generator[None, None, tuple[list[Listed], str]]:
        """So many permitted files from there on, nearest first, and the generation they belong to.

        Whoever is told a position believes that he knows everything before it. So a file that is not what,
        or not where, the index says is told at no position until the index says the same; and what changes
        faster than that loses its place, and comes again later.
        """
        author = standing.shelf.author
        for _ in range(_TRIES):
            unsure: list[Entry] = []
            done = yield from self._walk_once(standing, clock, limit, unsure, forward=forward)
            if not unsure or not self.freshness.settle(author, [entry.name for entry in unsure]):
                return done
        self.index.outdate(author, unsure)
        return done

    def renew(self, standing: Standing, listed: Listed) -> None:
        """What was listed turned out to be something else: that is a change, even when it is so no more."""
        author, name = standing.shelf.author, listed.item.name
        if self.standing(author, standing.visitor.fingerprint).digest != standing.digest:
            return  # no file changed, but the rules
        entry = self.index.entry(author, name)
        if entry is not None and entry.clock == listed.clock and self.freshness.settle(author, [name]):
            self.index.outdate(author, [entry])

    def _walk_once(
        self, standing: Standing, clock: int | None, limit: int | None, unsure: list[Entry], *, forward: bool
    ) -> Generator[None, None, tuple[list[Listed], str]]:
        author, readers = standing.shelf.author, standing.readers
        found: dict[str, Listed] = {}  # what changes meanwhile moves to the end
        generation = ""
        pause = time.monotonic() + _BUDGET
        deletes = self._deletes.of(author)
        with self._inside(author) as stat:
            while True:
                want = _AT_ONCE if limit is None else min(limit - len(found), _AT_ONCE)
                page: Page
                if forward:
                    page = self.index.after(author, readers, clock or 0, want)
                else:
                    page = self.index.before(author, readers, clock, want)
                if generation not in ("", page.generation):
                    raise Renewed
                generation = page.generation
                for entry in page.entries:
                    clock = entry.clock
                    item, sure = self._permitted(standing, entry, stat, deletes)
                    if item is not None and deletes.is_deleted(item.name, item.sum):
                        item = None  # however it came back (spec/messages.md M84)
                    if not sure:
                        unsure.append(entry)
                    elif item is not None:
                        found.pop(item.name, None)
                        found[item.name] = Listed(item, entry.clock)
                    if time.monotonic() > pause:
                        yield
                        pause = time.monotonic() + _BUDGET
                if not page.more or (limit is not None and len(found) >= limit):
                    return list(found.values()), generation

    @contextlib.contextmanager
    def _inside(self, author: Fingerprint) -> Generator[Callable[[Entry], bytes | None]]:
        """A function that tells the stamp that a file has now; None when it is not there any more."""
        with contextlib.ExitStack() as stack:
            places: dict[bool, int] = {}

            def stamp(entry: Entry) -> bytes | None:
                try:
                    if entry.hidden not in places:
                        place = (
                            self._root.hidden_dir(author) if entry.hidden else self._root.author_dir(author)
                        )
                        places[entry.hidden] = stack.enter_context(safe.closing(safe.open_dir(place)))
                    found = os.stat(entry.name, dir_fd=places[entry.hidden], follow_symlinks=False)
                except OSError as error:
                    if error.errno in _OUR_TROUBLE:
                        raise
                    return None
                except TreeError:
                    return None
                return stamp_of(found)

            yield stamp

    def _permitted(
        self,
        standing: Standing,
        entry: Entry,
        stat: Callable[[Entry], bytes | None],
        deletes: Deletes,
    ) -> tuple[Item | None, bool]:
        """(the file as it is now, when the visitor may read it; whether that is the content of the entry)."""
        name = entry.name
        stamp = stat(entry)
        if stamp is None:
            return None, False
        if stamp != entry.stamp:
            self.freshness.doubt(entry.author, name)
        record = self._facts.of(entry.author, name)
        verdict = None
        if record is not None and record.stamp == stamp:
            verdict = self._verdict(standing.shelf, standing.visitor, name, record)
        if verdict is None:
            record = self._examine(standing, entry, deletes)
            verdict = record is not None
            stamp = stat(entry)
        if not verdict or record is None or record.sha256 is None:
            return None, stamp == entry.stamp
        return Item(name, record.size, record.sha256), record.sha256 == entry.sha256

    def readers(self, author: Fingerprint, name: str) -> frozenset[bytes]:
        """Under what a file is found now; nothing when it is not there."""
        for hidden in (False, True):
            with (
                contextlib.suppress(TreeError, OSError),
                AuthorDir(self._root, author, hidden=hidden).open(name) as handle,
            ):
                return frozenset(examine(author, name, handle).readers)
        return frozenset()

    def rules(self) -> int:
        """Another number when the keyring is another one; looks at it."""
        self._people.refresh()
        return self._people.version

    @property
    def known_rules(self) -> int:
        """The same as of the last look; never waits."""
        return self._people.version

    def is_mine(self, author: Fingerprint) -> bool:
        """Whether that is the owner of this host."""
        return author == self._me

    def key(self, owner: Fingerprint) -> bytes | None:
        """The armored key of somebody, as it is given out; None when none is held.

        Who may have it is not asked here: the owner of this host's is everybody's, another's is for whom
        ``has_any`` says so.
        """
        certificate = self._people.certificate(owner)
        return None if certificate is None else certificate.without_others().armored().encode("ascii")

    def _examine(self, standing: Standing, entry: Entry, deletes: Deletes) -> Record | None:
        """The complete record of a file that the visitor may read, else None."""
        directory = AuthorDir(self._root, entry.author, hidden=entry.hidden)
        try:
            opened = self._open_current(standing.shelf, standing.visitor, directory, entry.name, deletes)
        except NoSuchPost:
            return None
        if opened is None:
            return None
        opened.close()
        return opened.record
