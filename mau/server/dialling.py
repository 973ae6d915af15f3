"""Dialling back: whether the one who asks is reached at the address that he asks from (spec/finding.md).

Nobody can send us anywhere else: the host is always the one that the connection came from. How often is
bounded by who asks, by where from, and in all.
"""

from __future__ import annotations

import asyncio
from typing import Final

from mau.errors import IdentityError, PeerError
from mau.fingerprint import Fingerprint
from mau.hostport import Address, scope_of
from mau.server.limits import Buckets, Rate, network_of
from mau.wire.client import PeerClient, Timeouts
from mau.wire.identity import Identity

_PATIENCE: Final = Timeouts(connect=5.0, answer=5.0, stall=5.0, busy=0.0)
_AT_ONCE: Final = 16
_OF_ONE: Final = Rate(1 / 30, 4)
_OF_NETWORK: Final = Rate(1 / 10, 10)
_OF_ALL: Final = Rate(2, 60)


class TooOften(Exception):
    """Not now; ``seconds`` until it may be asked again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds:.0f} s")
        self.seconds = seconds


class Dialler:
    """Dials those who ask."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._who = Buckets(_OF_ONE)
        self._where = Buckets(_OF_NETWORK)
        self._all = Buckets(_OF_ALL)
        self._busy = 0

    async def dial(self, who: Fingerprint, address: Address, *, ping: bool) -> bool:
        """Whether ``who`` answers there, and with ``ping`` takes part in finding peers. TooOften.

        The host of ``address`` must be where the connection of ``who`` comes from.
        """
        if scope_of(address[0]) in ("name", "nowhere"):
            return False
        now = asyncio.get_running_loop().time()
        pays = ((self._who, who), (self._where, _whose(address[0])), (self._all, None))
        wait = max(buckets.wait(key, now) for buckets, key in pays)
        if wait or self._busy >= _AT_ONCE:
            raise TooOften(max(wait, 1.0))
        for buckets, key in pays:
            buckets.take(key, now)
        self._busy += 1
        try:
            async with PeerClient(self._identity, who, *address, timeouts=_PATIENCE, connections=1) as client:
                if ping:
                    await client.ping()
                else:
                    await client.connect()
        except (PeerError, IdentityError):
            return False
        finally:
            self._busy -= 1
        return True


def _whose(host: str) -> str:
    """What counts as one address: on the internet that of a household, in a network of one's own each."""
    return network_of(host) if scope_of(host) == "global" else host
