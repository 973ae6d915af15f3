"""Derived state that may be believed: sealed to the account, so nobody without its key can have written it.

What a worker found out by opening messages must neither lie on the disk in the clear nor be believed because
it lies there. Each entry is encrypted and authenticated (AES-256-GCM) under a key derived from the account's
secret key (HKDF, RFC 5869), together with its shelf and its key. An entry can be lost or kept back; it cannot
be made up, and not be put in another's place.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mau.account import Account
from mau.derived import Database

_NONCE: Final = 12
_MOST: Final = 250_000
_SCHEMA: Final = """
CREATE TABLE entry (shelf BLOB NOT NULL, key BLOB NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (shelf, key))
WITHOUT ROWID
"""


class Sealed:
    """Entries by shelf and key, in ``ROOT/.WORKER/NAME.db``. Callers see to it that threads take turns."""

    def __init__(self, account: Account, worker: str, name: str) -> None:
        self._database = Database(account.root.state_dir(worker) / f"{name}.db", _SCHEMA, 1, shared=True)
        self._cipher = cipher_of(account, worker, name)

    def seal(self, shelf: bytes, key: bytes, value: bytes) -> bytes:
        """An entry as it is stored."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, value, _bound_to(shelf, key))

    def open(self, shelf: bytes, key: bytes, sealed: bytes) -> bytes | None:
        """The value of an entry; None when this account did not seal it for this place."""
        with contextlib.suppress(InvalidTag, ValueError):
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound_to(shelf, key))
        return None

    def load(self, shelf: bytes) -> dict[bytes, bytes]:
        """All entries of a shelf, sealed."""

        def read(connection: sqlite3.Connection) -> dict[bytes, bytes]:
            return dict(connection.execute("SELECT key, sealed FROM entry WHERE shelf = ?", (shelf,)))

        return self._database.run(read)

    def store(self, shelf: bytes, entries: Mapping[bytes, bytes]) -> None:
        """Add entries; a shelf that grew beyond all measure is begun anew."""

        def write(connection: sqlite3.Connection) -> None:
            count = connection.execute("SELECT count(*) FROM entry WHERE shelf = ?", (shelf,)).fetchone()[0]
            if count + len(entries) > _MOST:
                connection.execute("DELETE FROM entry WHERE shelf = ?", (shelf,))
            connection.executemany(
                "INSERT OR REPLACE INTO entry VALUES (?, ?, ?)",
                ((shelf, key, sealed) for key, sealed in entries.items()),
            )

        self._database.run(write)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()


def cipher_of(account: Account, worker: str, name: str) -> AESGCM:
    """What seals the state ``NAME`` of a worker: its key follows from the account's secret key."""
    return AESGCM(derived_key(account, f"mau {worker} {name}"))


def derived_key(account: Account, purpose: str) -> bytes:
    """32 bytes that only this account can find, and for each purpose others."""
    secret = account.key.private_key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(secret)


def _bound_to(shelf: bytes, key: bytes) -> bytes:
    return len(shelf).to_bytes(4, "big") + shelf + key
