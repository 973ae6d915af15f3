"""Fetching one post by name, whatever limit kept it out and whoever removed it here (spec/sync.md S48)."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import replace

from mau.errors import NotOffered
from mau.fingerprint import Fingerprint
from mau.hostport import Address
from mau.syncer.pages import PAGE, Pages
from mau.syncer.round import EVERYTHING, Round
from mau.syncer.world import World
from mau.wire.client import CursorGone, PageReply
from mau.wire.listing import Item
from mau.wire.targets import PageQuery


class FetchRound(Round):
    """Brings one post of an author from a peer; NotOffered in the report when he does not list it."""

    def __init__(self, world: World, author: Fingerprint, peer: Fingerprint, name: str) -> None:
        super().__init__(world, author, peer, full=True, limited=False)
        self._name = name

    async def _run(self, stack: AsyncExitStack, where: Iterable[Address]) -> None:
        await self._taking.look()
        self._state.recall(self._author, self._name)
        client, _, first = await self._reach(stack, where, EVERYTHING)
        self._begin(client)
        item = await self._find(first)
        if item is None:
            raise NotOffered(f"it does not list {self._name!r} for you")
        errors = await self._taking.take_in([item])
        pending = [(item, type(errors[item.name]).__name__)] if item.name in errors else []
        cursor = self._state.cursor(self.peer, self._author)
        self._state.advance(self.peer, self._author, cursor, [item.name], pending)

    async def _find(self, page: PageReply) -> Item | None:
        """What is listed under the name; of a peer that knows no pages, as far as its listing goes."""
        pages, token = Pages(), None
        while True:
            found = [item for item in page.listing.items if item.name == self._name]
            if found:
                return replace(found[-1])
            count = len(page.listing.items) + len(page.listing.refused)
            if page.cursor is None or not pages.goes_on(token, count, page.cursor):
                return None
            token = page.cursor
            try:
                page = await self._client.page(self._author, PageQuery(PAGE, token))
            except CursorGone:
                return None
