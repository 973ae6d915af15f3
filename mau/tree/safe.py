"""The ways to touch a disk that the tree allows itself (spec/tree.md S1-S5, W1-W3).

Everything opens without following links and without waiting on pipes, looks at what was opened before
reading a byte, and writes through a temporary file. Two layers: functions on directory descriptors, which
the rest of this room is made of, and `read_bytes` and `write_bytes` for single files such as keys.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mau.errors import InvalidName, NoSuchPost, NotAFile
from mau.tree.names import KEYS_DIR

_O_PATHLESS: Final = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_READ: Final = os.O_RDONLY | _O_PATHLESS
_CREATE: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | _O_PATHLESS
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | _O_PATHLESS
_NOT_A_FILE: Final = frozenset({errno.ELOOP, errno.EMLINK, errno.ENXIO, errno.ENODEV, errno.EISDIR})
_NOT_A_DIRECTORY: Final = frozenset({errno.ELOOP, errno.EMLINK, errno.ENOTDIR})
TEMP_NAME: Final = re.compile(r"\.mau-[0-9a-f]{16}\.tmp")
CHUNK: Final = 1 << 20


# --- directories -------------------------------------------------------------------------------------------


def open_dir(path: str | Path, *, at: int | None = None) -> int:
    """A descriptor of a directory; FileNotFoundError when missing, NotAFile when it is something else.

    Only the last component of `path` is guarded: name directories one by one, each `at` the one before.
    """
    try:
        return os.open(path, _DIRECTORY, dir_fd=at)
    except OSError as error:
        if error.errno in _NOT_A_DIRECTORY:
            raise NotAFile(f"{str(path)!r} is in the way: a directory belongs there") from error
        raise


def make_dir(name: str, *, at: int) -> int:
    """Make the directory `name` (0700) unless it is there, durably, and return a descriptor of it."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=at)
        if os.stat(name, dir_fd=at, follow_symlinks=False).st_mode & 0o777 != 0o700:
            os.chmod(name, 0o700, dir_fd=at)  # the umask took away even the owner's own rights
        sync(at)
    return open_dir(name, at=at)


@contextlib.contextmanager
def closing(fd: int) -> Iterator[int]:
    """Close the descriptor at the end of the block."""
    try:
        yield fd
    finally:
        os.close(fd)


def sync(fd: int) -> None:
    """Return when the file or directory is on the disk."""
    if sys.platform == "darwin":  # pragma: no cover - there fsync reaches only the disk's cache
        try:
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
        except OSError:
            os.fsync(fd)
        return
    os.fsync(fd)


# --- files -------------------------------------------------------------------------------------------------


def open_regular(name: str | Path, *, at: int | None = None) -> tuple[int, os.stat_result]:
    """Open a regular file for reading; NoSuchPost when missing, NotAFile when it is anything else."""
    try:
        # Looked at before it is opened: opening alone makes some devices act.
        require_regular(name, os.stat(name, dir_fd=at, follow_symlinks=False))
        fd = os.open(name, _READ, dir_fd=at)
    except FileNotFoundError as error:
        raise NoSuchPost(f"there is no {str(name)!r}") from error
    except OSError as error:
        raise translate(error, name) from error
    try:
        found = os.fstat(fd)
        require_regular(name, found)
    except BaseException:
        os.close(fd)
        raise
    return fd, found


def create_temp(at: int) -> tuple[int, str]:
    """A new empty file (0600) with a dot-name, and that name.

    It is locked for as long as its descriptor lives: that tells a cleaner that somebody still writes (R2).
    """
    while True:
        name = f".mau-{os.urandom(8).hex()}.tmp"
        fd = os.open(name, _CREATE, 0o600, dir_fd=at)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            found = os.fstat(fd)
            if found.st_nlink == 0:  # a cleaner was quicker than the lock
                os.close(fd)
                continue
            if found.st_mode & 0o777 != 0o600:
                os.fchmod(fd, 0o600)
        except BaseException:
            os.close(fd)
            unlink_quietly(name, at=at)
            raise
        return fd, name


def write_all(fd: int, data: bytes | bytearray) -> None:
    """Write every byte: `os.write` alone may stop short."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def unlink_quietly(name: str, *, at: int) -> bool:
    """Remove a name; False when it was not there."""
    try:
        os.unlink(name, dir_fd=at)
    except FileNotFoundError:
        return False
    return True


def translate(error: OSError, name: str | Path) -> Exception:
    """The error of ours that an OSError stands for, or the OSError itself."""
    if error.errno in _NOT_A_FILE:
        return NotAFile(f"{str(name)!r} is no regular file; move it away")
    if error.errno in (errno.ENAMETOOLONG, errno.EILSEQ):
        return InvalidName(f"this file system cannot hold the name {str(name)!a}")
    return error


def require_regular(name: str | Path, found: os.stat_result) -> None:
    """NotAFile unless what was found is a regular file."""
    if not stat.S_ISREG(found.st_mode):
        raise NotAFile(f"{str(name)!r} is no regular file; move it away")


# --- single files by their path ----------------------------------------------------------------------------


def read_bytes(path: Path, limit: int, *, below: Path | None = None) -> bytes:
    """The content of a regular file; NoSuchPost, NotAFile (also when longer than `limit` bytes).

    Neither the file nor its directory may be a link; with `below`, nothing between that directory and the
    file may be one.
    """
    try:
        directory = _open_parent(path, below, make=False)
    except FileNotFoundError as error:
        raise NoSuchPost(f"there is no {str(path)!r}") from error
    with closing(directory):
        fd, found = open_regular(path.name, at=directory)
    with os.fdopen(fd, "rb") as file:
        if found.st_size > limit:
            raise NotAFile(f"{str(path)!r} is too large: {found.st_size} bytes, at most {limit} belong there")
        data = file.read(limit + 1)
    if len(data) > limit:
        raise NotAFile(f"{str(path)!r} grew beyond {limit} bytes while it was read")
    return data


def write_bytes(path: Path, data: bytes | bytearray, *, below: Path | None = None) -> None:
    """Put `data` at `path` (0600): the whole of it or, whatever happens, what was there before (W1).

    Missing directories are made (0700). NotAFile when something that is no regular file is in the way.
    """
    with closing(_open_parent(path, below, make=True)) as directory, contextlib.ExitStack() as stack:
        try:
            require_regular(path, os.stat(path.name, dir_fd=directory, follow_symlinks=False))
        except FileNotFoundError:
            pass
        except OSError as error:
            raise translate(error, path) from error
        place = stack.enter_context(closing(os.open(_temp_place(path), os.O_DIRECTORY | os.O_CLOEXEC)))
        fd, temp = create_temp(place)
        with closing(fd):
            try:
                write_all(fd, data)
                sync(fd)
                os.rename(temp, path.name, src_dir_fd=place, dst_dir_fd=directory)
            except BaseException:
                unlink_quietly(temp, at=place)
                raise
        sync(directory)


def _temp_place(path: Path) -> Path:
    """Where the temporary file for `path` may lie: beside it, but never in ``.mau``.

    Other programs read every entry of ``.mau`` as a key (L5).
    """
    for parent in path.parents:
        if parent.name == KEYS_DIR:
            return parent.parent
    return path.parent


def _open_parent(path: Path, below: Path | None, *, make: bool) -> int:
    parent = path.parent
    if below is None:
        below = parent
        while make and not below.is_dir() and below != below.parent:
            below = below.parent
        if below == parent:
            return open_dir(parent)
    fd = os.open(below, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)  # the start may be reached by a link
    for part in parent.relative_to(below).parts:
        if part == "..":
            os.close(fd)
            raise InvalidName(f"{str(path)!r} does not stay below {str(below)!r}")
        with closing(fd):
            fd = make_dir(part, at=fd) if make else open_dir(part, at=fd)
    return fd
