"""The DeleteActions that lie in the tree, found without opening every post each time (spec/messages.md M83).

What was found in a file is noted with the file's stamp in ``.reader/deletes.db``. All of it is derived:
without it every post is opened once more.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from mau.content.binding import states_by_notation
from mau.deletion.document import Delete, read_delete
from mau.deletion.noted import (
    SCHEMA,
    UNSETTLED,
    Looked,
    knows,
    read_deletes,
    read_looked,
    stamp_of,
    write_looked,
)
from mau.deletion.placing import ALWAYS, believed_since, no_longer_deleted, renew_place_in
from mau.deletion.rules import Deletes
from mau.derived import Database
from mau.errors import FromTheFuture, MauError, PostError, TreeError
from mau.fingerprint import Fingerprint
from mau.reader.open import OpenedPost, directories_of, open_source
from mau.stated import Statements, stated_by
from mau.tree.names import PRIVATE_NAMES

if TYPE_CHECKING:
    from mau.account import Account
    from mau.keyring import Keyring
    from mau.tree.posts import AuthorDir, Entry

MAX_FILE: Final = 4 << 20
"""Larger files (bytes) are not opened: no document is as large, with all who may read it."""

_BATCH: Final = 500
_SETTLED_NS: Final = 50_000_000


class HeldDeletes:
    """The DeleteActions held, by author. Any number of threads share one; each process has its own."""

    def __init__(self, account: Account, keyring: Keyring, statements: Statements | None = None) -> None:
        """``statements``: what is known of contents; the caller's, who closes them."""
        self._own_statements = statements is None
        self._statements = Statements(account) if statements is None else statements
        self._account = account
        self._keyring = keyring
        self._database = Database(account.root.state_dir("reader") / "deletes.db", SCHEMA, 1, shared=True)
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._database.close()
            if self._own_statements:
                self._statements.close()

    def __enter__(self) -> HeldDeletes:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def of(self, author: Fingerprint) -> Deletes:
        """What the author's DeleteActions say; files that changed since they were looked at are opened."""
        with self._lock:
            looking = self.looking(author)
            while True:
                try:
                    next(looking)
                except StopIteration as end:
                    found: Deletes = end.value
                    return found

    def looking(self, author: Fingerprint) -> Generator[None, None, Deletes]:
        """As `of`, a file at a time, for who has others to serve; nobody else uses this object meanwhile."""
        said: list[Delete] = []
        for directory in directories_of(self._account, author):
            said += yield from self._refreshed(directory)
        return Deletes(said)

    def current(self, author: Fingerprint) -> Deletes:
        """As `of`, without looking for what was not noted; of what was, each file is looked at.

        Whoever takes posts in, and notes what they are, can do with this, and it costs next to nothing.
        """
        with self._lock:
            if not self._database.run(lambda db: self._knows(db, author)):
                known = False
            else:
                known = True
                said = self._looked_after(author)
        return Deletes(said) if known else self.of(author)

    def noted(self, author: Fingerprint, target: str, *, look: bool) -> Deletes:
        """As `of`, of one post, as it was noted last. Where nothing was, files are looked at if `look`."""
        with self._lock:
            known = self._database.run(lambda db: self._knows(db, author))
        if not known:
            return Deletes(self.of(author).of(target) if look else ())
        with self._lock:
            return Deletes(
                one for one, _, _ in self._database.run(lambda db: read_deletes(db, author, target))
            )

    def noted_all(self, author: Fingerprint) -> Deletes:
        """What was noted last, without a look at any file."""
        with self._lock:
            return Deletes(one for one, _, _ in self._database.run(lambda db: read_deletes(db, author)))

    def note(self, delete: Delete, *, hidden: bool = False) -> None:
        """Note a DeleteAction that was just stored, for `noted`."""
        with self._lock:
            self._note(delete.author, hidden, [(delete.name, Looked(UNSETTLED, delete))])

    # --- looking -------------------------------------------------------------------------------------------

    def _refreshed(self, directory: AuthorDir) -> Generator[None, None, list[Delete]]:
        author, hidden = directory.fpr, directory.hidden
        key = self._key(author)
        known = self._database.run(lambda db: read_looked(db, author, hidden, key))
        found: dict[str, Looked] = {}
        fresh: list[tuple[str, Looked]] = []
        own = author == self._account.fingerprint
        try:
            entries = directory.entries()
        except (TreeError, OSError):  # a place that cannot be read has nothing to say
            return []
        for entry in entries:
            if own and entry.name in PRIVATE_NAMES:
                continue
            stamp = stamp_of(entry)
            looked = known.get(entry.name)
            if looked is None or looked.stamp != stamp:
                yield
                delete, lasts = self._look(directory, entry)
                looked = Looked(stamp, delete)
                settled = lasts and time.time_ns() - entry.ctime_ns > _SETTLED_NS
                if settled or delete is not None:
                    fresh.append((entry.name, looked if settled else Looked(UNSETTLED, delete)))
                    if len(fresh) >= _BATCH:
                        self._note(author, hidden, fresh)
                        fresh.clear()
            found[entry.name] = looked
        gone = [name for name in known if name not in found]
        self._free((looked.delete for looked in known.values()), (looked.delete for looked in found.values()))
        self._note(author, hidden, fresh, gone, key)
        return [looked.delete for looked in found.values() if looked.delete is not None]

    def _looked_after(self, author: Fingerprint) -> list[Delete]:
        """Those that are noted and still so."""
        said: list[Delete] = []
        for directory in directories_of(self._account, author):
            hidden = directory.hidden
            for one, stamp, was_hidden in self._database.run(lambda db: read_deletes(db, author)):
                if was_hidden != hidden:
                    continue
                entry = _entry(directory, one.name)
                if entry is None:
                    self._free([one], ())
                    self._note(author, hidden, (), [one.name])
                elif stamp_of(entry) == stamp:
                    said.append(one)
                else:
                    delete, _ = self._look(directory, entry)
                    settled = time.time_ns() - entry.ctime_ns > _SETTLED_NS
                    looked = Looked(stamp_of(entry) if settled else UNSETTLED, delete)
                    self._free([one], [delete])
                    self._note(author, hidden, [(one.name, looked)])
                    said += [] if delete is None else [delete]
        return said

    def _look(self, directory: AuthorDir, entry: Entry) -> tuple[Delete | None, bool]:
        """What a file says, and whether that can be noted: what may change without the file cannot."""
        if entry.size > MAX_FILE:
            return None, True
        try:
            delete, signed_at = _opened(self._account, self._keyring, directory, entry, self._statements)
            since = believed_since(signed_at, entry.ctime_ns)
            if since is not None:
                renew_place_in(self._account.root, directory.fpr, {entry.name: since})
            return delete, True
        except FromTheFuture:
            return None, False
        except PostError:
            return None, True
        except (MauError, OSError):
            return None, False

    def _free(self, before: Iterable[Delete | None], now: Iterable[Delete | None]) -> None:
        """Posts of which nobody says any more that they are deleted come back; before that is noted."""
        said = [one for one in before if one is not None]
        if freed := no_longer_deleted(said, (one for one in now if one is not None)):
            renew_place_in(self._account.root, said[0].author, dict.fromkeys(freed, ALWAYS))

    def _key(self, author: Fingerprint) -> bytes:
        """What the verdicts on this author's files hang on besides the files."""
        certificate = self._keyring.certificate(author)
        return hashlib.sha256(b"" if certificate is None else bytes(certificate)).digest()

    # --- noting --------------------------------------------------------------------------------------------

    def _knows(self, db: sqlite3.Connection, author: Fingerprint) -> bool:
        return knows(db, author, self._key(author))

    def _note(
        self,
        author: Fingerprint,
        hidden: bool,
        fresh: Sequence[tuple[str, Looked]],
        gone: Sequence[str] = (),
        key: bytes | None = None,
    ) -> None:
        """`key`: everything was looked at with it."""
        if fresh or gone or key is not None:
            self._database.run(lambda db: write_looked(db, author, hidden, fresh, gone, key))


def delete_of(post: OpenedPost) -> Delete | None:
    """The DeleteAction that an opened post is; None when it is none. MalformedPost as `read_delete`."""
    if states_by_notation(post.opened.notations):  # a file that its author passed on
        return None
    return read_delete(post.author, post.statement, post.signed_at, post.document)


def open_delete(
    account: Account,
    keyring: Keyring,
    directory: AuthorDir,
    entry: Entry,
    statements: Statements | None = None,
) -> Delete | None:
    """Open a file and say what it deletes; None when it is no DeleteAction. PostError, NoSuchPost.

    A content that is known to be none (`statements`) is read and not opened.
    """
    return _opened(account, keyring, directory, entry, statements)[0]


def _opened(
    account: Account,
    keyring: Keyring,
    directory: AuthorDir,
    entry: Entry,
    statements: Statements | None,
) -> tuple[Delete | None, int]:
    """(what a file deletes, when it was signed in unix seconds: 0 when that is not known)."""
    author = directory.fpr
    with directory.open(entry.name) as file:
        source = file.read(entry.size + 1)
    certificate = keyring.certificate(author)
    if statements is None or certificate is None:
        post = open_source(account, keyring, author, entry.name, source)
        return delete_of(post), post.signed_at
    sha256 = hashlib.sha256(source).hexdigest()
    stated = statements.get(author, sha256, certificate)
    if stated is not None and not stated.deletes:
        return None, stated.signed_at
    post = open_source(account, keyring, author, entry.name, source)
    if stated is None:
        statements.put(author, sha256, certificate, stated_by(post.opened, post.statement, post.document))
    return delete_of(post), post.signed_at


def deletes_of(account: Account, keyring: Keyring, author: Fingerprint) -> Deletes:
    """As `HeldDeletes.of`, once."""
    try:
        with HeldDeletes(account, keyring) as held:
            return held.of(author)
    except (TreeError, OSError, sqlite3.OperationalError):  # nothing can be noted: full, or for reading only
        return Deletes(_unnoted(account, keyring, author))


def _unnoted(account: Account, keyring: Keyring, author: Fingerprint) -> Iterator[Delete]:
    for directory in directories_of(account, author):
        for entry in directory.entries():
            with contextlib.suppress(MauError):
                if entry.size <= MAX_FILE and (one := open_delete(account, keyring, directory, entry)):
                    yield one


def _entry(directory: AuthorDir, name: str) -> Entry | None:
    try:
        return directory.entry(name)
    except (TreeError, OSError):
        return None
