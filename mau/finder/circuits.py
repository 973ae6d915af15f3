"""Being reached through circuit relays: registering there, and answering calls (spec/circuit.md R14, R17)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from typing import Final

from mau.addressbook import AddressBook
from mau.awaiting import first_of
from mau.circuit.place import CircuitEnd
from mau.errors import IdentityError, NotOffered, PeerError
from mau.fingerprint import Fingerprint
from mau.hostport import Address, circuit_of
from mau.wire.circuit import Relayed, carry
from mau.wire.identity import Identity

WANTED: Final = 2
"""At how many relays somebody registers: one of them may go away."""
_PATIENCE: Final = 10.0
_LOOK_EVERY: Final = 15.0
_REFUSED_FOR: Final = 3600.0
"""Seconds until somebody who passes nothing on is asked again."""
_FAILED_FOR: Final = 60.0
_LOST_FOR: Final = 5.0
"""... who kept us registered for longer than that: it was begun anew, or the way to it was."""
_MOST_CIRCUITS: Final = 64
"""Of one relay: what a hostile one opens leaves room for those of the others."""
_PACE: Final = 0.05
"""Seconds between two calls of one relay that are answered."""
_log = logging.getLogger("mau.finder.circuits")


class Registrar:
    """Keeps us registered at some relays, for as long as that is wanted."""

    def __init__(
        self,
        identity: Identity,
        book: AddressBook,
        end: CircuitEnd,
        candidates: Callable[[], Iterable[Fingerprint]],
        *,
        cares: Callable[[Fingerprint], bool] = lambda _: False,
        changed: Callable[[], None] = lambda: None,
        wanted: int = WANTED,
    ) -> None:
        """``candidates``: whom to ask now, in that order; nobody when we are reached without.

        ``cares``: of whom a relay's word is noted that he called through it.
        ``changed`` is called after somebody began or ended to keep us registered.
        """
        self._identity = identity
        self._book = book
        self._end = end
        self._candidates = candidates
        self._cares = cares
        self._changed = changed
        self._wanted = wanted
        self._registered: dict[Fingerprint, float] = {}  # and since when
        self._trying: dict[Fingerprint, asyncio.Task[None]] = {}
        self._not_before: dict[Fingerprint, float] = {}
        self._answering: dict[asyncio.Task[None], Fingerprint] = {}
        self._look = asyncio.Event()

    @property
    def relays(self) -> tuple[Fingerprint, ...]:
        """Where we are registered."""
        return tuple(self._registered)

    def poke(self) -> None:
        """Look at once who is wanted: addresses or our own reachability changed."""
        self._look.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``; every circuit ends then."""
        try:
            while not stop.is_set():
                self._look.clear()
                self._keep()
                await first_of(_LOOK_EVERY, stop, self._look)
        finally:
            tasks = [*self._trying.values(), *self._answering]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._registered.clear()

    def _keep(self) -> None:
        """Begin at who is wanted and missing; end where nobody is wanted any more."""
        now = asyncio.get_running_loop().time()
        wanted = list(dict.fromkeys(self._candidates()))
        for relay in set(self._trying) - set(wanted):
            self._trying[relay].cancel()
        for relay in wanted:
            if len(self._trying) >= self._wanted:
                return
            if relay not in self._trying and self._not_before.get(relay, now) <= now:
                task = asyncio.create_task(self._stay(relay), name=f"mau-circuit-{relay.hex[:8]}")
                self._trying[relay] = task
                task.add_done_callback(lambda _, relay=relay: self._left(relay))  # type: ignore[misc]

    def _left(self, relay: Fingerprint) -> None:
        task = self._trying.pop(relay, None)
        if self._registered.pop(relay, None) is not None:
            self._changed()
        if task is not None and not task.cancelled():
            if (error := task.exception()) is not None:
                _log.warning("the circuit relay %s: %s", relay.hex[:8], error)
                self._later(relay, _FAILED_FOR)
            self._look.set()

    def _later(self, relay: Fingerprint, seconds: float) -> None:
        self._not_before[relay] = asyncio.get_running_loop().time() + seconds

    async def _stay(self, relay: Fingerprint) -> None:
        """Register at the first address where that works, and stay until it ends."""
        refused = False
        for address in self._book.addresses(relay):
            if circuit_of(address[0]) is not None:
                continue  # through one relay to the next: nobody's bytes go that way
            try:
                await self._stay_at(relay, address)
            except NotOffered:
                refused = True
                break
            except (PeerError, IdentityError) as error:
                _log.debug("the circuit relay %s: %s", relay.hex[:8], error)
                if relay not in self._registered:
                    self._book.failed(relay, *address, there=error.there)
                    continue
            break
        now = asyncio.get_running_loop().time()
        kept = now - self._registered.get(relay, now) > _FAILED_FOR
        self._later(relay, _REFUSED_FOR if refused else _LOST_FOR if kept else _FAILED_FOR)

    async def _stay_at(self, relay: Fingerprint, address: Address) -> None:
        async with (
            Relayed(self._identity, relay, address, patience=_PATIENCE) as relayed,
            relayed.registered() as calls,
        ):
            self._book.proven(relay, *address)
            self._registered[relay] = asyncio.get_running_loop().time()
            self._changed()
            async for call in calls:
                if self._cares(call.caller):  # who calls through a relay is likely to be behind it, too
                    self._book.told_route(call.caller, relay, source="asked")
                if sum(of == relay for of in self._answering.values()) < _MOST_CIRCUITS:
                    task = asyncio.create_task(self._answer(relay, address, call.token))
                    self._answering[task] = relay
                    task.add_done_callback(self._answering.pop)
                await asyncio.sleep(_PACE)

    async def _answer(self, relay: Fingerprint, address: Address, token: str) -> None:
        """One call: what comes out of it goes to our own server, and back."""
        # A session of its own: the circuit may outlast the registration.
        with contextlib.suppress(PeerError, IdentityError, OSError):
            async with Relayed(self._identity, relay, address, patience=_PATIENCE) as relayed:
                end = self._end.connect()
                try:
                    circuit = await relayed.answer(token)
                except BaseException:
                    end.close()
                    raise
                await carry(circuit, end)
