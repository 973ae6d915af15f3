"""Places where somebody was looked for in vain, whoever it was (spec/finding.md N6).

Hints cost nothing: a stranger can say of a thousand people that they are at one address, so that everybody
connects there. So failures are counted for the place too, and hints for it wait.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from mau.addressbook.known import waits

MAX_PLACES: Final = 5_000


def waiting(connection: sqlite3.Connection, host: str, port: int, now: float) -> bool:
    """Whether it is too early to follow another hint for that place."""
    found = connection.execute(
        "SELECT failures, last_failed FROM place WHERE host = ? AND port = ?", (host, port)
    ).fetchone()
    if found is None:
        return False
    failures, last_failed = found
    return waits(failures, last_failed, now)


def failed(connection: sqlite3.Connection, host: str, port: int, now: int) -> None:
    """Count a failure; of too many places the one that was tried longest ago is forgotten."""
    connection.execute(
        "INSERT INTO place (host, port, failures, last_failed) VALUES (?, ?, 1, ?)"
        " ON CONFLICT DO UPDATE SET failures = failures + 1, last_failed = excluded.last_failed",
        (host, port, now),
    )
    if connection.execute("SELECT count(*) FROM place").fetchone()[0] > MAX_PLACES:
        connection.execute(
            "DELETE FROM place WHERE (host, port) IN"
            " (SELECT host, port FROM place ORDER BY last_failed, host, port LIMIT 1)"
        )


def proven(connection: sqlite3.Connection, host: str, port: int) -> None:
    """Somebody was where he was looked for."""
    connection.execute("DELETE FROM place WHERE host = ? AND port = ?", (host, port))
