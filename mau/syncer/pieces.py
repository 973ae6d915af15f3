"""Fetching single posts by name, from the author or from somebody who passes them on (spec/sync.md S48).

Nothing is listed: each is asked for by its address, and what comes is planned, judged and stored as if it had
been listed so. What states no name and audience is taken from the author alone (S9).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, Final

from mau.errors import NotOffered, PeerMisbehaved, UsageError
from mau.syncer.intake import IN_MEMORY
from mau.syncer.reaching import reach
from mau.syncer.report import Trouble
from mau.syncer.round import Round
from mau.wire.listing import Item

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mau.addressbook import AddressBook
    from mau.fingerprint import Fingerprint
    from mau.hostport import Address
    from mau.syncer.world import World
    from mau.wire.bulk import Event
    from mau.wire.client import PeerClient, Timeouts
    from mau.wire.identity import Identity
    from mau.wire.targets import PageQuery

LARGEST: Final = IN_MEMORY
"""Bytes of one piece, unless it was asked for by name."""
MOST: Final = 16 << 20
"""Bytes of all pieces of one round."""


class PieceRound(Round):
    """Brings some posts of an author from a peer, into ``FPR`` when he is followed and else into ``.FPR``.

    What did not come stands in the report, NotOffered when the peer says that there is no such post (for us).
    """

    def __init__(
        self,
        world: World,
        author: Fingerprint,
        peer: Fingerprint,
        names: Sequence[str],
        *,
        as_stranger: bool = False,
        again: bool = False,
    ) -> None:
        """``names``: with ``.pgp``. ``as_stranger``: do not say who asks, and so be given what is public.

        ``again``: also what was removed here, and whatever limit speaks against it.
        """
        if author == world.account.fingerprint:
            raise UsageError("your own posts are fetched from nobody; see `mau undelete`, `mau restore`")
        followed = author in world.account.root.follows(world.account.fingerprint)
        super().__init__(world, author, peer, full=True, limited=not again, hidden=not followed)
        self._again = again
        self._hidden = not followed
        identity = None if as_stranger else world.identity
        self._caller = _Asking(identity, world.book, world.timeouts)
        self._names = list(dict.fromkeys(names))
        self.held: frozenset[str] = frozenset()
        """Of these names, those under which something is held at the end."""
        self.forgone: frozenset[str] = frozenset()
        """Those that somebody removed here by hand (S49); they are not asked for."""

    async def _run(self, stack: AsyncExitStack, where: Iterable[Address]) -> None:
        await self._taking.look()
        if self._again:
            for name in self._names:
                self._state.recall(self._author, name)
        removed = {name for name, _ in self._state.removed(self._author)}
        self.forgone = frozenset(name for name in self._names if name in removed)
        client, address, _ = await reach(
            self._caller, self.peer, where, stack, lambda client: client.connect()
        )
        self.report.address = address
        brought, items = await self._bring(client)
        self._begin(client, _Brought(client, brought))
        await self._store(items)
        self.held = frozenset(name for name in self._names if name in self._taking.held)

    async def _store(self, items: Sequence[Item]) -> None:
        root = self._world.account.root
        if self._hidden and items:
            root.hold_hidden(self._author)
        try:
            await self._taking.take_in(items)
        finally:
            if self._hidden:
                root.drop_hidden(self._author)

    async def _bring(self, client: PeerClient) -> tuple[dict[str, bytes], list[Item]]:
        """The bytes of those that the peer gives, and what a listing would say of them."""
        brought: dict[str, bytes] = {}
        items: list[Item] = []
        left = MOST
        largest = MOST if self._again else LARGEST
        for name in self._names:
            if name in self.forgone:
                continue
            buffer = BytesIO()
            try:
                sha256 = await client.fetch(self._author, name, buffer, size=None, limit=min(largest, left))
            except (NotOffered, PeerMisbehaved) as error:
                self.report.failed.append(Trouble(name, "", error))
                continue
            brought[name] = buffer.getvalue()
            left -= len(brought[name])
            items.append(Item(name, len(brought[name]), sha256))
        return brought, items


@dataclass(frozen=True, slots=True)
class _Asking:
    """See `mau.syncer.reaching.Caller`."""

    identity: Identity | None
    book: AddressBook
    timeouts: Timeouts | None


class _Brought:
    """Gives what was brought already; see `mau.syncer.intake.Source`."""

    def __init__(self, client: PeerClient, brought: dict[str, bytes]) -> None:
        self._client = client
        self._brought = brought

    async def fetch(self, author: Fingerprint, name: str, out: BinaryIO, *, size: int, limit: int) -> str:
        """Write the bytes to ``out``; return their sha256."""
        data = self._brought[name]
        out.write(data)
        return hashlib.sha256(data).hexdigest()

    async def resume(
        self, author: Fingerprint, name: str, out: BinaryIO, *, size: int, sha256: str, held: int
    ) -> int:
        """As the peer does; no piece is as large."""
        return await self._client.resume(author, name, out, size=size, sha256=sha256, held=held)

    def bulk(
        self, author: Fingerprint, query: PageQuery
    ) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """As the peer does; pieces are never asked for so."""
        return self._client.bulk(author, query)
