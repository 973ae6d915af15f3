"""Circuit relays of people: behind which relay somebody may be reached (spec/finding.md N8)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from mau.addressbook.known import MAX_ROUTES, Source, rank, waits
from mau.fingerprint import Fingerprint

_Row = tuple[bytes, str, int, int | None, int | None, int]


def of(connection: sqlite3.Connection, fingerprint: Fingerprint, now: float) -> list[Fingerprint]:
    """The relays of one person, the best first: in the order of addresses."""
    return [Fingerprint(row[0]) for row in _rows(connection, fingerprint, now)]


def worth_trying(connection: sqlite3.Connection, fingerprint: Fingerprint, now: float) -> list[Fingerprint]:
    """As `of`, without those that failed several times and wait."""
    rows = _rows(connection, fingerprint, now)
    return [Fingerprint(row[0]) for row in rows if not waits(row[5], row[4], now)]


def tell(
    connection: sqlite3.Connection, fingerprint: Fingerprint, relay: Fingerprint, source: Source, now: int
) -> None:
    """Note a hint; too many of one person: the last in the order gives way."""
    if relay == fingerprint:
        return
    held = connection.execute(
        "SELECT source FROM route WHERE fingerprint = ? AND relay = ?", (fingerprint.raw, relay.raw)
    ).fetchone()
    if held is not None:
        if rank(source) < rank(held[0]):
            connection.execute(
                "UPDATE route SET source = ? WHERE fingerprint = ? AND relay = ?",
                (source, fingerprint.raw, relay.raw),
            )
        return
    connection.execute(
        "INSERT INTO route (fingerprint, relay, source, first_heard) VALUES (?, ?, ?, ?)",
        (fingerprint.raw, relay.raw, source, now),
    )
    _trim(connection, fingerprint, now)


def replace(
    connection: sqlite3.Connection,
    fingerprint: Fingerprint,
    relays: Sequence[Fingerprint],
    source: Source,
    now: int,
) -> None:
    """Everything that a source says now: what it does not say any more goes, unless it was proven."""
    for relay, held, _, last_proven, _, _ in _rows(connection, fingerprint, now):
        if held == source and last_proven is None and Fingerprint(relay) not in relays:
            _strike(connection, fingerprint, relay)
    for one in relays[:MAX_ROUTES]:
        tell(connection, fingerprint, one, source, now)


def proven(connection: sqlite3.Connection, fingerprint: Fingerprint, relay: Fingerprint, now: int) -> None:
    """The person was reached through that relay."""
    connection.execute(
        "INSERT INTO route (fingerprint, relay, source, first_heard, last_proven) VALUES (?, ?, 'told', ?, ?)"
        " ON CONFLICT DO UPDATE SET last_proven = excluded.last_proven, failures = 0",
        (fingerprint.raw, relay.raw, now, now),
    )
    _trim(connection, fingerprint, now)


def failed(connection: sqlite3.Connection, fingerprint: Fingerprint, relay: Fingerprint, now: int) -> None:
    """The person was not reached through that relay."""
    connection.execute(
        "UPDATE route SET failures = failures + 1, last_failed = ? WHERE fingerprint = ? AND relay = ?",
        (now, fingerprint.raw, relay.raw),
    )


def _rows(connection: sqlite3.Connection, fingerprint: Fingerprint, now: float) -> list[_Row]:
    rows = connection.execute(
        "SELECT relay, source, first_heard, last_proven, last_failed, failures FROM route"
        " WHERE fingerprint = ?",
        (fingerprint.raw,),
    ).fetchall()

    def key(row: _Row) -> tuple[int, int, int, int, int, bytes]:
        relay, source, first_heard, last_proven, last_failed, failures = row
        if waits(failures, last_failed, now):
            group = 3
        elif failures:
            group = 2
        else:
            group = 0 if last_proven is not None else 1
        return group, -(last_proven or 0), failures, rank(source), -first_heard, relay

    return sorted(rows, key=key)


def _trim(connection: sqlite3.Connection, fingerprint: Fingerprint, now: int) -> None:
    rows = _rows(connection, fingerprint, now)
    # What was proven once does not give way to a hint.
    rows.sort(key=lambda row: row[3] is None)
    for relay, *_ in rows[MAX_ROUTES:]:
        _strike(connection, fingerprint, relay)


def _strike(connection: sqlite3.Connection, fingerprint: Fingerprint, relay: bytes) -> None:
    connection.execute("DELETE FROM route WHERE fingerprint = ? AND relay = ?", (fingerprint.raw, relay))
