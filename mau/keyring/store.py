"""The keyring on disk: the statement, the key files, the counter, and a lock around their changes."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mau.errors import (
    KeyringDamaged,
    KeyringRolledBack,
    KeyringUntrusted,
    NoSuchPost,
    NotAFile,
    ProofError,
    TreeError,
)
from mau.fingerprint import Fingerprint
from mau.keyring import statement as statements
from mau.keyring.counter import SeenCounter
from mau.keyring.keyfile import MAX_KEY_FILE
from mau.keyring.statement import Statement
from mau.keyring.thinning import superfluous
from mau.tree import lock, safe
from mau.tree.names import KEYRING_NAME

if TYPE_CHECKING:
    from mau.account import Account

MAX_STATEMENT = 1 << 26
"""Bytes of a statement that are read, encrypted and decrypted."""
_USE_NOTATION = "use@mau.invalid"
_USE = "keyring"
_WAY_OUT = "Look who is there with `mau friend list`; `mau friend confirm --all`, or one by one, ends it."


@dataclass(frozen=True, slots=True)
class Held:
    """A statement as it was found: `problem` says why nobody may be believed to stand in it."""

    statement: Statement
    sha256: str | None
    signed_at: int
    seen: int
    problem: KeyringUntrusted | None = None


class Store:
    """What `Keyring` reads and writes. Every change happens inside ``locked()``."""

    def __init__(self, account: Account) -> None:
        self._root = account.root
        self._key = account.key
        self._posts = account.posts()
        self._own = account.fingerprint
        self._counter = SeenCounter(account.fingerprint)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One writer at a time, over threads and processes: the lock of the tree's root.

        Never one in ``.mau``, where other implementations read every file as a key.
        """
        self._root.ensure()
        with safe.closing(self._root.open()) as root, lock.locked(root):
            yield

    # --- the statement --------------------------------------------------------------------------------------

    def read(self) -> Held:
        """The statement held, with the reason why it may not be believed if there is one."""
        # The counter first: a statement that another process writes meanwhile is then newer, never older.
        seen = self._counter.read()
        try:
            with self._posts.open(KEYRING_NAME) as file:
                data = file.read(MAX_STATEMENT + 1)
        except NoSuchPost:
            if seen == 0:
                return Held(Statement(), None, 0, 0)
            gone = KeyringRolledBack(
                f"the statement of who your friends are ({KEYRING_NAME}) is gone. {_WAY_OUT}"
            )
            return Held(Statement(), None, 0, seen, gone)
        except (TreeError, OSError) as error:
            unreadable = KeyringDamaged(
                f"the statement of who your friends are ({KEYRING_NAME}) cannot be read: {error}. {_WAY_OUT}"
            )
            return Held(Statement(), None, 0, seen, unreadable)
        sha256 = hashlib.sha256(data).hexdigest()
        try:
            statement, signed_at = self.open_statement(data)
        except ProofError as error:
            damaged = KeyringDamaged(
                f"the statement of who your friends are ({KEYRING_NAME}) does not hold: {error}. {_WAY_OUT}"
            )
            return Held(Statement(), sha256, 0, seen, damaged)
        if statement.counter < seen:
            rolled_back = KeyringRolledBack(
                f"the statement of who your friends are ({KEYRING_NAME}) is number {statement.counter}, but "
                f"number {seen} was seen on this machine: somebody put an older one back. {_WAY_OUT}"
            )
            return Held(statement, sha256, signed_at, seen, rolled_back)
        self._counter.note(statement.counter)
        return Held(statement, sha256, signed_at, seen)

    def open_statement(self, data: bytes) -> tuple[Statement, int]:
        """The statement in the bytes of its file, and when it was signed; ProofError."""
        from mau.openpgp import open_message

        opened = open_message(data, key=self._key, author=self._key.anchor, limit=MAX_STATEMENT)
        # The notation is what tells it from any file that its owner was talked into sharing under this name.
        if opened.notations.get(_USE_NOTATION) != (_USE,) or not opened.encrypted or opened.data is None:
            raise KeyringDamaged("it is signed, but not as a keyring statement")
        return statements.load(opened.data, self._own), opened.signed_at

    def write(self, statement: Statement, held: Held) -> None:
        """Put a statement in the place of the one held. TreeChanged when that is another by now."""
        from mau.openpgp import write_message

        with self._posts.stage() as staged:
            write_message(
                staged.file,
                statements.dump(statement, self._own),
                key=self._key,
                recipients=[self._key.anchor],
                for_owner=True,
                notations={_USE_NOTATION: _USE},
                created=max(int(time.time()), held.signed_at + 1),
            )
            self._posts.commit(staged, KEYRING_NAME, expect=held.sha256)
        # Afterwards: a crash between the two leaves a statement that is newer than seen, which is right.
        self._counter.raise_to(statement.counter)
        if held.problem is None:  # else its older contents are what somebody may need
            self._thin()

    def _thin(self) -> None:
        """Let go of statements that nobody will want back; another time, should that not be possible."""
        with suppress(TreeError, OSError):
            gone = superfluous(self._posts.versions(KEYRING_NAME))
            if gone:
                self._posts.drop_versions(KEYRING_NAME, gone)

    # --- key files ------------------------------------------------------------------------------------------

    def key_files(self) -> dict[tuple[Fingerprint, str], Path]:
        """Every file that is named like a key file, by person and place, whatever is in it."""
        return {(fingerprint, place): path for place, fingerprint, path in self._root.key_files()}

    def read_key_file(self, path: Path) -> bytes | None:
        """The bytes of a key file; None when it is gone, too large or no regular file."""
        try:
            return safe.read_bytes(path, MAX_KEY_FILE, below=self._root.path)
        except (FileNotFoundError, TreeError):
            return None

    def write_key_file(self, fingerprint: Fingerprint, place: str, data: bytes) -> None:
        """Write a key file to its place, making the group's directory (NotAFile)."""
        safe.write_bytes(self._root.key_file(fingerprint, place), data, below=self._root.path)

    def remove_key_file(self, path: Path) -> None:
        """Remove a key file for good."""
        with self._directory(path.parent) as directory:
            if directory is not None and safe.unlink_quietly(path.name, at=directory):
                safe.sync(directory)

    def remove_group(self, group: str) -> None:
        """Remove a group's directory and those inside it, as far as nothing else lies in them."""
        inside = [other for other in self._root.groups() if f"{other}/".startswith(f"{group}/")]
        for name in sorted(inside, reverse=True):
            path = self._root.mau / name
            with self._directory(path.parent) as parent, suppress(OSError):
                if parent is not None:
                    os.rmdir(path.name, dir_fd=parent)

    @contextmanager
    def _directory(self, path: Path) -> Iterator[int | None]:
        """A descriptor of a directory in the tree, reached over no link; None when it is not there."""
        with ExitStack() as stack:
            fd = stack.enter_context(safe.closing(self._root.open()))
            try:
                for part in path.relative_to(self._root.path).parts:
                    fd = stack.enter_context(safe.closing(safe.open_dir(part, at=fd)))
            except (FileNotFoundError, NotAFile):
                yield None
                return
            yield fd

    def stamp(self) -> object:
        """Changes whenever the statement or a key file does."""
        files = []
        for place, fingerprint, path in self._root.key_files():
            with suppress(OSError):
                found = path.lstat()
                files.append(
                    (place, fingerprint, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
                )
        try:
            statement = self._posts.entry(KEYRING_NAME)
        except TreeError as error:  # something else is in the way
            return sorted(files), str(error)
        return sorted(files), statement
