"""Where somebody is worth trying now: at addresses, and through circuit relays (spec/finding.md N5, N8)."""

from __future__ import annotations

import sqlite3
from typing import Final

from mau.addressbook import lines, places, routes
from mau.addressbook.known import best_first, waits
from mau.fingerprint import Fingerprint
from mau.hostport import Address, circuit

MAX_THROUGH_RELAYS: Final = 4
_PER_RELAY: Final = 2


def direct(connection: sqlite3.Connection, fingerprint: Fingerprint, now: float) -> list[Address]:
    """Addresses of that person, the best first, without the hints that wait."""
    return [
        (one.host, one.port)
        for one in best_first(lines.of(connection, fingerprint), now)
        if not one.fleeting
        or not (
            waits(one.failures, one.last_failed, now)
            or places.waiting(connection, one.host, one.port, fingerprint, now)
        )
    ]


def through_relays(connection: sqlite3.Connection, fingerprint: Fingerprint, now: float) -> list[Address]:
    """Ways to that person through relays that do not wait, each at its own best addresses."""
    found = [
        circuit(relay, address)
        for relay in routes.worth_trying(connection, fingerprint, now)
        for address in direct(connection, relay, now)[:_PER_RELAY]
    ]
    return found[:MAX_THROUGH_RELAYS]
