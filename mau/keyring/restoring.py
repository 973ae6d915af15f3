"""Bringing key files and a statement back that were kept elsewhere (spec/backup.md B30-B34).

The statement with the highest counter counts, and it says which copy of a key file counts; whatever an older
one says makes nobody a friend again. As with every change (spec/keyring.md K7): first the key files, then the
statement, all of it inside the lock of the keyring.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mau.errors import ProofError, TreeError
from mau.fingerprint import Fingerprint
from mau.keyring.keyfile import MAX_KEY_FILE, read_key_file
from mau.keyring.statement import Statement
from mau.keyring.store import Held, Store
from mau.tree.names import KEYRING_NAME

if TYPE_CHECKING:
    from mau.account import Account

What = Literal["back", "newer", "older", "same", "kept", "refused"]


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A key file as it was kept: for whom, at which place ("" for a friend), its bytes."""

    fingerprint: Fingerprint
    place: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of the statement, or of one key file. older: it is for a version."""

    what: What
    words: str = ""


def restore_keyring(
    account: Account, statement: bytes | None, files: Iterable[KeptFile], *, dry_run: bool = False
) -> tuple[Decided | None, list[Decided]]:
    """Put back what counts; with `dry_run` only say what would become of it. OSError when a write fails.

    What became of the statement, and of each key file in its order.
    """
    store = Store(account)
    with nullcontext() if dry_run else store.locked():
        held = store.read()
        decided, new = _statement(store, held, statement)
        counting = new or held.statement
        done = [_key_file(store, account, counting, file, dry_run=dry_run) for file in files]
        if new is not None and statement is not None and not dry_run:
            posts = account.posts()
            with posts.stage() as staged:
                staged.file.write(statement)
                posts.commit(staged, KEYRING_NAME, expect=held.sha256)
            store.read()  # notes the counter
    return decided, done


def _statement(store: Store, held: Held, data: bytes | None) -> tuple[Decided | None, Statement | None]:
    """What becomes of the statement, and the statement when it is to be put back."""
    if data is None:
        return None, None
    if hashlib.sha256(data).hexdigest() == held.sha256:
        return Decided("same"), None
    try:
        kept, _ = store.open_statement(data)
    except ProofError as error:
        return Decided("refused", str(error)), None
    if held.sha256 is not None and kept.counter <= held.statement.counter:
        words = f"it is number {kept.counter}; number {held.statement.counter} is held, and counts"
        return Decided("older", words), None
    words = ""
    if kept.counter < held.seen:
        words = (
            f"it is number {kept.counter}, but number {held.seen} was seen on this machine: look who is "
            "there with `mau friend list`; `mau friend confirm --all`, or one by one, makes them friends"
        )
    return Decided("back" if held.sha256 is None else "newer", words), kept


def _key_file(
    store: Store, account: Account, counting: Statement, file: KeptFile, *, dry_run: bool
) -> Decided:
    path = account.root.key_file(file.fingerprint, file.place)
    if len(file.data) > MAX_KEY_FILE:
        return Decided("refused", "it is too large for a key file")
    try:
        read_key_file(file.data, account.key, file.fingerprint)
    except ProofError as error:
        return Decided("refused", str(error))
    held = store.read_key_file(path)
    if held == file.data:
        return Decided("same")
    if held is None and os.path.lexists(path):
        return Decided("refused", "something else is in its place; move that away")
    what: What = "back"
    if held is not None:
        entry = counting.entries.get(file.fingerprint)
        stated = "" if entry is None else entry.places.get(file.place, "")
        if stated != hashlib.sha256(file.data).hexdigest():
            return Decided("kept", "another copy of that key is held, and counts")
        what = "newer"
    if not dry_run:
        try:
            store.write_key_file(file.fingerprint, file.place, file.data)
        except TreeError as error:
            return Decided("refused", str(error))
    return Decided(what)
