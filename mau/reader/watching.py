"""News as it appears: the index tells where something changed, a thread looks, and the event loop goes on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mau.fingerprint import Fingerprint
    from mau.reader.news import News, Newsroom, Trouble
    from mau.tree.index import Index

AGAIN: Final = 60.0
"""Seconds between two looks at what could not be opened yet."""
_PIECE: Final = 0.5

Told = Callable[["News | Trouble"], Awaitable[None]]
InThread = Callable[..., Awaitable[Any]]
"""As `asyncio.to_thread`: the function and its arguments."""


class Watching:
    """One watch over the tree. `run` is its life, and ends when it is cancelled."""

    def __init__(self, index: Index, room: Newsroom, in_thread: InThread = asyncio.to_thread) -> None:
        self._index = index
        self._room = room
        self._in_thread = in_thread
        self._due: dict[tuple[Fingerprint, str | None], None] = {}
        self._something = asyncio.Event()

    async def run(
        self, told: Told, *, since: float | None = None, begun: Callable[[], None] = lambda: None
    ) -> None:
        """Await ``told`` with each post that appears, and before with what came ``since`` (unix seconds).

        ``begun`` is called when everything that appears from then on will be told.
        """
        loop = asyncio.get_running_loop()

        def changed(author: Fingerprint, hidden: bool, name: str | None) -> None:
            if not hidden:
                loop.call_soon_threadsafe(self._note, author, name)

        with self._index.subscribe(changed), self._index.watch() as watch:
            # In pieces: a tree that cannot be read is never ready, and the thread would outlive the end.
            while not await asyncio.to_thread(watch.wait_ready, _PIECE):
                pass
            for author, name in await self._in_thread(self._room.begin, since):
                self._note(author, name)
            begun()
            await self._tell_on(told)

    def _note(self, author: Fingerprint, name: str | None) -> None:
        self._due[author, name] = None
        self._something.set()

    async def _tell_on(self, told: Told) -> None:
        clock = asyncio.get_running_loop().time
        again = clock() + AGAIN
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(again):
                    await self._something.wait()
            if clock() >= again:  # also while others write all the time
                for one in await self._in_thread(self._room.again):
                    await told(one)
                again = clock() + AGAIN
            self._something.clear()
            due, self._due = self._due, {}
            await self._in_thread(self._room.refresh)
            for author, name in due:
                for one in await self._in_thread(self._room.look, author, name):
                    await told(one)
