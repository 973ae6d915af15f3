"""Who is in the local network now: each address that is heard is tried, and a handshake says who is there.

It asks once and announces nothing. Those who are tried learn nothing about us: we prove nothing to them
(spec/finding.md N35-N37).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Final

from mau.errors import IdentityError, PeerError
from mau.finder.mdns.mdns import Mdns
from mau.finder.mdns.network import Networks
from mau.fingerprint import Fingerprint
from mau.hostport import Address
from mau.wire.client import PeerClient, Timeouts

AT_ONCE: Final = 8
MOST: Final = 256
"""Handshakes in all."""
MOST_THERE: Final = 3
"""Handshakes with one address, whoever is said to be there."""
_PATIENCE: Final = Timeouts(connect=3.0, answer=3.0, stall=3.0, busy=0.0)


@dataclass(frozen=True, slots=True)
class Nearby:
    """Somebody who is said to be there. ``problem``: why that is not proven, in words; "" when it is."""

    fingerprint: Fingerprint
    address: Address
    problem: str = ""

    @property
    def proven(self) -> bool:
        """Whether a handshake proved it."""
        return not self.problem


async def nearby(
    own: Fingerprint,
    seconds: float,
    *,
    networks: Networks,
    wanted: Callable[[Fingerprint], bool] = lambda _: False,
) -> AsyncGenerator[Nearby, None]:
    """Everybody who is heard of in ``seconds``, as their addresses are proven or not.

    Of a person who was proven, no other address is tried. ``own`` is not looked for; ``wanted`` as of `Mdns`.
    """
    found: asyncio.Queue[Nearby | None] = asyncio.Queue()
    looking = asyncio.create_task(_look(own, seconds, networks, wanted, found))
    try:
        while (one := await found.get()) is not None:
            yield one
        await looking  # what went wrong there
    finally:
        looking.cancel()
        await asyncio.wait({looking})


async def _look(
    own: Fingerprint,
    seconds: float,
    networks: Networks,
    wanted: Callable[[Fingerprint], bool],
    found: asyncio.Queue[Nearby | None],
) -> None:
    turns = asyncio.Semaphore(AT_ONCE)
    proven: set[Fingerprint] = set()
    tried: Counter[Address] = Counter()

    async def prove(fingerprint: Fingerprint, address: Address) -> None:
        async with turns:
            if fingerprint in proven:
                return
            problem = await _problem(fingerprint, address)
        if not problem:
            proven.add(fingerprint)
        found.put_nowait(Nearby(fingerprint, address, problem))

    try:
        async with asyncio.TaskGroup() as group:

            def heard(fingerprint: Fingerprint, address: Address, present: bool) -> None:
                if not present or tried.total() >= MOST or tried[address] >= MOST_THERE:
                    return
                tried[address] += 1
                group.create_task(prove(fingerprint, address))

            async with Mdns(own, None, networks=networks, heard=heard, wanted=wanted) as mdns:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await mdns.wait()
    finally:
        found.put_nowait(None)


async def _problem(fingerprint: Fingerprint, address: Address) -> str:
    """Why nobody proved there to be that person; "" when it is so."""
    try:
        async with PeerClient(None, fingerprint, *address, timeouts=_PATIENCE, connections=1) as peer:
            await peer.connect()
    except IdentityError:
        return "somebody else is there"
    except PeerError as error:
        return str(error)
    return ""
