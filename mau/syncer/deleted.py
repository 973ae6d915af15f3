"""What an author deleted, while a round about him runs (spec/sync.md D1-D6)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from mau.acceptance import Piece
from mau.account import Account
from mau.config.keys import Received
from mau.deletion.document import Delete
from mau.deletion.held import HeldDeletes, delete_of
from mau.deletion.obeying import Obeyed, forget, obey
from mau.deletion.rules import NO_DELETES, check_deleted, withdrawn
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring
from mau.reader.open import OpenedPost
from mau.wire.listing import Item


class DeletedPosts:
    """The DeleteActions of one author: those that are held, and those that come in the round.

    Everything but ``judged`` and ``forgone`` is blocking. ``from_author``: the author's own proven host is
    asked; only what it lists takes a delete back.
    """

    def __init__(
        self,
        account: Account,
        keyring: Keyring,
        noted: HeldDeletes,
        author: Fingerprint,
        received: Received,
        *,
        from_author: bool,
    ) -> None:
        self._account = account
        self._keyring = keyring
        self._noted = noted
        self._author = author
        self._received: Received = received
        self._from_author = from_author
        self._held = NO_DELETES
        self._new: dict[str, Delete] = {}
        self._shown: set[str] = set()
        self._again: dict[str, Item] = {}

    def load(self) -> None:
        """Look which DeleteActions are held."""
        self._held = self._noted.current(self._author)

    def forgone(self) -> set[tuple[str, str]]:
        """(name, sha256) of what is deleted by name and sum: it need not be fetched to know that."""
        return {(one.target, sha256) for one in self._held for sha256 in one.sha256s}

    def judged(self, opened: OpenedPost, piece: Piece) -> None:
        """Deleted when a piece that was found good is deleted; MalformedPost for a broken DeleteAction."""
        delete = delete_of(opened)
        if delete is None:
            check_deleted(piece, self._held)
        else:
            self._new[piece.name] = delete

    def came(self, names: Collection[str]) -> list[Obeyed]:
        """After these posts were stored: hold them against DeleteActions; what that took out of sight."""
        new = [self._new[name] for name in names if name in self._new]
        replaced = [name for name in names if self._held.named(name) is not None]
        if new or replaced:
            for delete in new:
                self._noted.note(delete)
            self.load()
        wanted = {*names, *(delete.target for delete in new)}
        return obey(self._account, self._keyring, self._author, self._held, self._received, wanted)

    def obey(self) -> list[Obeyed]:
        """Hold everything that is held against DeleteActions."""
        return obey(self._account, self._keyring, self._author, self._held, self._received)

    def shown(self, items: Iterable[Item]) -> None:
        """Note a part of a whole listing by the author's own host."""
        if self._from_author and self._held:
            for item in items:
                self._shown.add(item.name)
                if self._held.of(item.name):
                    self._again[item.name] = item

    def all_shown(self) -> tuple[list[str], list[Item]]:
        """After the last part: let go of the deletes that the author took back.

        Their names, and what is to be fetched now that nothing stands against it.
        """
        gone = withdrawn(self._held, self._shown) if self._from_author else []
        if not gone:
            return [], []
        names = forget(self._account, self._author, gone)
        self.load()
        return names, [self._again[name] for name in sorted({one.target for one in gone})]
