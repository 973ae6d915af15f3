"""A directory of posts: list, open, commit, remove (spec/tree.md). What the other rooms use of this one.

Nothing is kept open between calls: a directory may be renamed, removed and made again by hand at any time,
and every call means what lies under its path now. A missing directory reads as an empty one.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from mau.errors import NoSuchPost, TreeChanged
from mau.fingerprint import Fingerprint
from mau.tree import commit as committing
from mau.tree import safe
from mau.tree.batch import NewFile, Placed, commit_many, place_new
from mau.tree.commit import ANY, Anything, Committed
from mau.tree.layout import Root
from mau.tree.lock import locked
from mau.tree.names import check_post_name, clashes, is_post_name
from mau.tree.shadow import Shadows
from mau.tree.staging import Staged, hash_fd
from mau.tree.versions import VersionEntry, listing, open_version, open_versions

__all__ = ["ANY", "AuthorDir", "Committed", "Entry", "NewFile", "Placed", "Staged", "VersionEntry"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One post as the directory shows it: full name, size in bytes, times in ns, and where the file is."""

    name: str
    size: int
    mtime_ns: int
    ctime_ns: int
    ino: int
    dev: int


class AuthorDir:
    """The posts of one author, in ``ROOT/FPR`` or, hidden, in ``ROOT/.FPR``.

    `own` is for the account's own directory: small posts get a shadow, so that edits by hand leave versions.
    """

    __slots__ = ("_own", "_path", "fpr", "hidden", "root")

    def __init__(self, root: Root, fpr: Fingerprint, hidden: bool = False, *, own: bool = False) -> None:
        self.root = root
        self.fpr = fpr
        self.hidden = hidden
        self._own = own
        self._path = str(root.hidden_dir(fpr) if hidden else root.author_dir(fpr))

    def __repr__(self) -> str:
        return f"AuthorDir({self._path!r})"

    @property
    def path(self) -> Path:
        """Where it lies; for messages and watchers, not for opening files."""
        return Path(self._path)

    # --- reading -------------------------------------------------------------------------------------------

    def entries(self) -> list[Entry]:
        """Every post: a regular file with a valid name. Sorted by name."""
        found = []
        with self._opened() as directory:
            if directory is None:
                return []
            with os.scandir(directory) as scan:
                for item in scan:
                    if is_post_name(item.name) and item.is_file(follow_symlinks=False):
                        try:
                            info = item.stat(follow_symlinks=False)
                        except FileNotFoundError:  # removed since it was listed
                            continue
                        found.append(_entry(item.name, info))
        found.sort(key=lambda entry: entry.name)
        return found

    def names(self) -> list[str]:
        """The names of every post, unsorted; cheaper than `entries`."""
        with self._opened() as directory:
            if directory is None:
                return []
            with os.scandir(directory) as scan:
                return [i.name for i in scan if is_post_name(i.name) and i.is_file(follow_symlinks=False)]

    def entry(self, name: str) -> Entry | None:
        """One post; None when it is not held. InvalidName; NotAFile when something else has its name."""
        check_post_name(name)
        with self._opened() as directory:
            found = None if directory is None else _stat(directory, name)
        if found is None:
            return None
        safe.require_regular(name, found)
        return _entry(name, found)

    def clash(self, name: str) -> str | None:
        """A held name that differs from `name` by case or normal form only (N10)."""
        return clashes(name, self.names())

    def open(self, name: str) -> BinaryIO:
        """Open a post for reading. NoSuchPost, NotAFile, InvalidName."""
        return cast(BinaryIO, os.fdopen(self._open(name)[0], "rb"))

    def sha256(self, name: str) -> str:
        """The sha256 (hex) of a post; reads all of it. NoSuchPost, NotAFile, InvalidName."""
        with self.open(name) as file:
            return hash_fd(file.fileno())[0]

    def versions(self, name: str) -> list[VersionEntry]:
        """The older contents of a post, oldest first; also when the post itself is gone. NotAFile."""
        check_post_name(name)
        with self._opened() as directory:
            versions = None if directory is None else open_versions(directory, name)
            if directory is None or versions is None:
                return []
            with safe.closing(versions):
                return listing(versions, _stat(directory, name))

    def open_version(self, name: str, sha256: str) -> BinaryIO:
        """Open an older content, under either of its spellings. NoSuchPost, NotAFile, InvalidName."""
        check_post_name(name)
        with self._opened() as directory:
            versions = None if directory is None else open_versions(directory, name)
            if versions is None:
                raise NoSuchPost(f"there are no older versions of {name!r}")
            with safe.closing(versions):
                return cast(BinaryIO, os.fdopen(open_version(versions, sha256), "rb"))

    # --- writing -------------------------------------------------------------------------------------------

    def stage(self) -> Staged:
        """A temporary file here, to be filled and committed; a context manager.

        TreeChanged when there is no such directory: making one would follow somebody. Only one's own and the
        hidden ones are made when missing.
        """
        try:
            directory = safe.open_dir(self._path)
        except FileNotFoundError as error:
            if not (self._own or self.hidden):
                raise TreeChanged(
                    f"{self._path!r} is not there (any more): its author is not followed"
                ) from error
            with safe.closing(self.root.open()) as root:
                directory = safe.make_dir(os.path.basename(self._path), at=root)  # noqa: PTH119 - a string already
        return Staged(directory, self._path)

    def commit(self, staged: Staged, name: str, *, expect: str | Anything | None = ANY) -> Committed:
        """Make what was staged the post `name`; what it replaces becomes a version before (W1-W12).

        `expect` is the sha256 that must be held now, None for nothing; else TreeChanged and nothing is
        written. The same bytes as are held already: nothing is written either.
        """
        check_post_name(name)
        with self._shadows() as shadows:
            return committing.commit(staged, self._path, name, expect, shadows)

    def commit_many(self, batch: Sequence[tuple[Staged, str, str | Anything | None]]) -> list[Placed]:
        """Commit (staged, name, expect) one by one as `commit` does, but wait for the disk once for all.

        The result has at each place what became of it: one that fails stops no other.
        """
        with self._shadows() as shadows:
            return commit_many(batch, self._path, shadows)

    def place_new(self, files: Sequence[NewFile]) -> list[Placed]:
        """Make small posts of somebody else's under names that are free, all at once (W13).

        At each place what became of it; TreeChanged for a name that holds another content, and when there is
        no such directory.
        """
        if self._own:
            raise ValueError("one's own posts have shadows: they are committed one by one")
        try:
            directory = safe.open_dir(self._path)
        except FileNotFoundError as error:
            raise TreeChanged(
                f"{self._path!r} is not there (any more): its author is not followed"
            ) from error
        with safe.closing(directory):
            return place_new(directory, self._path, files)

    def remove(self, name: str) -> None:
        """Remove a post, its versions and its shadow. NoSuchPost when there is neither post nor version."""
        from mau.tree.retire import remove

        check_post_name(name)
        with self._opened() as directory:
            if directory is None:
                raise NoSuchPost(f"there is no {name!r}")
            with locked(directory), self._shadows() as shadows:
                remove(directory, name, shadows)
            safe.sync(directory)

    def retire(self, name: str, *, expect: str | None = None) -> str:
        """Take a post out of sight: it becomes a version, its name is free; its sha256 (V8).

        NoSuchPost; TreeChanged when it is not what `expect` (a sha256) says.
        """
        from mau.tree.retire import retire

        check_post_name(name)
        with self._opened() as directory:
            if directory is None:
                raise NoSuchPost(f"there is no {name!r}")
            with locked(directory), self._shadows() as shadows:
                sha256 = retire(directory, name, expect, shadows)
            safe.sync(directory)
        return sha256

    def drop_versions(self, name: str, sha256s: Iterable[str]) -> int:
        """Remove these older contents of a post, for good; how many there were (V9)."""
        from mau.tree.retire import drop_versions

        check_post_name(name)
        with self._opened() as directory:
            if directory is None:
                return 0
            with locked(directory):
                dropped = drop_versions(directory, name, sha256s)
            safe.sync(directory)
        return dropped

    def departed(self) -> list[str]:
        """The names of posts that are gone and left versions, sorted."""
        from mau.tree.retire import departed

        with self._opened() as directory:
            return [] if directory is None else list(departed(directory))

    def lost(self) -> dict[str, tuple[int, str]]:
        """Of own small posts that went, and that no program took away: size and sha256 (H5)."""
        from mau.tree.retire import lost

        with self._opened() as directory, self._shadows() as shadows:
            return lost(directory, shadows) if directory is not None and shadows else {}

    def shadow(self, name: str) -> tuple[bytes, str] | None:
        """What an own small post held when it was committed last, and its sha256; also when it is gone."""
        with self._opened() as directory:
            if directory is None:
                return None
            with locked(directory), self._shadows() as shadows:
                found = shadows.read(check_post_name(name)) if shadows else None
        return None if found is None else (found.data, found.sha256)

    def recover(self) -> None:
        """Finish what was cut off, remove what was left over, notice edits by hand in one's own posts."""
        from mau.tree.recovery import recover

        with self._opened() as directory:
            if directory is not None:
                with self._shadows() as shadows:
                    recover(directory, shadows)

    # --- inside --------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int | None]:
        try:
            directory = safe.open_dir(self._path)
        except FileNotFoundError:
            yield None
            return
        with safe.closing(directory):
            yield directory

    def _open(self, name: str) -> tuple[int, os.stat_result]:
        check_post_name(name)
        try:
            directory = safe.open_dir(self._path)
        except FileNotFoundError as error:
            raise NoSuchPost(f"there is no {name!r}") from error
        with safe.closing(directory):
            return safe.open_regular(name, at=directory)

    @contextlib.contextmanager
    def _shadows(self) -> Iterator[Shadows | None]:
        if not self._own:
            yield None
            return
        with Shadows.opened(self.root, self.fpr) as shadows:
            yield shadows


def _entry(name: str, found: os.stat_result) -> Entry:
    return Entry(name, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev)


def _stat(directory: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None
