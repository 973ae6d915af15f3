"""Settings of connections that are passed on, for others and by others. Pure."""

from __future__ import annotations

from typing import Any, Final, Literal

from mau.config.keys.key import Key
from mau.config.kinds import Choice, Size, Whole
from mau.config.lists import Fingerprints, Via, ViaWhom
from mau.fingerprint import Fingerprint

CircuitRelay = Literal["off", "friends", "listed"]

CIRCUIT_RELAY: Final[Key[CircuitRelay]] = Key(
    "circuit.relay",
    Choice[CircuitRelay]("off", "friends", "listed"),
    "off",
    "for whom connections are passed on that no router lets in: nobody, your friends, or circuit.members",
    "",
)
CIRCUIT_MEMBERS: Final[Key[tuple[Fingerprint, ...] | None]] = Key(
    "circuit.members",
    Fingerprints(),
    None,
    "for whom connections are passed on when circuit.relay is listed",
    "",
    "nobody",
)
CIRCUIT_BYTES: Final[Key[int]] = Key(
    "circuit.bytes",
    Size(),
    1 << 30,
    "the most that is passed on for one person in a day; 0 is no limit",
    "",
)
CIRCUIT_MINUTES: Final[Key[int]] = Key(
    "circuit.minutes",
    Whole(1, 1_440, off=True),
    60,
    "minutes that one connection is passed on at most; 0 is no limit",
    "",
)
CIRCUIT_AT_ONCE: Final[Key[int]] = Key(
    "circuit.at_once",
    Whole(1, 1_000),
    8,
    "connections that are passed on for one person at once",
    "",
)
CIRCUIT_VIA: Final[Key[Via]] = Key(
    "circuit.via",
    ViaWhom(),
    "auto",
    "who passes connections on to you: friends who offer it when nobody reaches you, nobody, or these",
    "",
)

KEYS: Final[tuple[Key[Any], ...]] = (
    CIRCUIT_RELAY,
    CIRCUIT_MEMBERS,
    CIRCUIT_BYTES,
    CIRCUIT_MINUTES,
    CIRCUIT_AT_ONCE,
    CIRCUIT_VIA,
)
