"""Looking ahead through a listing, so that somebody who watches a first sync sees how much there is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from types import TracebackType
from typing import Protocol, Self

from mau.errors import MauError
from mau.fingerprint import Fingerprint
from mau.syncer.pages import PAGE, Pages
from mau.wire.client import CursorGone, PageReply
from mau.wire.listing import Item
from mau.wire.targets import PageQuery


class Lister(Protocol):
    """What asks: `mau.wire.client.PeerClient`."""

    async def page(self, author: Fingerprint, query: PageQuery) -> PageReply: ...


class Survey:
    """Counts files and bytes of the pages after ``first``, while they are taken in; keeps none of them."""

    def __init__(self, lister: Lister, author: Fingerprint, first: PageReply, *, wanted: bool) -> None:
        self._lister = lister
        self._author = author
        self._first = first
        self._wanted = wanted
        self._files = self._bytes = 0
        self._passed_files = self._passed_bytes = 0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._count(self._first.listing.items)
        if self._wanted:
            self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])  # which does not hide that we are cancelled ourselves
            if not self._task.cancelled():
                self._task.result()

    def passed(self, items: Iterable[Item]) -> None:
        """Note that the round came to these."""
        for item in items:
            self._passed_files += 1
            self._passed_bytes += item.size

    def beyond(self) -> tuple[int, int]:
        """Files and bytes that were seen, and that the round has not come to."""
        return max(0, self._files - self._passed_files), max(0, self._bytes - self._passed_bytes)

    def _count(self, items: Iterable[Item]) -> None:
        for item in items:
            self._files += 1
            self._bytes += item.size

    async def _look(self) -> None:
        pages, asked, page = Pages(), None, self._first
        # Whatever is wrong with the listing, the round finds it, too.
        with contextlib.suppress(MauError, CursorGone):
            while page.cursor is not None and pages.goes_on(
                asked, len(page.listing.items) + len(page.listing.refused), page.cursor
            ):
                asked = page.cursor
                page = await self._lister.page(self._author, PageQuery(PAGE, asked))
                self._count(page.listing.items)
