"""What the signatures of contents state, found out once on this machine (spec/messages.md M10-M27, M83).

Opening a post costs ten times what reading it does, and several want to know what it states: the server for
whom it is, whoever shows or sends posts what is deleted. Whoever opens a content first notes it here, sealed
to the account (`mau.sealed`), in ``.reader/stated.db``.

A note belongs to one content, to one state of its author's key, and to one of the account's: any other is
found out anew. It says nothing of where the content lies: whether that fits is asked each time.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mau.content.binding import PUBLIC, Audience, Statement, states_by_notation
from mau.deletion.document import is_delete
from mau.fingerprint import Fingerprint
from mau.sealed import Sealed

if TYPE_CHECKING:
    from typing import Any

    from mau.account import Account
    from mau.openpgp import Certificate, Opened

_FLUSH: Final = 200
_SHELVES: Final = 4
"""Authors of whom the notes are held in memory: at most a quarter of a million each, of 300 bytes."""
_EVERYBODY: Final = "everybody"


@dataclass(frozen=True, slots=True)
class Stated:
    """``holds``: exactly one valid signature by the author. ``name`` and ``audience`` are what he signed;
    None is where he stated nothing. ``deletes``: it calls itself a DeleteAction, so it has to be opened to
    know what it deletes; without that it deletes nothing, under whatever name. ``signed_at`` in unix seconds,
    0 when it is not known."""

    holds: bool
    name: str | None = None
    audience: Audience | None = None
    deletes: bool = False
    signed_at: int = 0


def stated_by(opened: Opened, statement: Statement, document: dict[str, Any] | None) -> Stated:
    """What is to be noted of a message that holds."""
    deletes = not states_by_notation(opened.notations) and is_delete(document)
    return Stated(True, statement.name, statement.audience, deletes, opened.signed_at)


class Statements:
    """What is known of the contents of one tree. Used from several threads."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._sealed: Sealed | None = None
        self._shelves: OrderedDict[Fingerprint, dict[bytes, bytes]] = OrderedDict()
        self._new: dict[Fingerprint, dict[bytes, bytes]] = {}
        self._lock = threading.Lock()

    def get(self, author: Fingerprint, sha256: str, certificate: Certificate) -> Stated | None:
        """What a content states; None when that is not known."""
        key = self._key(author, sha256, certificate)
        with self._lock:
            found = self._shelf(author).get(key)
            sealed = self._opened()
        if found is None:
            return None
        value = sealed.open(author.raw, key, found)
        return None if value is None else _read(value)

    def put(self, author: Fingerprint, sha256: str, certificate: Certificate, stated: Stated) -> None:
        """Note one; it is written together with others."""
        key = self._key(author, sha256, certificate)
        with self._lock:
            value = self._opened().seal(author.raw, key, _written(stated))
            self._shelf(author)[key] = value
            self._new.setdefault(author, {})[key] = value
            if sum(map(len, self._new.values())) >= _FLUSH:
                self._flush()

    def close(self) -> None:
        """Write the rest and let go of the file."""
        with self._lock:
            try:
                self._flush()
            finally:
                self._shelves.clear()
                if self._sealed is not None:
                    self._sealed.close()
                    self._sealed = None

    def _opened(self) -> Sealed:
        if self._sealed is None:
            self._sealed = Sealed(self._account, "reader", "stated")
        return self._sealed

    def _shelf(self, author: Fingerprint) -> dict[bytes, bytes]:
        shelf = self._shelves.get(author)
        if shelf is None:
            shelf = self._opened().load(author.raw) | self._new.get(author, {})
            self._shelves[author] = shelf
            while len(self._shelves) > _SHELVES:
                self._shelves.popitem(last=False)
        else:
            self._shelves.move_to_end(author)
        return shelf

    def _flush(self) -> None:
        new, self._new = self._new, {}
        for author, entries in new.items():
            self._opened().store(author.raw, entries)

    def _key(self, author: Fingerprint, sha256: str, certificate: Certificate) -> bytes:
        said = hashlib.sha256(author.raw + bytes.fromhex(sha256))
        for one in (certificate, self._account.key.certificate):
            said.update(hashlib.sha256(bytes(one)).digest())
        return said.digest()[:16]


def _written(stated: Stated) -> bytes:
    audience: str | list[str] | None = None
    if stated.audience == PUBLIC:
        audience = _EVERYBODY
    elif stated.audience is not None:
        audience = [one.hex for one in sorted(stated.audience)]
    return json.dumps([stated.holds, stated.name, audience, stated.deletes, stated.signed_at]).encode()


def _read(data: bytes) -> Stated:
    holds, name, said, deletes, signed_at = json.loads(data)
    audience: Audience | None = None
    if said == _EVERYBODY:
        audience = PUBLIC
    elif said is not None:
        audience = frozenset(Fingerprint.parse(one) for one in said)
    return Stated(holds, name, audience, deletes, signed_at)
