"""Where our server listens: told by whoever knows, and awaited by the parts of the finder."""

from __future__ import annotations

import asyncio

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
