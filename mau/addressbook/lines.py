"""Lines of the address book as rows of its table."""

from __future__ import annotations

import sqlite3
from typing import Final

from mau.addressbook.known import KnownAddress, Source
from mau.fingerprint import Fingerprint

COLUMNS: Final = (
    "fingerprint, host, port, source, first_heard, first_proven, last_proven, last_failed, last_tried,"
    " failures, kad"
)


def of(connection: sqlite3.Connection, fingerprint: Fingerprint | None) -> list[KnownAddress]:
    """The lines of one person, or all of them, in no order."""
    everything = f"SELECT {COLUMNS} FROM address"  # noqa: S608 - words of our own
    if fingerprint is None:
        rows = connection.execute(everything)
    else:
        rows = connection.execute(f"{everything} WHERE fingerprint = ?", (fingerprint.raw,))
    return [line(row) for row in rows]


def nodes(connection: sqlite3.Connection, since: int, until: int) -> list[KnownAddress]:
    """Those of nodes that took part in Kademlia between two times, the last first."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM address WHERE kad BETWEEN ? AND ? AND last_proven >= kad"  # noqa: S608
        " ORDER BY kad DESC, fingerprint, host, port",
        (since, until),
    )
    return [line(row) for row in rows]


def line(row: tuple[bytes, str, int, Source, int, int, int, int, int, int, int]) -> KnownAddress:
    """What a row of COLUMNS says."""
    return KnownAddress(Fingerprint(row[0]), *row[1:])


def strike(connection: sqlite3.Connection, gone: KnownAddress) -> None:
    """Take one line out."""
    connection.execute(
        "DELETE FROM address WHERE fingerprint = ? AND host = ? AND port = ?",
        (gone.fingerprint.raw, gone.host, gone.port),
    )
