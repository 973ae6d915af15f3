"""Invites that were given out, and who answered one: ``.peers/invites.db`` (spec/finding.md N76-N83).

Of a token only a hash is kept, so whoever reads the file can show none. What it says of invites and guests is
sealed to the account: nobody without its key reads it, or makes up an invite or a request. Deleting the file
ends all invites and forgets who waits, which costs another invite.
"""

from __future__ import annotations

import hmac
import sqlite3
import time
from typing import Final, Literal

from mau.account import Account
from mau.derived import Database
from mau.errors import UsageError
from mau.fingerprint import Fingerprint
from mau.invite.facts import (
    Invite,
    Request,
    dump_invite,
    dump_request,
    hashed,
    id_of,
    load_invite,
    load_request,
    new_token,
)
from mau.sealed import Sealed

MAX_INVITES: Final = 100
MAX_WAITING: Final = 100
_KEPT: Final = 7 * 86_400
"""Seconds for which an invite that is over is remembered: a guest may ask again whether it was taken."""
_INVITE: Final = b"invite"
_REQUEST: Final = b"request"
_SCHEMA: Final = """
CREATE TABLE invite (hash BLOB PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE shown (hash BLOB NOT NULL, guest BLOB NOT NULL, PRIMARY KEY (hash, guest)) WITHOUT ROWID;
CREATE TABLE request (guest BLOB PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID
"""

Taken = Literal["taken", "again", "full", "gone"]
"""What became of a token that was shown: it counts, it counted before, too many wait, it does not count."""


class InviteBook:
    """The invites of one account. Safe with several processes; one thread at a time."""

    def __init__(self, account: Account) -> None:
        self._seal = Sealed(account, "peers", "invites")  # for its cipher alone; the tables are ours
        self._database = Database(account.root.state_dir("peers") / "invites.db", _SCHEMA, 1, shared=True)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()
        self._seal.close()

    # --- invites -------------------------------------------------------------------------------------------

    def make(self, *, seconds: int, uses: int = 1, note: str = "") -> tuple[str, Invite]:
        """A new invite and its token, which is kept nowhere. UsageError when too many are open already."""
        token, now = new_token(), int(time.time())
        digest = hashed(token)
        value = dump_invite(now, now + seconds, uses, note)

        def write(connection: sqlite3.Connection) -> None:
            self._sweep(connection, now)
            if sum(invite.expires > now for _, invite in self._all(connection)) >= MAX_INVITES:
                raise UsageError(
                    f"{MAX_INVITES} invites are open already; `mau invite --revoke ID` ends one, "
                    "and one may have several --uses"
                )
            connection.execute(
                "INSERT INTO invite VALUES (?, ?)", (digest, self._seal.seal(_INVITE, digest, value))
            )

        self._database.run(write)
        return token, Invite(id_of(digest), now, now + seconds, uses, uses, note)

    def invites(self) -> list[Invite]:
        """Those that somebody may still use, the oldest first."""
        now = time.time()
        found = self._database.run(self._all)
        live = (invite for _, invite in found if invite.expires > now and invite.left)
        return sorted(live, key=lambda invite: (invite.made, invite.id))

    def revoke(self, word: str | None = None) -> list[Invite]:
        """End the invite of that id, or all that are open; those that were ended."""

        def write(connection: sqlite3.Connection) -> list[Invite]:
            ended = [(digest, one) for digest, one in self._all(connection) if word in (None, one.id)]
            for digest, _ in ended:
                self._strike(connection, digest)
            return [one for _, one in ended if one.left and one.expires > time.time()]

        return self._database.run(write)

    def counts(self, token: str, guest: Fingerprint) -> bool:
        """Whether that token is good for that guest now, who may have shown it before."""
        return self._database.run(lambda connection: self._find(connection, token, guest) is not None)

    def take(self, token: str, guest: Fingerprint, request: Request, *, known: bool = False) -> Taken:
        """A guest shows a token and proved to be ``guest``; ``request``: what he asks, its invite left open.

        ``known``: he is a friend already, and nothing is to be asked.
        """

        def write(connection: sqlite3.Connection) -> Taken:
            found = self._find(connection, token, guest)
            if found is None:
                return "gone"
            digest, invite, again = found
            if again:
                return "again"
            if not known:
                if self._waiting(connection) >= MAX_WAITING and not self._waits(connection, guest):
                    return "full"
                sealed = dump_request(
                    Request(request.certificate, request.asked, invite.id, invite.note, request.link)
                )
                connection.execute(
                    "INSERT OR REPLACE INTO request VALUES (?, ?)",
                    (guest.raw, self._seal.seal(_REQUEST, guest.raw, sealed)),
                )
            connection.execute("INSERT INTO shown VALUES (?, ?)", (digest, guest.raw))
            return "taken"

        return self._database.run(write)

    def _find(
        self, connection: sqlite3.Connection, token: str, guest: Fingerprint
    ) -> tuple[bytes, Invite, bool] | None:
        """The invite of a token and whether this guest showed it before; None when it does not count."""
        wanted, now, found = hashed(token), time.time(), None
        for digest, invite in self._all(connection):
            if hmac.compare_digest(digest, wanted):  # every one is looked at, however early it is found
                found = digest, invite
        if found is None:
            return None
        digest, invite = found
        query = "SELECT 1 FROM shown WHERE hash = ? AND guest = ?"
        again = connection.execute(query, (digest, guest.raw)).fetchone() is not None
        if again or (invite.left and invite.expires > now):
            return digest, invite, again
        return None

    def _all(self, connection: sqlite3.Connection) -> list[tuple[bytes, Invite]]:
        used = dict(connection.execute("SELECT hash, count(*) FROM shown GROUP BY hash"))
        found = []
        for digest, sealed in connection.execute("SELECT hash, sealed FROM invite"):
            value = self._seal.open(_INVITE, digest, sealed)
            invite = None if value is None else load_invite(digest, value, used.get(digest, 0))
            if invite is not None:
                found.append((digest, invite))
        return found

    def _sweep(self, connection: sqlite3.Connection, now: int) -> None:
        for digest, invite in self._all(connection):
            if invite.expires < now - _KEPT:
                self._strike(connection, digest)

    @staticmethod
    def _strike(connection: sqlite3.Connection, digest: bytes) -> None:
        connection.execute("DELETE FROM invite WHERE hash = ?", (digest,))
        connection.execute("DELETE FROM shown WHERE hash = ?", (digest,))

    # --- requests ------------------------------------------------------------------------------------------

    def requests(self) -> list[tuple[Fingerprint, Request]]:
        """Who waits for a word, the first to ask first."""

        def read(connection: sqlite3.Connection) -> list[tuple[Fingerprint, Request]]:
            found = []
            for raw, sealed in connection.execute("SELECT guest, sealed FROM request"):
                value = self._seal.open(_REQUEST, raw, sealed)
                request = None if value is None else load_request(Fingerprint(raw), value)
                if request is not None:
                    found.append((Fingerprint(raw), request))
            return found

        return sorted(self._database.run(read), key=lambda one: (one[1].asked, one[0]))

    def forget(self, guest: Fingerprint) -> None:
        """The word was given: this guest waits no longer. The token that was shown stays used."""
        self._database.run(
            lambda connection: connection.execute("DELETE FROM request WHERE guest = ?", (guest.raw,))
        )

    @staticmethod
    def _waiting(connection: sqlite3.Connection) -> int:
        return int(connection.execute("SELECT count(*) FROM request").fetchone()[0])

    @staticmethod
    def _waits(connection: sqlite3.Connection, guest: Fingerprint) -> bool:
        query = "SELECT 1 FROM request WHERE guest = ?"
        return connection.execute(query, (guest.raw,)).fetchone() is not None
