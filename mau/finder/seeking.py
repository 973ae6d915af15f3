"""Looking for those who are nowhere to be found, less and less often (spec/finding.md N67)."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from mau.addressbook import AddressBook
from mau.awaiting import first_of, unless
from mau.errors import IdentityError, PeerError
from mau.finder.nodes import Nodes
from mau.finder.proving import prove
from mau.fingerprint import Fingerprint
from mau.hostport import circuit_of

_EVERY: Final = 5.0
"""Seconds between two looks whether somebody is missing, where the book changed."""
_GRACE: Final = 1.0
"""Seconds in which an address that was just heard is left to the syncer: it would try it anyway."""
_AGAIN: Final = (30.0, 3600.0)
_HOLDS: Final = 7200.0
"""Seconds after which a proof is an old one, and the address is tried again."""
_AT_ONCE: Final = 3
_TRIES: Final = 4
"""Addresses of one person that are tried before a lookup."""


@dataclass(slots=True)
class _Search:
    """How somebody is looked for: how often in vain, and when again (of the steady clock)."""

    vain: int = 0
    after: float = 0.0


class Seeker:
    """Looks for people; whoever is found is in the book."""

    def __init__(
        self,
        book: AddressBook,
        people: Callable[[], frozenset[Fingerprint]],
        nodes: Callable[[], Nodes | None],
        *,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """``people``: who is to be found; ``nodes``: the lookup network, None when it may not be asked."""
        self._book = book
        self._people = people
        self._nodes = nodes
        self._changed = changed
        self._searches: dict[Fingerprint, _Search] = {}
        self._heard = asyncio.Event()

    @property
    def missing(self) -> frozenset[Fingerprint]:
        """Who is looked for and not found so far."""
        return frozenset(self._searches)

    def heard(self, _person: Fingerprint) -> None:
        """There may be a new address to try."""
        self._heard.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``."""
        while not stop.is_set():
            if self._heard.is_set():
                self._heard.clear()
                await first_of(_GRACE, stop)
            await self._round(stop)
            await first_of(_EVERY, stop, self._heard)

    async def _round(self, stop: asyncio.Event) -> None:
        people = self._people()
        missing = [one for one in sorted(people) if not self._is_found(one)]
        before = self.missing
        self._searches = {one: self._searches.get(one) or _Search() for one in missing}
        if self.missing != before:
            self._changed()
        turns = asyncio.Semaphore(_AT_ONCE)

        async def seek(person: Fingerprint) -> None:
            async with turns:
                await self._seek(person, self._searches[person])

        async def seek_all() -> None:
            async with asyncio.TaskGroup() as group:
                for person in missing:
                    group.create_task(seek(person))

        await unless(stop, seek_all())

    def _is_found(self, person: Fingerprint) -> bool:
        now = time.time()
        return any(
            not one.failures and one.last_proven is not None and 0 <= now - one.last_proven < _HOLDS
            for one in self._book.known(person)
        )

    async def _seek(self, person: Fingerprint, search: _Search) -> None:
        """Where he is said to be, and then the lookup network."""
        if await self._try_known(person):
            self._changed()
            return
        nodes, now = self._nodes(), time.monotonic()
        if nodes is None or now < search.after or not nodes.knows_somebody():
            return
        lookup = await nodes.look_up(person, in_vain=search.vain > 0)
        pause = min(_AGAIN[0] * 2**search.vain, _AGAIN[1])
        search.vain = min(search.vain + 1, 32)
        # Not all at once, and not at times that tell more than once is needed.
        search.after = time.monotonic() + pause * random.uniform(0.8, 1.2)  # noqa: S311
        if lookup.proven is not None:
            self._changed()

    async def _try_known(self, person: Fingerprint) -> bool:
        """Try addresses that nobody tried lately: a stranger looks whether the person is there."""
        now = time.time()
        known = {(one.host, one.port): one for one in self._book.known(person)}
        places = [one for one in self._book.addresses(person) if circuit_of(one[0]) is None]
        for place in places[:_TRIES]:
            line = known.get(place)
            pause = 0 if line is None else _AGAIN[0] * 2 ** min(line.failures, 7)
            # What was tried later than now was tried before the clock was set back.
            if line is None or 0 <= now - (line.last_tried or 0) < pause:
                continue
            with suppress(PeerError, IdentityError):
                await prove(self._book, person, place)
                return True
        return False
