"""Being reached from outside: the port at the router, and peers that look whether it leads to us.

spec/finding.md N40-N53. What comes of it is in `Reach`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from mau.addressbook import AddressBook
from mau.awaiting import first_of, unless
from mau.finder.ports import Mapping, PortKeeper, explain
from mau.finder.reach import Reach
from mau.finder.served import Served

_EVERY: Final = 1800.0
_SOON: Final = (5.0, 600.0)
"""Until somebody could be asked."""
_LOOK_EVERY: Final = 5.0
"""Seconds between two looks whether somebody came into the book who could be asked."""
_LONGEST: Final = 6.0
"""Seconds for a router to take back what it maps; after that the lease ends it."""
_log = logging.getLogger("mau.finder.outside")


class Outside:
    """Two parts of the finder: `keep_port` and `confirm`."""

    def __init__(
        self,
        reach: Reach,
        book: AddressBook,
        served: Served,
        *,
        changed: Callable[[], None],
        moved: Callable[[], None],
    ) -> None:
        """``changed``: something is to be told; ``moved``: we are reached elsewhere, or nowhere any more."""
        self._reach = reach
        self._book = book
        self._served = served
        self._changed = changed
        self._moved = moved
        self._mapped = asyncio.Event()
        self._keeper: PortKeeper | None = None

    @property
    def router(self) -> str:
        """How the router stands, in words; "" while it is not asked."""
        return "" if self._keeper is None else explain(self._keeper.state)

    async def keep_port(self, stop: asyncio.Event) -> None:
        """Keep the port of our server open at the router, while there is one."""
        while not stop.is_set():
            moved = self._served.moved
            if self._served.port is None:
                await first_of(3600.0, stop, moved)
                continue
            keeper = self._keeper = PortKeeper(self._served.port, on_change=self._mappings_changed)
            ending = asyncio.Event()
            running = asyncio.create_task(keeper.run(ending))
            waiting = [running, asyncio.create_task(stop.wait()), asyncio.create_task(moved.wait())]
            try:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            finally:
                ending.set()
                for task in waiting[1:]:
                    task.cancel()
                await asyncio.wait({running}, timeout=_LONGEST)
                running.cancel()
                await asyncio.gather(*waiting[1:], return_exceptions=True)
                self._keeper = None
                self._reach.mappings = ()
            await running  # what went wrong is told, and it is begun again

    def _mappings_changed(self, mappings: tuple[Mapping, ...]) -> None:
        self._reach.mappings = mappings
        self._mapped.set()
        self._changed()

    async def confirm(self, stop: asyncio.Event) -> None:
        """Let peers look whether they reach us: when something changed, and now and then."""
        wait = _SOON[0]
        while not stop.is_set():
            moved = self._served.moved
            self._mapped.clear()
            before = self._reach.public
            await unless(stop, self._reach.confirm())
            if self._reach.public != before:
                self._moved()
            self._changed()
            wait = _EVERY if self._reach.asked else min(wait * 1.5, _SOON[1])
            await self._until(time.monotonic() + wait, stop, moved)
            if moved.is_set():
                wait = _SOON[0]
                self._moved()

    async def _until(self, end: float, stop: asyncio.Event, moved: asyncio.Event) -> None:
        """Until it is time, or something changed, or there is somebody to ask at last."""
        stamp = self._book.stamp()
        while not (stop.is_set() or moved.is_set() or self._mapped.is_set()):
            left = end - time.monotonic()
            if left <= 0:
                return
            if self._reach.asked or self._served.port is None:
                await first_of(left, stop, moved, self._mapped)
                continue
            await first_of(min(left, _LOOK_EVERY), stop, moved, self._mapped)
            if (now := self._book.stamp()) != stamp:
                stamp = now
                if self._reach.askable:
                    return
