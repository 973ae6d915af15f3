"""The local networks: where our server is is announced, what is heard is noted (spec/finding.md N20-N34)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from mau.addressbook import AddressBook
from mau.awaiting import first_of
from mau.finder.mdns import Mdns, Networks
from mau.finder.served import Served
from mau.fingerprint import Fingerprint
from mau.hostport import Address

_BEGINNING: Final = 1.5
"""Seconds that a server which is about to begin is waited for: what is announced has its port."""


class LocalNetworks:
    """mDNS for as long as it runs, begun anew when our server listens elsewhere."""

    def __init__(
        self,
        own: Fingerprint,
        book: AddressBook,
        networks: Networks,
        served: Served,
        *,
        wanted: Callable[[Fingerprint], bool],
        changed: Callable[[], None] = lambda: None,
        heard: Callable[[Fingerprint], None] = lambda _: None,
    ) -> None:
        """``wanted``: whose hints count however many strangers shout; ``heard`` hears of those."""
        self._own = own
        self._book = book
        self._networks = networks
        self._served = served
        self._wanted = wanted
        self._changed = changed
        self._heard_of = heard
        self._mdns: Mdns | None = None

    @property
    def active(self) -> tuple[str, ...]:
        """Names of the networks in which we speak."""
        return () if self._mdns is None else tuple(one.name or one.interface for one in self._mdns.active)

    @property
    def silent(self) -> tuple[str, ...]:
        """Those in which we do not."""
        return () if self._mdns is None else tuple(one.name or one.interface for one in self._mdns.silent)

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``, which is a goodbye."""
        if self._served.where is None:
            await first_of(_BEGINNING, stop, self._served.moved)
        while not stop.is_set():
            where, moved = self._served.where, self._served.moved
            async with Mdns(
                self._own,
                self._served.port,
                networks=self._networks,
                heard=self._heard,
                wanted=self._wanted,
                listens="" if where is None else where[0],
            ) as mdns:
                self._mdns = mdns
                self._changed()
                ended = asyncio.create_task(mdns.wait())
                waiting = [ended, asyncio.create_task(stop.wait()), asyncio.create_task(moved.wait())]
                try:
                    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                    if ended.done():
                        ended.result()
                finally:
                    self._mdns = None
                    for task in waiting:
                        task.cancel()
                    await asyncio.gather(*waiting, return_exceptions=True)

    def _heard(self, fingerprint: Fingerprint, address: Address, present: bool) -> None:
        # Who else is in the cafes that one visits is not to be written down.
        if not self._wanted(fingerprint):
            return
        if present:
            if self._book.worth_trying(*address, fingerprint):
                self._book.told(fingerprint, *address, source="mdns")
                self._heard_of(fingerprint)
            return
        for one in self._book.known(fingerprint):
            if (one.host, one.port) == address and one.last_proven is None and one.source == "mdns":
                self._book.forget(fingerprint, *address)
