"""From the tree to a tar archive, while everything runs (spec/backup.md B1-B9). Needs no passphrase.

The order is what makes it consistent. What is replaced becomes a version *before* it is replaced, so whoever
reads a post first and its versions afterwards has every content that was there when he began. What is merged
moves from ``.FPR`` to ``FPR``, so the hidden directory is read first. What was renamed meanwhile shows in the
next look at the directory. The keyring is read under the lock that all its writers take.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import BinaryIO, Final

from mau.backup.members import DEEPEST, OWN_TEMPORARY
from mau.backup.pax import PaxArchive
from mau.backup.report import LeftOut, Taken, words_of
from mau.backup.storing import Progress, Read, Storing
from mau.errors import NoAccount, NotAFile, TreeChanged
from mau.tree import safe
from mau.tree.layout import STATE_DIRS, Root, parse_author
from mau.tree.lock import locked
from mau.tree.names import KEYRING_NAME, KEYS_DIR, VERSIONS_SUFFIX

_KEYRING_IN_MEMORY: Final = 64 << 20
_LOOKS: Final = 10


def back_up(root: Root, out: BinaryIO, progress: Progress | None = None) -> Taken:
    """Write the tree to `out`, which need not be seekable. NoAccount when there is no tree; OSError of `out`.

    What changed under our hands all the time, or cannot be read, is named in the result.
    """
    with safe.closing(root.open()) as top:
        try:
            os.close(safe.open_dir(KEYS_DIR, at=top))
        except FileNotFoundError:
            raise NoAccount(f"{str(root.path)!r} is no whole tree: it holds no {KEYS_DIR}") from None
        taking = Storing(PaxArchive(out), progress)
        _keyring(root, top, taking)
        _rest_of_root(top, taking)
        _authors(top, taking)
        taking.archive.end()
    return taking.taken


# --- in which order ----------------------------------------------------------------------------------------


def _keyring(root: Root, top: int, taking: Storing) -> None:
    """The account, the key files and the statements, as they were together at one moment."""
    held: list[Read] = []

    def keep(directory: int, name: str, path: str) -> None:
        # Written once the lock is free; what is too much for memory is no keyring, and goes out at once.
        read = taking.read(directory, name, path, most=_KEYRING_IN_MEMORY)
        held.extend([read] if read else [])
        if sum(len(one.data) for one in held) > _KEYRING_IN_MEMORY:
            write()

    def write() -> None:
        held.sort(key=lambda one: (one.path != f"{KEYS_DIR}/account.pgp", one.path))
        for one in held:
            taking.write(one)
        held.clear()

    with safe.closing(root.open()) as lock, locked(lock):
        for path, directory, name in _below(top, KEYS_DIR, taking, 0):
            keep(directory, name, path)
        for author in _entries(top):
            if parse_author(author.name) and author.is_dir(follow_symlinks=False):
                with contextlib.suppress(OSError, NotAFile):
                    directory = safe.open_dir(author.name, at=top)
                    with safe.closing(directory):
                        keep(directory, KEYRING_NAME, f"{author.name}/{KEYRING_NAME}")
    write()


def _below(
    directory: int, name: str, taking: Storing, depth: int, path: str = ""
) -> Iterator[tuple[str, int, str]]:
    """Every file below ``name`` as (path, descriptor of its directory, name); directories are written."""
    path = f"{path}/{name}" if path else name
    try:
        opened = safe.open_dir(name, at=directory)
    except (OSError, NotAFile) as error:
        taking.leave_out(path, words_of(error))
        return
    with safe.closing(opened):
        taking.directory(path, os.fstat(opened))
        for entry in _entries(opened):
            if entry.is_dir(follow_symlinks=False):
                if depth < DEEPEST:
                    yield from _below(opened, entry.name, taking, depth + 1, path)
                else:
                    taking.leave_out(f"{path}/{entry.name}", "it lies too deep")
            else:
                yield f"{path}/{entry.name}", opened, entry.name


def _rest_of_root(top: int, taking: Storing) -> None:
    for entry in _entries(top):
        name = entry.name
        if name == KEYS_DIR or parse_author(name) is not None:
            continue
        if name.startswith("revocation-") and name.endswith(".asc"):
            taking.file(top, name, name)
        elif name.removeprefix(".") not in STATE_DIRS and not OWN_TEMPORARY.match(name):
            taking.taken.left_out.append(LeftOut(name, "it is no part of the tree", expected=True))


def _authors(top: int, taking: Storing) -> None:
    """Directories of posts, hidden before shown, until a look finds none that was not read."""
    done: set[tuple[int, int]] = set()
    names: set[str] = set()
    closed: set[str] = set()
    for _ in range(_LOOKS):
        found = [entry.name for entry in _entries(top) if parse_author(entry.name)]
        found.sort(key=lambda name: (name.removeprefix("."), not name.startswith(".")))
        new = False
        for name in found:
            try:
                directory = safe.open_dir(name, at=top)
            except FileNotFoundError:
                new = True  # renamed a moment ago: look again
                continue
            except (OSError, NotAFile) as error:
                if name not in closed:
                    taking.leave_out(name, words_of(error))
                closed.add(name)
                continue
            with safe.closing(directory):
                status = os.fstat(directory)
                if (status.st_dev, status.st_ino) in done:
                    continue
                if name in names:
                    raise TreeChanged(
                        f"{name!r} was put in the place of another directory meanwhile; try again"
                    )
                taking.directory(name, status)
                _posts_first(directory, name, taking, 0)
            done.add((status.st_dev, status.st_ino))
            names.add(name)
            new = True
        if not new:
            return
    raise TreeChanged("directories are renamed again and again; try again")


def _posts_first(directory: int, path: str, taking: Storing, depth: int) -> None:
    """Files, then directories (those of versions among them), until a look finds nothing new."""
    seen: set[str] = {KEYRING_NAME} if depth == 0 else set()
    for _ in range(_LOOKS):
        new = [entry for entry in _entries(directory) if entry.name not in seen]
        if not new:
            return
        seen.update(entry.name for entry in new)
        below = [entry.name for entry in new if entry.is_dir(follow_symlinks=False)]
        is_versions = path.endswith(VERSIONS_SUFFIX)
        for entry in new:
            if entry.name not in below and not OWN_TEMPORARY.match(entry.name):
                taking.file(directory, entry.name, f"{path}/{entry.name}", exactly=is_versions)
        for name in below:
            if OWN_TEMPORARY.match(name):
                continue
            inner = f"{path}/{name}"
            if depth >= DEEPEST:
                taking.leave_out(inner, "it lies too deep")
                continue
            try:
                opened = safe.open_dir(name, at=directory)
            except FileNotFoundError:
                continue
            except (OSError, NotAFile) as error:
                taking.leave_out(inner, words_of(error))
                continue
            with safe.closing(opened):
                taking.directory(inner, os.fstat(opened))
                _posts_first(opened, inner, taking, depth + 1)
    taking.leave_out(path, "files are made there faster than they are read")


def _entries(directory: int) -> list[os.DirEntry[str]]:
    with os.scandir(directory) as scan:
        return sorted(scan, key=lambda entry: entry.name)
