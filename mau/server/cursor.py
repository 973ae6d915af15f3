"""Where a page ended, sealed (spec/http.yaml H62-H64).

A position is a clock of the index, and a clock tells when something happened: so it is encrypted. What it is
bound to is not in it but authenticated with it: the generation of the index, the author, the visitor, and
what that visitor may read at all. When any of these is another, the cursor does not open.
"""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import struct
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mau.errors import TreeError
from mau.tree import safe
from mau.tree.layout import Root

_NONCE: Final = 12
_PLACE: Final = struct.Struct(">Q?")
_SIZE: Final = _NONCE + _PLACE.size + 16
_KEY: Final = 32
_FILE: Final = "cursor.key"


class Cursors:
    """Seals and opens positions with one key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def of(cls, root: Root) -> Cursors:
        """With the key of the tree's servers, made when there is none. Who loses it begins anew."""
        directory = root.state_dir("server")
        with contextlib.suppress(TreeError):
            key = safe.read_bytes(directory / _FILE, _KEY)
            if len(key) == _KEY:
                return cls(key)
        key = secrets.token_bytes(_KEY)
        safe.write_bytes(directory / _FILE, key)
        return cls(key)

    def seal(self, clock: int, bound_to: bytes, *, backwards: bool = False) -> str:
        """A cursor for what comes after that clock, or `backwards` before it."""
        nonce = os.urandom(_NONCE)
        sealed = self._cipher.encrypt(nonce, _PLACE.pack(clock, backwards), bound_to)
        return base64.urlsafe_b64encode(nonce + sealed).rstrip(b"=").decode("ascii")

    def open(self, cursor: str, bound_to: bytes) -> tuple[int, bool] | None:
        """(clock, backwards) of a cursor; None when it is none of ours, or bound to something else."""
        try:
            data = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            if len(data) != _SIZE:
                return None
            clock, backwards = _PLACE.unpack(self._cipher.decrypt(data[:_NONCE], data[_NONCE:], bound_to))
        except (ValueError, InvalidTag):
            return None
        return clock, backwards
