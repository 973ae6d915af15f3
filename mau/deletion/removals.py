"""Own posts that are removed by hand become deletes, where the owner wants that (spec/messages.md M86).

A disk that is not there, or a careless `rsync --delete`, must not erase a life: nothing is told while the
tree is not whole, nor of more than a few at once, nor of what only has another name now.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from mau.account import Account
from mau.catalogue import open_index
from mau.deletion.held import HeldDeletes
from mau.deletion.publishing import contents_of, publish_deletes
from mau.errors import MauError, NoSuchPost
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring
from mau.tree.index import Index

FEW: Final = 10
"""More own posts than these that are removed within a MINUTE wait for a word of their owner."""
MINUTE: Final = 60.0
GRACE: Final = 2.0
"""Seconds until a file that went is believed to be gone: editors remove and rename."""
_log = logging.getLogger("mau.deletion")


@dataclass(slots=True)
class Removals:
    """Which files that went are to be told of. Pure: times are seconds of one clock."""

    gone: dict[str, float] = field(default_factory=dict)
    """Since when a name is gone, until that was dealt with."""
    lately: list[float] = field(default_factory=list)
    many: bool = False
    """Too many went at once: of these nothing is told until the owner says a word."""

    def went(self, name: str, now: float) -> None:
        """A file is not there any more."""
        self._end_of_many(now)
        if name not in self.gone:
            self.gone[name] = now
            self.lately = [time for time in self.lately if now - time < MINUTE] + [now]
            self.many = self.many or len(self.lately) > FEW

    def came(self, name: str) -> None:
        """It is there, or there again."""
        self.gone.pop(name, None)

    def due(self, now: float) -> list[str]:
        """Names to be told of now; they are dealt with. Nothing while there are, or were, too many."""
        self._end_of_many(now)
        if self.many:
            return []
        names = [name for name, since in self.gone.items() if now - since >= GRACE]
        for name in names:
            del self.gone[name]
        return names

    def _end_of_many(self, now: float) -> None:
        """A minute went by without another one: those wait for a word, what goes from now on does not."""
        if self.many and now - self.lately[-1] >= MINUTE:
            self.gone.clear()
            self.lately.clear()
            self.many = False


class RemovalsWorker:
    """Watches the own directory. `run` is its life."""

    name = "removals"

    def __init__(
        self, account: Account, keyring: Keyring, told: Callable[[str], None] = lambda _words: None
    ) -> None:
        """``told`` gets in words what was done."""
        self._account = account
        self._keyring = keyring
        self._told = told
        self._deletes: set[str] = set()  # names of DeleteActions: to withdraw one is to tell of nothing
        self.ready = asyncio.Event()
        """What is removed from now on is noticed."""

    async def run(self, stop: asyncio.Event) -> None:
        """Tell of what is removed until ``stop``."""
        loop = asyncio.get_running_loop()
        changed = asyncio.Event()
        me = self._account.fingerprint

        def tell(author: Fingerprint, _hidden: bool, _name: str | None) -> None:
            if author == me:
                with contextlib.suppress(RuntimeError):  # the loop has ended
                    loop.call_soon_threadsafe(changed.set)

        with open_index(self._account.root) as index, HeldDeletes(self._account, self._keyring) as held:
            await asyncio.to_thread(index.refresh, me)
            await asyncio.to_thread(held.of, me)
            known = await asyncio.to_thread(self._sums, index)
            removals = Removals()
            with index.subscribe(tell):
                watch = await asyncio.to_thread(index.watch().__enter__)
                self.ready.set()
                try:
                    while not stop.is_set():
                        changed.clear()
                        known = await asyncio.to_thread(self._look, index, held, known, removals)
                        await _first(
                            stop, changed, GRACE / 2 if removals.gone and not removals.many else None
                        )
                finally:
                    await asyncio.to_thread(watch.__exit__, None, None, None)

    def _sums(self, index: Index) -> dict[str, str]:
        return {
            entry.name: entry.sha256 for entry in index.entries(self._account.fingerprint) if not entry.hidden
        }

    def _look(
        self, index: Index, held: HeldDeletes, known: Mapping[str, str], removals: Removals
    ) -> dict[str, str]:
        """Compare what is there with what was; tell of what is gone for good."""
        now = time.monotonic()
        present = self._sums(index)
        if not self._is_whole():
            return dict(known)
        self._deletes |= {one.name for one in held.noted_all(self._account.fingerprint)}
        before = removals.many
        for name in known.keys() - present.keys() - removals.gone.keys():
            if self._is_there(name):  # the index is behind, or begun anew
                present[name] = known[name]
            elif self._by_hand(held, name, known[name]):
                removals.went(name, now)
        for name in present:
            removals.came(name)
        if removals.many and not before:
            words = f"{len(removals.gone)} posts were removed at once: nobody is told; `mau delete` tells"
            self._told(words)
            _log.warning(words)
        moved = set(present.values())
        for name in removals.due(now):
            if known.get(name) not in moved:  # else it only has another name
                self._tell(name)
        return present | {name: known[name] for name in removals.gone if name in known}

    def _is_there(self, name: str) -> bool:
        try:
            return self._account.posts().entry(name) is not None
        except (MauError, OSError):  # whatever has its name now, nobody is told that it is gone
            return True

    def _by_hand(self, held: HeldDeletes, name: str, sha256: str) -> bool:
        """Whether nobody but the owner's hand removed it. What we take away ourselves is a version then, or
        named by a DeleteAction: who was to be told was told, and by `mau delete --local` nobody is."""
        if name in self._deletes:
            return False
        if any(version.sha256 == sha256 for version in self._account.posts().versions(name)):
            return False
        return not held.noted(self._account.fingerprint, name, look=False).is_deleted(name, sha256)

    def _is_whole(self) -> bool:
        root = self._account.root
        return root.mau.is_dir() and root.author_dir(self._account.fingerprint).is_dir()

    def _tell(self, name: str) -> None:
        if self._is_there(name):
            return
        try:
            self._keyring.refresh()
            contents = contents_of(self._account, self._keyring, name)
            published, _ = publish_deletes(self._account, self._keyring, name, contents)
        except NoSuchPost:
            self._told(f"{name} was removed; nothing is known of it any more, so nobody can be told")
        except (MauError, OSError) as error:
            _log.warning("%s was removed, and that cannot be told: %s", ascii(name), error)
        else:
            if published:
                self._told(f"{name} was removed; that is told to those who could read it")


async def _first(stop: asyncio.Event, changed: asyncio.Event, seconds: float | None) -> None:
    """Wait for either, at most so long."""
    waiting = [asyncio.create_task(event.wait()) for event in (stop, changed)]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
