"""Settings of where one is reached, and of where others are. Pure."""

from __future__ import annotations

from typing import Any, Final

from mau.config.keys.key import Key
from mau.config.kinds import Switch
from mau.config.lists import Addresses
from mau.hostport import Address

REACH_ROUTER: Final[Key[bool]] = Key(
    "reach.router",
    Switch(),
    False,
    "whether the router is asked to let friends in from the internet (UPnP, PCP, NAT-PMP)",
    "",
)
REACH_ADDRESSES: Final[Key[tuple[Address, ...] | None]] = Key(
    "reach.addresses",
    Addresses(),
    None,
    "where you know that you can be reached; friends are told these as they are",
    "",
    "what is found out",
)
PEER_AT: Final[Key[tuple[Address, ...] | None]] = Key(
    "peer.FPR",
    Addresses(),
    None,
    "where to find the person whose fingerprint is FPR; mau peer add writes it",
    "",
    "what is found out",
)

KEYS: Final[tuple[Key[Any], ...]] = (REACH_ROUTER, REACH_ADDRESSES, PEER_AT)
