"""A local network: what it is called, whose addresses belong to it, and whether we may speak there. Pure.

The rules stand in spec/finding.md, N20-N26.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

IP = ipaddress.IPv4Address | ipaddress.IPv6Address
IPInterface = ipaddress.IPv4Interface | ipaddress.IPv6Interface

Mode = Literal["off", "trusted", "everywhere"]
"""The setting discovery.mdns."""

MAX_ANNOUNCED: Final = 8
"""Addresses of this machine that are announced in one network."""
_LINK_LOCAL_6: Final = ipaddress.IPv6Network("fe80::/10")


@dataclass(frozen=True, slots=True)
class Network:
    """One network that this machine is in, by one of its interfaces.

    ``addresses``: those of this machine there, with the length of the prefix. ``router``: the hardware
    address of the default router, "" where there is none, None where there is one that is not known (yet).
    """

    interface: str
    index: int
    addresses: tuple[IPInterface, ...]
    router: str | None = ""

    @property
    def name(self) -> str | None:
        """``192.168.1.0/24@aa:bb:cc:dd:ee:ff``, or without the router's part where there is none (N21).

        None: it cannot be told from others of the same addresses.
        """
        if self.router is None or not self.addresses:
            return None
        subnet = min(self.addresses, key=_rank).network
        return f"{subnet}@{self.router}" if self.router else str(subnet)

    @property
    def hosts(self) -> tuple[IP, ...]:
        """The addresses under which others of this network reach this machine, at most MAX_ANNOUNCED."""
        return tuple(address.ip for address in sorted(self.addresses, key=_rank)[:MAX_ANNOUNCED])

    def holds(self, address: IP) -> bool:
        """Whether an address can be that of somebody in this very network (N24).

        Not if a packet for it would leave by a router, go to many, or to nobody.
        """
        if address.is_multicast or address.is_unspecified or address.is_loopback:
            return False
        if address.version == 6 and address in _LINK_LOCAL_6:
            return any(own.version == 6 for own in self.addresses)
        for own in self.addresses:
            subnet = own.network
            if own.version != address.version or address not in subnet:
                continue
            ends = (subnet.network_address, subnet.broadcast_address)
            if address.version == 6 or subnet.prefixlen >= 31 or address not in ends:
                return True
        return False

    def host(self, address: IP) -> str:
        """The text by which that address is connected to: with the interface where it holds only there."""
        if address.version == 6 and address in _LINK_LOCAL_6:
            return f"{ipaddress.IPv6Address(int(address))}%{self.interface}"
        return str(address)


def _rank(address: IPInterface) -> tuple[int, int]:
    """IPv4 first, then IPv6 that others than this link know too, then link-local."""
    if address.version == 4:
        return (1 if address.ip.is_link_local else 0), int(address.ip)
    return (3 if address.ip.is_link_local else 2), int(address.ip)


@dataclass(frozen=True, slots=True)
class Networks:
    """Where we may announce and browse: the settings discovery.mdns and discovery.networks."""

    mode: Mode = "off"
    trusted: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, mode: Mode, trusted: Iterable[str] = ()) -> Networks:
        """From the words of the settings; names of networks in any case."""
        return cls(mode, frozenset(name.strip().lower() for name in trusted))

    def allow(self, network: Network) -> bool:
        """Whether we may show ourselves in that network (N20)."""
        if self.mode == "everywhere":
            return True
        return self.mode == "trusted" and network.name is not None and network.name in self.trusted

    def nearly(self, network: Network) -> bool:
        """Whether only the router is missing to tell that it is a trusted one (N21)."""
        if self.mode != "trusted" or network.router is not None:
            return False
        subnets = {str(address.network) for address in network.addresses}
        return any(name.partition("@")[0] in subnets for name in self.trusted)
