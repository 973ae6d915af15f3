"""What imported posts are called: always the same for the same thing, telling nobody which (IM40-IM42)."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import TYPE_CHECKING, Final

from mau.sealed import derived_key
from mau.tree.names import post_name

if TYPE_CHECKING:
    from mau.account import Account

_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"  # those of names that tell nothing (N9)
_UNKNOWN: Final = "0000-00-00"


class Names:
    """The names of one account: from the source's own name for a thing, under a key that only it can find."""

    def __init__(self, account: Account) -> None:
        self._key = derived_key(account, "mau imports names")

    def name(self, scope: str, own: str, published: datetime | None) -> str:
        """The name of a post: ``scope`` is the source, ``own`` what the thing is called there."""
        day = f"{published:%Y-%m-%d}" if published is not None else _UNKNOWN
        return post_name(f"{day}-{self.letters(scope, own)}.json")

    def letters(self, scope: str, own: str) -> str:
        """The letters of that name, by which it is known again whatever its day."""
        return "".join(_LETTERS[byte & 31] for byte in self.digest(scope, own)[:8])

    def digest(self, scope: str, own: str) -> bytes:
        """32 bytes that stand for a thing."""
        return hmac.digest(self._key, scope.encode() + b"\0" + own.encode(errors="replace"), hashlib.sha256)
