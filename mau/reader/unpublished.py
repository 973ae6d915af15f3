"""Own files that are shown to nobody, and why: half saved, renamed, damaged, deleted (spec/messages.md M36).

What a file holds is found out once and kept, sealed to the account (`mau.sealed`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mau.deletion.publishing import reappeared
from mau.errors import MauError, NotReadable, NotSigned, PostError, Renamed
from mau.openpgp import Kind
from mau.reader.open import open_post
from mau.reader.owners import Asking, pack, still_hold, unpack
from mau.sealed import Sealed

if TYPE_CHECKING:
    from mau.account import Account
    from mau.deletion.rules import Deletes
    from mau.keyring import Keyring
    from mau.reader.open import Keys
    from mau.tree.index import Entry, Index

LARGEST: Final = 8 << 20
"""Bytes; what is larger is not opened for this, by the server neither."""
_BATCH: Final = 500
_FORM: Final = b"2\0"
"""Of what is noted; none of another form is found."""


@dataclass(frozen=True, slots=True)
class Unpublished:
    """One file; ``error``: the kind of trouble, by the name of its class."""

    name: str
    error: str
    words: str


def unpublished(account: Account, keyring: Keyring, index: Index, deletes: Deletes) -> list[Unpublished]:
    """Own files that no visitor is shown, by name. The index is fresh; ``deletes``: the own ones."""
    sealed = Sealed(account, "reader", "own")
    try:
        found = _find(account, keyring, index, sealed)
    finally:
        sealed.close()
    for name in reappeared(account, keyring, deletes):
        words = f"you deleted it, and it is there again; `mau undelete {name}` publishes it anew"
        found.append(Unpublished(name, "Deleted", words))
    return sorted(found, key=lambda one: one.name)


def _find(account: Account, keyring: Keyring, index: Index, sealed: Sealed) -> list[Unpublished]:
    author = account.fingerprint
    known = sealed.load(author.raw)
    new: dict[bytes, bytes] = {}
    found: list[Unpublished] = []
    for entry in index.entries(author):
        if entry.hidden:
            continue
        if entry.kind not in (Kind.ENCRYPTED.value, Kind.SIGNED.value):
            words = "it is no OpenPGP message that anybody could be shown (half saved?)"
            found.append(Unpublished(entry.name, "MalformedPost", words))
            continue
        if entry.size > LARGEST:
            continue
        key = _key(entry, account)
        value = known.get(key)
        said = None if value is None else sealed.open(author.raw, key, value)
        error, words, owners = ("", "", "") if said is None else json.loads(said)
        if said is None or not still_hold(unpack(bytes.fromhex(owners)), keyring.owner_of):
            asking = Asking(keyring)
            error, words = _look(account, asking, entry.name)
            noted = json.dumps((error, words, pack(asking.asked).hex()))
            new[key] = sealed.seal(author.raw, key, noted.encode())
            if len(new) >= _BATCH:
                sealed.store(author.raw, new)
                new = {}
        if error:
            found.append(Unpublished(entry.name, error, words))
    if new:
        sealed.store(author.raw, new)
    return found


def _look(account: Account, keyring: Keys, name: str) -> tuple[str, str]:
    """(kind, words) of what is wrong with one file; nothing when it is shown to those it is for."""
    try:
        open_post(account, keyring, account.fingerprint, name)
    except Renamed as error:
        return "Renamed", f"{error}; rename it back, or have it signed under this name"
    except NotSigned as error:
        return "NotSigned", f"{error}; `mau sign {name}` shows what changed, and signs it"
    except NotReadable:
        return "", ""  # for others, and not for me: they are shown it
    except (PostError, MauError) as error:
        return type(error).__name__, str(error)
    return "", ""


def _key(entry: Entry, account: Account) -> bytes:
    said = _FORM + entry.name.encode() + bytes.fromhex(entry.sha256) + bytes(account.certificate)
    return hashlib.sha256(said).digest()[:16]
