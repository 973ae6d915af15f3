"""How it stands with everybody who is followed, for `mau status`: in ``.syncer/status.db``, derived."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final, Literal

from mau.derived import Database
from mau.fingerprint import Fingerprint
from mau.hostport import format_address
from mau.syncer.report import SyncReport, Trouble
from mau.syncer.state import State
from mau.tree.layout import Root
from mau.wire.listing import Item

Doing = Literal["waiting", "syncing", "polling", "unreachable", "nowhere", "stopped"]

_TOLD: Final = 20
"""Refused and deferred items that are named; `SyncReport` has all."""
_SCHEMA: Final = "CREATE TABLE friend (author BLOB PRIMARY KEY, facts TEXT NOT NULL) WITHOUT ROWID"


@dataclass(frozen=True, slots=True)
class FriendStatus:
    """One person. Times are Unix seconds of this machine's clock, 0 for never.

    ``doing``: connected and waiting for news; syncing; asked now and then (polling); not reachable; no
    address is known (nowhere); nobody watches (stopped). ``behind``: items that are wanted and not here, and
    their bytes. ``refused`` and ``deferred``: of the last round, in words. ``error`` stays until a round
    succeeds.
    """

    author: Fingerprint
    doing: Doing = "stopped"
    address: str = ""
    last_contact: int = 0
    last_news: int = 0
    next_try: int = 0
    failures: int = 0
    error: str = ""
    behind: int = 0
    behind_bytes: int = 0
    refused: tuple[str, ...] = ()
    deferred: tuple[str, ...] = ()


def after_round(before: FriendStatus, report: SyncReport, pending: Sequence[Item], now: int) -> FriendStatus:
    """How it stands after a round; ``pending``: what is wanted of that person and not here."""
    behind = sum(item.size for item in pending)
    status = replace(before, behind=len(pending), behind_bytes=behind, next_try=0)
    if report.address is not None:
        status = replace(
            status,
            address=format_address(report.address),
            last_contact=now,
            refused=_words(report.refused),
            deferred=_words([*report.deferred, *report.failed]),
        )
    if report.fetched:
        status = replace(status, last_news=now)
    if report.problem is None:
        return replace(status, failures=0, error="")
    return replace(status, failures=status.failures + 1, error=str(report.problem))


def after_fetch(before: FriendStatus, name: str, pending: Sequence[Item]) -> FriendStatus:
    """How it stands after one post was fetched by name."""
    waits = {item.name for item in pending}
    deferred = tuple(one for one in before.deferred if name in waits or not one.startswith(f"{name}: "))
    behind = sum(item.size for item in pending)
    return replace(before, behind=len(pending), behind_bytes=behind, deferred=deferred)


class StatusBook:
    """The status of everybody. Safe with several processes; every method is one transaction."""

    def __init__(self, root: Root) -> None:
        self._database = Database(root.state_dir("syncer") / "status.db", _SCHEMA, 1)

    def all(self) -> list[FriendStatus]:
        """Everybody of whom something is known."""

        def read(connection: sqlite3.Connection) -> list[FriendStatus]:
            rows = connection.execute("SELECT author, facts FROM friend ORDER BY author")
            return [_parsed(Fingerprint(author), facts) for author, facts in rows]

        return self._database.run(read)

    def of(self, author: Fingerprint) -> FriendStatus:
        """One person; nothing but the fingerprint when nothing is known."""

        def read(connection: sqlite3.Connection) -> FriendStatus:
            row = connection.execute("SELECT facts FROM friend WHERE author = ?", (author.raw,)).fetchone()
            return FriendStatus(author) if row is None else _parsed(author, row[0])

        return self._database.run(read)

    def note(self, status: FriendStatus) -> None:
        """Put down how it stands."""
        facts = asdict(status)
        del facts["author"]
        text = json.dumps(facts)
        self._database.run(
            lambda connection: connection.execute(
                "INSERT OR REPLACE INTO friend VALUES (?, ?)", (status.author.raw, text)
            )
        )

    def note_rounds(self, state: State, reports: Iterable[SyncReport]) -> None:
        """Put down what came of rounds, of those who were asked themselves."""
        for report in reports:
            if report.peer == report.author and report.site is None:
                pending = state.pending(report.author, report.author)
                self.note(after_round(self.of(report.author), report, pending, int(time.time())))

    def stop(self) -> None:
        """Nobody watches any more."""
        for status in self.all():
            if status.doing != "stopped":
                self.note(replace(status, doing="stopped", next_try=0))

    def forget(self, author: Fingerprint) -> None:
        """Somebody who is not followed any more."""
        self._database.run(
            lambda connection: connection.execute("DELETE FROM friend WHERE author = ?", (author.raw,))
        )

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()


def _words(troubles: Sequence[Trouble]) -> tuple[str, ...]:
    return tuple(f"{one.name[:200]}: {one.words[:300]}" for one in troubles[:_TOLD])


def _parsed(author: Fingerprint, facts: str) -> FriendStatus:
    """What was written; what another release wrote and we do not know is left out."""
    try:
        known = json.loads(facts)
        known = {key: tuple(value) if isinstance(value, list) else value for key, value in known.items()}
        fields = FriendStatus.__dataclass_fields__
        return FriendStatus(author, **{key: value for key, value in known.items() if key in fields})
    except (ValueError, TypeError, AttributeError):
        return FriendStatus(author)
