"""What the user wants of the finder: a value made of settings. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mau.config import keys
from mau.config.lists import Beginning, Via
from mau.finder.mdns.network import Networks
from mau.hostport import Address

if TYPE_CHECKING:
    from mau.config.settings import Config


@dataclass(frozen=True, slots=True)
class Wants:
    """All of it; by default nothing is asked and nothing is told.

    ``announce``: the lookup network may know where we are; without it, it is asked by a stranger. ``stated``:
    where we are reached, as the user knows. ``via``: through whom we are called when nobody reaches us.
    """

    networks: Networks = field(default_factory=lambda: Networks.of("off", ()))
    kademlia: bool = False
    announce: bool = False
    bootstrap: tuple[Beginning, ...] = ()
    dns: bool = True
    router: bool = False
    stated: tuple[Address, ...] = ()
    via: Via = "off"

    @classmethod
    def of(cls, config: Config) -> Wants:
        """What the settings say."""
        get = config.get
        named, bootstrap = get(keys.DISCOVERY_NETWORKS), get(keys.DISCOVERY_BOOTSTRAP)
        stated = get(keys.REACH_ADDRESSES)
        return cls(
            Networks.of(get(keys.DISCOVERY_MDNS), named or ()),
            get(keys.DISCOVERY_KADEMLIA),
            get(keys.DISCOVERY_ANNOUNCE),
            bootstrap or (),
            get(keys.DISCOVERY_DNS),
            get(keys.REACH_ROUTER),
            stated or (),
            get(keys.CIRCUIT_VIA),
        )
