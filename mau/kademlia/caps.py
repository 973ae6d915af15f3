"""How much of a table or a lookup the addresses of one network may take (spec/kademlia.md D8, D9).

Fingerprints cost nothing: whoever wants to surround a person makes some thousands of keys. Networks cost
something, so they are what is counted: /24 and /16 of IPv4, /48 and /32 of IPv6.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal

from mau.hostport import prefixes, scope_of


@dataclass(frozen=True, slots=True)
class Caps:
    """How many entries of one network there may be, and of which hosts the networks are counted."""

    narrow_in_bucket: int = 2
    wide_in_bucket: int = 4
    narrow_in_table: int = 8
    wide_in_table: int = 20
    narrow_in_lookup: int = 6
    wide_in_lookup: int = 16
    counted: Literal["all", "public", "none"] = "all"
    """"public": hosts on this machine and in private networks are not, for tests and closed networks."""

    def counts(self, host: str) -> bool:
        """Whether this host's networks are counted."""
        return self.counted == "all" or (self.counted == "public" and scope_of(host) in ("global", "name"))


UNCAPPED: Final = Caps(counted="none")
"""For simulations and tests."""


class Crowd:
    """How many of each network there are, and whether one more may come."""

    __slots__ = ("_count", "caps", "narrow", "wide")

    def __init__(self, caps: Caps, narrow: int, wide: int) -> None:
        self.caps, self.narrow, self.wide = caps, narrow, wide
        self._count: Counter[str] = Counter()

    def room(self, host: str) -> bool:
        """Whether one more of that host's networks may come."""
        if not self.caps.counts(host):
            return True
        narrow, wide = prefixes(host)
        return self._count[narrow] < self.narrow and self._count[wide] < self.wide

    def add(self, host: str) -> None:
        """One more is there."""
        if self.caps.counts(host):
            self._count.update(prefixes(host))

    def drop(self, host: str) -> None:
        """One is there no longer."""
        for prefix in prefixes(host) if self.caps.counts(host) else ():
            self._count[prefix] -= 1
            if self._count[prefix] <= 0:
                del self._count[prefix]
