"""The kernel's tables of routes and addresses, as /proc/net shows them (proc(5)): read, not asked for. Pure.

A line that cannot be read is left out: the tables grow columns, and a missing gateway is an answer, too.
"""

from __future__ import annotations

import ipaddress
import sys
from dataclasses import dataclass
from typing import Final

_UP: Final = 0x1
_GATEWAY: Final = 0x2
# Flags of addresses, <linux/if_addr.h>.
_TEMPORARY: Final = 0x01
_DUPLICATE: Final = 0x08
_DEPRECATED: Final = 0x20
_TENTATIVE: Final = 0x40


@dataclass(frozen=True, slots=True)
class Route:
    """A way out: the gateway's address, and the interface that leads to it."""

    gateway: str
    interface: str
    metric: int = 0


@dataclass(frozen=True, slots=True)
class OwnAddress:
    """An address of this machine that does not change by the day, on an interface."""

    address: str
    interface: str


def default_route(table: str, *, byteorder: str = sys.byteorder) -> Route | None:
    """The default route of ``/proc/net/route`` with the lowest metric; numbers are in the machine's order."""
    found = []
    for line in table.splitlines()[1:]:
        fields = line.split()
        try:
            interface, destination, gateway = fields[0], int(fields[1], 16), bytes.fromhex(fields[2])
            flags, metric, mask = int(fields[3], 16), int(fields[6]), int(fields[7], 16)
            host = ipaddress.IPv4Address(gateway[::-1] if byteorder == "little" else gateway)
        except (ValueError, IndexError):
            continue
        if destination == 0 and mask == 0 and flags & _UP and flags & _GATEWAY and int(host):
            found.append(Route(str(host), interface, metric))
    return min(found, key=lambda route: route.metric, default=None)


def default_route_v6(table: str) -> Route | None:
    """The default route of ``/proc/net/ipv6_route`` with the lowest metric."""
    found = []
    for line in table.splitlines():
        fields = line.split()
        try:
            destination, length, source = int(fields[0], 16), int(fields[1], 16), int(fields[3], 16)
            host = ipaddress.IPv6Address(bytes.fromhex(fields[4]))
            metric, flags, interface = int(fields[5], 16), int(fields[8], 16), fields[9]
        except (ValueError, IndexError):
            continue
        if (
            destination == 0
            and length == 0
            and source == 0
            and flags & _UP
            and flags & _GATEWAY
            and int(host)
        ):
            found.append(Route(str(host), interface, metric))
    return min(found, key=lambda route: route.metric, default=None)


def global_addresses_v6(table: str) -> list[OwnAddress]:
    """The addresses of ``/proc/net/if_inet6`` that the internet may know, but for those of a day.

    Temporary addresses (RFC 8981) count only when there are no others: they are made to be forgotten.
    """
    lasting: list[OwnAddress] = []
    temporary: list[OwnAddress] = []
    for line in table.splitlines():
        fields = line.split()
        try:
            host = ipaddress.IPv6Address(bytes.fromhex(fields[0]))
            flags, interface = int(fields[4], 16), fields[5]
        except (ValueError, IndexError):
            continue
        if flags & (_DUPLICATE | _DEPRECATED | _TENTATIVE) or not is_public(str(host)):
            continue
        (temporary if flags & _TEMPORARY else lasting).append(OwnAddress(str(host), interface))
    return lasting or temporary


def is_public(host: str) -> bool:
    """Whether an address is one of the internet: not private, shared (RFC 6598), local or for a group."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_global and not address.is_multicast
