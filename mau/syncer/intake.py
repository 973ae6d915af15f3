"""Fetching many files at once, judging each, and committing them (spec/sync.md S7-S11).

The event loop moves bytes and judges small files; whatever waits for the disk runs in threads, so that one
file's fsync overlaps with the next one's way here.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import BinaryIO, Protocol, TypeVar

from mau.errors import (
    IdentityError,
    MauError,
    NoRoom,
    PeerError,
    PeerMisbehaved,
    PeerUnreachable,
    PostError,
    TreeChanged,
    TreeError,
)
from mau.fingerprint import Fingerprint
from mau.syncer.judge import Judge, held_sum
from mau.syncer.report import Progress, SyncReport, Trouble
from mau.syncer.writing import SMALL, WRITERS, Arrived, Stored, Writer
from mau.tree.posts import Committed
from mau.wire.paths import Item

T = TypeVar("T")

# Files on their way at once, each over a connection of its own.
WORKERS = 4
# Files up to this size are held in memory and judged in the event loop, in bytes.
IN_MEMORY = 1 << 20
# What must stay free on the disk, in bytes.
RESERVE = 64 << 20
# So many files in a row without an answer, and the peer counts as gone.
LOST = 3

_DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})


class Source(Protocol):
    """What fetches: `mau.wire.client.PeerClient`."""

    async def fetch(self, author: Fingerprint, name: str, out: BinaryIO, *, size: int, limit: int) -> str: ...


class Intake:
    """Takes in files of one author from one source; what came of it stands in ``report`` and ``pending``."""

    def __init__(
        self,
        source: Source,
        judge: Judge,
        held: Callable[[str], bool],
        report: SyncReport,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        """``held``: whether anything is held under a name, as of the plan."""
        self._source = source
        self._judge = judge
        self._posts = judge.posts
        self._held = held
        self._report = report
        self._progress = progress
        self._unanswered = 0
        self._stopped: MauError | None = None
        self.pending: list[tuple[Item, MauError]] = []
        """What is still wanted, and why it is not here yet."""

    async def run(self, items: Iterable[Item]) -> None:
        """Fetch all of it. An item's trouble stops no other; a dead peer or a full disk stops the rest."""
        items = list(items)
        self._total, self._total_bytes = len(items), sum(item.size for item in items)
        self._done = self._done_bytes = 0
        self._tell()
        waiting = iter(items)
        with ThreadPoolExecutor(WORKERS + WRITERS, thread_name_prefix="sync") as self._threads:
            self._writer = Writer(self._posts, self._threads, self._stored)
            async with asyncio.TaskGroup() as writing:
                self._writer.start(writing)
                async with asyncio.TaskGroup() as fetching:
                    for _ in range(min(WORKERS, len(items))):
                        fetching.create_task(self._work(waiting))
                await self._writer.end()

    async def _work(self, waiting: Iterator[Item]) -> None:
        for item in waiting:
            if self._stopped is not None:
                self._note(item, self._stopped)
                continue
            try:
                await self._take(item)
            except (MauError, OSError) as error:
                self._note(item, error)

    # --- one file ------------------------------------------------------------------------------------------

    async def _take(self, item: Item) -> None:
        held = None
        if self._held(item.name):
            held = await self._in_thread(lambda: held_sum(self._posts, item.name))
        if item.size <= IN_MEMORY:
            await self._take_small(item, held)
        else:
            await self._take_large(item, held)

    async def _take_small(self, item: Item, held: str | None) -> None:
        buffer = BytesIO()
        await self._fetch(item, buffer)
        data = buffer.getvalue()
        self._judge.check_bytes(item, data, held)
        if item.size <= SMALL:
            await self._writer.put(Arrived(item, data, held))
            return

        def store() -> None:
            with self._posts.stage() as staged:
                staged.file.write(data)
                self._posts.commit(staged, item.name, expect=held)

        await self._in_thread(store)
        self._came(item)

    async def _take_large(self, item: Item, held: str | None) -> None:
        # Twice: while it is checked, its content lies there as well.
        free = shutil.disk_usage(self._posts.root.path).free
        if free < 2 * item.size + RESERVE:
            raise NoRoom(f"it has {item.size:,} bytes, and the disk has {free:,} left")
        with self._posts.stage() as staged:
            await self._fetch(item, staged.file)
            staged.file.flush()
            await self._in_thread(lambda: self._judge.check_file(item, staged.file, held))
            await self._in_thread(lambda: self._posts.commit(staged, item.name, expect=held))
        self._came(item)

    async def _fetch(self, item: Item, out: BinaryIO) -> None:
        try:
            digest = await self._source.fetch(
                self._posts.fpr, item.name, out, size=item.size, limit=item.size
            )
        except PeerUnreachable as error:
            self._unanswered += 1
            if self._unanswered >= LOST:
                self._stop(PeerUnreachable(f"the peer does not answer any more ({error})"))
            raise
        except IdentityError as error:
            self._stop(error)
            raise
        self._unanswered = 0
        if digest != item.sum:
            raise PeerMisbehaved(f"what came has the sha256 {digest}, the listing says {item.sum}")

    def _stored(self, arrived: Arrived, result: Stored) -> None:
        item = arrived.item
        if isinstance(result, Committed):
            self._came(item)
        elif isinstance(result, TreeChanged) and held_sum(self._posts, item.name) == item.sum:
            self._came(item)  # another sync was faster
        else:
            self._note(item, result)

    def _came(self, item: Item) -> None:
        self._report.fetched.append(item.name)
        self._report.fetched_bytes += item.size
        self._tell(item)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Run in a thread; when cancelled, wait for its end first: it uses files that are about to close."""
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):
                await future
            raise

    # --- what went wrong -----------------------------------------------------------------------------------

    def _note(self, item: Item, error: MauError | OSError) -> None:
        self._tell(item)
        if isinstance(error, OSError):
            error = self._of_the_disk(error)
        trouble = Trouble(item.name, item.sum, error)
        if isinstance(error, PostError) and error.lasting != "deferred":
            self._report.refused.append(trouble)
            return
        self.pending.append((item, error))
        if isinstance(error, PostError | TreeError):
            self._report.deferred.append(trouble)
        else:
            self._report.failed.append(trouble)

    def _of_the_disk(self, error: OSError) -> TreeError:
        words = error.strerror or type(error).__name__
        if error.errno not in _DISK_ERRORS:
            return TreeError(words)
        full = NoRoom(f"the disk takes nothing more: {words}")
        self._stop(full)
        return full

    def _stop(self, error: PeerError | IdentityError | NoRoom) -> None:
        self._stopped = self._stopped or error

    def _tell(self, item: Item | None = None) -> None:
        if item is not None:
            self._done += 1
            self._done_bytes += item.size
        if self._progress is not None:
            self._progress(
                Progress(self._posts.fpr, self._done, self._total, self._done_bytes, self._total_bytes)
            )
