"""The bounds of the address book: of one person, and of all strangers together (spec/finding.md N5)."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Iterable
from typing import Final

from mau.addressbook import lines
from mau.addressbook.known import MAX_STRANGERS, KnownAddress, surplus
from mau.fingerprint import Fingerprint
from mau.hostport import Address, prefixes
from mau.tree.layout import Root

_LOOK_AGAIN: Final = 60.0
"""Seconds that the list of those who are no strangers is believed."""


class Bounds:
    """Keeps the book of one tree small; whoever has a directory or a key there is no stranger."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._near: frozenset[bytes] = frozenset()
        self._looked: float | None = None
        self._of_near: dict[str, int] = {}

    def keep(self, connection: sqlite3.Connection, fingerprint: Fingerprint, new: Address) -> bool:
        """Keep the bounds after a line was written; whether that line is still there."""
        gone = surplus(lines.of(connection, fingerprint))
        for line in gone:
            lines.strike(connection, line)
        if not self._is_near(fingerprint):
            gone += self._trim_strangers(connection)
        return all((line.fingerprint, line.host, line.port) != (fingerprint, *new) for line in gone)

    def _trim_strangers(self, connection: sqlite3.Connection) -> list[KnownAddress]:
        """Keep the bounds of all strangers together. A tenth goes at once: looking at all of them is dear.

        Fingerprints cost nothing, networks do: whoever makes thousands of people up pushes out his own.
        """
        gone = []
        kinds = ("last_proven IS NULL", "first_heard"), ("last_proven IS NOT NULL", "last_proven")
        for of_kind, oldest in kinds:
            query = f"SELECT count(*) FROM address WHERE {of_kind}"  # noqa: S608 - words of our own
            if connection.execute(query).fetchone()[0] <= MAX_STRANGERS + self._of_near.get(of_kind, 0):
                continue
            rows = connection.execute(
                f"SELECT {lines.COLUMNS} FROM address WHERE {of_kind} ORDER BY {oldest} DESC"  # noqa: S608
            ).fetchall()
            strangers = [line for line in map(lines.line, rows) if not self._is_near(line.fingerprint)]
            self._of_near[of_kind] = len(rows) - len(strangers)
            if len(strangers) > MAX_STRANGERS:
                stay = MAX_STRANGERS - MAX_STRANGERS // 10
                gone += [line for line in _by_turns(strangers)[stay:] if line.source != "given"]
        for line in gone:
            lines.strike(connection, line)
        return gone

    def _is_near(self, fingerprint: Fingerprint) -> bool:
        """Whether somebody has a directory or a key here, and is no stranger."""
        now = time.monotonic()
        if self._looked is None or now - self._looked > _LOOK_AGAIN:
            keys = {key for _, key, _ in self._root.key_files()}
            self._near = frozenset(one.raw for one in keys | {fpr for fpr, _ in self._root.authors()})
            self._looked = now
        return fingerprint.raw in self._near


def _by_turns(lines: Iterable[KnownAddress]) -> list[KnownAddress]:
    """The first line of each wide network, then the second of each, and so on; else in their order."""
    of_network: Counter[str] = Counter()
    turns = []
    for place, line in enumerate(lines):
        network = prefixes(line.host)[1]
        turns.append((of_network[network], place, line))
        of_network[network] += 1
    return [line for _, _, line in sorted(turns, key=lambda turn: turn[:2])]
