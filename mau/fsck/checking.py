"""The walk over everything in a tree (spec/backup.md C1-C10). It changes nothing but what is derived."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from mau.errors import MauError, NoAccount, NotAFile
from mau.fingerprint import Fingerprint
from mau.fsck.finding import Finding, Kind
from mau.fsck.looking import count, entries_of, is_left_over, status_of, wrong
from mau.fsck.posts import Opener, check_post, unread
from mau.fsck.versions import check_versions
from mau.tree import safe
from mau.tree.layout import STATE_DIRS, Root, parse_author
from mau.tree.names import (
    KEYS_DIR,
    POST_SUFFIX,
    VERSIONS_SUFFIX,
    fold,
    is_post_name,
)

if TYPE_CHECKING:
    from mau.account import Account
    from mau.tree.index import Index

Progress = Callable[[int, int], None]
"""``progress(done, total)``, in posts."""

_OTHERS: Final = 0o077
_WRITING: Final = 0o022
_TEMPORARY: Final = ".mau-"
_MOMENT: Final = 0.05
"""Seconds after which who made a temporary file has said that he writes it."""


@dataclass(slots=True)
class Checked:
    """What was found, how many posts and versions were looked at, and what could not be checked and why."""

    findings: list[Finding] = field(default_factory=list)
    posts: int = 0
    unchecked: list[str] = field(default_factory=list)


def check(
    root: Root,
    account: Account | None,
    *,
    index: Index | None = None,
    progress: Progress | None = None,
) -> Checked:
    """Look at every file. Without `account`, what only its keys can tell is left out and named so.

    NoAccount when there is no such directory, or nothing of a tree in it: what others have there is not ours.
    """
    if not root.mau.is_dir() and not root.authors():
        raise NoAccount(f"{str(root.path)!r} is no tree: it holds neither {KEYS_DIR} nor anybody's posts")
    walk = _Walk(root, account, index, progress)
    with safe.closing(root.open()) as top:
        walk.root(top)
        walk.keys(top)
        walk.authors(top)
    if account is not None and walk.opener is not None:
        walk.deletes(account, walk.opener)
    return walk.checked


class _Walk:
    """One check; everything that it finds goes into `checked`."""

    def __init__(
        self, root: Root, account: Account | None, index: Index | None, progress: Progress | None
    ) -> None:
        self._tree = root
        self._index = index
        self._progress = progress
        self._total = 0
        self.checked = Checked()
        self.opener: Opener | None = None
        if account is None:
            self.checked.unchecked.append(
                "signatures, and whatever is encrypted: that takes the account's passphrase"
            )
            return
        from mau.keyring import Keyring

        try:
            keyring = Keyring.load(account, suspect=True)
        except OSError as error:
            self._found("keyring", KEYS_DIR, f"the key files cannot be read: {error.strerror}")
            self.checked.unchecked.append("signatures: that takes the key files")
            return
        self.opener = Opener(account, keyring)
        if keyring.problem is not None:
            self._found("keyring", f"{account.fingerprint.hex}/keyring.json.pgp", str(keyring.problem))
        for difference in keyring.unsettled():
            path = root.key_file(difference.fingerprint, difference.group).relative_to(root.path)
            self._found("key", str(path), str(difference))

    def _found(self, kind: Kind, path: str, words: str) -> None:
        self.checked.findings.append(Finding(kind, path, words))

    # --- the root and the keys -----------------------------------------------------------------------------

    def root(self, top: int) -> None:
        """Modes of what lies in the root, and what was left there."""
        self._mode(".", os.fstat(top), _OTHERS)
        for entry in entries_of(top):
            status = status_of(entry)
            if status is None:
                continue
            if entry.name.startswith(_TEMPORARY):
                self._leftover(top, entry.name, entry.name, None, False)
            elif entry.name.startswith("revocation-") and stat.S_ISREG(status.st_mode):
                self._mode(entry.name, status, _OTHERS)
            elif parse_author(entry.name) is not None and not stat.S_ISDIR(status.st_mode):
                self._found("stray", entry.name, "a directory of posts belongs there")
            elif entry.name[:1] == "." and entry.name[1:] in STATE_DIRS and not stat.S_ISDIR(status.st_mode):
                self._found("stray", entry.name, "a directory of derived state belongs there")

    def keys(self, top: int) -> None:
        """The account file and the key files: their modes, and what is none of them."""
        if not os.path.lexists(self._tree.account_file):
            self._found("account", f"{KEYS_DIR}/account.pgp", "there is no account file")
        try:
            keys = safe.open_dir(KEYS_DIR, at=top)
        except FileNotFoundError:
            return
        except NotAFile as error:
            self._found("stray", KEYS_DIR, str(error))
            return
        except OSError as error:
            self.checked.findings.append(unread(KEYS_DIR, error))
            return
        with safe.closing(keys):
            known: set[str] | None = None
            with contextlib.suppress(OSError):  # that is told of the directory which cannot be read
                known = {str(path.relative_to(self._tree.path)) for _, _, path in self._tree.key_files()}
                known.add(f"{KEYS_DIR}/account.pgp")
            self._in_keys(keys, KEYS_DIR, known)

    def _in_keys(self, directory: int, path: str, known: set[str] | None) -> None:
        self._mode(path, os.fstat(directory), _OTHERS)
        for entry in entries_of(directory):
            place = f"{path}/{entry.name}"
            status = status_of(entry)
            if status is None:
                continue
            if stat.S_ISDIR(status.st_mode):
                try:
                    with safe.closing(safe.open_dir(entry.name, at=directory)) as inner:
                        self._in_keys(inner, place, known)
                except FileNotFoundError:
                    continue
                except OSError as error:
                    self.checked.findings.append(unread(place, error))
            elif not stat.S_ISREG(status.st_mode):
                self._found("stray", place, "a key file belongs there")
            elif known is not None and place not in known:
                self._found("stray", place, "it is no key file; other programs would read it as one")
            else:
                self._mode(place, status, _OTHERS)

    # --- authors -------------------------------------------------------------------------------------------

    def authors(self, top: int) -> None:
        """Every directory of posts."""
        found = self._tree.authors()
        self._total = sum(count(top, fpr, hidden) for fpr, hidden in found)
        for author, hidden in found:
            name = f".{author.hex}" if hidden else author.hex
            try:
                directory = safe.open_dir(name, at=top)
            except (FileNotFoundError, NotAFile):
                continue
            except OSError as error:
                self.checked.findings.append(unread(name, error))
                continue
            with safe.closing(directory):
                self._author(directory, name, author, hidden)

    def _author(self, directory: int, path: str, author: Fingerprint, hidden: bool) -> None:
        self._mode(path, os.fstat(directory), _OTHERS)
        noted = self._noted(author, hidden)
        entries = entries_of(directory)
        folded: dict[str, str] = {}
        for entry in entries:
            status = status_of(entry)
            if status is None:
                continue
            place = f"{path}/{entry.name}"
            if entry.name.startswith(_TEMPORARY):
                self._leftover(directory, entry.name, place, author, hidden)
            elif is_post_name(entry.name):
                other = folded.setdefault(fold(entry.name), entry.name)
                if other != entry.name:
                    self._found("clash", place, f"and {other!r}")
                if stat.S_ISREG(status.st_mode):
                    self._mode(place, status, _OTHERS)
                self.checked.findings += check_post(
                    self.opener, directory, place, author, hidden, entry.name, noted.get(entry.name)
                )
                self._step()
            elif entry.name.endswith(POST_SUFFIX):
                self._found("name", place, wrong(entry.name))
            elif stat.S_ISREG(status.st_mode):
                self._mode(place, status, _WRITING)
        for entry in entries:
            if entry.name.endswith(VERSIONS_SUFFIX):
                self._versions(directory, path, entry.name, author, hidden)

    def _versions(
        self,
        directory: int,
        path: str,
        called: str,
        author: Fingerprint,
        hidden: bool,
    ) -> None:
        name = called.removesuffix(VERSIONS_SUFFIX)
        place = f"{path}/{called}"
        if not is_post_name(name):
            self._found("name", place, "it holds versions of what no post can be called")
            return
        try:
            versions = safe.open_dir(called, at=directory)
        except FileNotFoundError:
            return
        except NotAFile as error:
            self._found("stray", place, f"{error}; until then {name!r} cannot be changed")
            return
        except OSError as error:
            self.checked.findings.append(unread(place, error))
            return
        with safe.closing(versions):
            self._mode(place, os.fstat(versions), _OTHERS)
            self.checked.findings += check_versions(
                self.opener, directory, versions, place, author, hidden, name
            )
            with os.scandir(versions) as scan:
                for _ in scan:
                    self._step()

    def _noted(self, author: Fingerprint, hidden: bool) -> dict[str, tuple[str, bytes]]:
        if self._index is None:
            return {}
        try:
            return {
                entry.name: (entry.sha256, entry.stamp)
                for entry in self._index.entries(author)
                if entry.hidden == hidden
            }
        except (OSError, sqlite3.Error) as error:
            self._index = None
            self.checked.unchecked.append(f"the sums of the index: {error}")
            return {}

    # --- the rest ------------------------------------------------------------------------------------------

    def deletes(self, account: Account, opener: Opener) -> None:
        """Own posts that are there although they were deleted, and damaged ones that will not come again."""
        from mau.deletion.held import HeldDeletes
        from mau.deletion.publishing import reappeared

        try:
            with HeldDeletes(account, opener.keyring) as held:
                names = reappeared(account, opener.keyring, held.of(account.fingerprint))
                for number, one in enumerate(self.checked.findings):
                    if one.kind == "damaged" and one.author is not None and held.of(one.author).of(one.name):
                        words = f"{one.words}; its author deleted it, so nothing may come in its place"
                        self.checked.findings[number] = replace(one, words=words)
        except (MauError, OSError, sqlite3.Error) as error:
            self.checked.unchecked.append(f"whether deleted posts are there again: {error}")
            return
        for name in names:
            path = f"{account.fingerprint.hex}/{name}"
            self.checked.findings.append(
                Finding("deleted", path, "it was deleted", account.fingerprint, False, name)
            )

    def _mode(self, path: str, status: os.stat_result, mask: int) -> None:
        mode = stat.S_IMODE(status.st_mode)
        if mode & mask:
            self._found("mode", path, f"its mode is {mode:04o}")

    def _leftover(
        self, directory: int, name: str, path: str, author: Fingerprint | None, hidden: bool
    ) -> None:
        if not is_left_over(directory, name):
            return
        with contextlib.suppress(FileNotFoundError):
            made = os.stat(name, dir_fd=directory, follow_symlinks=False).st_ctime
            if time.time() - made < 1:
                time.sleep(_MOMENT)
        if is_left_over(directory, name):
            self.checked.findings.append(
                Finding("leftover", path, "nobody writes it any more", author, hidden)
            )

    def _step(self) -> None:
        self.checked.posts += 1
        if self._progress is not None:
            self._progress(self.checked.posts, max(self._total, self.checked.posts))
