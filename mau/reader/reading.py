"""All that I can read, in short: what stands in the tree, opened once and told often (spec/reading.md).

    with Reading(account, keyring) as reading:
        reading.refresh()                       now it is what the tree holds
        for summary in reading.newest(): ...    newest signature first
        reading.pointing_at(address)            who answers it, likes it, shares it
        post = reading.open(summary)            the whole post, from its file

Blocking; threads take turns. What was found out lies in ``.reader/``, sealed to the account.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from mau.catalogue import open_index
from mau.errors import MauError
from mau.fingerprint import Fingerprint
from mau.reader.contents import LARGEST, Content, content_of
from mau.reader.image import Image
from mau.reader.judging import Judging, Progress, Told
from mau.reader.notes import Notes
from mau.reader.open import OpenedPost, open_post
from mau.reader.owners import pack
from mau.reader.rows import Act, Choice, Row
from mau.reader.table import Table
from mau.reader.upkeep import Upkeep

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from mau.account import Account
    from mau.content.address import Address
    from mau.keyring import Keyring
    from mau.reader.summary import Summary
    from mau.tree.index import Index

_PAGE: Final = 64
_SELDOM: Final = 30.0  # seconds
_EVERYTHING: Final = Choice()
_log = logging.getLogger("mau.reader")


class Reading:
    """The summaries of everything in the tree: mine, of those I follow, and what is held hidden."""

    def __init__(self, account: Account, keyring: Keyring, index: Index | None = None) -> None:
        """``index``: the caller's, who closes it; without one, its own."""
        self._account = account
        self._keyring = keyring
        self._own_index = index is None
        self._index = open_index(account.root) if index is None else index
        self._lock = threading.RLock()
        self._notes = Notes(account)
        self._image = Image(account)
        # Without notes the table says little: with them it is made anew, by as many processes as help.
        self._table = Table(None if self._notes.is_empty else self._image.load())
        self._judging = Judging(account, keyring, self._table, self._notes)
        self._upkeep = Upkeep(account.root, self._index, self._table, self._notes, self._judging)
        self._changed = False
        self._saved = -_SELDOM

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files and the memory."""
        with self._lock:
            if self._changed:
                self._save(at_once=True)
            self._table.close()
            self._notes.close()
            if self._own_index:
                self._index.close()

    @property
    def index(self) -> Index:
        """The index that tells what lies in the tree: to be watched and subscribed to."""
        return self._index

    # --- bringing it up to date ----------------------------------------------------------------------------

    def refresh(
        self,
        told: Told | None = None,
        *,
        progress: Progress | None = None,
        patience: float | None = None,
    ) -> None:
        """Bring it up to what the tree holds; each content that is new is opened once.

        ``patience``: seconds, after which no more are opened: `pending` are left for the next time. Those
        that came into the tree last are opened first. What was found out is kept, also when this is cut off.
        """
        with self._lock:
            if self._upkeep.refresh(told, progress, patience):
                self._save()

    @property
    def pending(self) -> int:
        """Contents that the last `refresh` left unopened."""
        return self._upkeep.pending

    @property
    def left_out(self) -> Counter[str]:
        """How many files of mine and of those I follow are not shown, by the class of the error."""
        with self._lock:
            return Counter(self._table.wrong())

    def check(self, summaries: Iterable[Summary]) -> bool:
        """Whether these are still what their files hold; what is not is judged anew (ask again then)."""
        with self._lock:
            same = self._upkeep.check(summaries)
            if not same:
                self._save()
            return same

    # --- questions -----------------------------------------------------------------------------------------

    def newest(self, authors: Collection[Fingerprint] | None = None) -> Iterator[Summary]:
        """Posts to show, newest signature first: mine and of those I follow, or of these ``authors``."""
        return self.choose(Choice(None if authors is None else frozenset(authors)))

    def choose(self, choice: Choice) -> Iterator[Summary]:
        """As `newest`, those that are asked for."""
        rows = self._table.newest(choice)
        while True:
            with self._lock:
                found = self._summaries(list(islice(rows, _PAGE)))
            yield from found
            if len(found) < _PAGE:
                return

    @property
    def changes(self) -> int:
        """Another number when anything that it shows may have changed; it tells nothing after a new start."""
        with self._lock:
            return self._table.changes

    def contents(self) -> list[tuple[bytes, str, bytes]]:
        """(author, name, sha256) of each post that `newest` gives, all at once, in no order."""
        with self._lock:
            return self._table.contents()

    def get(self, author: Fingerprint, name: str) -> Summary | None:
        """What is held under that name, whatever it is; hidden too."""
        with self._lock:
            row = self._table.row(author, name)
            found = [] if row is None else self._summaries([row])
        return found[0] if found else None

    def pointing_at(self, address: Address) -> list[Summary]:
        """All that answers a post or acts upon it, newest first; hidden too, deleted not."""
        with self._lock:
            return self._summaries(self._table.pointing_at(address))

    def acts_upon(self, address: Address) -> list[Act]:
        """What `pointing_at` gives, in few words, oldest first: to be counted."""
        with self._lock:
            return self._table.acts_upon(address)

    def tagged(self, tag: str) -> list[Summary]:
        """Posts to show that have this tag, newest first."""
        return list(self.choose(Choice(tag=tag)))

    def open(self, summary: Summary) -> OpenedPost:
        """The whole post as its file holds it now, checked anew. PostError, NoSuchPost, NotAFile."""
        return open_post(self._account, self._keyring, summary.author, summary.name)

    def opened(
        self, summaries: Collection[Summary], *, keep: bool = True
    ) -> list[Content | MauError | OSError]:
        """What there is to read in these posts, as their files hold it; or why it cannot be read.

        What was shown lately is taken from `.reader`, when its file is still the one that was judged;
        with ``keep`` these are there the next time.
        """
        with self._lock:
            rows = [self._table.row(one.author, one.name) for one in summaries]
            usable = [None if row is None or not self._upkeep.is_still(row) else row.note for row in rows]
            held = self._notes.contents([note for note in usable if note])
            found: list[Content | MauError | OSError] = []
            new: dict[bytes, Content] = {}
            for one, row, note in zip(summaries, rows, usable, strict=True):
                content = held.get(note) if note else None
                if content is None:
                    try:
                        content = content_of(self.open(one))
                    except (MauError, OSError) as error:
                        found.append(error)
                        continue
                    # A stamp that proves something is the same before and after: so was the file.
                    if row is not None and note and content.size <= LARGEST and self._upkeep.is_still(row):
                        new[note] = content
                found.append(content)
            if new and keep:
                self._keep(lambda: self._notes.store_contents(new))
            return found

    def open_all(
        self, contents: Collection[tuple[bytes, str, bytes]]
    ) -> Generator[tuple[Summary, OpenedPost | None], None, None]:
        """Open these of `contents`, many by several processes; the post of a file too large for that is None.

        What has another content by now, or does not hold any more, is passed over.
        """
        wanted = set(contents)
        entries = [
            entry
            for author in sorted({one[0] for one in wanted})
            for entry in self._index.entries(Fingerprint(author))
            if (author, entry.name, bytes.fromhex(entry.sha256)) in wanted
        ]
        with contextlib.closing(self._judging.opened(entries, whole=True)) as found:
            for entry, one in found:
                looked = one.looked
                if looked is not None and not looked.summary.error and looked.summary.sha256 == entry.sha256:
                    yield looked.summary, looked.post

    # --- inside --------------------------------------------------------------------------------------------

    def _summaries(self, rows: list[Row]) -> list[Summary]:
        """What is noted of these; what is noted no more (`.reader` was tidied) is found out anew."""
        notes = self._notes.fetch([row.note for row in rows if row.note])
        found: list[Summary] = []
        for row in rows:
            looked = notes.get(row.note)
            if looked is None or pack(looked.owners) != row.owners:  # another process knows other keys
                looked = self._judging.again(self._index, row)
            if looked is not None:
                found.append(replace(looked.summary, hidden=row.hidden, deleted=row.deleted))
        return found

    def _save(self, *, at_once: bool = False) -> None:
        """Keep the table; not at each of many changes: it is written as a whole, and can be made anew."""
        self._changed = True
        if not at_once and time.monotonic() - self._saved < _SELDOM:
            return

        def save() -> None:
            self._upkeep.tidy()
            self._image.save(self._table.image())

        self._keep(save)
        self._changed, self._saved = False, time.monotonic()

    def _keep(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (OSError, sqlite3.Error) as error:  # it costs time the next time, nothing else
            _log.warning("what was found out of posts cannot be kept: %s", error)


__all__ = ["Act", "Choice", "Progress", "Reading", "Told"]
