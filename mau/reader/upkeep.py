"""Bringing the table up to the tree: changes are found cheaply, each new content is opened once (U1-U8)."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from mau.deletion.rules import Deletes
from mau.errors import MauError, NoSuchPost
from mau.reader.looking import Found, Looked, look
from mau.reader.notes import Notes, key_of, state_of_keys
from mau.reader.open import OpenedPost
from mau.reader.summary import Summary
from mau.reader.table import Row, State, Table
from mau.tree.index import is_settled, stamp_of
from mau.tree.names import is_post_name
from mau.tree.posts import AuthorDir

if TYPE_CHECKING:
    from mau.account import Account
    from mau.fingerprint import Fingerprint
    from mau.keyring import Keyring
    from mau.tree.index import Entry, Index

Told = Callable[[OpenedPost, Summary], None]
"""``told(post, summary)`` for each post to show, hidden or not, that was opened just now."""
Progress = Callable[[int, int], None]
"""``progress(done, total)``: contents that are opened, of all that have to be."""

CHEAP: Final = 20_000
"""Of so many files all are compared each time: that takes 50 ms."""
EVERY: Final = 600
"""Seconds after which more of them are compared again, when no watch does it."""
WORTH: Final = 1000
"""Of fewer posts the start of processes takes longer than it saves."""
_FEW: Final = 200
_SPARE: Final = 1000
_UNREAD: Final = "OSError"
_BATCH: Final = 500
_log = logging.getLogger("mau.reader")


@dataclass(slots=True)
class _Author:
    """What is to be done about one author."""

    state: State
    entries: list[Entry] = field(default_factory=list)


class Upkeep:
    """The shell around table, notes and index; one thread at a time."""

    def __init__(self, account: Account, keyring: Keyring, index: Index, table: Table, notes: Notes) -> None:
        self._account = account
        self._keyring = keyring
        self._index = index
        self._table = table
        self._notes = notes
        self._keys: dict[Fingerprint, bytes] = {}
        self.pending = 0
        """Contents that nobody has opened yet: there was no patience for them."""

    def refresh(
        self, told: Told | None = None, progress: Progress | None = None, patience: float | None = None
    ) -> bool:
        """Bring the table up to the tree; whether anything changed.

        ``patience``: seconds after which no more contents are opened; those that came last are first.
        """
        now = int(time.time())
        self._keys = {}
        watched = self._index.is_watched
        whole = not watched and (self._table.count() <= CHEAP or not 0 <= now - self._table.looked_at < EVERY)
        held = {author for author, _ in self._account.root.authors()}
        changed = False
        for author in set(self._table.authors()) - held:
            self._table.drop_author(author)
            changed = True
        unsettled: dict[Fingerprint, list[str]] = {}
        for author, name in self._table.unsettled():
            unsettled.setdefault(author, []).append(name)
        due: dict[Fingerprint, list[str]] = {}
        for author, name in self._table.due(now):
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
        left = self._judge(entries, told, progress, patience)
        self.pending = len(left)
        for author, one in work.items():
            if author not in {entry.author for entry in left}:
                self._table.put_state(author, one.state)
            self._mark_deleted(author)
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
                elif row is None or row.sha256.hex() != entry.sha256:
                    entries.append(entry)
                else:
                    self._table.place(author, name, entry.stamp, hidden=entry.hidden)
            if entries:
                self._judge(entries, None, None, None)
                changed = True
            self._mark_deleted(author)
        return not changed

    def look_again(self, row: Row) -> Looked | None:
        """What a file is of which nothing is noted (any more); None when it is gone."""
        entry = self._index.entry(row.author, row.name)
        looked = None if entry is None else self._open(entry).looked
        if looked is not None and row.note and looked.summary.sha256 == row.sha256.hex():
            self._notes.store({row.note: looked})
        return looked

    def tidy(self) -> None:
        """Forget what was noted of contents that are gone, once it is more than what is needed."""
        if self._notes.count() > 2 * self._table.count() + _SPARE:
            self._notes.keep(self._table.notes())

    def is_still(self, row: Row) -> bool:
        """Whether the file is the one that was judged."""
        return bool(row.stamp) and self._stamp(row.author, row.name, row.hidden) == row.stamp

    # --- what changed --------------------------------------------------------------------------------------

    def _compare(self, author: Fingerprint, whole: bool, unsettled: Sequence[str]) -> _Author | None:
        """What is to be judged of an author; None when he is as he was."""
        state, keys, places = self._table.state(author), self._keys_of(author), self._places(author)
        looks: Sequence[str] = unsettled
        if not state.generation:
            if not self._index.is_watched:
                self._index.refresh(author)
        elif whole or not places or places != state.places:
            looks = self._differing(author)
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
        if row is not None and (row.stamp, row.hidden) != (entry.stamp, entry.hidden):
            self._table.place(entry.author, entry.name, entry.stamp, hidden=entry.hidden)
        if anew or row is None or row.sha256.hex() != entry.sha256:
            work.entries.append(entry)

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

    def _differing(self, author: Fingerprint) -> list[str]:
        """Names whose files are not those that the table knows."""
        known = {row.name: (row.stamp, row.hidden) for row in self._table.rows(author)}
        found: list[str] = []
        for hidden, path in self._paths(author):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
                try:
                    for name in os.listdir(directory):  # noqa: PTH208 - a descriptor
                        before = known.get(name)
                        if before is None:
                            if is_post_name(name):
                                found.append(name)
                            continue
                        if hidden and not before[1]:
                            continue  # the one that is not hidden counts
                        info = os.stat(name, dir_fd=directory, follow_symlinks=False)
                        if before == (stamp_of(info), hidden):
                            del known[name]
                finally:
                    os.close(directory)
        return [*found, *known]

    def _places(self, author: Fingerprint) -> bytes:
        """What the author's directories look like; empty when another change may leave them so."""
        now, said = time.time_ns(), b""
        for _, path in self._paths(author):
            try:
                info = os.lstat(path)
            except OSError:
                said += b"-"
                continue
            if not is_settled(info, now):
                return b""
            said += stamp_of(info)
        return said

    def _paths(self, author: Fingerprint) -> tuple[tuple[bool, str], tuple[bool, str]]:
        root = self._account.root
        return (False, str(root.author_dir(author))), (True, str(root.hidden_dir(author)))

    def _stamp(self, author: Fingerprint, name: str, hidden: bool) -> bytes:
        path = self._paths(author)[hidden][1]
        try:
            return stamp_of(os.lstat(f"{path}/{name}"))
        except OSError:
            return b""

    # --- judging -------------------------------------------------------------------------------------------

    def _judge(
        self,
        entries: Sequence[Entry],
        told: Told | None,
        progress: Progress | None,
        patience: float | None,
    ) -> list[Entry]:
        """Find out what these are; those for which there was no patience."""
        end = None if patience is None else time.monotonic() + patience
        unknown: list[Entry] = []
        for start in range(0, len(entries), _BATCH):
            unknown += self._recalled(entries[start : start + _BATCH])
        done: list[tuple[Entry, Found]] = []
        count = 0
        found = self.opened(unknown, whole=told is not None)
        try:
            for entry, one in found:
                looked = one.looked
                if told is not None and looked is not None and looked.post and not looked.summary.apart:
                    told(looked.post, looked.summary)
                done.append((entry, replace(one, looked=looked and replace(looked, post=None))))
                count += 1
                if len(done) >= _BATCH:
                    self._note(done)
                    done = []
                if progress is not None:
                    progress(count, len(unknown))
                if end is not None and time.monotonic() > end:
                    break
        finally:
            found.close()
            self._note(done)  # what was found out stays, whatever ended it
        return unknown[count:]

    def _recalled(self, entries: Sequence[Entry]) -> list[Entry]:
        """Take what is noted of these; those of which nothing is."""
        keys = [self._key(one.author, one.name, one.sha256) for one in entries]
        notes = self._notes.fetch(keys)
        now = int(time.time())
        unknown: list[Entry] = []
        with self._table.change():
            for key, entry in zip(keys, entries, strict=True):
                looked = notes.get(key)
                if looked is None or 0 < looked.again <= now:
                    unknown.append(entry)
                else:
                    summary = replace(looked.summary, hidden=entry.hidden)
                    self._table.put(summary, entry.stamp, looked.delete, note=key, again=looked.again)
        return unknown

    def opened(self, entries: Sequence[Entry], *, whole: bool) -> Generator[tuple[Entry, Found], None, None]:
        """What became of each file, in their order; many are opened by several processes."""
        at = count = 0
        if len(entries) >= WORTH:
            from mau.reader import crew

            count = crew.size()
        if count:
            briefing = crew.brief(self._account, self._keyring, whole=whole)
            try:
                with contextlib.closing(crew.open_all(briefing, entries, count)) as found:
                    for one in found:
                        at += 1
                        yield one
            except OSError as error:
                _log.warning("posts are opened in one process: %s", error)
        for entry in entries[at:]:
            yield entry, self._open(entry)

    def _open(self, entry: Entry) -> Found:
        directory = AuthorDir(self._account.root, entry.author, entry.hidden)
        try:
            looked = look(self._account, self._keyring, directory, entry.name, entry.sha256)
        except NoSuchPost:
            return Found(None, gone=True)
        except (MauError, OSError):
            return Found(None)
        return Found(looked)

    def _note(self, done: Sequence[tuple[Entry, Found]]) -> None:
        """Put down what became of files, in the table and for ever."""
        notes: dict[bytes, Looked] = {}
        with self._table.change():
            for entry, found in done:
                looked = found.looked
                if found.gone:
                    self._table.drop(entry.author, [entry.name])
                elif looked is None or not looked.lasts:
                    summary = Summary(entry.author, entry.name, entry.sha256, entry.size, 0, error=_UNREAD)
                    summary = summary if looked is None else looked.summary
                    self._table.put(replace(summary, hidden=entry.hidden), b"", again=1, unread=True)
                else:
                    summary, note = looked.summary, b""
                    stamp = entry.stamp if summary.sha256 == entry.sha256 else b""
                    if summary.checked:
                        note = self._key(entry.author, entry.name, summary.sha256)
                        notes[note] = looked
                    self._table.put(summary, stamp, looked.delete, note=note, again=looked.again)
        if notes:
            self._notes.store(notes)

    def _mark_deleted(self, author: Fingerprint) -> None:
        deletes = Deletes(self._table.deletes(author))
        rows = (self._table.row(author, target) for target in deletes.targets)
        deleted = [
            row.name
            for row in rows
            if row is not None and deletes.is_deleted(row.name, row.sha256.hex(), row.time)
        ]
        with self._table.change():
            self._table.mark_deleted(author, deleted)

    def _key(self, author: Fingerprint, name: str, sha256: str) -> bytes:
        return key_of(author, name, bytes.fromhex(sha256), self._keys_of(author))

    def _keys_of(self, author: Fingerprint) -> bytes:
        if author not in self._keys:
            certificate = self._keyring.certificate(author)
            self._keys[author] = state_of_keys(certificate, self._account.certificate)
        return self._keys[author]
