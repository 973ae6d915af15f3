"""Finding out what files are: from notes, else by opening them, in several processes (RE3-RE5, RU5-RU7)."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mau.deletion.rules import Deletes
from mau.errors import MauError, NoSuchPost
from mau.reader.looking import Found, Looked, look
from mau.reader.notes import Notes, key_of, state_of_keys
from mau.reader.open import OpenedPost
from mau.reader.owners import state_of_people, still_hold
from mau.reader.places import stamp as stamp_now
from mau.reader.proving import proven
from mau.reader.rows import Row
from mau.reader.summary import Summary
from mau.reader.table import Table
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

WORTH: Final = 1000
"""Of fewer posts the start of processes takes longer than it saves."""
_UNREAD: Final = "OSError"
_BATCH: Final = 500
_log = logging.getLogger("mau.reader")


class Judging:
    """Judges contents and notes the verdicts, in the table and for ever; one thread at a time."""

    def __init__(self, account: Account, keyring: Keyring, table: Table, notes: Notes) -> None:
        self._account = account
        self._keyring = keyring
        self._table = table
        self._notes = notes
        self._keys: dict[Fingerprint, bytes] = {}

    def begin(self) -> None:
        """Keys may have changed since."""
        self._keys = {}

    def again(self, index: Index, row: Row) -> Looked | None:
        """What a file is of which nothing is noted (any more); None when it is gone."""
        entry = index.entry(row.author, row.name)
        looked = None if entry is None else self.open(entry).looked
        if looked is not None and row.note and looked.summary.sha256 == row.sha256.hex():
            self._notes.store({row.note: looked})
        return looked

    def judge(
        self,
        entries: Sequence[Entry],
        told: Told | None,
        progress: Progress | None,
        patience: float | None,
    ) -> list[Entry]:
        """Find out what these are, and note it; those for which there was no patience.

        ``patience``: seconds, after which no more are opened.
        """
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
                if looked is not None and 0 < looked.again <= now:
                    looked = None
                if looked is not None and not still_hold(looked.owners, self._keyring.owner_of):
                    looked = None
                stamp = None if looked is None else self.proven(entry)
                if looked is None or stamp is None:
                    unknown.append(entry)
                else:
                    summary = replace(looked.summary, hidden=entry.hidden)
                    self._put(summary, stamp, looked, key)
        return unknown

    def proven(self, entry: Entry) -> bytes | None:
        """The stamp under which a file holds what the index says of it; None when it does not (RU9)."""
        row = self._table.row(entry.author, entry.name)
        if row is not None and row.stamp and (row.sha256.hex(), row.stamp) == (entry.sha256, entry.stamp):
            return row.stamp  # that was found out before: the table is sealed, the index is not
        return proven(self._account.root, entry)

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
            yield entry, self.open(entry)

    def open(self, entry: Entry) -> Found:
        """What became of one file."""
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
                    if stamp != stamp_now(self._account.root, entry.author, entry.name, hidden=entry.hidden):
                        stamp = b""
                    if summary.checked:
                        note = self._key(entry.author, entry.name, summary.sha256)
                        notes[note] = looked
                    self._put(summary, stamp, looked, note)
        if notes:
            self._notes.store(notes)

    def _put(self, summary: Summary, stamp: bytes, looked: Looked, note: bytes) -> None:
        self._table.put(summary, stamp, looked.delete, note=note, again=looked.again, owners=looked.owners)

    def outdated(self) -> tuple[bytes, list[tuple[Fingerprint, str]]]:
        """What stands for the keys of all people now; and (author, name) of what rests on others (RE9)."""
        ring = self._keyring
        people = state_of_people([ring.me, *ring.friends(), *ring.known()])
        return people, [] if people == self._table.people else self._table.outdated(ring.owner_of)

    def mark_deleted(self, author: Fingerprint) -> None:
        """Note which posts of the author are deleted, by all his DeleteActions together."""
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
        return key_of(author, name, bytes.fromhex(sha256), self.keys_of(author))

    def keys_of(self, author: Fingerprint) -> bytes:
        """What stands for the state of the keys that a verdict on this author rests on."""
        if author not in self._keys:
            certificate = self._keyring.certificate(author)
            self._keys[author] = state_of_keys(certificate, self._account.certificate)
        return self._keys[author]
