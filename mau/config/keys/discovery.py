"""Settings of how people are found, and what is told of oneself for that. Pure."""

from __future__ import annotations

from typing import Any, Final, Literal

from mau.config.keys.key import Key
from mau.config.kinds import Choice, Switch
from mau.config.lists import Beginning, Beginnings, Names

Mdns = Literal["off", "trusted", "everywhere"]
Contact = Literal["friends", "off"]

DISCOVERY_MDNS: Final[Key[Mdns]] = Key(
    "discovery.mdns",
    Choice[Mdns]("off", "trusted", "everywhere"),
    "off",
    "on which local networks people are looked for and told that you are there (mDNS)",
    "",
)
DISCOVERY_NETWORKS: Final[Key[tuple[str, ...] | None]] = Key(
    "discovery.networks",
    Names(),
    None,
    "the networks that discovery.mdns trusts",
    "",
    "none is trusted",
)
DISCOVERY_KADEMLIA: Final[Key[bool]] = Key(
    "discovery.kademlia",
    Switch(),
    False,
    "whether people are looked for in the lookup network, which tells strangers whom you look for",
    "",
)
DISCOVERY_ANNOUNCE: Final[Key[bool]] = Key(
    "discovery.announce",
    Switch(),
    False,
    "whether the lookup network is told your address, so that whoever knows your fingerprint finds you",
    "",
)
DISCOVERY_CONTACT: Final[Key[Contact]] = Key(
    "discovery.contact",
    Choice[Contact]("friends", "off"),
    "friends",
    "whether your friends get a post with the addresses at which you can be reached",
    "",
)
DISCOVERY_BOOTSTRAP: Final[Key[tuple[Beginning, ...] | None]] = Key(
    "discovery.bootstrap",
    Beginnings(),
    None,
    "through whom the lookup network is entered, besides friends",
    "",
    "through friends only",
)
DISCOVERY_DNS: Final[Key[bool]] = Key(
    "discovery.dns",
    Switch(),
    True,
    "whether the name of a domain may stand for a person, which is then asked of DNS",
    "",
)

KEYS: Final[tuple[Key[Any], ...]] = (
    DISCOVERY_MDNS,
    DISCOVERY_NETWORKS,
    DISCOVERY_KADEMLIA,
    DISCOVERY_ANNOUNCE,
    DISCOVERY_CONTACT,
    DISCOVERY_BOOTSTRAP,
    DISCOVERY_DNS,
)
