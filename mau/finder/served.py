"""Where our server listens: told by whoever knows, and awaited by the parts of the finder."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from mau.hostport import Address


class Served:
    """One place that comes, changes and goes; None while nothing is served. For one event loop."""

    def __init__(self, where: Address | None = None) -> None:
        self._where = where
        self._moved = asyncio.Event()

    @property
    def where(self) -> Address | None:
        """The host and port of the server's socket."""
        return self._where

    @property
    def port(self) -> int | None:
        return None if self._where is None else self._where[1]

    def tell(self, where: Address | None) -> None:
        """The server listens there now."""
        if where != self._where:
            self._where = where
            self._moved.set()
            self._moved = asyncio.Event()

    @property
    def moved(self) -> asyncio.Event:
        """Set when the server listens elsewhere than at the moment of asking."""
        return self._moved


async def first_of(seconds: float, *events: asyncio.Event) -> None:
    """Until one of the events is set, and no longer than so many seconds."""
    if any(event.is_set() for event in events):
        return
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do something, unless and until ``stop`` is set."""
    stopping, working = asyncio.create_task(stop.wait()), asyncio.create_task(work)
    try:
        await asyncio.wait((stopping, working), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        stopping.cancel()
        working.cancel()
        await asyncio.gather(stopping, working, return_exceptions=True)
