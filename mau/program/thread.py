"""One thread for what blocks: the tree is read and written there, and the event loop goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from mau.errors import UsageError

P = ParamSpec("P")
T = TypeVar("T")

_CLOSED = "this account was closed"


class OwnThread:
    """Runs one function after another, in the order in which they were asked for.

    Who is cancelled while he waits for his turn has asked for nothing. What has begun is carried to its end,
    so nothing is left half done, and the next begins after it.
    """

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="mau-program")
        self._closed = False

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the function returns or raises. UsageError after `close`."""
        if self._closed:
            raise UsageError(_CLOSED)
        begun = self._executor.submit(work, *args, **kwargs)
        try:
            return await asyncio.wrap_future(begun)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and not task.cancelling():  # not the caller: `close` dropped it
                raise UsageError(_CLOSED) from None
            raise

    async def close(self, last: Callable[[], None] = lambda: None) -> None:
        """Let what has begun end, drop what has not, and do `last` in the thread. Twice is once."""
        if self._closed:
            return
        self._closed = True
        await asyncio.shield(asyncio.create_task(asyncio.to_thread(self._end, last)))

    def _end(self, last: Callable[[], None]) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)
        last()
