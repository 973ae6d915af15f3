"""How much of a table or a lookup the addresses of one network may take (spec/kademlia.md D8, D9).

Fingerprints cost nothing: whoever wants to surround a person makes some thousands of keys. Networks cost
something, so they are what is counted: /24 and /16 of IPv4, /48 and /32 of IPv6.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from mau.hostport import scope_of

Prefixes = tuple[str, str]
"""The narrow and the wide network of a host, as keys."""


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


@lru_cache(1 << 15)
def prefixes(host: str) -> Prefixes:
    """The networks of a host. Of a name: its last two labels, and all names together."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return f"name {'.'.join(host.rstrip('.').split('.')[-2:])}", "names"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    bits = address.packed
    if isinstance(address, ipaddress.IPv4Address):
        return f"{bits[:3].hex()}/24", f"{bits[:2].hex()}/16"
    return f"{bits[:6].hex()}/48", f"{bits[:4].hex()}/32"


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
