"""Places where somebody was looked for in vain, whoever it was (spec/finding.md N6).

Hints cost nothing: a stranger can say of a thousand people that they are at one address, so that everybody
connects there. So failures are counted for the place too, and hints for it wait: but for those of whom was
met there instead, or liars could hide somebody by saying of others that they are where he is.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from mau.addressbook.known import waits
from mau.errors import AddressMalformed
from mau.fingerprint import Fingerprint
from mau.hostport import Address, format_address, parse_address

MAX_PLACES: Final = 5_000


def normal(host: str, port: int) -> Address:
    """An address as `parse_address` writes it, where it is one."""
    try:
        return parse_address(format_address((host, port)))
    except AddressMalformed:
        return host, port


def waiting(
    connection: sqlite3.Connection, host: str, port: int, whom: Fingerprint | None, now: float
) -> bool:
    """Whether it is too early to follow another hint that ``whom`` is at that place."""
    found = connection.execute(
        "SELECT failures, last_failed, there FROM place WHERE host = ? AND port = ?", (host, port)
    ).fetchone()
    if found is None:
        return False
    failures, last_failed, there = found
    return (whom is None or there != whom.raw) and waits(failures, last_failed, now)


def failed(connection: sqlite3.Connection, host: str, port: int, there: Fingerprint | None, now: int) -> None:
    """Count a failure; ``there``: who was met instead. Of too many places the oldest is forgotten."""
    connection.execute(
        "INSERT INTO place (host, port, failures, last_failed, there) VALUES (?, ?, 1, ?, ?)"
        " ON CONFLICT DO UPDATE SET failures = failures + 1, last_failed = excluded.last_failed,"
        " there = excluded.there",
        (host, port, now, None if there is None else there.raw),
    )
    if connection.execute("SELECT count(*) FROM place").fetchone()[0] > MAX_PLACES:
        connection.execute(
            "DELETE FROM place WHERE (host, port) IN"
            " (SELECT host, port FROM place ORDER BY last_failed, host, port LIMIT 1)"
        )


def proven(connection: sqlite3.Connection, host: str, port: int) -> None:
    """Somebody was where he was looked for."""
    connection.execute("DELETE FROM place WHERE host = ? AND port = ?", (host, port))
