"""Asking for the next page of a listing while the files of this one are taken in.

The peer may have to open every post of a page before he can list it; that takes as long as to take them in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from mau.wire.client import PageReply


class Ahead:
    """One page at most is on its way, or waits to be taken; whoever takes it sees what went wrong with it."""

    def __init__(self, fetch: Callable[[str], Awaitable[PageReply]]) -> None:
        self._fetch = fetch
        self._asked: tuple[str, asyncio.Task[PageReply]] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._forget()

    def ask(self, cursor: str) -> None:
        """Begin to ask for the page from there, unless something was asked for already."""
        if self._asked is None:
            self._asked = cursor, asyncio.create_task(self._bring(cursor))

    async def get(self, cursor: str) -> PageReply:
        """The page from there."""
        if self._asked is None or self._asked[0] != cursor:
            await self._forget()
            return await self._fetch(cursor)
        _, task = self._asked
        self._asked = None
        return await task

    async def _bring(self, cursor: str) -> PageReply:
        return await self._fetch(cursor)

    async def _forget(self) -> None:
        if self._asked is not None:
            (_, task), self._asked = self._asked, None
            task.cancel()
            await asyncio.wait([task])  # which does not hide that we are cancelled ourselves
            if not task.cancelled():
                task.exception()  # nobody wants the page any more, nor what went wrong with it
