"""News: what appears in the tree of people I follow after one began to look, each content once.

Blocking; the index says where to look, and every post is opened and checked before it is news.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mau.contact.document import is_contact
from mau.content.posting import text_of
from mau.deletion.document import is_delete
from mau.errors import MauError, NoSuchPost, NotReadable, PostError
from mau.marks import Marks, is_marks
from mau.reader.directed import Directed, directed_at
from mau.reader.open import open_source
from mau.reader.summary import Summary, summarise
from mau.reader.timeline import MAX_OPENED, Item
from mau.tree.posts import AuthorDir

if TYPE_CHECKING:
    from mau.account import Account
    from mau.fingerprint import Fingerprint
    from mau.keyring import Keyring
    from mau.tree.index import Entry, Index

_WAITING: Final = 1000
"""So many posts that cannot be opened yet are tried again; of more, those that came first."""
_log = logging.getLogger("mau.reader")


@dataclass(frozen=True, slots=True)
class News:
    """A post that was not there before. A large one was not opened, as in the timeline."""

    item: Item
    sha256: str
    directed: Directed


@dataclass(frozen=True, slots=True)
class Trouble:
    """A post that is no news, and why."""

    author: Fingerprint
    name: str
    error: MauError | OSError


class Newsroom:
    """Knows what was there, and tells what is new."""

    def __init__(
        self,
        account: Account,
        keyring: Keyring,
        index: Index,
        authors: Collection[Fingerprint] | None = None,
    ) -> None:
        """``authors``: whose posts count; everybody's whom I follow by default."""
        self._account = account
        self._keyring = keyring
        self._index = index
        self._authors = authors
        self._seen: set[bytes] = set()
        self._waiting: dict[tuple[Fingerprint, str], None] = {}
        self._marks = Marks.load(account)

    def begin(self, since: float | None = None) -> list[tuple[Fingerprint, str]]:
        """Take note of all that is there; whose content became current here since then is news all the same.

        `since` in unix seconds. The index must be up to date.
        """
        found = []
        for author in self._account.root.follows(self._account.fingerprint):
            for entry in self._index.entries(author):
                if entry.hidden:
                    continue
                if since is not None and entry.modified >= since:
                    found.append((entry.clock, author, entry.name))
                else:
                    self._seen.add(_mark(author, entry.name, entry.sha256))
        return [(author, name) for _, author, name in sorted(found)]

    def look(self, author: Fingerprint, name: str | None) -> list[News | Trouble]:
        """What is new of one post, or of all of an author's; each content once."""
        if author == self._account.fingerprint or (self._authors is not None and author not in self._authors):
            return []
        if name is None:
            names = [entry.name for entry in self._index.entries(author) if self._is_new(author, entry)]
        else:
            names = [name]
        return [found for one in names if (found := self._look_at(author, one)) is not None]

    def again(self) -> list[News | Trouble]:
        """What has become news of posts that could not be opened before: a key or the time was missing."""
        self.refresh()
        waiting = list(self._waiting)
        return [found for one in waiting if (found := self._look_at(*one)) is not None]

    def refresh(self) -> None:
        """Take in what changed in the keyring, and what was muted or blocked since."""
        self._marks.refresh()
        try:
            self._keyring.refresh()
        except (MauError, OSError) as error:  # what was read before holds until there is better
            _log.warning("the keyring cannot be read again: %s", error)

    def _is_new(self, author: Fingerprint, entry: Entry) -> bool:
        return not entry.hidden and _mark(author, entry.name, entry.sha256) not in self._seen

    def _look_at(self, author: Fingerprint, name: str) -> News | Trouble | None:
        waited = (author, name) in self._waiting
        self._waiting.pop((author, name), None)
        try:
            return self._open(author, name)
        except (NoSuchPost, NotReadable):
            return None  # it is gone again, or for others
        except (MauError, OSError) as error:
            if isinstance(error, PostError) and error.lasting == "deferred":
                if len(self._waiting) < _WAITING:
                    self._waiting[author, name] = None
                if waited:
                    return None
            return Trouble(author, name, error)

    def _open(self, author: Fingerprint, name: str) -> News | None:
        """The post under that name, unless its content is known; what it fails with is an error of ours."""
        directory = AuthorDir(self._account.root, author)
        entry = directory.entry(name)
        if entry is None:
            raise NoSuchPost(f"there is no {name!r}")
        if entry.size > MAX_OPENED:
            sha256 = directory.sha256(name)
            summary = Summary(author, name, sha256, entry.size, entry.mtime_ns // 10**9, checked=False)
            if not self._first(author, name, sha256) or self._marks.muted(summary):
                return None
            return News(Item(author, name, entry.size, entry.mtime_ns // 10**9, None), sha256, "post")
        with directory.open(name) as file:
            source = file.read(entry.size + 1)
        sha256 = hashlib.sha256(source).hexdigest()
        if _mark(author, name, sha256) in self._seen:
            return None
        try:
            post = open_source(self._account, self._keyring, author, name, source)
        except PostError as error:
            if error.lasting != "deferred" or isinstance(error, NotReadable):
                self._first(author, name, sha256)
            raise
        self._first(author, name, sha256)
        if is_delete(post.document) or is_contact(name, post.document) or is_marks(name, post.document):
            return None
        if post.attached:  # the post that it belongs to is told
            return None
        summary = summarise(self._account.fingerprint, post, sha256, len(source))
        if self._marks.muted(summary, text=text_of(post.document or {})):
            return None
        directed = directed_at(self._account.fingerprint, author, post.document)
        return News(Item(author, name, post.opened.size, post.signed_at, post), sha256, directed)

    def _first(self, author: Fingerprint, name: str, sha256: str) -> bool:
        """Take note of a content; whether it was not known."""
        mark = _mark(author, name, sha256)
        known = mark in self._seen
        self._seen.add(mark)
        return not known


def _mark(author: Fingerprint, name: str, sha256: str) -> bytes:
    """What stands for a content under its name: short, for there may be many."""
    return hashlib.blake2b(
        f"{author.hex}/{sha256}/{name}".encode("utf-8", "surrogateescape"), digest_size=16
    ).digest()
