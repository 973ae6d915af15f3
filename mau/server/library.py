"""What a visitor gets: the listing of an author, and open files. Blocking; the shell calls it in threads."""

from __future__ import annotations

import contextlib
import io
import logging
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from mau.account import Account
from mau.errors import NoSuchPost, TreeError
from mau.fingerprint import Fingerprint
from mau.server.facts import Changed, FactsCache, Judge, Record, Stamp, look, stamp_of
from mau.server.people import People
from mau.server.visibility import Look, Relay, Shelf, Visitor, first_look, may_enter, second_look
from mau.tree.posts import AuthorDir, Entry
from mau.wire.paths import Item

_log = logging.getLogger("mau.server")

SMALL = 64 * 1024
"""Bytes up to which a file is read at once, together with opening it."""
_TRIES = 3
_BUDGET = 0.05
"""Seconds of work after which a listing gives others their turn."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One file of a listing: the item, the time it bears, and when it came to bear it here (ns).

    A restored backup or a copy brings its old times along; only the second time tells that it is new here.
    """

    item: Item
    mtime_ns: int
    since_ns: int


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
        return self.record.stamp[3] // 1_000_000_000

    def read(self, at: int, count: int) -> bytes:
        """So many bytes from there; Changed when they are no longer those that were hashed."""
        if self.content is not None:
            return self.content[at : at + count]
        self.handle.seek(at)
        piece = self.handle.read(count)
        # Looked at after the read: a piece that goes out belongs to the content that was hashed. The last of
        # the stamp does not matter: it changes too when another file takes the name of this one.
        if len(piece) != count or stamp_of(self.handle)[:-1] != self.record.stamp[:-1]:
            raise Changed
        return piece

    def close(self) -> None:
        """Done with it."""
        self.handle.close()


class Library:
    """The tree as visitors may see it."""

    def __init__(
        self,
        account: Account,
        people: People,
        facts: FactsCache,
        relay: Relay,
        relay_of: Mapping[Fingerprint, Relay],
    ) -> None:
        self._root = account.root
        self._me = account.fingerprint
        self._people = people
        self._facts = facts
        self._relay: Relay = relay
        self._relay_of = dict(relay_of)
        self._judge = Judge(account.key, account.root.state_dir("server"))

    def _shelf(self, author: Fingerprint) -> Shelf:
        return Shelf(author, self._me, self._relay_of.get(author, self._relay))

    def _visitor(self, proven: Fingerprint | None) -> Visitor:
        self._people.refresh()
        return self._people.visitor(proven)

    def _dirs(self, shelf: Shelf, visitor: Visitor) -> list[tuple[bool, AuthorDir]]:
        """Where the author's files lie; of a name in both, the one in the shown directory counts."""
        if not may_enter(shelf, visitor):
            return []
        return [(hidden, AuthorDir(self._root, shelf.author, hidden=hidden)) for hidden in (False, True)]

    # --- listing -------------------------------------------------------------------------------------------

    def may_enter(self, author: Fingerprint, proven: Fingerprint | None) -> bool:
        """Whether there can be anything of the author's for who proved to be ``proven``."""
        return may_enter(self._shelf(author), self._visitor(proven))

    def listing(self, author: Fingerprint, proven: Fingerprint | None) -> Generator[None, None, list[Listed]]:
        """All files of the author that the visitor may read, oldest first. Yields to give others a turn."""
        visitor = self._visitor(proven)
        shelf = self._shelf(author)
        found: list[Listed] = []
        held: set[str] = set()
        pause = time.monotonic() + _BUDGET
        for hidden, directory in self._dirs(shelf, visitor):
            entries = [entry for entry in _entries(directory) if entry.name not in held]
            held.update(entry.name for entry in entries)
            records = self._facts.shelf(author, hidden)
            self._facts.prune(author, hidden, held)
            for entry in entries:
                record = records.get(entry.name)
                stamp = (entry.dev, entry.ino, entry.size, entry.mtime_ns, entry.ctime_ns)
                if record is None or record.stamp != stamp:
                    record = None
                verdict = None if record is None else self._verdict(shelf, visitor, entry.name, record)
                if verdict is None:
                    record = self._examine(shelf, visitor, hidden, directory, entry)
                    verdict = record is not None
                    if time.monotonic() > pause:
                        yield
                        pause = time.monotonic() + _BUDGET
                if verdict and record is not None and record.sha256 is not None:
                    item = Item(entry.name, record.size, record.sha256)
                    found.append(Listed(item, record.stamp[3], max(record.stamp[3:])))
        return sorted(found, key=lambda listed: (listed.mtime_ns, listed.item.name))

    def is_mine(self, author: Fingerprint) -> bool:
        """Whether that is the owner of this host."""
        return author == self._me

    def key(self, owner: Fingerprint) -> bytes | None:
        """The armored key of somebody, as it is given out; None when none is held.

        Who may have it is not asked here: the owner of this host's is everybody's, another's is for whom
        ``listing`` has something.
        """
        certificate = self._people.certificate(owner)
        return None if certificate is None else certificate.without_others().armored().encode("ascii")

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

    def _examine(
        self, shelf: Shelf, visitor: Visitor, hidden: bool, directory: AuthorDir, entry: Entry
    ) -> Record | None:
        """The complete record of a file that the visitor may read, else None."""
        try:
            opened = self._open_current(shelf, visitor, hidden, directory, entry.name)
        except NoSuchPost:
            return None
        if opened is None:
            return None
        opened.close()
        return opened.record

    # --- files ---------------------------------------------------------------------------------------------

    def open(self, author: Fingerprint, name: str, proven: Fingerprint | None) -> OpenFile | None:
        """The current content of a file, or None: it is not there, or not for this visitor."""
        visitor = self._visitor(proven)
        shelf = self._shelf(author)
        for hidden, directory in self._dirs(shelf, visitor):
            with contextlib.suppress(NoSuchPost):
                return self._open_current(shelf, visitor, hidden, directory, name)
        return None

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
        for hidden, directory in self._dirs(shelf, visitor):
            if directory.entry(name) is None:
                continue
            opener = partial(directory.open_version, name, sha256)
            known = self._facts.version(author, hidden, name, sha256)
            keep = partial(self._facts.keep_version, author, hidden, name, sha256)
            with contextlib.suppress(NoSuchPost):
                opened = self._attempt(shelf, visitor, name, opener, known, keep)
                if opened is None or opened.sha256 == sha256:
                    return opened
                opened.close()  # changed by hand: these are not the bytes that were asked for
            return None
        return None

    def _open_current(
        self, shelf: Shelf, visitor: Visitor, hidden: bool, directory: AuthorDir, name: str
    ) -> OpenFile | None:
        known = self._facts.shelf(shelf.author, hidden).get(name)
        keep = partial(self._facts.keep, shelf.author, hidden, name)
        return self._attempt(shelf, visitor, name, partial(directory.open, name), known, keep)

    def _attempt(
        self,
        shelf: Shelf,
        visitor: Visitor,
        name: str,
        opener: Callable[[], BinaryIO],
        known: Record | None,
        keep: Callable[[Record], None],
    ) -> OpenFile | None:
        """Open a file and judge what was opened; again when it was changed meanwhile. NoSuchPost passes."""
        for _ in range(_TRIES):
            with contextlib.ExitStack() as stack:
                try:
                    handle = stack.enter_context(opener())
                    stamp = stamp_of(handle)
                    content = _read_small(handle, stamp)
                    record = known
                    if record is None or record.stamp != stamp:
                        record = look(stamp, handle if content is None else io.BytesIO(content))
                        keep(record)
                    allowed = self._decide(shelf, visitor, name, record, handle, content)
                    if not allowed or record.sha256 is None:
                        return None
                    if stamp_of(handle) != stamp:
                        raise Changed
                except NoSuchPost:
                    raise
                except (TreeError, OSError):
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
            if generation != self._facts.generation:
                record.proof = None  # judged by a key that has been replaced meanwhile
                raise Changed
            verdict = self._verdict(shelf, visitor, name, record)
        return bool(verdict)


def _entries(directory: AuthorDir) -> list[Entry]:
    """What lies there; a place that cannot be read has nothing to offer."""
    try:
        return directory.entries()
    except (TreeError, OSError) as error:
        _log.warning("%s cannot be read: %s", directory.fpr, error)
        return []


def _read_small(handle: BinaryIO, stamp: Stamp) -> bytes | None:
    """All of a small file, read once for whatever needs it."""
    size = stamp[2]
    if size > SMALL:
        return None
    content = handle.read(size + 1)
    if len(content) != size:
        raise Changed
    return content
