"""Single files as a visitor gets them: opened once, judged by what was opened. Blocking.

What is known of a content is kept by its stamp, so it is judged once; who asks is judged every time.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from mau.account import Account
from mau.deletion.indexed import IndexedDeletes
from mau.deletion.rules import Deletes
from mau.errors import NoSuchPost, TreeError
from mau.fingerprint import Fingerprint
from mau.server.facts import Changed, FactsCache, Judge, Record, look
from mau.server.fresh import Freshness
from mau.server.people import People
from mau.server.visibility import Look, Relay, Shelf, Visitor, first_look, may_enter, second_look
from mau.stated import Statements
from mau.tree.index import Index, stamp_of
from mau.tree.posts import AuthorDir

SMALL = 64 * 1024
"""Bytes up to which a file is read at once, together with opening it."""
_TRIES = 3
_OUR_TROUBLE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""It passes, and says nothing about a file: to leave one out of a page for it would be to lose it."""


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file that the visitor may read, and the SHA-256 of exactly these bytes. Close it."""

    record: Record
    sha256: str
    handle: BinaryIO
    content: bytes | None
    """All of it, when it has at most SMALL bytes."""

    @property
    def size(self) -> int:
        """In bytes."""
        return self.record.size

    @property
    def modified(self) -> int:
        """Whole seconds."""
        return self.record.modified

    def read(self, at: int, count: int) -> bytes:
        """So many bytes from there; Changed when they are no longer those that were hashed."""
        if self.content is not None:
            return self.content[at : at + count]
        piece = os.pread(self.handle.fileno(), count, at)
        # Looked at after the read: a piece that goes out belongs to the content that was hashed.
        if len(piece) != count or not self.record.is_of(self.handle):
            raise Changed
        return piece

    def read_into(self, at: int, room: memoryview) -> None:
        """As `read`, as many bytes as there is room for, of a file of more than SMALL."""
        if os.preadv(self.handle.fileno(), [room], at) != len(room) or not self.record.is_of(self.handle):
            raise Changed

    def close(self) -> None:
        """Done with it."""
        self.handle.close()


class Files:
    """The files of the tree as visitors may get them, one by one."""

    def __init__(
        self,
        account: Account,
        people: People,
        facts: FactsCache,
        index: Index,
        relay: Relay,
        relay_of: Mapping[Fingerprint, Relay],
    ) -> None:
        self._statements = Statements(account)
        self._deletes = IndexedDeletes(account, people.keyring, index, self._statements)
        self._root = account.root
        self._me = account.fingerprint
        self._people = people
        self._facts = facts
        self._relay: Relay = relay
        self._relay_of = dict(relay_of)
        self._judge = Judge(account.key, account.root.state_dir("server"), self._statements)
        self.index = index
        self.freshness = Freshness(index)

    def _shelf(self, author: Fingerprint) -> Shelf:
        return Shelf(author, self._me, self._relay_of.get(author, self._relay))

    def _visitor(self, proven: Fingerprint | None) -> Visitor:
        self._people.refresh()
        return self._people.visitor(proven)

    def _dirs(self, shelf: Shelf, visitor: Visitor) -> list[AuthorDir]:
        """Where the author's files lie; of a name in both, the one in the shown directory counts."""
        if not may_enter(shelf, visitor):
            return []
        return [AuthorDir(self._root, shelf.author, hidden=hidden) for hidden in (False, True)]

    def open(
        self, author: Fingerprint, name: str, proven: Fingerprint | None, deletes: Deletes | None = None
    ) -> OpenFile | None:
        """The current content of a file, or None: it is not there, or not for this visitor.

        ``deletes``: what `deletes` said a moment ago, for who opens many.
        """
        visitor = self._visitor(proven)
        shelf = self._shelf(author)
        for directory in self._dirs(shelf, visitor):
            with contextlib.suppress(NoSuchPost):
                return self._open_current(shelf, visitor, directory, name, deletes)
        return None

    def deletes(self, author: Fingerprint) -> Deletes:
        """What of the author's is deleted, as of now."""
        return self._deletes.of(author)

    def known(self, author: Fingerprint, name: str, proven: Fingerprint | None) -> Record | None:
        """What is known of a file, when that suffices to say that the visitor may read it; never waits.

        Whether the file is still the one that this was found out about is for the caller to see.
        """
        visitor, record = self._people.at_hand(proven), self._facts.of(author, name)
        if visitor is None or record is None:
            return None
        shelf = self._shelf(author)
        deletes = self._deletes.at_hand(author)
        if deletes is None or record.sha256 is None or deletes.is_deleted(name, record.sha256):
            return None
        if may_enter(shelf, visitor) and self._verdict(shelf, visitor, name, record):
            return record
        return None

    def place(self, author: Fingerprint) -> Path:
        """Where the files of an author lie that are shown first."""
        return self._root.author_dir(author)

    def open_version(
        self, author: Fingerprint, name: str, sha256: str, proven: Fingerprint | None
    ) -> OpenFile | None:
        """The content with that SHA-256, current or older, of a file that is still there."""
        current = self.open(author, name, proven)
        if current is not None:
            if current.sha256 == sha256:
                return current
            current.close()
        visitor = self._visitor(proven)
        shelf = self._shelf(author)
        for directory in self._dirs(shelf, visitor):
            if directory.entry(name) is None:
                continue
            opener = partial(directory.open_version, name, sha256)
            known = self._facts.version(author, name, sha256)
            keep = partial(self._facts.keep_version, author, name, sha256)
            with contextlib.suppress(NoSuchPost):
                opened = self._attempt(shelf, visitor, name, opener, known, keep)
                if opened is None or opened.sha256 == sha256:
                    return opened
                opened.close()  # changed by hand: these are not the bytes that were asked for
            return None
        return None

    def _open_current(
        self, shelf: Shelf, visitor: Visitor, directory: AuthorDir, name: str, deletes: Deletes | None
    ) -> OpenFile | None:
        known = self._facts.of(shelf.author, name)
        keep = partial(self._facts.keep, shelf.author, name)
        return self._attempt(shelf, visitor, name, partial(directory.open, name), known, keep, deletes)

    def _attempt(
        self,
        shelf: Shelf,
        visitor: Visitor,
        name: str,
        opener: Callable[[], BinaryIO],
        known: Record | None,
        keep: Callable[[Record], None],
        deletes: Deletes | None = None,
    ) -> OpenFile | None:
        """Open a file and judge what was opened; again when it was changed meanwhile. NoSuchPost passes."""
        for _ in range(_TRIES):
            with contextlib.ExitStack() as stack:
                try:
                    handle = stack.enter_context(opener())
                    now, status = time.time_ns(), os.fstat(handle.fileno())
                    stamp = stamp_of(status)
                    content = _read_small(handle, status.st_size)
                    record = known
                    if record is None or record.stamp != stamp:
                        record = look(status, now, handle if content is None else io.BytesIO(content))
                        keep(record)
                    allowed = self._decide(shelf, visitor, name, record, handle, content)
                    if not allowed or record.sha256 is None:
                        return None
                    if deletes is None:
                        deletes = self._deletes.of(shelf.author)
                    if deletes.is_deleted(name, record.sha256):
                        return None  # its author deleted it, however it came back (spec/messages.md M84)
                    if stamp_of(os.fstat(handle.fileno())) != stamp:
                        raise Changed
                except NoSuchPost:
                    raise
                except TreeError:
                    return None
                except OSError as error:
                    if error.errno in _OUR_TROUBLE:
                        raise
                    return None
                except Changed:
                    continue
                stack.pop_all()
                return OpenFile(record, record.sha256, handle, content)
        return None

    def _decide(
        self,
        shelf: Shelf,
        visitor: Visitor,
        name: str,
        record: Record,
        handle: BinaryIO,
        content: bytes | None,
    ) -> bool:
        verdict = self._verdict(shelf, visitor, name, record)
        if verdict is None:
            generation = self._facts.generation
            prove = first_look(shelf, visitor, name, record.outline) is Look.PROVE
            certificate = self._people.certificate(shelf.author)
            self._judge.complete(record, handle, content, shelf.author, certificate, proof=prove)
            if record.until is not None:
                self._facts.signed_ahead(shelf.author, name, record.until)
            if generation != self._facts.generation:
                record.proof = None  # judged by a key that has been replaced meanwhile
                raise Changed
            verdict = self._verdict(shelf, visitor, name, record)
        return bool(verdict)

    def close(self) -> None:
        """Write down what was found out."""
        self._deletes.close()
        self._statements.close()

    @staticmethod
    def _verdict(shelf: Shelf, visitor: Visitor, name: str, record: Record) -> bool | None:
        """What is known already: yes, no, or None when the file must be examined."""
        first = first_look(shelf, visitor, name, record.outline)
        if first is Look.NO:
            return False
        if record.sha256 is None:
            return None
        if first is Look.YES:
            return True
        if record.proof is None:
            return None
        return second_look(shelf, visitor, name, record.outline, record.proof)


def _read_small(handle: BinaryIO, size: int) -> bytes | None:
    """All of a small file, read once for whatever needs it."""
    if size > SMALL:
        return None
    content = handle.read(size + 1)
    if len(content) != size:
        raise Changed
    return content
