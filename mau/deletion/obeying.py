"""What becomes of a deleted post in the tree of somebody who follows its author (M87; spec/sync.md D1-D6).

Nothing but the post that a DeleteAction names is ever touched, in the directories of the DeleteAction's own
author; and nothing ever in the owner's own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mau.config.keys import Received
from mau.deletion.document import Delete
from mau.deletion.held import MAX_FILE, delete_of, open_delete
from mau.deletion.rules import Deletes
from mau.errors import MauError, NoSuchPost, PostError, TreeChanged, TreeError
from mau.fingerprint import Fingerprint
from mau.reader.open import directories_of, open_post
from mau.tree.scratch import scratch_file

if TYPE_CHECKING:
    from mau.account import Account
    from mau.keyring import Keyring
    from mau.tree.posts import AuthorDir


@dataclass(frozen=True, slots=True)
class Obeyed:
    """A post that was taken out of sight. ``removed``: how many of its contents are gone for good."""

    author: Fingerprint
    name: str
    sha256: str | None
    removed: int


def obey(
    account: Account,
    keyring: Keyring,
    author: Fingerprint,
    deletes: Deletes,
    received: Received,
    names: Collection[str] | None = None,
) -> list[Obeyed]:
    """Do with the deleted posts of somebody else what the setting `delete.received` says.

    "version": each becomes a version, so it is neither shown nor given out; "remove": besides, the contents
    that were named go for good; "ignore": nothing. `names`: only these are looked at, the ones that changed.
    What another program is changing is left for the next time.
    """
    if author == account.fingerprint or received == "ignore":
        return []
    wanted = sorted(set(deletes.targets) if names is None else set(deletes.targets) & set(names))
    obeyed = []
    for directory in directories_of(account, author):
        for name in wanted:
            with contextlib.suppress(TreeError):
                done = _obey_one(account, keyring, directory, deletes.of(name), name, received)
                if done.sha256 is not None or done.removed:
                    obeyed.append(done)
    return obeyed


def forget(account: Account, author: Fingerprint, withdrawn: Iterable[Delete]) -> list[str]:
    """Take DeleteActions out of sight that their author withdrew (`rules.withdrawn`); their names.

    Each becomes a version of itself, so nobody but its author brings it back.
    """
    if author == account.fingerprint:
        return []
    names = []
    for one in withdrawn:
        for directory in directories_of(account, author):
            with contextlib.suppress(TreeError):
                directory.retire(one.name)
                names.append(one.name)
    return names


def _obey_one(
    account: Account,
    keyring: Keyring,
    directory: AuthorDir,
    deletes: Collection[Delete],
    name: str,
    received: Received,
) -> Obeyed:
    sha256 = _retired(account, keyring, directory, Deletes(deletes), name)
    removed = 0
    if received == "remove":
        # What goes for good goes by what its author signed, not by what was noted of it.
        said = [one for one in deletes if _still_says(account, keyring, one)]
        removed = directory.drop_versions(name, {sum_ for one in said for sum_ in one.sha256s})
    return Obeyed(directory.fpr, name, sha256, removed)


def _retired(
    account: Account, keyring: Keyring, directory: AuthorDir, deletes: Deletes, name: str
) -> str | None:
    """The sha256 of what was current under the name and deleted; None when there was nothing of the kind."""
    entry = directory.entry(name)
    if entry is None:
        return None
    sha256 = directory.sha256(name)
    signed_at = None if deletes.is_deleted(name, sha256) else _signed_at(account, keyring, directory, name)
    if not deletes.is_deleted(name, sha256, signed_at):
        return None
    with contextlib.suppress(PostError):
        if entry.size <= MAX_FILE and open_delete(account, keyring, directory, entry) is not None:
            return None
    with contextlib.suppress(NoSuchPost, TreeChanged):
        return directory.retire(name, expect=sha256)
    return None


def _signed_at(account: Account, keyring: Keyring, directory: AuthorDir, name: str) -> int | None:
    with scratch_file(account.root, "reader") as sink:
        try:
            return open_post(account, keyring, directory.fpr, name, sink=sink).signed_at
        except (MauError, OSError):
            return None


def _still_says(account: Account, keyring: Keyring, delete: Delete) -> bool:
    with contextlib.suppress(MauError, OSError):
        return delete_of(open_post(account, keyring, delete.author, delete.name)) == delete
    return False
