"""Taking a post out of sight without losing it, or removing it with all its versions (spec/tree.md V7-V9)."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from typing import Final

from mau.errors import InvalidName, NoSuchPost, NotAFile, TreeChanged
from mau.tree import safe
from mau.tree.commit import parked_name
from mau.tree.lock import locked
from mau.tree.names import POST_SUFFIX, VERSIONS_SUFFIX, check_sha256, is_post_name, versions_name
from mau.tree.rename import NotSupportedHere, rename_new
from mau.tree.shadow import Shadows
from mau.tree.staging import hash_fd
from mau.tree.versions import Moved, drop_twins, keep, keep_bytes, open_versions, opened_versions, take_in

_ATTEMPTS: Final = 50


def retire(directory: int, name: str, expect: str | None, shadows: Shadows | None) -> str:
    """Make the post `name` a version of itself and nothing else; its sha256. Under the lock of `directory`.

    NoSuchPost when it is not held, TreeChanged when it is not what `expect` (a sha256) says.
    """
    for _ in range(_ATTEMPTS):
        with contextlib.suppress(Moved):
            fd, found = safe.open_regular(name, at=directory)
            with safe.closing(fd):
                sha256, _ = hash_fd(fd)
                if expect is not None and sha256 != expect:
                    raise TreeChanged(f"{name!r} is not what it was; nothing was changed, look again")
                with opened_versions(directory, name) as versions:
                    _file(directory, versions, name, fd, found, sha256, shadows)
                    _take_name(directory, versions, name, found, sha256)
                if shadows:
                    shadows.drop(name)
                return sha256
    raise TreeChanged(f"another program keeps changing {name!r}; try again")


def remove(directory: int, name: str, shadows: Shadows | None) -> None:
    """Remove a post, its versions and its shadow, under the lock of `directory`. NoSuchPost, NotAFile."""
    if shadows:
        shadows.drop(name)
    held = True
    try:
        os.close(safe.open_regular(name, at=directory)[0])
    except NoSuchPost:
        held = False
    versions = open_versions(directory, name)
    if versions is not None:
        os.close(versions)
    elif not held:
        raise NoSuchPost(f"there is no {name!r}")
    # The post first: from now on it is not served. Then the versions, in one step that recovery finishes.
    if held:
        safe.unlink_quietly(name, at=directory)
    if versions is not None:
        import shutil  # not on the way of programs that only start up

        gone = f".mau-{os.urandom(8).hex()}.gone"
        os.rename(versions_name(name), gone, src_dir_fd=directory, dst_dir_fd=directory)
        shutil.rmtree(gone, dir_fd=directory)


def drop_versions(directory: int, name: str, sha256s: Iterable[str]) -> int:
    """Remove these contents from the versions of a post, and nothing else; how many there were."""
    versions = open_versions(directory, name)
    if versions is None:
        return 0
    dropped = 0
    with safe.closing(versions):
        for sha256 in sha256s:
            check_sha256(sha256)
            gone = safe.unlink_quietly(sha256 + POST_SUFFIX, at=versions)
            dropped += safe.unlink_quietly(sha256, at=versions) or gone
        safe.sync(versions)
    with contextlib.suppress(OSError):  # not empty
        os.rmdir(versions_name(name), dir_fd=directory)
    return dropped


def departed(directory: int) -> Iterator[str]:
    """The names of posts that are gone and left versions."""
    with os.scandir(directory) as entries:
        names = {entry.name for entry in entries}
    for name in sorted(names):
        post = name.removesuffix(VERSIONS_SUFFIX)
        if post != name and post not in names and is_post_name(post):
            with contextlib.suppress(NotAFile, InvalidName):
                versions = open_versions(directory, post)
                if versions is not None:
                    os.close(versions)
                    yield post


def lost(directory: int, shadows: Shadows) -> dict[str, tuple[int, str]]:
    """Of shadows whose post is gone: size and sha256 of what it held. Takes the lock of `directory`."""
    with locked(directory):
        with os.scandir(directory) as entries:
            there = {entry.name for entry in entries}
        found = {name: shadows.read(name) for name in shadows.times().keys() - there}
    return {name: (len(one.data), one.sha256) for name, one in found.items() if one is not None}


def _file(
    directory: int,
    versions: int,
    name: str,
    fd: int,
    found: os.stat_result,
    sha256: str,
    shadows: Shadows | None,
) -> None:
    """Have everything that the post held among its versions, on the disk."""
    if found.st_nlink > 1:
        drop_twins(versions, found, but=sha256)
    shadow = shadows.read(name) if shadows else None
    if shadow and shadow.sha256 != sha256:  # edited by hand
        keep_bytes(directory, versions, shadow.data, shadow.sha256, shadow.mtime_ns)
    safe.sync(fd)
    keep(directory, versions, name, fd, found, sha256)
    safe.sync(versions)


def _take_name(directory: int, versions: int, name: str, found: os.stat_result, sha256: str) -> None:
    # Parked like what a swap brings out: should we end here, recovery knows what to make of it (R3).
    parked = parked_name(sha256)
    try:
        os.rename(name, parked, src_dir_fd=directory, dst_dir_fd=directory)
    except FileNotFoundError as error:
        raise Moved from error
    now = os.stat(parked, dir_fd=directory, follow_symlinks=False)
    if not stat.S_ISREG(now.st_mode):
        with contextlib.suppress(FileExistsError, NotSupportedHere):
            rename_new(directory, parked, name)
        raise NotAFile(f"{name!r} became something that is no regular file; move it away")
    same = (now.st_size, now.st_mtime_ns) == (found.st_size, found.st_mtime_ns)
    if os.path.samestat(now, found) and same:
        os.unlink(parked, dir_fd=directory)
    else:  # another program was quicker: what it put there is filed, too
        take_in(directory, versions, parked)
