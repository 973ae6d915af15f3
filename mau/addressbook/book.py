"""The book itself, a file of SQLite in ``.peers/`` (spec/finding.md N1-N9).

An address is a hint, and only a handshake proves who lives there. The book keeps what was heard from whom,
what was proven and when, and how often it failed since, so that the best address is tried first. It is
derived state: deleting it costs the time of hearing addresses again. What a person gave by hand stands in the
settings.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Mapping

from mau.addressbook import lines, places, routes, ways
from mau.addressbook.bounds import Bounds
from mau.addressbook.known import (
    MAX_PER_SOURCE,
    KnownAddress,
    Source,
    best_first,
    rank,
)
from mau.addressbook.schema import FROM_1, FROM_2, SCHEMA, VERSION
from mau.derived import Database
from mau.errors import AddressMalformed
from mau.fingerprint import Fingerprint
from mau.hostport import Address, circuit_of, format_address, parse_address
from mau.tree.layout import Root


class AddressBook:
    """The book of one tree. Safe with several processes; every method is one transaction."""

    def __init__(self, root: Root) -> None:
        self._database = Database(
            root.state_dir("peers") / "addresses.db", SCHEMA, VERSION, earlier={1: FROM_1, 2: FROM_2}
        )
        self._bounds = Bounds(root)

    def stamp(self) -> object:
        """Another value when anything in the book changed, whoever changed it; one question to the disk."""
        try:
            found = self._database.path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    # --- reading -------------------------------------------------------------------------------------------

    def addresses(self, fingerprint: Fingerprint) -> list[Address]:
        """Where that person is or may be, the address worth trying first being first.

        A hint that failed several times is left out until its time comes again, and so is one for a place
        where others were looked for in vain. What was proven once or given by hand always stands there.
        Behind them stand ways through circuit relays, as `mau.hostport.circuit` writes them.
        """
        now = time.time()

        def read(connection: sqlite3.Connection) -> list[Address]:
            return [
                *ways.direct(connection, fingerprint, now),
                *ways.through_relays(connection, fingerprint, now),
            ]

        return self._database.run(read)

    def known(self, fingerprint: Fingerprint | None = None) -> list[KnownAddress]:
        """Lines of one person or of all; within a person the best first."""
        people: dict[Fingerprint, list[KnownAddress]] = {}
        for line in self._database.run(lambda connection: lines.of(connection, fingerprint)):
            people.setdefault(line.fingerprint, []).append(line)
        now = time.time()
        return [one for person in sorted(people) for one in best_first(people[person], now)]

    def worth_trying(self, host: str, port: int, whom: Fingerprint | None = None) -> bool:
        """Whether a stranger's word that somebody, ``whom``, is there may be followed now (N6)."""
        place = places.normal(host, port)
        now = time.time()
        return self._database.run(lambda connection: not places.waiting(connection, *place, whom, now))

    def kad_nodes(self, since: int) -> list[KnownAddress]:
        """Nodes that took part in Kademlia there since then, those that did last first.

        A proof of later says that they are there, and not that they still take part. What lies ahead of the
        clock was written before it was set back, and says nothing.
        """
        now = int(time.time())
        return self._database.run(lambda connection: lines.nodes(connection, since, now))

    # --- hints ---------------------------------------------------------------------------------------------

    def told(self, fingerprint: Fingerprint, host: str, port: int, *, source: Source) -> bool:
        """Note a hint. Whether the line stands in the book afterwards; what is no address is left out.

        Of an address that is known already only its source changes, and only to one that is believed more.
        """
        try:
            place = parse_address(format_address((host, port)))
        except AddressMalformed:
            return False

        def write(connection: sqlite3.Connection) -> bool:
            return self._tell(connection, fingerprint, place, source, int(time.time()))

        return self._database.run(write)

    def told_all(
        self,
        fingerprint: Fingerprint,
        addresses: Iterable[Address],
        *,
        source: Source,
        relays: Iterable[Fingerprint] = (),
    ) -> None:
        """Everything that a source says of a person now: its hints that are not among it any more go.

        What was proven stays, as something that was told.
        """
        wanted = []
        for host, port in addresses:
            try:
                wanted.append(parse_address(format_address((host, port))))
            except AddressMalformed:
                continue
        wanted = wanted[:MAX_PER_SOURCE]

        def write(connection: sqlite3.Connection) -> None:
            self._replace(connection, fingerprint, wanted, source, int(time.time()))
            routes.replace(connection, fingerprint, list(relays), source, int(time.time()))

        self._database.run(write)

    def take_given(self, given: Mapping[Fingerprint, Iterable[Address]]) -> None:
        """Make the addresses that were given by hand those of the settings, and no others."""

        def write(connection: sqlite3.Connection) -> None:
            now = int(time.time())
            rows = connection.execute("SELECT DISTINCT fingerprint FROM address WHERE source = 'given'")
            for person in {Fingerprint(raw) for (raw,) in rows} | set(given):
                wanted = list(given.get(person, ()))[:MAX_PER_SOURCE]
                self._replace(connection, person, wanted, "given", now)

        self._database.run(write)

    def _replace(
        self,
        connection: sqlite3.Connection,
        fingerprint: Fingerprint,
        wanted: list[Address],
        source: Source,
        now: int,
    ) -> None:
        for line in lines.of(connection, fingerprint):
            if line.source == source and (line.host, line.port) not in wanted:
                if line.last_proven is None:
                    lines.strike(connection, line)
                elif source == "given":
                    connection.execute(
                        "UPDATE address SET source = 'told' WHERE fingerprint = ? AND host = ? AND port = ?",
                        (fingerprint.raw, line.host, line.port),
                    )
        for place in wanted:
            self._tell(connection, fingerprint, place, source, now)

    def _tell(
        self,
        connection: sqlite3.Connection,
        fingerprint: Fingerprint,
        place: Address,
        source: Source,
        now: int,
    ) -> bool:
        where = (fingerprint.raw, *place)
        held = connection.execute(
            "SELECT source FROM address WHERE fingerprint = ? AND host = ? AND port = ?", where
        ).fetchone()
        if held is not None:
            if rank(source) < rank(held[0]):
                connection.execute(
                    "UPDATE address SET source = ? WHERE fingerprint = ? AND host = ? AND port = ?",
                    (source, *where),
                )
            return True
        connection.execute(
            "INSERT INTO address (fingerprint, host, port, source, first_heard) VALUES (?, ?, ?, ?, ?)",
            (*where, source, now),
        )
        return self._bounds.keep(connection, fingerprint, place)

    # --- what was tried ------------------------------------------------------------------------------------

    def proven(
        self, fingerprint: Fingerprint, host: str, port: int, *, source: Source = "told", kad: bool = False
    ) -> None:
        """A handshake just proved that this person answers there. ``source``: who gave the hint.

        ``kad``: the person takes part in Kademlia there; of a place that only friends were told, the person's
        own asking from there ("asked") alone counts. What was proven through a relay is its route.
        """
        if (way := circuit_of(host)) is not None:
            self.route_proven(fingerprint, way[0])
            return
        host, port = places.normal(host, port)
        now = int(time.time())

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO address (fingerprint, host, port, source, first_heard, first_proven,"
                " last_proven, last_tried, kad) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " first_proven = coalesce(first_proven, excluded.first_proven), failures = 0,"
                " last_proven = excluded.last_proven, last_tried = excluded.last_tried,"
                # N9: strangers are not told what a friend told us.
                " kad = CASE WHEN kad IS NOT NULL OR source IN ('asked', 'kademlia')"
                " OR excluded.source = 'asked' THEN coalesce(excluded.kad, kad) END",
                (fingerprint.raw, host, port, source, now, now, now, now, now if kad else None),
            )
            places.proven(connection, host, port)
            self._bounds.keep(connection, fingerprint, (host, port))

        self._database.run(write)

    def failed(
        self, fingerprint: Fingerprint, host: str, port: int, *, there: Fingerprint | None = None
    ) -> None:
        """Nobody answered there, or somebody else, who proved to be ``there``.

        An address that is not in the book is not noted for that person; that the place was tried in vain is.
        Of a way through a relay only the route failed: where the relay is, is another question.
        """
        if (way := circuit_of(host)) is not None:
            self.route_failed(fingerprint, way[0])
            return
        host, port = places.normal(host, port)
        now = int(time.time())

        def write(connection: sqlite3.Connection) -> None:
            where = (fingerprint.raw, host, port)
            connection.execute(
                "UPDATE address SET failures = failures + 1, last_failed = ?, last_tried = ?"
                " WHERE fingerprint = ? AND host = ? AND port = ?",
                (now, now, *where),
            )
            trusted = connection.execute(
                "SELECT last_proven IS NOT NULL OR source = 'given' FROM address"
                " WHERE fingerprint = ? AND host = ? AND port = ?",
                where,
            ).fetchone()
            if not trusted or not trusted[0]:
                places.failed(connection, host, port, there, now)

        self._database.run(write)

    def forget(self, fingerprint: Fingerprint, host: str | None = None, port: int | None = None) -> None:
        """Strike one line; without ``host`` and ``port`` everything of that person."""

        def write(connection: sqlite3.Connection) -> None:
            if host is None or port is None:
                connection.execute("DELETE FROM address WHERE fingerprint = ?", (fingerprint.raw,))
                connection.execute("DELETE FROM route WHERE fingerprint = ?", (fingerprint.raw,))
                return
            connection.execute(
                "DELETE FROM address WHERE fingerprint = ? AND host = ? AND port = ?",
                (fingerprint.raw, *places.normal(host, port)),
            )

        self._database.run(write)

    # --- circuit relays ------------------------------------------------------------------------------------

    def route(self, fingerprint: Fingerprint) -> list[Fingerprint]:
        """Circuit relays through which that person may be reached, the best first."""
        now = time.time()
        return self._database.run(lambda connection: routes.of(connection, fingerprint, now))

    def told_route(self, fingerprint: Fingerprint, relay: Fingerprint, *, source: Source) -> None:
        """Note that a person is said to be behind that relay."""
        now = int(time.time())
        self._database.run(lambda connection: routes.tell(connection, fingerprint, relay, source, now))

    def route_proven(self, fingerprint: Fingerprint, relay: Fingerprint) -> None:
        """The person was just reached through that relay."""
        now = int(time.time())
        self._database.run(lambda connection: routes.proven(connection, fingerprint, relay, now))

    def route_failed(self, fingerprint: Fingerprint, relay: Fingerprint) -> None:
        """The person could not be reached through that relay."""
        now = int(time.time())
        self._database.run(lambda connection: routes.failed(connection, fingerprint, relay, now))
