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
    """Takes judged files and tells of each what became of it."""

    def __init__(
        self, posts: AuthorDir, threads: Executor, stored: Callable[[Arrived, Stored], None]
    ) -> None:
        self._posts = posts
        self._threads = threads
        self._stored = stored
        self._queue: asyncio.Queue[Arrived | None] = asyncio.Queue(WAITING)

    def start(self, group: asyncio.TaskGroup) -> None:
        """Begin; ``group`` owns the tasks. When it is cancelled, a batch that was begun is finished by its
        thread, and nobody is told."""
        for _ in range(WRITERS):
            group.create_task(self._write())

    async def end(self) -> None:
        """Say that nothing more will come; the tasks end when everything is on the disk."""
        for _ in range(WRITERS):
            await self._queue.put(None)

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
                results: list[Stored]
                try:
                    results = await asyncio.shield(work)
                except OSError as error:  # of the directory: whether anything of the batch lasts is not known
                    results = [error] * len(batch)
                for arrived, result in zip(batch, results, strict=True):
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
