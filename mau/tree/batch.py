"""Many small posts at once, under names that are free (spec/tree.md W1-W5, W13).

What one file costs alone is mostly waiting and being woken up. Here the files of a batch are all written, and
the disk begins with each of them at once; then all are waited for together, and one look at the directory,
one lock and one fsync of it do for all of them. What is on the disk when is the same as for a single file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from mau.errors import MauError, TreeChanged
from mau.tree import safe
from mau.tree.commit import Anything, Committed, commit, held_under, require_in_place, take_name
from mau.tree.lock import locked
from mau.tree.names import check_post_name
from mau.tree.shadow import Shadows
from mau.tree.staging import Staged, sync_many
from mau.tree.versions import Moved

_SYNCING: Final = 4
"""So many wait for the disk at once: it takes what waits together in one go."""

Placed = Committed | MauError | OSError
"""What became of one file of several."""


@dataclass(frozen=True, slots=True)
class NewFile:
    """A post that is to be made: its whole name, its content, and the sha256 (hex) of exactly that."""

    name: str
    data: bytes
    sha256: str


def place_new(directory: int, place: str, files: Sequence[NewFile]) -> list[Placed]:
    """Make posts of the directory `place`, open as `directory`, a descriptor that nobody else uses.

    At each place what became of it: one that fails stops no other. TreeChanged for a name that holds another
    content. OSError when it is not known whether anything of it lasts.
    """
    results: dict[int, Placed] = {}
    written: dict[int, tuple[int, str]] = {}
    try:
        for number, file in enumerate(files):
            try:
                check_post_name(file.name)
                fd, temp = safe.create_temp(directory)
                written[number] = fd, temp
                safe.write_all(fd, file.data)
                begin_writing(fd)
            except (MauError, OSError) as error:
                results[number] = error
        waiting = [number for number in written if number not in results]
        problems = sync_all([written[number][0] for number in waiting])
        results |= {number: error for number, error in zip(waiting, problems, strict=True) if error}
        with locked(directory):
            results |= _take_names(directory, place, files, written, results)
        safe.sync(directory)
    finally:
        for number, (fd, temp) in written.items():
            if not isinstance(results.get(number), Committed):
                safe.unlink_quietly(temp, at=directory)
            os.close(fd)
    return [results[number] for number in range(len(files))]


def commit_many(
    batch: Sequence[tuple[Staged, str, str | Anything | None]], place: str, shadows: Shadows | None
) -> list[Placed]:
    """Commit (staged, name, expect) one by one, but wait for the disk once for all; results as above."""
    results: list[Placed] = []
    digests = sync_many([staged for staged, _, _ in batch])
    for (staged, name, expect), digest in zip(batch, digests, strict=True):
        try:
            if isinstance(digest, Exception):
                raise digest
            check_post_name(name)
            results.append(commit(staged, place, name, expect, shadows, synced=digest, settle=False))
        except (MauError, OSError) as error:
            results.append(error)
    directories = {os.fstat(staged.directory).st_ino: staged.directory for staged, _, _ in batch}
    for directory in directories.values():
        safe.sync(directory)
    return results


def _take_names(
    directory: int,
    place: str,
    files: Sequence[NewFile],
    written: dict[int, tuple[int, str]],
    failed: dict[int, Placed],
) -> dict[int, Placed]:
    """Under the lock: each file that is on the disk gets its name."""
    results: dict[int, Placed] = {}
    gone: MauError | None = None
    try:
        require_in_place(directory, place)
    except TreeChanged as error:
        gone = error
    for number, (_, temp) in written.items():
        if number not in failed:
            try:
                results[number] = gone or _take_name(directory, temp, files[number])
            except (MauError, OSError) as error:
                results[number] = error
    return results


def _take_name(directory: int, temp: str, file: NewFile) -> Committed:
    try:
        take_name(directory, temp, file.name)
    except Moved:
        with held_under(directory, file.name) as held:
            if held is None or held.sha256 != file.sha256:
                raise TreeChanged(
                    f"{file.name!r} is not what it was; nothing was written, look again"
                ) from None
        safe.unlink_quietly(temp, at=directory)
        return Committed(file.name, file.sha256, len(file.data), None, unchanged=True)
    return Committed(file.name, file.sha256, len(file.data), None)


def begin_writing(fd: int) -> None:
    """Let the disk begin with what was written, and do not wait: who waits later waits for less."""
    if sys.platform == "linux":
        # The kernel writes back what it is told to forget; what is on its way it does not forget.
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)


def sync_all(fds: Sequence[int]) -> list[OSError | None]:
    """Return when all these files are on the disk; at each place what went wrong."""
    if len(fds) < 2 * _SYNCING:
        return list(map(_sync, fds))
    with ThreadPoolExecutor(_SYNCING) as pool:
        shares = pool.map(_sync_share, [fds[start::_SYNCING] for start in range(_SYNCING)])
    found: list[OSError | None] = [None] * len(fds)
    for start, share in enumerate(shares):
        found[start::_SYNCING] = share
    return found


def _sync_share(fds: Iterable[int]) -> list[OSError | None]:
    return list(map(_sync, fds))


def _sync(fd: int) -> OSError | None:
    try:
        safe.sync(fd)
    except OSError as error:
        return error
    return None
