"""Visitors who wait for something new (spec/http.yaml H67): they cost nothing until it may be there.

Who waits says under what he would find it. A change of a file wakes those who would find that file, and a
change of the keyring everybody. To be woken is no answer: whoever is looks again, as with a new request.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from typing import Final

from mau.fingerprint import Fingerprint
from mau.server.library import Library

_KEYRING_EVERY: Final = 2.0
"""Seconds between two looks at whether the keyring changed, while anybody waits."""
_log = logging.getLogger("mau.server")


class Waiter:
    """One visitor who waits. ``readers``: under what he finds files of the author."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting
        self._event = asyncio.Event()
        self.readers: frozenset[bytes] = frozenset()
        self.removals = False
        """Whether a file that goes is news to him, too."""

    def expect(self, readers: Sequence[bytes], *, removals: bool) -> None:
        """From now on these are what he waits for; what happened before is forgotten."""
        self.readers = frozenset(readers)
        self.removals = removals
        self._event.clear()

    def wake(self) -> None:
        """There may be something."""
        self._event.set()

    async def wait(self, seconds: float) -> bool:
        """Until there may be something; False when there is nothing for so long, or nobody waits any more."""
        if self._waiting.over:
            return False
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        return not self._waiting.over


class Waiting:
    """All who wait, by author. Belongs to one event loop."""

    def __init__(self, library: Library, threads: Executor) -> None:
        self._library = library
        self._threads = threads
        self._waiters: dict[Fingerprint, set[Waiter]] = {}
        self._looking: set[asyncio.Task[None]] = set()
        self._keyring: asyncio.Task[None] | None = None
        self.over = False
        """The server ends: nobody waits any more."""

    def __len__(self) -> int:
        return sum(map(len, self._waiters.values()))

    @contextlib.contextmanager
    def enter(self, author: Fingerprint) -> Iterator[Waiter]:
        """Somebody who may have to wait for files of that author."""
        waiter = Waiter(self)
        self._waiters.setdefault(author, set()).add(waiter)
        if self._keyring is None:
            # As of now: what counts for this visitor is found out after this.
            known = self._library.known_rules
            self._keyring = asyncio.create_task(self._watch_keyring(known), name="mau-waiting")
        try:
            yield waiter
        finally:
            waiters = self._waiters[author]
            waiters.discard(waiter)
            if not waiters:
                del self._waiters[author]

    def end(self) -> None:
        """Everybody goes home."""
        self.over = True
        self._wake_all()
        for task in (*self._looking, *([self._keyring] if self._keyring else ())):
            task.cancel()

    def told(self, loop: asyncio.AbstractEventLoop) -> Callable[[Fingerprint, bool, str | None], None]:
        """What to subscribe to the index with; it may be called from any thread."""

        def tell(author: Fingerprint, _hidden: bool, name: str | None) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._changed, author, name)

        return tell

    def _changed(self, author: Fingerprint, name: str | None) -> None:
        if author not in self._waiters or self.over:
            return
        if name is None:
            self._wake(author, None)
            return
        task = asyncio.create_task(self._look(author, name), name="mau-waiting-look")
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    async def _look(self, author: Fingerprint, name: str) -> None:
        """Wake those who would find that file."""
        loop = asyncio.get_running_loop()
        self._wake(author, await loop.run_in_executor(self._threads, self._library.readers, author, name))

    def _wake(self, author: Fingerprint, readers: frozenset[bytes] | None) -> None:
        """``readers``: of the file that changed; empty: it went; None: of whatever changed."""
        for waiter in self._waiters.get(author, ()):
            if readers is None or not waiter.readers.isdisjoint(readers) or waiter.removals:
                waiter.wake()

    def _wake_all(self) -> None:
        for author in list(self._waiters):
            self._wake(author, None)

    async def _watch_keyring(self, known: int) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiters and not self.over:
                await asyncio.sleep(_KEYRING_EVERY)
                rules = await loop.run_in_executor(self._threads, self._library.rules)
                if rules != known:
                    known = rules
                    self._wake_all()
        except Exception:
            _log.exception("the keyring cannot be watched")
        finally:
            self._keyring = None
