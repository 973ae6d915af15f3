"""Keeping the keys of others fresh (spec/keyring.md K11.7).

A friend's own proven host is asked for his key at every contact, and every few minutes of one that lasts, so
a revocation is known soon; and once more when one of his posts was signed with something that the copy held
here does not know. Whoever answers, only what the key itself signed is taken.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import time
from dataclasses import dataclass
from typing import Protocol

from mau.derived import Database
from mau.errors import KeyRefused, MauError, PeerMisbehaved, PeerUnreachable, SignerExpired, UnknownSigner
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring, Person
from mau.openpgp import Certificate
from mau.tree.layout import Root

EVERY = 300
"""Seconds between two questions for one key. Without news the answer is a head of some hundred bytes."""
IN_TROUBLE_EVERY = 30
"""Seconds between two questions while posts wait for a newer key."""
PATIENCE = 30.0
"""Seconds that a whole answer may take: the posts wait behind it."""
OUTDATED = (SignerExpired, UnknownSigner)
"""What a newer copy of the author's key may end."""

_SCHEMA = """
CREATE TABLE asked (
  owner BLOB NOT NULL, source BLOB NOT NULL,
  at INTEGER NOT NULL, answer TEXT, held TEXT NOT NULL,
  PRIMARY KEY (owner, source)
) WITHOUT ROWID
"""


class KeyHost(Protocol):
    """What is asked: `mau.wire.client.PeerClient`."""

    async def newer_key(self, owner: Fingerprint, have: str | None) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class KeyReport:
    """What came of asking for somebody's key, in words; user ids stand in them with ``!r``.

    ``changes``: in force now. ``waiting``: what `mau friend confirm` would bring in force, and ``fresh``:
    whether some of that is new. ``problem``: why there is no answer that could be used.
    """

    owner: Fingerprint
    changes: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    fresh: bool = False
    problem: MauError | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """When a source was last asked for a key, the sha256 of its answer (None: none that could be used), and
    what was held of the key afterwards."""

    at: int
    answer: str | None
    held: str


class Keys:
    """Asks for keys, and remembers when it did. One event loop."""

    def __init__(self, root: Root, keyring: Keyring) -> None:
        self._keyring = keyring
        self._database = Database(root.state_dir("syncer") / "keys.db", _SCHEMA, 1)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def due(self, owner: Fingerprint, source: Fingerprint, *, trouble: bool = False) -> bool:
        """Whether it is time to ask ``source`` for the key of ``owner``, if that is a confirmed person."""
        person = self._keyring.person(owner)
        if person is None or person.status not in ("friend", "known"):
            return False
        asked = self._asked(owner, source)
        return asked is None or is_due(asked.at, int(time.time()), trouble=trouble)

    async def refresh(self, host: KeyHost, owner: Fingerprint, source: Fingerprint) -> KeyReport:
        """Ask, and take in what comes. Never raises for what the peer does or for what the key is."""
        person = self._keyring.person(owner)
        before = self._asked(owner, source)
        # Only together with what it led to: an older keyring that was put back learns everything again.
        known = before is not None and person is not None and before.held == _digest(person)
        have = before.answer if before is not None and known else None
        try:
            async with asyncio.timeout(PATIENCE):
                data = await host.newer_key(owner, have)
        except TimeoutError:
            return self._failed(owner, source, PeerUnreachable("it takes too long to give its key"))
        except MauError as error:
            return self._failed(owner, source, error)
        if data is None:
            self._note(owner, source, have)
            return KeyReport(owner, waiting=tuple(person.news) if person else ())
        try:
            news = await asyncio.to_thread(self._take_in, data, owner)
        except (MauError, OSError) as error:
            return self._failed(owner, source, error if isinstance(error, MauError) else MauError(str(error)))
        self._note(owner, source, hashlib.sha256(data).hexdigest())
        return news

    def _take_in(self, data: bytes, owner: Fingerprint) -> KeyReport:
        try:
            certificate = Certificate.parse(data)
        except KeyRefused as error:
            raise PeerMisbehaved(f"what it gave is not the key: {error}") from error
        if certificate.fingerprint != owner:
            raise KeyRefused(f"the key that it gave is another one: {certificate.fingerprint}")
        person = self._keyring.person(owner)
        settled = person is not None and person.confirmed and person.reported is None
        if settled and person is not None and bytes(person.certificate) == bytes(certificate):
            # To look closer would be the first use of encryption in this process, which takes 80 ms.
            return KeyReport(owner)
        news = self._keyring.take_in(certificate)
        return KeyReport(owner, news.changes, news.waiting, news.fresh)

    # --- what is remembered --------------------------------------------------------------------------------

    def _failed(self, owner: Fingerprint, source: Fingerprint, error: MauError) -> KeyReport:
        if not isinstance(error, PeerUnreachable):  # else it is asked again as soon as it is there
            self._note(owner, source, None)
        return KeyReport(owner, problem=error)

    def _asked(self, owner: Fingerprint, source: Fingerprint) -> Asked | None:
        def read(connection: sqlite3.Connection) -> Asked | None:
            row = connection.execute(
                "SELECT at, answer, held FROM asked WHERE owner = ? AND source = ?", (owner.raw, source.raw)
            ).fetchone()
            return None if row is None else Asked(*row)

        return self._database.run(read)

    def _note(self, owner: Fingerprint, source: Fingerprint, answer: str | None) -> None:
        person = self._keyring.person(owner)
        held = "" if person is None else _digest(person)
        row = (owner.raw, source.raw, int(time.time()), answer, held)

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO asked VALUES (?, ?, ?, ?, ?)", row)

        self._database.run(write)


def is_due(asked_at: int, now: int, *, trouble: bool = False) -> bool:
    """Whether so long has passed since; a time in the future is a clock that was wrong."""
    return asked_at > now or now - asked_at >= (IN_TROUBLE_EVERY if trouble else EVERY)


def _digest(person: Person) -> str:
    reported = b"" if person.reported is None else bytes(person.reported)
    return hashlib.sha256(bytes(person.certificate) + b"\0" + reported).hexdigest()
