"""What is deleted, for who has the index and is asked at every request (spec/messages.md M84).

Only what changed since the last question is opened. Where nothing is noted yet, every post has to be: a
little of that is done with each question, and until it is done what was noted counts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mau.catalogue import ANY
from mau.deletion.document import Delete
from mau.deletion.held import MAX_FILE, HeldDeletes, open_delete
from mau.deletion.placing import ALWAYS, no_longer_deleted, renew_place
from mau.deletion.rules import Deletes
from mau.errors import MauError
from mau.fingerprint import Fingerprint
from mau.stated import Statements
from mau.tree.posts import AuthorDir

if TYPE_CHECKING:
    from mau.account import Account
    from mau.keyring import Keyring
    from mau.tree.index import Index

_AT_ONCE = 1000
_BUDGET = 0.02
"""Seconds of looking at files with a question."""
_PAUSE = 5
"""So many times as long goes by until the next."""


@dataclass(slots=True)
class _Known:
    """As of a moment of the index: its generation, and the clock of the author's last change."""

    moment: tuple[str, int]
    key: bytes
    deletes: Deletes
    looking: Generator[None, None, Deletes] | None
    held: HeldDeletes
    pause: float = 0.0


class IndexedDeletes:
    """The DeleteActions held, by author, as fresh as the index is. Any number of threads share one."""

    def __init__(
        self, account: Account, keyring: Keyring, index: Index, statements: Statements | None = None
    ) -> None:
        """``statements``: what is known of contents; the caller's, who closes them."""
        self._own_statements = statements is None
        self._statements = Statements(account) if statements is None else statements
        self._account = account
        self._keyring = keyring
        self._index = index
        self._known: dict[Fingerprint, _Known] = {}
        self._lock = threading.Lock()

    def of(self, author: Fingerprint) -> Deletes:
        """What the author's DeleteActions say; ask it once for each request. Blocking."""
        moment, key = self._index.changed(author), self._key(author)
        known = self._known.get(author)
        if known is None or known.looking is not None or (known.moment, known.key) != (moment, key):
            with self._lock:
                known = self._brought_up(author, moment, key)
        return known.deletes

    def at_hand(self, author: Fingerprint) -> Deletes | None:
        """As it was last; None when that is not known. Never waits."""
        known = self._known.get(author)
        return None if known is None or known.looking is not None else known.deletes

    def close(self) -> None:
        """Let go of what is not done."""
        with self._lock:
            for known in self._known.values():
                known.held.close()
            self._known.clear()
            if self._own_statements:
                self._statements.close()

    def _brought_up(self, author: Fingerprint, moment: tuple[str, int], key: bytes) -> _Known:
        known = self._known.get(author)
        if known is None or known.key != key or known.moment[0] != moment[0]:
            if known is not None:
                known.held.close()
            held = HeldDeletes(self._account, self._keyring, self._statements)
            known = _Known(moment, key, held.noted_all(author), held.looking(author), held)
            self._known[author] = known
        if known.looking is not None:
            _go_on(known, known.looking)
        elif known.moment != moment:
            known.deletes = self._with_changes(author, known)
            known.moment = moment
        return known

    def _with_changes(self, author: Fingerprint, known: _Known) -> Deletes:
        found = {one.name: one for one in known.deletes if self._index.entry(author, one.name)}
        clock = known.moment[1]
        while True:
            page = self._index.after(author, (ANY,), clock, _AT_ONCE)
            for entry in page.entries:
                clock = entry.clock
                found.pop(entry.name, None)
                delete = None
                if entry.size <= MAX_FILE:
                    delete = self._open(AuthorDir(self._account.root, author, entry.hidden), entry.name)
                if delete is not None:
                    found[entry.name] = delete
            if not page.more:
                freed = no_longer_deleted(known.deletes, found.values())
                renew_place(self._index, author, dict.fromkeys(freed, ALWAYS))
                return Deletes(found.values())

    def _open(self, directory: AuthorDir, name: str) -> Delete | None:
        try:
            entry = directory.entry(name)
            return (
                None
                if entry is None
                else open_delete(self._account, self._keyring, directory, entry, self._statements)
            )
        except (MauError, OSError):
            return None

    def _key(self, author: Fingerprint) -> bytes:
        certificate = self._keyring.certificate(author)
        return b"" if certificate is None else bytes(certificate)


def _go_on(known: _Known, looking: Generator[None, None, Deletes]) -> None:
    """Look at some more files."""
    if (now := time.monotonic()) < known.pause:
        return
    until = now + _BUDGET
    known.pause = now + _BUDGET * _PAUSE
    try:
        while time.monotonic() < until:
            next(looking)
    except StopIteration as end:
        known.deletes, known.looking = end.value, None
        known.held.close()
