"""All that I can read, in short: what stands in the tree, opened once and told often (spec/reading.md).

    with Reading(account, keyring) as reading:
        reading.refresh()                       now it is what the tree holds
        for summary in reading.newest(): ...    newest signature first
        reading.pointing_at(address)            who answers it, likes it, shares it
        post = reading.open(summary)            the whole post, from its file

Blocking; threads take turns.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from mau.catalogue import open_index
from mau.content.address import Address
from mau.content.tags import fold_tag
from mau.deletion.document import Delete
from mau.deletion.rules import NO_DELETES, Deletes
from mau.errors import MauError
from mau.reader.looking import Looked, look
from mau.reader.open import OpenedPost, open_post
from mau.tree.posts import AuthorDir

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from mau.account import Account
    from mau.fingerprint import Fingerprint
    from mau.keyring import Keyring
    from mau.reader.summary import Summary
    from mau.tree.index import Entry, Index

Told = Callable[[OpenedPost, "Summary"], None]
"""``told(post, summary)`` for each post to show, hidden or not, that was opened just now."""


class Reading:
    """The summaries of everything in the tree: mine, of those I follow, and what is held hidden."""

    def __init__(self, account: Account, keyring: Keyring, index: Index | None = None) -> None:
        """``index``: the caller's, who closes it; without one, its own."""
        self._account = account
        self._keyring = keyring
        self._own_index = index is None
        self._index = open_index(account.root) if index is None else index
        self._lock = threading.RLock()
        self._held: dict[Fingerprint, dict[str, Looked]] = {}
        self._deletes: dict[Fingerprint, Deletes] = {}
        self.left_out: Counter[str] = Counter()
        """How many files of mine and of those I follow are not shown, by the class of the error."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            if self._own_index:
                self._index.close()

    # --- bringing it up to date ----------------------------------------------------------------------------

    def refresh(self, told: Told | None = None) -> None:
        """Bring it up to what the tree holds; each content that is new is opened once."""
        with self._lock:
            self._index.refresh()
            authors = {author for author, _ in self._account.root.authors()}
            for author in self._held.keys() - authors:
                del self._held[author]
            for author in authors:
                self._held[author] = self._refreshed(author, told)
                said: list[Delete] = [
                    one.delete for one in self._held[author].values() if one.delete is not None
                ]
                self._deletes[author] = Deletes(said)
            self.left_out = Counter(
                one.summary.error
                for held in self._held.values()
                for one in held.values()
                if one.summary.error and not one.summary.hidden
            )

    def _refreshed(self, author: Fingerprint, told: Told | None) -> dict[str, Looked]:
        before = self._held.get(author, {})
        found: dict[str, Looked] = {}
        for entry in self._index.entries(author):
            known = before.get(entry.name)
            if known is not None and known.lasts and known.summary.sha256 == entry.sha256:
                found[entry.name] = replace(known, summary=replace(known.summary, hidden=entry.hidden))
                continue
            looked = self._look(entry)
            if looked is None:
                continue
            if told is not None and looked.post is not None and not looked.summary.apart:
                told(looked.post, looked.summary)
            found[entry.name] = replace(looked, post=None)
        return found

    def _look(self, entry: Entry) -> Looked | None:
        directory = AuthorDir(self._account.root, entry.author, entry.hidden)
        try:
            return look(self._account, self._keyring, directory, entry.name)
        except (MauError, OSError):  # it went meanwhile, or cannot be read
            return None

    # --- questions -----------------------------------------------------------------------------------------

    def newest(
        self, authors: Collection[Fingerprint] | None = None, *, deleted: bool = False
    ) -> Iterator[Summary]:
        """Posts to show, newest signature first: mine and of those I follow, or of these ``authors``.

        With ``deleted`` also those that their author deleted and that are still here.
        """
        with self._lock:
            found = [
                summary
                for author in self._held
                if authors is None or author in authors
                for summary in self._summaries(author)
                if not (summary.error or summary.apart or summary.hidden) and (deleted or not summary.deleted)
            ]
        found.sort(key=lambda one: (-one.time, one.author, one.name))
        yield from found

    def get(self, author: Fingerprint, name: str) -> Summary | None:
        """What is held under that name, whatever it is; hidden too."""
        with self._lock:
            looked = self._held.get(author, {}).get(name)
            return None if looked is None else self._marked(looked.summary)

    def pointing_at(self, address: Address) -> list[Summary]:
        """All that answers a post or acts upon it, newest first; hidden too, deleted not."""
        wanted = (address.author, address.name)
        with self._lock:
            found = [
                summary
                for author in self._held
                for summary in self._summaries(author)
                if not (summary.error or summary.apart or summary.deleted)
                and any(
                    (one.address.author, one.address.name) == wanted
                    for one in (*summary.links.answers, *summary.links.objects)
                )
            ]
        return sorted(found, key=lambda one: (-one.time, one.author, one.name))

    def tagged(self, tag: str) -> list[Summary]:
        """Posts to show that have this tag, newest first."""
        wanted = fold_tag(tag)
        return [summary for summary in self.newest() if wanted in summary.tags]

    def open(self, summary: Summary) -> OpenedPost:
        """The whole post as its file holds it now, checked anew. PostError, NoSuchPost, NotAFile."""
        return open_post(self._account, self._keyring, summary.author, summary.name)

    # --- inside --------------------------------------------------------------------------------------------

    def _summaries(self, author: Fingerprint) -> Iterator[Summary]:
        for looked in self._held[author].values():
            yield self._marked(looked.summary)

    def _marked(self, summary: Summary) -> Summary:
        deletes = self._deletes.get(summary.author, NO_DELETES)
        if summary.error or not deletes.is_deleted(summary.name, summary.sha256, summary.time):
            return summary
        return replace(summary, deleted=True)
