"""What is deleted, for who has the index and is asked at every request (spec/messages.md M84).

Only what changed since the last question is opened.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mau.catalogue import ANY
from mau.deletion.document import Delete
from mau.deletion.held import MAX_FILE, HeldDeletes, open_delete
from mau.deletion.rules import Deletes
from mau.errors import MauError
from mau.fingerprint import Fingerprint
from mau.tree.posts import AuthorDir

if TYPE_CHECKING:
    from mau.account import Account
    from mau.keyring import Keyring
    from mau.tree.index import Index

_AT_ONCE = 1000


@dataclass(slots=True)
class _Known:
    """As of a moment of the index: its generation, and the clock of the author's last change."""

    moment: tuple[str, int]
    key: bytes
    found: dict[str, Delete] = field(default_factory=dict)
    deletes: Deletes = field(default_factory=Deletes)


class IndexedDeletes:
    """The DeleteActions held, by author, as fresh as the index is. Any number of threads share one."""

    def __init__(self, account: Account, keyring: Keyring, index: Index) -> None:
        self._account = account
        self._keyring = keyring
        self._index = index
        self._known: dict[Fingerprint, _Known] = {}
        self._lock = threading.Lock()

    def of(self, author: Fingerprint) -> Deletes:
        """What the author's DeleteActions say; ask it once for each request. Blocking."""
        moment, key = self._index.changed(author), self._key(author)
        known = self._known.get(author)
        if known is not None and (known.moment, known.key) == (moment, key):
            return known.deletes
        with self._lock:
            known = self._known.get(author)
            if known is None or known.key != key or known.moment[0] != moment[0]:
                with HeldDeletes(self._account, self._keyring) as held:
                    deletes = held.of(author)
                found = {one.name: one for one in deletes}
            else:
                found = self._brought_up(author, known)
                deletes = Deletes(found.values())
            self._known[author] = _Known(moment, key, found, deletes)
        return deletes

    def _brought_up(self, author: Fingerprint, known: _Known) -> dict[str, Delete]:
        found = {name: one for name, one in known.found.items() if self._index.entry(author, name)}
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
                return found

    def _open(self, directory: AuthorDir, name: str) -> Delete | None:
        try:
            entry = directory.entry(name)
            return None if entry is None else open_delete(self._account, self._keyring, directory, entry)
        except (MauError, OSError):
            return None

    def _key(self, author: Fingerprint) -> bytes:
        certificate = self._keyring.certificate(author)
        return b"" if certificate is None else bytes(certificate)
