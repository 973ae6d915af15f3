"""Connections to peers that are kept for the next question: a handshake costs more than an answer."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Final, Self

from mau.fingerprint import Fingerprint
from mau.hostport import Address
from mau.wire.client import PeerClient, Timeouts
from mau.wire.identity import Identity

MOST: Final = 32
"""Peers whose connection is kept; the one not asked for the longest time gives way."""
PATIENCE: Final = Timeouts(connect=5.0, answer=10.0, stall=10.0, busy=2.0)
"""A node that answers late is as good as none: others know the same."""

_Place = tuple[Fingerprint, Address, Address | None]


class Pool:
    """Clients by peer and address; use it as an async context manager.

    ``identity`` None asks as a stranger. ``announce`` says, for an address, where we can be reached from
    there; None is nowhere. ``opened`` and ``asked`` count connections and questions.
    """

    def __init__(
        self,
        identity: Identity | None,
        announce: Callable[[Address], Address | None] = lambda _: None,
        *,
        timeouts: Timeouts = PATIENCE,
        most: int = MOST,
    ) -> None:
        self._identity = identity
        self._announce = announce
        self._timeouts = timeouts
        self._most = most
        self._kept: OrderedDict[_Place, tuple[PeerClient, AsyncExitStack]] = OrderedDict()
        self._busy: dict[_Place, int] = {}
        self.opened = 0
        self.asked = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        kept, self._kept = self._kept, OrderedDict()
        await asyncio.gather(*(stack.aclose() for _, stack in kept.values()), return_exceptions=True)

    @asynccontextmanager
    async def peer(self, who: Fingerprint, address: Address) -> AsyncIterator[PeerClient]:
        """A client for ``who`` at ``address``; let go of when a question fails."""
        place = (who, address, None if self._identity is None else self._announce(address))
        client = await self._client(place)
        self.asked += 1
        self._busy[place] = self._busy.get(place, 0) + 1
        try:
            yield client
        except BaseException:
            await self._drop(place)
            raise
        finally:
            self._busy[place] -= 1
            if not self._busy[place]:
                del self._busy[place]
            await self._shrink()

    async def _client(self, place: _Place) -> PeerClient:
        kept = self._kept.get(place)
        if kept is not None:
            self._kept.move_to_end(place)
            return kept[0]
        who, address, announced = place
        stack = AsyncExitStack()
        client = PeerClient(
            self._identity, who, *address, timeouts=self._timeouts, connections=2, announced=announced
        )
        self._kept[place] = client, stack
        self.opened += 1
        await stack.enter_async_context(client)
        return client

    async def _drop(self, place: _Place) -> None:
        kept = self._kept.pop(place, None)
        if kept is not None:
            await kept[1].aclose()

    async def _shrink(self) -> None:
        for place in list(self._kept):
            if len(self._kept) <= self._most:
                return
            if place not in self._busy:
                await self._drop(place)
