"""Whether fetched bytes may enter the tree (spec/sync.md S8-S10): blocking, and without the network."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mau.acceptance import Held, decide
from mau.account import Account
from mau.content.binding import PUBLIC
from mau.errors import MauError, NoSuchPost, UnboundFromRelay
from mau.keyring import Keyring
from mau.openpgp import MEMORY_LIMIT
from mau.reader.open import OpenedPost, open_post, open_source
from mau.syncer.deleted import DeletedPosts
from mau.tree.posts import AuthorDir
from mau.tree.scratch import scratch_file
from mau.wire.listing import Item

# Content that is checked on the disk may be so many times as large as the file it came in.
UNPACKS_TO = 32


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges what one source brings of one author.

    ``from_author``: the author's own proven host is the source. ``public_only``: the source is the web, where
    nothing but what is stated to be public belongs. ``deleted``: what its author deleted, also in this round.
    """

    account: Account
    keyring: Keyring
    posts: AuthorDir
    from_author: bool
    public_only: bool = False
    deleted: DeletedPosts | None = None

    def check_bytes(self, item: Item, data: bytes, held: str | None) -> None:
        """Check a file in memory; one PostError when it may not be taken. ``held``: sha256 under its name."""
        self._decide(item, self._open(item, data, None), held)

    def check_file(self, item: Item, file: BinaryIO, held: str | None) -> None:
        """As ``check_bytes``, for a file on the disk, in bounded memory."""
        with scratch_file(self.account.root, "syncer") as sink:
            file.seek(0)
            self._decide(item, self._open(item, file, sink), held)

    def _open(self, item: Item, source: bytes | BinaryIO, sink: Path | None) -> OpenedPost:
        return open_source(
            self.account,
            self.keyring,
            self.posts.fpr,
            item.name,
            source,
            sink=sink,
            from_author=self.from_author,
            sha256=item.sum,
            limit=max(MEMORY_LIMIT, UNPACKS_TO * item.size) if sink else None,
        )

    def _decide(self, item: Item, opened: OpenedPost, held: str | None) -> None:
        statement = opened.statement
        if self.public_only and not (statement.bound and statement.audience == PUBLIC):
            raise UnboundFromRelay(
                "it does not state its name and that it is public: it is not taken from the web"
            )
        before = None
        versions: set[str] = set()
        if held is not None and not self.from_author:
            before = Held(held, self._signed_at(item.name))
        if not self.from_author:
            versions = {version.sha256 for version in self.posts.versions(item.name)}
        piece = opened.piece(item.sum, item.size)
        if self.deleted is not None:
            self.deleted.judged(opened, piece)
        decide(piece, before, versions, self.from_author)

    def _signed_at(self, name: str) -> int | None:
        """When what is held was signed; None when that does not open."""
        with scratch_file(self.account.root, "syncer") as sink:
            try:
                return open_post(self.account, self.keyring, self.posts.fpr, name, sink=sink).signed_at
            except (MauError, OSError):
                return None


def held_sum(posts: AuthorDir, name: str) -> str | None:
    """The sha256 of what is held under a name; None when nothing is. NotAFile."""
    with contextlib.suppress(NoSuchPost):
        return posts.sha256(name)
    return None
