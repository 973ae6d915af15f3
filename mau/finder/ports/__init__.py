"""Asks the router for a port (spec/finding.md N40-N49): PCP, NAT-PMP, UPnP.

    keeper = PortKeeper(8880, on_change=told)
    await keeper.run(stop)      # a task; removes at the end what it mapped
    keeper.mappings             # where others may come in; nothing of it is proven
    explain(keeper.state)       # in words

The packets (`natpmp`, `pcp`, `ssdp`), the kernel's tables (`routes`) and the pace are pure; `asking`, `upnp`,
`surroundings` and `keeper` do what they say.
"""

from mau.finder.ports.keeper import PortKeeper
from mau.finder.ports.mapping import FOREVER, Failure, Gateway, Mapping, Method, PortState, Trial
from mau.finder.ports.pace import Pace
from mau.finder.ports.surroundings import Surroundings
from mau.finder.ports.words import explain

__all__ = [
    "FOREVER",
    "Failure",
    "Gateway",
    "Mapping",
    "Method",
    "Pace",
    "PortKeeper",
    "PortState",
    "Surroundings",
    "Trial",
    "explain",
]
