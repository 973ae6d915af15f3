"""Judging many small files and putting them into the tree: in batches, in threads.

While one batch waits for the disk the next one is judged, and the event loop does nothing but move bytes.
Only one thread judges at a time: several would fight for the interpreter. The files of a batch share what it
costs to wait for the disk, and to hand over from thread to thread.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from mau.errors import MauError
from mau.syncer.judge import held_sum
from mau.tree.posts import AuthorDir, Committed, NewFile, Staged
from mau.wire.listing import Item

# Files in one batch, batches at once, files that wait: with SMALL files, some 20 MiB at most.
BATCH: Final = 64
WRITERS: Final = 3
WAITING: Final = 128
SMALL: Final = 64 << 10

JUDGING: Final = threading.Lock()
"""Whoever has it judges, of all rounds of this process."""
_STORING: Final = threading.BoundedSemaphore(4)
"""Batches that are written at once, of all rounds: each has all its files open."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file whose sum is right. ``replaces``: whether anything was held under its name, as of the plan."""

    item: Item
    data: bytes
    replaces: bool


@dataclass(frozen=True, slots=True)
class _Good:
    """A file that was judged good. ``held``: the sha256 that it replaces, None when its name is free."""

    arrived: Arrived
    held: str | None


Check = Callable[[Item, bytes, str | None], None]
"""Given the sha256 that is held under the name; one MauError when the file may not be taken."""
Stored = Committed | MauError | OSError


class Writer:
    """Takes files and tells of each what became of it."""

    def __init__(
        self,
        posts: AuthorDir,
        check: Check,
        threads: Executor,
        stored: Callable[[Arrived, Stored], None],
    ) -> None:
        """``check`` is called in threads, one at a time; ``stored`` in the event loop."""
        self._posts = posts
        self._check = check
        self._threads = threads
        self._stored = stored
        self._queue: asyncio.Queue[Arrived | None] = asyncio.Queue(WAITING)
        self._turn = asyncio.Lock()

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
            async with self._turn:  # whoever judges next takes all that came meanwhile
                waiting = [await self._queue.get()]
                while len(waiting) < BATCH and waiting[-1] is not None and not self._queue.empty():
                    waiting.append(self._queue.get_nowait())
                ended = waiting[-1] is None
                batch = [arrived for arrived in waiting if arrived is not None]
                judged = await asyncio.shield(loop.run_in_executor(self._threads, self._judge, batch))
            good = [one for one in judged if isinstance(one, _Good)]
            results: list[Stored] = []
            if good:
                work = loop.run_in_executor(self._threads, self._store, good)
                try:
                    results = await asyncio.shield(work)
                except OSError as error:  # of the directory: whether anything of the batch lasts is not known
                    results = [error] * len(good)
            following = iter(results)
            for arrived, verdict in zip(batch, judged, strict=True):
                self._stored(arrived, next(following) if isinstance(verdict, _Good) else verdict)

    def _judge(self, batch: Sequence[Arrived]) -> list[_Good | MauError | OSError]:
        with JUDGING:
            return [self._judge_one(arrived) for arrived in batch]

    def _judge_one(self, arrived: Arrived) -> _Good | MauError | OSError:
        item = arrived.item
        try:
            held = held_sum(self._posts, item.name) if arrived.replaces else None
            self._check(item, arrived.data, held)
        except (MauError, OSError) as error:
            return error
        return _Good(arrived, held)

    def _store(self, batch: Sequence[_Good]) -> list[Stored]:
        with _STORING:
            new = [one for one in batch if one.held is None]
            others = [one for one in batch if one.held is not None]
            found: dict[str, Stored] = {}
            for work, files in ((self._place, new), (self._replace, others)):
                if files:
                    results = work(files)
                    found |= {one.arrived.item.name: done for one, done in zip(files, results, strict=True)}
        return [found[one.arrived.item.name] for one in batch]

    def _place(self, batch: Sequence[_Good]) -> Sequence[Stored]:
        files = (one.arrived for one in batch)
        new = [NewFile(one.item.name, one.data, one.item.sum) for one in files]
        try:
            return self._posts.place_new(new)
        except MauError as error:
            return [error] * len(batch)

    def _replace(self, batch: Sequence[_Good]) -> Sequence[Stored]:
        results: dict[int, Stored] = {}
        staged: list[tuple[int, tuple[Staged, str, str | None]]] = []
        with ExitStack() as stack:
            for number, one in enumerate(batch):
                try:
                    place = stack.enter_context(self._posts.stage())
                    place.file.write(one.arrived.data)
                except (MauError, OSError) as error:
                    results[number] = error
                else:
                    staged.append((number, (place, one.arrived.item.name, one.held)))
            committed = self._posts.commit_many([one for _, one in staged])
            results |= {number: result for (number, _), result in zip(staged, committed, strict=True)}
        return [results[number] for number in range(len(batch))]
