"""Fetching many files at once, judging each, and committing them (spec/sync.md S6-S12, S23-S32).

The event loop moves bytes. Judging, and whatever waits for the disk, runs in threads (`mau.syncer.writing`).

Why not in processes of their own: with both ends on two cores these are busy. A process that judges takes
0.6 s to start and has to be given the secret key; one that writes was measured, and made a whole sync between
0.5 and 1.15 times as fast.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from typing import BinaryIO, Final, Protocol, TypeVar

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
from mau.syncer import archive, evidence, large
from mau.syncer.judge import Judge, held_sum
from mau.syncer.report import Progress, SyncReport, Trouble
from mau.syncer.writing import JUDGING, SMALL, WRITERS, Arrived, Stored, Writer
from mau.tree.posts import Committed
from mau.wire.listing import Item
from mau.wire.targets import PageQuery

T = TypeVar("T")

WORKERS: Final = 4
"""Files on their way at once, each over a connection of its own."""
IN_MEMORY: Final = 1 << 20
"""Files up to this size are held in memory, in bytes."""
LOST: Final = 3
"""So many files in a row without an answer, and the peer counts as gone."""
FAULTS: Final = 1000
"""So many files in a row that are not what was listed, or no posts, and no more are asked for."""

_DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})


class Source(archive.Source, large.Source, Protocol):
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
        self._faults = 0
        self._no_bulk = False
        self._state = Progress(judge.posts.fpr, 0, 0, 0, 0)
        self.beyond: Callable[[], tuple[int, int]] = lambda: (0, 0)
        """Files and bytes that are known to be to come, beyond what was given to ``run``."""
        self.stopped: MauError | None = None
        """Why nothing more is taken: the peer is gone or gives nothing good, or the disk is full."""
        self.pending: list[tuple[Item, MauError]] = []
        """What is still wanted of the last run, and why it is not here yet."""

    async def run(
        self, items: Iterable[Item], page: PageQuery | None = None, listed: Sequence[Item] = ()
    ) -> None:
        """Fetch all of it. An item's trouble stops no other; a dead peer or a full disk stops the rest.

        ``page``: where the items are from, when their peer knows pages, and all that it ``listed`` there.
        """
        waiting = {item.name: item for item in items}
        self.pending = []
        self._state = replace(
            self._state,
            total=self._state.total + len(waiting),
            total_bytes=self._state.total_bytes + sum(item.size for item in waiting.values()),
        )
        self._tell()
        with ThreadPoolExecutor(WORKERS + WRITERS, thread_name_prefix="sync") as self._threads:
            self._writer = Writer(self._posts, self._check, self._threads, self._stored)
            async with asyncio.TaskGroup() as writing:
                self._writer.start(writing)
                if page is not None and self.stopped is None:
                    await self._together(waiting, page, listed)
                rest = iter(list(waiting.values()))
                async with asyncio.TaskGroup() as fetching:
                    for _ in range(min(WORKERS, len(waiting))):
                        fetching.create_task(self._singly(rest))
                await self._writer.end()

    async def _together(self, waiting: dict[str, Item], page: PageQuery, listed: Sequence[Item]) -> None:
        """Ask for the small files of a page at once; what came is no longer ``waiting``."""
        small = {name: item for name, item in waiting.items() if item.size <= IN_MEMORY}
        sizes = [item.size for item in listed if item.size <= IN_MEMORY]
        if self._no_bulk or not archive.worth_it(len(small), len(sizes)):
            return

        async def take(item: Item, data: bytes) -> None:
            del waiting[item.name]
            await self._noting(item, self._take_in(item, data))

        page = replace(page, most=IN_MEMORY)
        try:
            knows = await archive.bring_many(self._source, self._posts.fpr, page, small, take, sum(sizes))
            self._no_bulk = not knows
        except PeerMisbehaved as error:
            self._no_bulk = True
            self._report.archive = error
        except IdentityError as error:
            self._stop(error)

    async def _singly(self, waiting: Iterator[Item]) -> None:
        for item in waiting:
            if self.stopped is not None:
                self._note(item, self.stopped)
            else:
                await self._noting(item, self._take(item))

    async def _noting(self, item: Item, work: Awaitable[None]) -> None:
        try:
            await work
        except (MauError, OSError) as error:
            self._note(item, error)

    # --- one file ------------------------------------------------------------------------------------------

    async def _take(self, item: Item) -> None:
        if item.size > IN_MEMORY:
            held = await self._held_sum(item)
            with self._answering():
                await large.bring(self._source, self._judge, item, held, self._in_thread)
            self._came(item)
            return
        buffer = BytesIO()
        with self._answering():
            digest = await self._source.fetch(
                self._posts.fpr, item.name, buffer, size=item.size, limit=item.size
            )
        if digest != item.sum:
            raise PeerMisbehaved(f"what came has the sha256 {digest}, the listing says {item.sum}")
        await self._take_in(item, buffer.getvalue())

    async def _take_in(self, item: Item, data: bytes) -> None:
        """Hand on a file whose sum is right, to be judged and written."""
        if item.size <= SMALL:
            await self._writer.put(Arrived(item, data, self._held(item.name)))
            return
        held = await self._held_sum(item)

        def store() -> None:
            with JUDGING:
                self._check(item, data, held)
            with self._posts.stage() as staged:
                staged.file.write(data)
                self._posts.commit(staged, item.name, expect=held)

        await self._in_thread(store)
        self._came(item)

    def _check(self, item: Item, data: bytes, held: str | None) -> None:
        """In a thread: whether the file may be taken; of what is refused for good the bytes stay a while."""
        try:
            self._judge.check_bytes(item, data, held)
        except PostError as error:
            if error.lasting != "deferred":
                evidence.keep(self._posts.root, self._posts.fpr, self._report.peer, item, data, error)
            raise

    async def _held_sum(self, item: Item) -> str | None:
        if not self._held(item.name):
            return None
        return await self._in_thread(lambda: held_sum(self._posts, item.name))

    @contextlib.contextmanager
    def _answering(self) -> Iterator[None]:
        """Around a question to the peer: notice when it is gone, or somebody else."""
        try:
            yield
        except PeerUnreachable as error:
            self._unanswered += 1
            if self._unanswered >= LOST:
                self._stop(PeerUnreachable(f"the peer does not answer any more ({error})"))
            raise
        except IdentityError as error:
            self._stop(error)
            raise
        self._unanswered = 0

    def _stored(self, arrived: Arrived, result: Stored) -> None:
        item = arrived.item
        if isinstance(result, Committed):
            self._came(item)
        elif isinstance(result, TreeChanged) and held_sum(self._posts, item.name) == item.sum:
            self._came(item)  # another sync was faster
        else:
            self._note(item, result)

    def _came(self, item: Item) -> None:
        self._faults = 0
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
        if isinstance(error, PeerMisbehaved) or (isinstance(error, PostError) and error.lasting == "refused"):
            self._faults += 1
            if self._faults >= FAULTS:
                self._stop(PeerMisbehaved(f"{FAULTS:,} files in a row were not what it listed, or no posts"))
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
        self.stopped = self.stopped or error

    def _tell(self, item: Item | None = None) -> None:
        if item is not None:
            self._state = replace(
                self._state, done=self._state.done + 1, done_bytes=self._state.done_bytes + item.size
            )
        if self._progress is not None:
            files, size = self.beyond()
            state = self._state
            self._progress(replace(state, total=state.total + files, total_bytes=state.total_bytes + size))
