"""The table at rest: one file, ``.reader/reading.image``, sealed to the account (spec/reading.md RE1, RE2).

It is written beside its place and then takes it; no fsync, for it is derived: what a power failure leaves of
it does not open, and then the table is made anew from the notes.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag

from mau.errors import NoSuchPost, NotAFile, TooLarge
from mau.reader.table import VERSION
from mau.sealed import cipher_of
from mau.tree import safe

if TYPE_CHECKING:
    from mau.account import Account

_NAME: Final = "reading.image"
_NONCE: Final = 12
_MOST: Final = 1 << 31
"""Bytes: AES-GCM of ``cryptography`` seals no more at once."""
_BOUND_TO: Final = f"image {VERSION}".encode()


class Image:
    """The file of one account."""

    def __init__(self, account: Account) -> None:
        self._place = account.root.state_dir("reader")
        self._cipher = cipher_of(account, "reader", "reading image")

    def load(self) -> bytes | None:
        """What was saved last; None when there is nothing that this account sealed."""
        with contextlib.suppress(NoSuchPost, NotAFile, TooLarge, InvalidTag, ValueError):
            sealed = safe.read_bytes(self._place / _NAME, _MOST)
            view = memoryview(sealed)
            return self._cipher.decrypt(bytes(view[:_NONCE]), view[_NONCE:], _BOUND_TO)
        return None

    def save(self, data: bytes) -> None:
        """Put this in the place of what is there; nothing is kept of what is too large."""
        if len(data) > _MOST - 64:
            return
        nonce = os.urandom(_NONCE)
        with safe.closing(safe.open_dir(self._place)) as directory:
            fd, name = safe.create_temp(directory)
            try:
                with safe.closing(fd):
                    safe.write_all(fd, nonce + self._cipher.encrypt(nonce, data, _BOUND_TO))
                os.replace(name, _NAME, src_dir_fd=directory, dst_dir_fd=directory)
            except BaseException:
                safe.unlink_quietly(name, at=directory)
                raise
