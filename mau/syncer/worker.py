"""`mau sync --watch`: follows everybody whose directory is there, for as long as it is there.

`mkdir FPR` begins it, `mv FPR .FPR` and `rm` end it, at once (spec/sync.md S38-S45). Each person has a task
of his own, so one who does not answer keeps nobody waiting; of rounds that move files, only some go on at a
time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from mau.account import Account
from mau.awaiting import first_of
from mau.errors import MauError
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring
from mau.marks.blocks import BlockList
from mau.syncer.follower import Follower
from mau.syncer.once import Syncer
from mau.syncer.policy import Policy
from mau.syncer.report import SyncReport
from mau.syncer.rhythm import has_slept
from mau.syncer.status import StatusBook
from mau.wire.client import Timeouts

AT_ONCE: Final = 8
"""Rounds that go on at the same time."""
_LOOK_EVERY: Final = 0.5
"""Seconds between two looks at the root: one question to the file system."""
_AGAIN: Final = 30.0
_log = logging.getLogger("mau.syncer")


def _untold(_report: SyncReport) -> None:
    """Where nobody wants to know what came of a round."""


class Worker:
    """Keeps following. One for each tree; `run` is its life."""

    name = "syncer"

    def __init__(
        self,
        account: Account,
        keyring: Keyring,
        *,
        timeouts: Timeouts | None = None,
        told: Callable[[SyncReport], None] = _untold,
        at_once: int = AT_ONCE,
        policy: Policy | None = None,
        relayed: bool = True,
    ) -> None:
        """``told`` is called in the event loop with what came of each round; ``policy`` as of `Syncer`.

        ``relayed``: whether friends are asked for the posts of whoever is away.
        """
        self._account = account
        self._keyring = keyring
        self._timeouts = timeouts
        self._told = told
        self._at_once = at_once
        self._policy = policy
        self._relayed = relayed
        self._following: dict[Fingerprint, tuple[Follower, asyncio.Task[None]]] = {}
        self._blocks = BlockList(account)

    @property
    def following(self) -> frozenset[Fingerprint]:
        """Whom it follows just now."""
        return frozenset(self._following)

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until ``stop``; what is on its way then is finished or left as it was."""
        syncer = Syncer(self._account, self._keyring, timeouts=self._timeouts, policy=self._policy)
        book = StatusBook(self._account.root)
        turns = asyncio.Semaphore(self._at_once)
        seen: object = None
        told_of = syncer.book.stamp()

        def make(author: Fingerprint) -> Follower:
            return Follower(syncer, author, book, turns, self._told, relayed=self._relayed)

        wall, steady = time.time(), time.monotonic()
        try:
            async with asyncio.TaskGroup() as group:
                try:
                    while not stop.is_set():
                        now, tick = time.time(), time.monotonic()
                        if has_slept(now - wall, tick - steady):
                            self.poke()
                        wall, steady = now, tick
                        stamp = syncer.book.stamp()
                        if stamp != told_of:
                            told_of = stamp
                            for follower, _ in self._following.values():
                                follower.look_up()
                        found = self._look()
                        if found != seen:
                            seen = found
                            self._follow(group, make, book)
                        await first_of(_LOOK_EVERY, stop)
                finally:
                    for _, task in self._following.values():
                        task.cancel()
        finally:
            self._following.clear()
            book.stop()
            book.close()
            syncer.close()

    def _look(self) -> object:
        """Another value when directories came, went or were renamed, or somebody else is blocked."""
        self._blocks.refresh()
        try:
            found = self._account.root.path.stat()
        except OSError:
            return None
        # The clock of the file system has ticks: what changed just now is looked at once more.
        fresh = abs(time.time() - found.st_mtime) < 1.0
        again = time.monotonic() if fresh else 0.0
        return (found.st_ino, found.st_mtime_ns, self._blocks.people, again)

    def _follow(
        self, group: asyncio.TaskGroup, make: Callable[[Fingerprint], Follower], book: StatusBook
    ) -> None:
        """Begin with who is new, and end with who is no longer followed."""
        followed = frozenset(self._account.root.follows(self._account.fingerprint))
        wanted = followed - self._blocks.people
        for author in self.following - wanted:
            _, task = self._following.pop(author)
            task.cancel()
            book.forget(author)
        for author in sorted(wanted - self.following):
            follower = make(author)
            task = group.create_task(self._keep(follower, author), name=f"mau-follow-{author.hex[:8]}")
            self._following[author] = (follower, task)

    async def _keep(self, follower: Follower, author: Fingerprint) -> None:
        """Whatever goes wrong with one person is his own; it is told, and tried again."""
        while True:
            try:
                await follower.run()
            except (MauError, OSError) as error:
                _log.warning("following %s: %s", author.hex, error)
            except Exception:
                _log.exception("following %s failed", author.hex)
            await asyncio.sleep(_AGAIN)

    def poke(self) -> None:
        """Ask everybody at once: the network may be another one."""
        for follower, _ in self._following.values():
            follower.poke()
