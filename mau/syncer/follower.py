"""Following one person: a round, then waiting for news as well as the peer allows (spec/sync.md S39-S42)."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from mau.awaiting import first_of
from mau.errors import IdentityError, PeerError, PeerNotFound, PeerUnreachable
from mau.fingerprint import Fingerprint
from mau.hostport import Address
from mau.marks import blocked
from mau.syncer.once import Syncer
from mau.syncer.relays import AWAY_AFTER, EVERY, relays_for
from mau.syncer.report import SyncReport
from mau.syncer.rhythm import NO_ADDRESS, after_failure, until_next
from mau.syncer.status import StatusBook, after_round
from mau.wire.client import CursorGone, PeerClient
from mau.wire.targets import PageQuery

WAIT: Final = 110
"""Seconds that a peer is asked to wait for news: less than what routers forget a silent connection after."""
_LISTEN: Final = 3600.0
"""Seconds after which a round is made without news: it may be time to compare everything."""
_LISTEN_BEHIND: Final = 300.0
"""... and while something is wanted that could not be had."""
_IDLE: Final = 3
_AT_LEAST: Final = 0.25
"""Seconds between two rounds, whatever the peer says of news."""


class Follower:
    """Follows one author until it is cancelled."""

    def __init__(
        self,
        syncer: Syncer,
        author: Fingerprint,
        book: StatusBook,
        turns: asyncio.Semaphore,
        told: Callable[[SyncReport], None],
        *,
        chance: Callable[[], float] = random.random,
        relayed: bool = True,
    ) -> None:
        """``turns``: how many rounds go on at once. ``told``: what came of each. ``chance``: 0 up to 1.

        ``relayed``: whether friends are asked for his posts while the author is away.
        """
        self._syncer = syncer
        self._author = author
        self._book = book
        self._turns = turns
        self._told = told
        self._chance = chance
        # What failed before this start says little of now: the peer may be long there again.
        self._status = replace(book.of(author), doing="waiting", failures=0)
        self._began = time.time()
        self._known: frozenset[Address] = frozenset()
        self._failed: dict[Address, tuple[int, float]] = {}
        self._poked = asyncio.Event()
        self._relayed = relayed
        self._relay_turn = 0
        self._relays_after = 0.0
        self._nobody_to_ask = False
        self._idle = 0
        """Rounds in a row that were said to be worth it, and brought nothing."""

    def poke(self) -> None:
        """Ask at once: the machine woke up, the network or the address is another one."""
        self._failed.clear()
        self._relays_after = 0.0
        self._poked.set()

    def look_up(self) -> None:
        """Ask at once if there is an address that was not there before, or at last a friend to ask."""
        found = not self._known.issuperset(self._syncer.book.addresses(self._author))
        if found or (self._nobody_to_ask and self._relays()):
            self.poke()

    async def run(self) -> None:
        """Round after round; ends only by being cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self._poked.clear()
            began = loop.time()
            report = await self._round()
            self._told(report)
            self._idle = 0 if report.fetched else self._idle + 1
            if report.problem is None and await self._listen(report):
                pause = after_failure(self._idle - 1, self._chance()) if self._idle > _IDLE else _AT_LEAST
                await asyncio.sleep(max(0.0, began + pause - loop.time()))
                continue
            if report.problem is not None:
                await self._ask_friends(nowhere=isinstance(report.problem, PeerNotFound))
            await self._rest(report)

    # --- a round -------------------------------------------------------------------------------------------

    async def _round(self) -> SyncReport:
        due = self._due()
        async with self._turns:
            self._note(doing="syncing")
            self._syncer.keyring.refresh()
            report = await self._syncer.sync(self._author, addresses=due)
        self._remember(report, due)
        return report

    def _due(self) -> list[Address]:
        """Addresses that have not just failed; all of them when all have."""
        known = self._syncer.book.addresses(self._author)
        self._known = frozenset(known)
        now = asyncio.get_running_loop().time()
        due = [one for one in known if self._failed.get(one, (0, 0.0))[1] <= now]
        return due or known

    def _fail(self, address: Address) -> None:
        now = asyncio.get_running_loop().time()
        failures = self._failed.get(address, (0, 0.0))[0] + 1
        self._failed[address] = (failures, now + after_failure(failures, self._chance()))

    def _remember(self, report: SyncReport, asked: list[Address]) -> None:
        for address in asked:
            if address == report.address:
                self._failed.pop(address, None)
                if _was_lost(report):
                    self._fail(address)
                break
            self._fail(address)
        pending = self._syncer.state.pending(self._author, self._author)
        self._status = after_round(self._status, report, pending, int(time.time()))

    async def _ask_friends(self, *, nowhere: bool) -> None:
        """The author is away, or ``nowhere``: whoever of our friends has his posts may bring them."""
        now = time.monotonic()
        away = nowhere or self._status.failures >= AWAY_AFTER
        if not self._relayed or not away or now < self._relays_after:
            return
        relays = self._relays()
        self._nobody_to_ask = not relays
        if not relays:
            return
        self._relays_after = now + EVERY
        self._relay_turn += 1
        for relay in relays:
            async with self._turns:
                report = await self._syncer.sync(self._author, via=relay)
            self._told(report)
            if report.fetched:
                self._note(last_news=int(time.time()))

    def _relays(self) -> list[Fingerprint]:
        syncer = self._syncer
        refused = blocked(syncer.account)
        friends = {friend.fingerprint for friend in syncer.keyring.friends()} - refused
        # Of friends only: the book may have thousands of strangers.
        known = (line for friend in friends for line in syncer.book.known(friend))
        return relays_for(self._author, friends, known, self._relay_turn)

    # --- between two rounds --------------------------------------------------------------------------------

    async def _listen(self, report: SyncReport) -> bool:
        """Wait for news on a connection that stays; whether to look. False: this peer has to be asked."""
        cursor = self._syncer.state.cursor(self._author, self._author).token
        if cursor is None or report.address is None:
            return False
        self._note(doing="waiting")
        host, port = report.address
        client = PeerClient(
            self._syncer.identity,
            self._author,
            host,
            port,
            timeouts=self._syncer.timeouts,
            connections=1,
        )
        poked = asyncio.create_task(self._poked.wait())
        try:
            async with client:
                until = time.monotonic() + (_LISTEN_BEHIND if self._status.behind else _LISTEN)
                while not poked.done() and time.monotonic() < until:
                    asked = asyncio.create_task(client.page(self._author, PageQuery(1, cursor), wait=WAIT))
                    try:
                        await asyncio.wait((asked, poked), return_when=asyncio.FIRST_COMPLETED)
                        if not asked.done():
                            return True
                        reply = asked.result()
                    finally:
                        asked.cancel()
                    self._note(last_contact=int(time.time()))
                    if reply.listing.items or reply.listing.refused or reply.cursor is None:
                        return True
                    if not reply.waited:
                        return False
                    if self._syncer.keys.due(self._author, self._author):
                        self._idle = 0  # that is no empty promise of his
                        return True
        except CursorGone:
            return True
        except (PeerError, IdentityError) as error:
            self._note(error=str(error))
            self._fail(report.address)
            return False
        finally:
            poked.cancel()
        return True

    async def _rest(self, report: SyncReport) -> None:
        """Wait until it is time to ask again, or something says that it is."""
        if report.problem is None:
            doing, pause = "polling", until_next(self._quiet(), self._chance())
            if self._status.error or _was_lost(report):
                now = asyncio.get_running_loop().time()
                others = any(self._failed.get(one, (0, 0.0))[1] <= now for one in self._known)
                pause = _AT_LEAST if others else after_failure(1, self._chance())
        elif isinstance(report.problem, PeerNotFound):
            doing, pause = "nowhere", NO_ADDRESS
        else:
            doing, pause = "unreachable", after_failure(max(self._status.failures, 1), self._chance())
        self._note(doing=doing, next_try=int(time.time() + pause))
        await first_of(pause, self._poked)

    def _quiet(self) -> float:
        """For how long nothing new came, as far as we know."""
        return max(time.time() - max(self._status.last_news, self._began), 0.0)

    def _note(self, **facts: object) -> None:
        self._status = replace(self._status, **facts)  # type: ignore[arg-type]
        self._book.note(self._status)


def _was_lost(report: SyncReport) -> bool:
    """Whether the peer was there, and was gone before all had come."""
    return any(isinstance(one.error, PeerUnreachable) for one in (*report.failed, *report.deferred))
