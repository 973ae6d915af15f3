"""Where an archive is written: under its name it is whole, or not there at all (spec/backup.md B8, B9)."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from mau.errors import NotAFile, UsageError
from mau.tree import safe
from mau.tree.layout import Root
from mau.tree.recovery import remove_temp
from mau.tree.rename import NotSupportedHere, rename_new

_NO_SYNC: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EBADF})


def check_target(root: Root, path: Path, *, force: bool) -> None:
    """UsageError when an archive may not be written there: in the tree itself, or over something."""
    place = path.parent.resolve()
    tree = root.path.resolve()
    if tree == place or tree in place.parents:
        raise UsageError("that would lie inside your tree; say a place elsewhere")
    if not place.is_dir():
        raise NotAFile(f"{str(path.parent)!r} is no directory")
    if path.is_dir() and not path.is_symlink():
        raise UsageError(f"{str(path)!r} is a directory; say the name of a file in it")
    if os.path.lexists(path) and not force:
        raise UsageError(f"{str(path)!r} is there already; --force puts the new one in its place")


@contextmanager
def archive_file(root: Root, path: Path, *, force: bool) -> Iterator[BinaryIO]:
    """A file (0600) that gets the name at the end of the block, when all of it is on the disk.

    What a backup left there that was killed is removed. UsageError as `check_target` says.
    """
    check_target(root, path, force=force)
    with safe.closing(os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)) as directory:
        with os.scandir(directory) as scan:
            left = [entry.name for entry in scan if safe.TEMP_NAME.fullmatch(entry.name)]
        for name in left:
            with contextlib.suppress(OSError):  # somebody else's, in a place that many write to
                remove_temp(directory, name)
        fd, temp = safe.create_temp(directory)
        file = os.fdopen(fd, "w+b", buffering=1 << 20)
        with file:
            try:
                yield file
                file.flush()
                safe.sync(fd)
                _take_name(directory, temp, path.name, force=force)
            except BaseException:
                safe.unlink_quietly(temp, at=directory)
                raise
        _sync(directory)


def _sync(directory: int) -> None:
    """The name is on the disk, where directories can be told to be (not on every share)."""
    try:
        safe.sync(directory)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def _take_name(directory: int, temp: str, name: str, *, force: bool) -> None:
    try:
        if force:
            os.rename(temp, name, src_dir_fd=directory, dst_dir_fd=directory)
        else:
            take_free_name(directory, temp, name)
    except FileExistsError:
        raise UsageError(f"{name!r} was made by somebody else meanwhile; nothing was written") from None


def take_free_name(directory: int, temp: str, name: str, *, to: int | None = None) -> None:
    """Rename `temp` of `directory`, to `name` of `to` (else the same one); FileExistsError when it is taken.

    Where a disk has no such renames, and no hard links either (a stick, a share), nothing better is left than
    to look right before.
    """
    target = directory if to is None else to
    try:
        rename_new(directory, temp, name, to=target)
        return
    except NotSupportedHere:
        pass
    try:
        os.link(temp, name, src_dir_fd=directory, dst_dir_fd=target, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            os.stat(name, dir_fd=target, follow_symlinks=False)
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name) from None
        os.rename(temp, name, src_dir_fd=directory, dst_dir_fd=target)
    else:
        os.unlink(temp, dir_fd=directory)
