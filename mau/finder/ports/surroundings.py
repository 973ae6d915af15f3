"""Where this machine is: its gateways and its own addresses of the internet. Reads /proc; sends nothing."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mau.finder.ports.mapping import Gateway
from mau.finder.ports.routes import (
    OwnAddress,
    default_route,
    default_route_v6,
    global_addresses_v6,
    is_public,
)

_PROC_NET: Final = Path("/proc/net")
_SOMEWHERE: Final = "192.0.2.1"
"""For documentation (RFC 5737): the way there is the way out, and nothing is sent."""
_MOST: Final = 2
"""Own IPv6 addresses that are used: more would be other names of the same interface."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """``gateways``: one for IPv4 with a private address inside, one for each own IPv6 address in use."""

    gateways: tuple[Gateway, ...] = ()
    own: tuple[str, ...] = ()


def look(proc: Path = _PROC_NET) -> Surroundings:
    """Look at the tables of now. What cannot be read is not there."""
    gateways = []
    own = []
    outward = _address_towards(_SOMEWHERE)
    if outward is not None and is_public(outward):
        own.append(outward)
    elif route := default_route(_read(proc / "route")):
        internal = _address_towards(route.gateway)
        if internal is not None and not is_public(internal):
            gateways.append(Gateway(route.gateway, route.interface, internal))
    route = default_route_v6(_read(proc / "ipv6_route"))
    lasting = global_addresses_v6(_read(proc / "if_inet6"))
    for one in lasting[:_MOST]:
        own.append(one.address)
        if route is not None and _leads(route.interface, one):
            gateways.append(Gateway(route.gateway, route.interface, one.address))
    return Surroundings(tuple(gateways), tuple(own))


def _leads(interface: str, address: OwnAddress) -> bool:
    return address.interface == interface


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _address_towards(host: str) -> str | None:
    """This machine's IPv4 address when it sends to a host; None without a way there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])
