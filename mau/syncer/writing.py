"""Putting many small files into the tree: in batches, so that they share what waiting for the disk costs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from mau.errors import MauError
from mau.tree.posts import AuthorDir, Committed, Staged
from mau.wire.paths import Item

# Files in one batch, batches at once, files that wait: with SMALL files, some 16 MiB at most.
BATCH: Final = 64
WRITERS: Final = 2
WAITING: Final = 192
SMALL: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file that was judged good. ``held``: the sha256 that it replaces, None when its name is free."""

    item: Item
    data: bytes
    held: str | None


Stored = Committed | MauError | OSError


class Writer:
    """Takes judged files and tells of each what became of it. An async context manager: it ends when all is
    on the disk, or at once when it is cancelled (a batch that was begun is finished first)."""

    def __init__(
        self, posts: AuthorDir, threads: Executor, stored: Callable[[Arrived, Stored], None]
    ) -> None:
        self._posts = posts
        self._threads = threads
        self._stored = stored
        self._queue: asyncio.Queue[Arrived | None] = asyncio.Queue(WAITING)
        self._writers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Writer:
        self._writers = [asyncio.create_task(self._write()) for _ in range(WRITERS)]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            for _writer in self._writers:
                await self._queue.put(None)
        else:
            for writer in self._writers:
                writer.cancel()
        results = await asyncio.gather(*self._writers, return_exceptions=True)
        for result in results:
            if kind is None and isinstance(result, BaseException):
                raise result

    async def put(self, arrived: Arrived) -> None:
        """Hand over a file; waits while many others wait."""
        await self._queue.put(arrived)

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        ended = False
        while not ended:
            waiting = [await self._queue.get()]
            while len(waiting) < BATCH and waiting[-1] is not None and not self._queue.empty():
                waiting.append(self._queue.get_nowait())
            ended = waiting[-1] is None
            batch = [arrived for arrived in waiting if arrived is not None]
            if batch:
                work = loop.run_in_executor(self._threads, self._store, batch)
                for arrived, result in zip(batch, await asyncio.shield(work), strict=True):
                    self._stored(arrived, result)

    def _store(self, batch: list[Arrived]) -> list[Stored]:
        results: dict[int, Stored] = {}
        staged: list[tuple[int, tuple[Staged, str, str | None]]] = []
        with ExitStack() as stack:
            for number, arrived in enumerate(batch):
                try:
                    place = stack.enter_context(self._posts.stage())
                    place.file.write(arrived.data)
                except (MauError, OSError) as error:
                    results[number] = error
                else:
                    staged.append((number, (place, arrived.item.name, arrived.held)))
            committed = self._posts.commit_many([one for _, one in staged])
            results |= {number: result for (number, _), result in zip(staged, committed, strict=True)}
        return [results[number] for number in range(len(batch))]
