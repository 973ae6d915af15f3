"""Room on the disk, and whether its file system can do what Mau relies on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from mau.doctor.finding import Finding
from mau.tree import safe
from mau.tree.index.place import is_remote
from mau.tree.layout import Root
from mau.tree.rename import NotSupportedHere, exchange

ENOUGH: Final = 1 << 30
STOPS: Final = 64 << 20
"""Bytes: below this a sync fetches nothing any more."""
_FEW_FILES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Disk:
    """What is known of a file system: free bytes, free files (None: no limit), and what it can do."""

    free: int
    files: int | None
    read_only: bool
    remote: bool
    exchanges: bool


def judge_disk(disk: Disk) -> list[Finding]:
    """What is wrong with it. Pure."""
    found = []
    if disk.read_only:
        found.append(
            Finding(
                "disk",
                "the tree lies on a file system that is mounted read-only",
                "nothing can be posted or fetched; a disk that fails is often mounted so",
                "look at the system's log (dmesg), then mount it anew for writing",
            )
        )
    if disk.free < ENOUGH:
        little = disk.free < STOPS
        found.append(
            Finding(
                "disk",
                f"there are {disk.free >> 20} MiB left on the disk of the tree",
                "nothing is fetched any more" if little else "large files are put off, and soon all are",
                "make room, or move the tree to a larger disk (mau backup, mau restore)",
            )
        )
    if disk.files is not None and disk.files < _FEW_FILES:
        found.append(
            Finding(
                "disk",
                f"the file system of the tree has room for {disk.files} more files",
                "each post and each older content is a file",
                "remove files that are not needed, or move the tree to another file system",
            )
        )
    if disk.remote:
        found.append(
            Finding(
                "disk",
                "the tree lies on a network file system",
                "changes show after half a minute instead of at once, the index lies on this machine alone, "
                "and two machines must not write to one tree at once",
                "keep the tree on a disk of this machine, if you can",
            )
        )
    elif not disk.exchanges and not disk.read_only:
        found.append(
            Finding(
                "disk",
                "the file system of the tree cannot swap two names",
                "what another program puts in a post's place in the very moment of writing it may be lost",
                "ext4, btrfs, xfs and tmpfs can; nothing needs to be done if only Mau writes there",
            )
        )
    return found


def examine_disk(root: Root) -> list[Finding]:
    """Look at the file system of a tree; nothing when there is no tree."""
    try:
        status = os.statvfs(root.path)
    except OSError:
        return []
    read_only = bool(status.f_flag & os.ST_RDONLY)
    return judge_disk(
        Disk(
            free=status.f_bavail * status.f_frsize,
            files=status.f_favail if status.f_files else None,
            read_only=read_only,
            remote=is_remote(root.path),
            # Where no tree is, nothing is made to try it.
            exchanges=read_only or not root.mau.is_dir() or _exchanges(root),
        )
    )


def _exchanges(root: Root) -> bool:
    """Try it, among what is derived."""
    try:
        with safe.closing(safe.open_dir(root.state_dir("reader"))) as directory:
            first, one = safe.create_temp(directory)
            second, other = safe.create_temp(directory)
            try:
                exchange(directory, one, other)
            finally:
                for fd, name in ((first, one), (second, other)):
                    os.close(fd)
                    safe.unlink_quietly(name, at=directory)
    except NotSupportedHere:
        return False
    except OSError:
        return True  # it cannot be told: that is said elsewhere
    return True
