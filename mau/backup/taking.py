"""From the tree to a tar archive, while everything runs (spec/backup.md B1-B9). Needs no passphrase.

The order is what makes it consistent. What is replaced becomes a version *before* it is replaced, so whoever
reads a post first and its versions afterwards has every content that was there when he began. What is merged
moves from ``.FPR`` to ``FPR``, so the hidden directory is read first. What was renamed meanwhile shows in the
next look at the directory. The keyring is read under the lock that all its writers take.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from mau.backup.members import DEEPEST, OWN_TEMPORARY
from mau.backup.report import LeftOut, Taken
from mau.errors import NoAccount, NoSuchPost, NotAFile, TreeChanged
from mau.tree import safe
from mau.tree.layout import STATE_DIRS, Root, parse_author
from mau.tree.lock import locked
from mau.tree.names import KEYRING_NAME, KEYS_DIR, VERSIONS_SUFFIX

Progress = Callable[[int, int], None]
"""``progress(files, bytes)``: how much was written so far."""

IN_MEMORY: Final = 1 << 20
"""Files up to so many bytes are read at once, and again when they were changed meanwhile."""
_KEYRING_IN_MEMORY: Final = 64 << 20
_BLOCK: Final = 512
_RECORD: Final = 20 * _BLOCK
_LOOKS: Final = 10
_TRIES: Final = 5
_SETTLED_NS: Final = 50_000_000


def back_up(root: Root, out: BinaryIO, progress: Progress | None = None) -> Taken:
    """Write the tree to `out`, which need not be seekable. NoAccount when there is no tree; OSError of `out`.

    What changed under our hands all the time, or cannot be read, is named in the result.
    """
    with safe.closing(root.open()) as top:
        try:
            os.close(safe.open_dir(KEYS_DIR, at=top))
        except FileNotFoundError:
            raise NoAccount(f"{str(root.path)!r} is no whole tree: it holds no {KEYS_DIR}") from None
        taking = _Taking(_Archive(out), progress)
        _keyring(root, top, taking)
        _rest_of_root(top, taking)
        _authors(top, taking)
        taking.archive.end()
    return taking.taken


# --- in which order ----------------------------------------------------------------------------------------


def _keyring(root: Root, top: int, taking: _Taking) -> None:
    """The account, the key files and the statements, as they were together at one moment."""
    with safe.closing(root.open()) as lock, locked(lock):
        held: list[_Read] = []
        size = 0
        for path, directory, name in _below(top, KEYS_DIR, taking, 0):
            read = taking.read(directory, name, path)
            held += [read] if read else []
        for author in _entries(top):
            if parse_author(author.name) and author.is_dir(follow_symlinks=False):
                with contextlib.suppress(OSError, NotAFile):
                    directory = safe.open_dir(author.name, at=top)
                    with safe.closing(directory):
                        read = taking.read(
                            directory, KEYRING_NAME, f"{author.name}/{KEYRING_NAME}", quiet=True
                        )
                        held += [read] if read else []
        size = sum(len(read.data) for read in held)
    if size > _KEYRING_IN_MEMORY:
        raise NotAFile(f"{KEYS_DIR!r} holds {size} bytes; that is no keyring")
    held.sort(key=lambda read: (read.path != f"{KEYS_DIR}/account.pgp", read.path))
    for read in held:
        taking.write(read)


def _below(
    directory: int, name: str, taking: _Taking, depth: int, path: str = ""
) -> Iterator[tuple[str, int, str]]:
    """Every file below ``name`` as (path, descriptor of its directory, name); directories are written."""
    path = f"{path}/{name}" if path else name
    try:
        opened = safe.open_dir(name, at=directory)
    except (OSError, NotAFile) as error:
        taking.leave_out(path, _words(error))
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


def _rest_of_root(top: int, taking: _Taking) -> None:
    for entry in _entries(top):
        name = entry.name
        if name == KEYS_DIR or parse_author(name) is not None:
            continue
        if name.startswith("revocation-") and name.endswith(".asc"):
            taking.file(top, name, name)
        elif name.removeprefix(".") not in STATE_DIRS and not OWN_TEMPORARY.match(name):
            taking.taken.left_out.append(LeftOut(name, "it is no part of the tree", expected=True))


def _authors(top: int, taking: _Taking) -> None:
    """Directories of posts, hidden before shown, until a look finds none that was not read."""
    done: set[tuple[int, int]] = set()
    names: set[str] = set()
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
                taking.leave_out(name, _words(error))
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


def _posts_first(directory: int, path: str, taking: _Taking, depth: int) -> None:
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
                taking.leave_out(inner, _words(error))
                continue
            with safe.closing(opened):
                taking.directory(inner, os.fstat(opened))
                _posts_first(opened, inner, taking, depth + 1)
    taking.leave_out(path, "files are made there faster than they are read")


def _entries(directory: int) -> list[os.DirEntry[str]]:
    with os.scandir(directory) as scan:
        return sorted(scan, key=lambda entry: entry.name)


# --- one file ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Read:
    """A file that was read whole."""

    path: str
    status: os.stat_result
    data: bytes


class _Taking:
    """Reads files and writes entries; notes what cannot be had."""

    def __init__(self, archive: _Archive, progress: Progress | None) -> None:
        self.archive = archive
        self.taken = Taken()
        self._progress = progress

    def leave_out(self, path: str, reason: str) -> None:
        self.taken.left_out.append(LeftOut(path, reason))

    def directory(self, path: str, status: os.stat_result) -> None:
        self.archive.directory(path, status)

    def file(self, directory: int, name: str, path: str, *, exactly: bool = False) -> None:
        """One file, small or large; gone since it was listed is no trouble: then it has another name now."""
        read = self.read(directory, name, path, most=IN_MEMORY)
        if read is not None:
            self.write(read, exactly=exactly)

    def read(
        self, directory: int, name: str, path: str, *, most: int | None = None, quiet: bool = False
    ) -> _Read | None:
        """A file as it was at one moment. One larger than `most` goes to the archive as it is read."""
        try:
            for _ in range(_TRIES):
                fd, before = safe.open_regular(name, at=directory)
                with safe.closing(fd):
                    if most is not None and before.st_size > most:
                        self._large(fd, before, path)
                        return None
                    data = _content(fd, before)
                    if data is not None:
                        return _Read(path, before, data)
            self.leave_out(path, "it was changed all the time")
        except NoSuchPost:
            pass
        except NotAFile:
            if not quiet:
                self.taken.left_out.append(LeftOut(path, "it is no regular file", expected=True))
        except OSError as error:
            self.leave_out(path, _words(error))
        return None

    def write(self, read: _Read, *, exactly: bool = False) -> None:
        self.archive.file(read.path, read.status, len(read.data), exactly=exactly)
        self.archive.write(read.data)
        self.archive.pad(len(read.data))
        self._count(len(read.data))

    def _large(self, fd: int, before: os.stat_result, path: str) -> None:
        """In pieces. Where it was changed meanwhile the entry is taken back, if the archive can be."""
        start = self.archive.tell()
        for _ in range(_TRIES):
            size = before.st_size
            self.archive.file(path, before, size, exactly=VERSIONS_SUFFIX + "/" in path)
            left = size
            while left:
                chunk = os.read(fd, min(left, safe.CHUNK))
                if not chunk:
                    break
                self.archive.write(chunk)
                left -= len(chunk)
            after = os.fstat(fd)
            if not left and _same(before, after):
                self.archive.pad(size)
                self._count(size)
                return
            if start is None:
                self.archive.fill(left)
                self.archive.pad(size)
                break
            self.archive.back_to(start)
            os.lseek(fd, 0, os.SEEK_SET)
            before = after
        self.leave_out(
            path,
            "it was changed while it was read" + (", and is torn in the archive" if start is None else ""),
        )

    def _count(self, size: int) -> None:
        self.taken.files += 1
        self.taken.size += size
        if self._progress is not None:
            self._progress(self.taken.files, self.taken.size)


def _content(fd: int, before: os.stat_result) -> bytes | None:
    """All bytes of an open file when nobody changed it meanwhile.

    The clock of a file system advances in ticks: a change within one leaves the same time. So a file that was
    changed a moment ago is looked at again when it has settled.
    """
    parts = []
    while chunk := os.read(fd, max(before.st_size + 1, 1 << 16)):
        parts.append(chunk)
    data = b"".join(parts)
    if 0 <= time.time_ns() - before.st_mtime_ns < _SETTLED_NS:
        time.sleep(_SETTLED_NS / 1e9)
        if os.pread(fd, len(data) + 1, 0) != data:
            return None
    return data if len(data) == before.st_size and _same(before, os.fstat(fd)) else None


def _same(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)


def _words(error: Exception) -> str:
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)


# --- the archive -------------------------------------------------------------------------------------------


class _Archive:
    """A pax archive as it grows."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._written = 0
        self._seekable = out.seekable()

    def directory(self, path: str, status: os.stat_result) -> None:
        info = _info(path, status)
        info.type = tarfile.DIRTYPE
        self._head(info)

    def file(self, path: str, status: os.stat_result, size: int, *, exactly: bool) -> None:
        """The header of a file; `exactly` keeps the fractions of its time, by which versions are ordered."""
        info = _info(path, status)
        info.size = size
        if exactly:
            seconds, nanoseconds = divmod(max(0, status.st_mtime_ns), 1_000_000_000)
            info.pax_headers = {"mtime": f"{seconds}.{nanoseconds:09}"}
        self._head(info)

    def _head(self, info: tarfile.TarInfo) -> None:
        self.write(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))

    def write(self, data: bytes) -> None:
        self._out.write(data)
        self._written += len(data)

    def pad(self, size: int) -> None:
        self.write(bytes(-size % _BLOCK))

    def fill(self, size: int) -> None:
        while size:
            some = min(size, safe.CHUNK)
            self.write(bytes(some))
            size -= some

    def tell(self) -> int | None:
        """Where it is; None when there is no way back."""
        return self._written if self._seekable else None

    def back_to(self, position: int) -> None:
        self._out.seek(position)
        self._out.truncate()
        self._written = position

    def end(self) -> None:
        """Two empty blocks, in a whole record as tar programs write it."""
        self.write(bytes(2 * _BLOCK))
        self.write(bytes(-self._written % _RECORD))
        self._out.flush()


def _info(path: str, status: os.stat_result) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)
    info.mode = stat.S_IMODE(status.st_mode) & 0o777
    info.uid, info.gid = status.st_uid, status.st_gid
    info.mtime = max(0, int(status.st_mtime))
    return info
