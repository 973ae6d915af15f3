"""A place in memory for a text while it is edited: private, and gone afterwards (spec/writing.md P50-P54).

What an editor leaves beside its file (swap files, backups, autosaved copies) lies in the same directory, and
goes with it. The directory is locked meanwhile, so that what a killed program left can be told from it; the
editor shares the lock, and may outlive us.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from mau.errors import MauError, NoPrivatePlace
from mau.tree import safe
from mau.tree.index.place import file_system

_MOUNTS: Final = "/proc/self/mountinfo"
_IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})
_PREFIX: Final = "mau-edit-"
_START: Final = ".start"
STEM: Final = "post"
"""What the file is called that is edited, without its ending: `ps` shows the name to everybody."""


@contextlib.contextmanager
def private_place(*, insecure: bool = False, environ: Mapping[str, str] = os.environ) -> Iterator[Path]:
    """A new directory (0700) in memory, removed with all that is in it when the block ends, however it does.

    NoPrivatePlace when this machine offers none in memory; with `insecure` it lies on the disk then.
    """
    base = memory_place(environ)
    if base is None:
        if not insecure:
            raise NoPrivatePlace(
                "there is no place in memory for a text that nobody else may read "
                "(XDG_RUNTIME_DIR or /dev/shm); --insecure-tmp takes the disk, where it can be found again"
            )
        base = Path(tempfile.gettempdir())
    _clear(base)
    place = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
    held = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(held, fcntl.LOCK_SH)
        yield place
    finally:
        os.close(held)
        _remove(place)


def leave_behind(data: bytes) -> Path:
    """Leave a text in a file (0600) in memory, where nothing else could take it; NoPrivatePlace, OSError."""
    base = memory_place()
    if base is None:
        raise NoPrivatePlace("there is no place in memory for your text, and no other")
    fd, name = tempfile.mkstemp(prefix="mau-text-", dir=base)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
    return Path(name)


def memory_place(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The first of XDG_RUNTIME_DIR and /dev/shm that is in memory and where others take nothing from us."""
    if sys.platform != "linux":
        return None
    try:
        mounts = Path(_MOUNTS).read_text("utf-8", "surrogateescape")
    except OSError:
        return None
    for named in (environ.get("XDG_RUNTIME_DIR", ""), "/dev/shm"):  # noqa: S108 - a directory of ours in it
        if named.startswith("/") and _is_safe(named):
            real = os.path.realpath(named)
            if file_system(mounts, real) in _IN_MEMORY:
                return Path(real)
    return None


def _is_safe(directory: str) -> bool:
    """Whether we can write there, and nobody else can rename or remove what we make there."""
    try:
        found = Path(directory).stat()
    except OSError:
        return False
    others = found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX
    owned = found.st_uid in {0, os.geteuid()}
    return stat.S_ISDIR(found.st_mode) and owned and not others and os.access(directory, os.W_OK | os.X_OK)


@contextlib.contextmanager
def shared_lock(place: Path) -> Iterator[int]:
    """A descriptor that keeps the place from being cleared for as long as any process has it."""
    with _opened(place) as fd:
        fcntl.flock(fd, fcntl.LOCK_SH)
        yield fd


def put(place: Path, name: str, data: bytes) -> Path:
    """A file (0600) with the text to be edited; what it was is noted beside it."""
    for part, content in ((_START, hashlib.sha256(data).hexdigest().encode()), (name, data)):
        path = place / part
        path.touch(mode=0o600)
        path.write_bytes(content)
    return place / name


def left_texts(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Texts that somebody wrote in an editor until the program was killed; nobody has them open any more."""
    base = memory_place(environ)
    found: list[Path] = []
    for left in () if base is None else _left(base):
        found += _changed(left)
    return found


def _clear(base: Path) -> None:
    """Remove what killed programs of ours left there, but what somebody wrote; what is in use is locked."""
    for left in _left(base):
        if not _changed(left):
            _remove(left)


def _left(base: Path) -> Iterator[Path]:
    """Directories of ours that nobody has locked, one by one; each is locked while it is looked at."""
    for left in base.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            found = left.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
                continue
            with _opened(left) as held:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Between its making and its lock a directory is empty: it may be somebody's.
                if any(left.iterdir()):
                    yield left


def _changed(left: Path) -> list[Path]:
    """The texts in a directory that are not what they were at the start."""
    try:
        start = safe.read_bytes(left / _START, 64).decode("ascii", "replace")
    except (MauError, OSError):
        return []
    return [
        path
        for path in left.iterdir()
        if path.name.startswith(STEM) and path.is_file() and not path.is_symlink() and _sum(path) != start
    ]


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def _opened(place: Path) -> Iterator[int]:
    fd = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        yield fd
    finally:
        os.close(fd)


def _remove(place: Path) -> None:
    """Remove the directory; an editor that lives on may still write into it, so more than once."""
    for _ in range(3):
        shutil.rmtree(place, ignore_errors=True)
        if not os.path.lexists(place):
            return
