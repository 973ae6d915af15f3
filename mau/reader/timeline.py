"""The timeline: what everybody I follow and I wrote, newest first by the time of the signature.

Nothing is remembered between two calls: every post is opened and checked each time.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mau.errors import MauError
from mau.reader.open import OpenedPost, open_source
from mau.tree.names import KEYRING_NAME
from mau.tree.posts import AuthorDir

if TYPE_CHECKING:
    from mau.account import Account
    from mau.fingerprint import Fingerprint
    from mau.keyring import Keyring
    from mau.tree.posts import Entry

MAX_OPENED = 16 << 20
"""Files larger than this (bytes) are listed with their file's time, and checked only when they are opened."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the timeline. `post` is None for a file too large to be opened for a list.

    `time` is the signature's, in unix seconds; the file's own when it was not opened.
    """

    author: Fingerprint
    name: str
    size: int
    time: int
    post: OpenedPost | None


@dataclass(slots=True)
class Timeline:
    """The newest items, and why others are not among them: how many for each kind of error."""

    items: list[Item]
    left_out: Counter[type[MauError]] = field(default_factory=Counter)


def timeline(account: Account, keyring: Keyring, limit: int | None = None) -> Timeline:
    """The newest `limit` posts that I can read, of everybody I follow and me. Bad ones are counted."""
    left_out: Counter[type[MauError]] = Counter()
    authors = [account.fingerprint, *account.root.follows(account.fingerprint)]
    found = (item for author in authors for item in _of(account, keyring, author, left_out))
    if limit is None:
        items = sorted(found, key=_order)
    else:
        items = heapq.nsmallest(limit, found, key=_order)
    return Timeline(items, left_out)


def _order(item: Item) -> tuple[int, Fingerprint, str]:
    return -item.time, item.author, item.name


def _of(
    account: Account, keyring: Keyring, author: Fingerprint, left_out: Counter[type[MauError]]
) -> Iterator[Item]:
    directory = AuthorDir(account.root, author)
    own = author == account.fingerprint
    for entry in directory.entries():
        if own and entry.name == KEYRING_NAME:
            continue
        try:
            yield _item(account, keyring, directory, entry)
        except MauError as error:
            left_out[type(error)] += 1


def _item(account: Account, keyring: Keyring, directory: AuthorDir, entry: Entry) -> Item:
    if entry.size > MAX_OPENED:
        return Item(directory.fpr, entry.name, entry.size, entry.mtime_ns // 1_000_000_000, None)
    with directory.open(entry.name) as file:
        source = file.read(entry.size + 1)  # what grew meanwhile is refused as cut off, and whole next time
    post = open_source(account, keyring, directory.fpr, entry.name, source)
    return Item(directory.fpr, entry.name, post.opened.size, post.signed_at, post)
