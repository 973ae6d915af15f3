"""News for programs: posts as they appear in the tree, one after another."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Collection
from typing import TYPE_CHECKING, Final, Self

from mau.awaiting import first_of
from mau.keyring import Keyring
from mau.program.values import Post, unopened
from mau.reader.news import News, Newsroom, Trouble
from mau.reader.summary import Summary
from mau.reader.watching import Watching

if TYPE_CHECKING:
    from types import TracebackType

    from mau.fingerprint import Fingerprint
    from mau.program.desk import Desk
    from mau.program.thread import OwnThread

_AHEAD: Final = 100
"""Posts that are opened before the program asked for them; then the watch waits for it."""
_LONG: Final = 3600.0
_log = logging.getLogger("mau.program")


class Feed:
    """An asynchronous iterator over posts that appear, and a context manager that ends it.

    It begins with ``async with`` or the first ``async for``, and from then on misses nothing. It ends when it
    is closed, or the account is.
    """

    def __init__(
        self,
        desk: Desk,
        thread: OwnThread,
        authors: Collection[str | Fingerprint] | None,
        since: float | None,
    ) -> None:
        self._desk = desk
        self._thread = thread
        self._authors = authors
        self._since = since
        self._found: deque[Post] = deque()
        self._some = asyncio.Event()
        self._taken = asyncio.Event()
        self._begun = asyncio.Event()
        self._ended = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        """Begin to watch; returns when everything that appears from now on will be told."""
        await self._begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Post:
        if self._closed:
            raise StopAsyncIteration
        await self._begin()
        # Nothing is taken but in one step: who is cancelled while he waits misses nothing.
        while not self._found:
            if self._ended.is_set():
                self._raise_what_ended_it()
                raise StopAsyncIteration
            self._some.clear()
            await first_of(_LONG, self._some, self._ended)
        self._taken.set()
        return self._found.popleft()

    async def aclose(self) -> None:
        """End the watch. Whoever waits for the next post gets none."""
        self._closed = True
        self._ended.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _begin(self) -> None:
        if self._task is None and not self._closed:
            self._task = asyncio.create_task(self._watch(), name="mau-news")
            self._task.add_done_callback(lambda _: self._ended.set())
        while not (self._begun.is_set() or self._ended.is_set()):
            await first_of(_LONG, self._begun, self._ended)
        if not self._begun.is_set():
            self._raise_what_ended_it()

    def _raise_what_ended_it(self) -> None:
        if self._task is not None and self._task.done() and not self._task.cancelled():
            self._task.result()

    async def _watch(self) -> None:
        from mau.catalogue import open_index

        account = self._desk.account
        index = await self._thread.run(open_index, account.root)
        with index:
            # A keyring of its own: it is read again while the program works with the other one.
            keyring = await self._thread.run(Keyring.load, account)
            authors = None
            if self._authors is not None:
                authors = {await self._thread.run(self._desk.resolve, one) for one in self._authors}
            watching = Watching(index, Newsroom(account, keyring, index, authors), self._thread.run)
            await watching.run(self._tell, since=self._since, begun=self._begun.set)

    async def _tell(self, one: News | Trouble) -> None:
        if isinstance(one, Trouble):
            _log.info("%s of %s is no news: %s", one.name, one.author, one.error)
            return
        item = one.item
        if item.post is None:
            called = await self._thread.run(self._desk.called, item.author)
            summary = Summary(item.author, item.name, one.sha256, item.size, item.time, checked=False)
            await self._put(unopened(summary, called))
        else:
            await self._put(await self._thread.run(self._desk.value, item.post))

    async def _put(self, post: Post) -> None:
        while len(self._found) >= _AHEAD:
            self._taken.clear()
            await self._taken.wait()
        self._found.append(post)
        self._some.set()
