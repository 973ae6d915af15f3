"""Telling friends where we are: the contact post, kept true as long as we run (spec/finding.md N14-N16)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Final

from mau.account import Account
from mau.awaiting import first_of
from mau.contact.document import ContactFacts
from mau.contact.post import publish_contact, told_so_far
from mau.finder.reach import Reach
from mau.fingerprint import Fingerprint
from mau.hostport import Address
from mau.keyring import Keyring

Facts = Callable[[Iterable[Address], Iterable[Fingerprint]], ContactFacts]

_REGISTERING: Final = 120.0
"""Seconds that registering at circuit relays may take after a start."""
_SETTLED: Final = 2.0
"""Seconds in which more may change before friends are told."""
_FRIENDS_EVERY: Final = 10.0
"""Seconds between two looks whether somebody became a friend, or is none any more."""
_log = logging.getLogger("mau.finder")


class Teller:
    """Writes the contact post when what it tells changed, or who is told."""

    def __init__(
        self,
        account: Account,
        facts: Facts,
        reach: Reach,
        *,
        relays: Callable[[], Iterable[Fingerprint]],
        friends: Callable[[], frozenset[Fingerprint]],
    ) -> None:
        """``facts``: what there is to tell, given where we are reached and our circuit relays."""
        self._account = account
        self._facts = facts
        self._reach = reach
        self._relays = relays
        self._friends = friends
        self._settle = asyncio.Event()

    def changed(self) -> None:
        """Something may be otherwise than it was told."""
        self._settle.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``."""
        told: object = None
        earlier = await asyncio.to_thread(self._told_so_far)
        began = time.monotonic()
        while not stop.is_set():
            self._settle.clear()
            await first_of(_SETTLED, stop)
            # What was told before holds until somebody looked: a new start takes nothing back.
            places, relays = self._reach.public, tuple(self._relays())
            if not self._reach.known:
                places += earlier.addresses
            if not relays and time.monotonic() - began < _REGISTERING:
                relays = earlier.relays
            facts = self._facts(places, relays)
            now = (facts, self._friends())
            if now != told and not stop.is_set():
                await asyncio.to_thread(self._publish, facts)
                told, earlier = now, facts
            await first_of(_FRIENDS_EVERY, stop, self._settle)

    def _told_so_far(self) -> ContactFacts:
        return told_so_far(self._account, Keyring.load(self._account))

    def _publish(self, facts: ContactFacts) -> None:
        if publish_contact(self._account, Keyring.load(self._account), facts):
            _log.info("friends are told where you are reached")
