"""The timeline: what everybody I follow and I wrote, newest first by the time of the signature.

Nothing is remembered between two calls: every post is opened and checked each time. DeleteActions and contact
posts are no posts to show; a post that is still here although its author deleted it is shown as such.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mau.contact.document import is_contact
from mau.deletion.document import Delete, is_delete
from mau.deletion.held import delete_of
from mau.deletion.rules import NO_DELETES, Deletes
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

    `time` is the signature's, in unix seconds; the file's own when it was not opened. `deleted`: its author
    deleted it, and it is still here.
    """

    author: Fingerprint
    name: str
    size: int
    time: int
    post: OpenedPost | None
    deleted: bool = False


@dataclass(slots=True)
class Timeline:
    """The newest items, and why others are not among them: how many for each kind of error."""

    items: list[Item]
    left_out: Counter[type[MauError]] = field(default_factory=Counter)


def timeline(account: Account, keyring: Keyring, limit: int | None = None) -> Timeline:
    """The newest `limit` posts that I can read, of everybody I follow and me. Bad ones are counted."""
    left_out: Counter[type[MauError]] = Counter()
    deletes: dict[Fingerprint, list[Delete]] = defaultdict(list)
    authors = [account.fingerprint, *account.root.follows(account.fingerprint)]
    found = (item for author in authors for item in _of(account, keyring, author, left_out, deletes[author]))
    if limit is None:
        items = sorted(found, key=_order)
    else:
        items = heapq.nsmallest(limit, found, key=_order)
    said = {author: Deletes(found) for author, found in deletes.items() if found}
    marked = [_marked(account, item, said.get(item.author, NO_DELETES)) for item in items]
    return Timeline(marked, left_out)


def _order(item: Item) -> tuple[int, Fingerprint, str]:
    return -item.time, item.author, item.name


def _marked(account: Account, item: Item, deletes: Deletes) -> Item:
    if item.post is None or not deletes.of(item.name):
        return item
    try:
        sha256 = AuthorDir(account.root, item.author).sha256(item.name)
    except MauError:  # it went meanwhile
        return item
    return replace(item, deleted=deletes.is_deleted(item.name, sha256, item.post.signed_at))


def _of(
    account: Account,
    keyring: Keyring,
    author: Fingerprint,
    left_out: Counter[type[MauError]],
    deletes: list[Delete],
) -> Iterator[Item]:
    """The author's posts; what his DeleteActions say is added to `deletes`."""
    directory = AuthorDir(account.root, author)
    own = author == account.fingerprint
    for entry in directory.entries():
        if own and entry.name == KEYRING_NAME:
            continue
        try:
            item = _item(account, keyring, directory, entry)
            if item.post is None or not is_delete(item.post.document):
                if item.post is None or not is_contact(item.name, item.post.document):
                    yield item
            elif (said := delete_of(item.post)) is not None:
                deletes.append(said)
        except MauError as error:
            left_out[type(error)] += 1


def _item(account: Account, keyring: Keyring, directory: AuthorDir, entry: Entry) -> Item:
    if entry.size > MAX_OPENED:
        return Item(directory.fpr, entry.name, entry.size, entry.mtime_ns // 1_000_000_000, None)
    with directory.open(entry.name) as file:
        source = file.read(entry.size + 1)  # what grew meanwhile is refused as cut off, and whole next time
    post = open_source(account, keyring, directory.fpr, entry.name, source, held=True)
    return Item(directory.fpr, entry.name, post.opened.size, post.signed_at, post)
