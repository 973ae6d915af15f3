"""Bringing the table up to the tree: changes are found cheaply, each new content is opened once (RU1-RU8)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from mau.errors import NoAccount
from mau.reader.judging import Judging, Progress, Told
from mau.reader.notes import Notes
from mau.reader.places import differing, look_of, stamp
from mau.reader.rows import Row, State
from mau.reader.summary import Summary
from mau.reader.table import Table

if TYPE_CHECKING:
    from mau.fingerprint import Fingerprint
    from mau.tree.index import Entry, Index
    from mau.tree.layout import Root

CHEAP: Final = 20_000
"""Of so many files all are compared each time: that takes 50 ms."""
EVERY: Final = 600
"""Seconds after which more of them are compared again, when no watch does it."""
_FEW: Final = 200
_SPARE: Final = 1000


@dataclass(slots=True)
class _Author:
    """What is to be done about one author."""

    state: State
    entries: list[Entry] = field(default_factory=list)


class Upkeep:
    """The shell around table, notes and index; one thread at a time."""

    def __init__(self, root: Root, index: Index, table: Table, notes: Notes, judging: Judging) -> None:
        self._root = root
        self._index = index
        self._table = table
        self._notes = notes
        self._judging = judging
        self.pending = 0
        """Contents that nobody has opened yet: there was no patience for them."""

    def refresh(
        self, told: Told | None = None, progress: Progress | None = None, patience: float | None = None
    ) -> bool:
        """Bring the table up to the tree; whether anything changed. NoAccount when that is not whole.

        ``patience``: seconds after which no more contents are opened; those that came last are first.
        """
        if not self._root.mau.is_dir():  # an unmounted disk is no reason to forget
            raise NoAccount(f"{str(self._root.path)!r} is no whole tree (any more): it holds no .mau")
        now = int(time.time())
        self._judging.begin()
        watched = self._index.is_watched
        whole = not watched and (self._table.count() <= CHEAP or not 0 <= now - self._table.looked_at < EVERY)
        held = {author for author, _ in self._root.authors()}
        changed = False
        for author in set(self._table.authors()) - held:
            self._table.drop_author(author)
            changed = True
        unsettled: dict[Fingerprint, list[str]] = {}
        for author, name in self._table.unsettled():
            unsettled.setdefault(author, []).append(name)
        due: dict[Fingerprint, list[str]] = {}
        people, outdated = self._judging.outdated()
        for author, name in {*self._table.due(now), *outdated}:
            due.setdefault(author, []).append(name)
        work: dict[Fingerprint, _Author] = {}
        for author in sorted(held):
            found = self._compare(author, whole, unsettled.get(author, ()))
            if author in due:
                found = found or _Author(self._table.state(author))
                found.entries += self._again(author, due[author], found.entries)
            if found is not None:
                work[author] = found
        entries = [entry for one in work.values() for entry in one.entries]
        entries.sort(key=lambda entry: entry.clock, reverse=True)
        left = self._judging.judge(entries, told, progress, patience)
        self.pending = len(left)
        unfinished = {entry.author for entry in left}
        for author, one in work.items():
            if author not in unfinished:
                self._table.put_state(author, one.state)
            self._judging.mark_deleted(author)
        if not left and people != self._table.people:
            self._table.people = people
            changed = True
        if whole:
            self._table.looked_at = now
        return changed or bool(work) or (whole and self._table.count() > CHEAP)

    def check(self, summaries: Iterable[Summary]) -> bool:
        """Whether the files of these are still those that were judged; what is not is judged anew."""
        wrong: dict[Fingerprint, list[str]] = {}
        for summary in summaries:
            row = self._table.row(summary.author, summary.name)
            if row is None or not self.is_still(row):
                wrong.setdefault(summary.author, []).append(summary.name)
        changed = False
        for author, names in wrong.items():
            self._index.check(author, names)
            entries = []
            for name in names:
                row, entry = self._table.row(author, name), self._index.entry(author, name)
                if entry is None:
                    self._table.drop(author, [name])
                    changed = True
                elif row is None or not self._placed(row, entry):
                    entries.append(entry)
            if entries:
                self._judging.judge(entries, None, None, None)
                changed = True
            self._judging.mark_deleted(author)
        return not changed

    def tidy(self) -> None:
        """Forget what was noted of contents that are gone, once it is more than what is needed."""
        if self._notes.count() > 2 * self._table.count() + _SPARE:
            self._notes.keep(self._table.notes())

    def is_still(self, row: Row) -> bool:
        """Whether the file is the one that was judged."""
        return bool(row.stamp) and (stamp(self._root, row.author, row.name, hidden=row.hidden) == row.stamp)

    # --- what changed --------------------------------------------------------------------------------------

    def _compare(self, author: Fingerprint, whole: bool, unsettled: Sequence[str]) -> _Author | None:
        """What is to be judged of an author; None when he is as he was."""
        state, keys, places = (
            self._table.state(author),
            self._judging.keys_of(author),
            look_of(self._root, author),
        )
        looks: Sequence[str] = unsettled
        if not state.generation:
            if not self._index.is_watched:
                self._index.refresh(author)
        elif whole or not places or places != state.places:
            looks = differing(self._root, author, self._table.stamps(author))
            if len(looks) > _FEW:
                self._index.refresh(author)
            elif looks:
                self._index.check(author, looks)
        elif looks:
            self._index.check(author, looks)
        same_keys = keys == state.keys
        if same_keys and not looks and self._index.changed(author) == (state.generation, state.clock):
            if places == state.places:
                return None
            return _Author(replace(state, places=places))
        known = state.clock if same_keys else 0
        since = self._index.since(author, known)
        if since.generation != state.generation:
            since = self._index.since(author, 0)
        work = _Author(State(since.generation, since.changed, places, keys))
        seen = {entry.name for entry in since.entries}
        others = [self._index.entry(author, name) for name in looks if name not in seen]
        with self._table.change():
            gone = [name for name in looks if name not in seen]
            self._table.drop(author, set(gone) - {one.name for one in others if one is not None})
            for entry in (*since.entries, *(one for one in others if one is not None)):
                self._take(entry, work, anew=not same_keys)
            if self._counted(author, work) != (since.files, since.hidden):
                self._take_all(author, work, anew=not same_keys)
        return work

    def _take(self, entry: Entry, work: _Author, *, anew: bool) -> None:
        """Note where a content lies that is known, and that another is to be judged."""
        row = self._table.row(entry.author, entry.name)
        if row is None or not self._placed(row, entry) or anew:
            work.entries.append(entry)

    def _placed(self, row: Row, entry: Entry) -> bool:
        """Note where a content lies; whether the file holds the one that was judged."""
        if row.sha256.hex() != entry.sha256:
            return False
        stamp: bytes | None = row.stamp
        if row.stamp != entry.stamp:
            stamp = self._judging.proven(entry) if row.note else None
        if stamp is None:
            return False
        if (row.stamp, row.hidden) != (stamp, entry.hidden):
            self._table.place(entry.author, entry.name, stamp, hidden=entry.hidden)
        return True

    def _take_all(self, author: Fingerprint, work: _Author, *, anew: bool) -> None:
        """The long way: every file. Something was removed, or moved."""
        work.entries = []
        names = set()
        for entry in self._index.entries(author):
            names.add(entry.name)
            self._take(entry, work, anew=anew)
        self._table.drop(
            author, [row.name for row in list(self._table.rows(author)) if row.name not in names]
        )

    def _counted(self, author: Fingerprint, work: _Author) -> tuple[int, int]:
        files, hidden = self._table.counted(author)
        new = [one for one in work.entries if self._table.row(author, one.name) is None]
        return files + len(new), hidden + sum(one.hidden for one in new)

    def _again(self, author: Fingerprint, names: Iterable[str], taken: Iterable[Entry]) -> list[Entry]:
        have = {entry.name for entry in taken}
        found = [self._index.entry(author, name) for name in names if name not in have]
        return [entry for entry in found if entry is not None]
