"""What a start-up does: finish what was cut off, remove what is left over (spec/tree.md R1-R6)."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from typing import Final

from mau.errors import NoSuchPost, NotAFile
from mau.tree import safe
from mau.tree.layout import Root
from mau.tree.lock import locked
from mau.tree.names import VERSIONS_SUFFIX, check_post_name, is_post_name, versions_name
from mau.tree.shadow import Shadows
from mau.tree.staging import SHADOW_LIMIT, digest_fd, hash_fd
from mau.tree.versions import drop_twins, holds, keep_bytes, open_versions, opened_versions, take_in

_PARKED: Final = re.compile(r"\.mau-[0-9a-f]{16}\.([0-9a-f]{64})\.new")
GONE: Final = re.compile(r"\.mau-[0-9a-f]{16}\.gone")


def recover(directory: int, shadows: Shadows | None) -> None:
    """Bring one directory of posts in order; `directory` is a descriptor of it that nobody else uses."""
    with locked(directory):
        changed = False
        with os.scandir(directory) as scan:
            entries = list(scan)
        left_over = [entry for entry in entries if entry.name.startswith(".mau-")]
        # Most directories are in order, and a look at each post is most of what this costs.
        every = bool(left_over or shadows)
        versioned = (
            set() if every else {entry.name for entry in entries if entry.name.endswith(VERSIONS_SUFFIX)}
        )
        posts: dict[str, os.stat_result] = {}
        for entry in entries:
            if (every or versions_name(entry.name) in versioned) and _is_post(entry):
                with contextlib.suppress(FileNotFoundError):
                    posts[entry.name] = entry.stat(follow_symlinks=False)
        for entry in left_over:
            changed |= _clear(directory, entry, posts)
        for name, found in posts.items():
            if found.st_nlink > 1:
                changed |= _drop_twins(directory, name, found)
        if shadows:
            changed |= _file_edits(directory, posts, shadows)
        if changed:
            safe.sync(directory)


def _is_post(entry: os.DirEntry[str]) -> bool:
    return is_post_name(entry.name) and entry.is_file(follow_symlinks=False)


def remove_temp(directory: int, name: str) -> bool:
    """Remove a temporary file unless a living program still writes it; True when it went (R2)."""
    try:
        fd, found = safe.open_regular(name, at=directory)
    except (NoSuchPost, NotAFile):
        return False
    with safe.closing(fd):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        # Until now it may have been renamed into its place: then the name is gone, and stays so.
        with contextlib.suppress(FileNotFoundError):
            now = os.stat(name, dir_fd=directory, follow_symlinks=False)
            if os.path.samestat(now, found):
                os.unlink(name, dir_fd=directory)
                return True
    return False


def _clear(directory: int, entry: os.DirEntry[str], posts: dict[str, os.stat_result]) -> bool:
    if entry.is_dir(follow_symlinks=False):
        if GONE.fullmatch(entry.name):
            import shutil  # not on the way of programs that only start up

            shutil.rmtree(entry.name, dir_fd=directory)
            return True
    elif entry.is_file(follow_symlinks=False):
        if safe.TEMP_NAME.fullmatch(entry.name):
            return remove_temp(directory, entry.name)
        if parked := _PARKED.fullmatch(entry.name):
            return _settle(directory, entry.name, parked[1], posts)
    return False


def _settle(directory: int, parked: str, new: str, posts: dict[str, os.stat_result]) -> bool:
    """Finish a swap. Under the lock of the directory nobody else is at it.

    A parked file that holds what its name says was never swapped in. Any other was swapped out, and belongs
    to the versions of the post that now holds `new`; while that is not found, it stays.
    """
    fd, found = safe.open_regular(parked, at=directory)
    with safe.closing(fd):
        sha256, _ = hash_fd(fd)
    if sha256 == new:
        os.unlink(parked, dir_fd=directory)
        return True
    for name in _candidates(directory, new, posts):
        with opened_versions(directory, name) as versions:
            take_in(directory, versions, parked)
            drop_twins(versions, found, but=sha256)
        return True
    return False


def _candidates(directory: int, sha256: str, posts: dict[str, os.stat_result]) -> Iterator[str]:
    newest_first = sorted(posts, key=lambda name: posts[name].st_ctime_ns, reverse=True)
    for name in newest_first:
        with contextlib.suppress(NoSuchPost, NotAFile):
            fd, _ = safe.open_regular(name, at=directory)
            with safe.closing(fd):
                if hash_fd(fd)[0] == sha256:
                    yield name


def _drop_twins(directory: int, name: str, found: os.stat_result) -> bool:
    try:
        versions = open_versions(directory, name)
    except NotAFile:
        return False
    if versions is None:
        return False
    with safe.closing(versions):
        return drop_twins(versions, found)


def _file_edits(directory: int, posts: dict[str, os.stat_result], shadows: Shadows) -> bool:
    """Where a post is not as its shadow says, file what the shadow holds and shadow what is there (H4)."""
    filed = False
    times = shadows.times()
    for name, (size, mtime_ns) in times.items():
        found = posts.get(name)
        if found is None:
            shadows.drop(name)
        elif (found.st_size, found.st_mtime_ns) != (size, mtime_ns):
            with contextlib.suppress(NoSuchPost, NotAFile):
                filed |= file_edit(directory, check_post_name(name), shadows)
    for name in posts.keys() - times.keys():
        with contextlib.suppress(NoSuchPost, NotAFile):
            _shadow_anew(directory, name, shadows)
    return filed


def file_edit(directory: int, name: str, shadows: Shadows) -> bool:
    """File what a post held before it was edited by hand; False when it was not edited."""
    shadow = shadows.read(name)
    fd, found = safe.open_regular(name, at=directory)
    with safe.closing(fd):
        digest = digest_fd(fd, found)
        edited = shadow is not None and shadow.sha256 != digest.sha256
        if edited and shadow:
            with opened_versions(directory, name) as versions:
                if not holds(versions, shadow.sha256):
                    keep_bytes(directory, versions, shadow.data, shadow.sha256, shadow.mtime_ns)
                    safe.sync(versions)
        shadows.write(name, fd, digest)
    return edited


def _shadow_anew(directory: int, name: str, shadows: Shadows) -> None:
    fd, found = safe.open_regular(name, at=directory)
    with safe.closing(fd):
        if found.st_size <= SHADOW_LIMIT:
            shadows.write(name, fd, digest_fd(fd, found))


def recover_root(root: Root) -> None:
    """Remove the temporary files that lie in the root itself, where key files are prepared (W3)."""
    with safe.closing(root.open()) as top:
        with os.scandir(top) as scan:
            names = [entry.name for entry in scan if safe.TEMP_NAME.fullmatch(entry.name)]
        for name in names:
            remove_temp(top, name)
