"""What was found out of single contents, kept sealed to the account in ``.reader/reading.db`` (RE1-RE5).

A note belongs to one content under one name, to one state of its author's key and one of the account's, and
to the owners of the key ids that it names: any other is found out anew. Nothing is believed that this account
did not seal for that place.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import sqlite3
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from cryptography.exceptions import InvalidTag

from mau.derived import Database
from mau.reader.contents import Content, dump_content, load_content
from mau.reader.written import dump_looked, load_looked
from mau.sealed import cipher_of

if TYPE_CHECKING:
    from typing import Any

    from mau.account import Account
    from mau.fingerprint import Fingerprint
    from mau.openpgp import Certificate
    from mau.reader.looking import Looked

T = TypeVar("T")

_VERSION: Final = 3
_NONCE: Final = 12
_KEY: Final = 16
_AT_ONCE: Final = 500
_log = logging.getLogger("mau.reader")
_CONTENTS: Final = 1000
"""So many contents are kept, those that were shown last."""
_SCHEMA: Final = """
CREATE TABLE note (key BLOB PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE content (key BLOB NOT NULL UNIQUE, sealed BLOB NOT NULL)
"""


class Notes:
    """Notes by key, and contents that were shown lately. Callers see to it that threads take turns."""

    def __init__(self, account: Account) -> None:
        self._database = Database(
            account.root.state_dir("reader") / "reading.db", _SCHEMA, _VERSION, shared=True
        )
        self._cipher = cipher_of(account, "reader", "reading")

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    # --- notes ---------------------------------------------------------------------------------------------

    def fetch(self, keys: Collection[bytes]) -> dict[bytes, Looked]:
        """What is noted under these keys, where this account noted it."""
        return {key: load_looked(said) for key, said in self._fetched("note", keys)}

    def store(self, notes: Mapping[bytes, Looked]) -> None:
        """Note these."""
        self._stored("note", {key: dump_looked(looked) for key, looked in notes.items()})

    def count(self) -> int:
        """How many there are, of contents that are gone, too."""
        return int(self._run(lambda db: db.execute("SELECT count(*) FROM note").fetchone()[0], 0))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is noted at all."""
        return self._run(lambda db: db.execute("SELECT 1 FROM note LIMIT 1").fetchone(), None) is None

    def keep(self, keys: Iterable[bytes]) -> None:
        """Forget all but these."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("CREATE TEMP TABLE kept (key BLOB PRIMARY KEY) WITHOUT ROWID")
            try:
                db.executemany("INSERT OR IGNORE INTO kept VALUES (?)", ((key,) for key in keys))
                db.execute("DELETE FROM note WHERE key NOT IN (SELECT key FROM kept)")
            finally:
                db.execute("DROP TABLE kept")

        self._run(write, None)

    # --- contents ------------------------------------------------------------------------------------------

    def contents(self, keys: Collection[bytes]) -> dict[bytes, Content]:
        """What was shown lately of these."""
        return {key: load_content(said) for key, said in self._fetched("content", keys)}

    def store_contents(self, contents: Mapping[bytes, Content]) -> None:
        """Keep these, and of those before the latest."""
        self._stored("content", {key: dump_content(content) for key, content in contents.items()})
        question = "DELETE FROM content WHERE rowid <= (SELECT max(rowid) FROM content) - ?"
        self._run(lambda db: db.execute(question, (_CONTENTS,)), None)

    # --- inside --------------------------------------------------------------------------------------------

    def _fetched(self, table: str, keys: Collection[bytes]) -> Iterator[tuple[bytes, Any]]:
        wanted = list(keys)
        for start in range(0, len(wanted), _AT_ONCE):
            for key, sealed in self._rows(table, wanted[start : start + _AT_ONCE]):
                with contextlib.suppress(InvalidTag, ValueError):
                    value = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], table.encode() + key)
                    yield key, json.loads(zlib.decompress(value))

    def _rows(self, table: str, keys: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
        question = f"SELECT key, sealed FROM {table} WHERE key IN ({','.join('?' * len(keys))})"  # noqa: S608
        nothing: list[tuple[bytes, bytes]] = []
        return self._run(lambda db: db.execute(question, keys).fetchall(), nothing)

    def _stored(self, table: str, values: Mapping[bytes, Any]) -> None:
        rows = []
        for key, said in values.items():
            nonce = os.urandom(_NONCE)
            value = zlib.compress(json.dumps(said).encode(), 1)
            rows.append((key, nonce + self._cipher.encrypt(nonce, value, table.encode() + key)))
        question = f"INSERT OR REPLACE INTO {table} (key, sealed) VALUES (?, ?)"  # noqa: S608 - constants
        self._run(lambda db: db.executemany(question, rows), None)

    def _run(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Without room on the disk, or where nothing may be written, nothing is kept, and nothing fails."""
        try:
            return self._database.run(work)
        except (OSError, sqlite3.OperationalError) as error:
            _log.warning("what is known of posts cannot be kept: %s", error)
            return otherwise


def state_of_keys(certificate: Certificate | None, own: Certificate) -> bytes:
    """What stands for one state of an author's key and one of the account's."""
    said = hashlib.sha256(b"" if certificate is None else hashlib.sha256(bytes(certificate)).digest())
    said.update(hashlib.sha256(bytes(own)).digest())
    return said.digest()


def key_of(author: Fingerprint, name: str, sha256: bytes, keys: bytes) -> bytes:
    """The key of the note on a content; ``keys``: as `state_of_keys`."""
    said = hashlib.sha256(author.raw + sha256 + keys)
    said.update(name.encode("utf-8", "surrogateescape"))
    return said.digest()[:_KEY]
