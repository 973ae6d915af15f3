"""The files of an archive: a directory, a zip file, a tar file, packed or not (spec/imports.md IM60-IM62).

Nothing is unpacked under the names in it, links in it lead nowhere, and neither one file nor all that
is unpacked at a time is larger than is fair. Of a tar file one pass is made for what is wanted: going back in
a packed one means unpacking it again.
"""

from __future__ import annotations

import json
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO, Any, Final

from mau.errors import ArchiveDamaged, NoSuchPost

MAX_JSON: Final = 512 << 20
"""Bytes of a JSON file in an archive: some 100,000 posts."""
MAX_FILE: Final = 512 << 20
"""Bytes of any other file in it."""
MAX_TOGETHER: Final = 1 << 30
"""Bytes of all files that are unpacked at one time."""
_PIECE: Final = 1 << 20
_MOST_MEMBERS: Final = 1_000_000
_BROKEN: Final = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
)

OUTBOX: Final = "outbox.json"
ACTOR: Final = "actor.json"


class Archive:
    """What lies in a file or a directory, by path; also below one directory that is around all of it."""

    def __init__(self, path: Path) -> None:
        """NoSuchPost when there is none; ArchiveDamaged when it is no archive."""
        self._path = path
        if not path.exists():
            raise NoSuchPost(f"there is no {str(path)!r}")
        if not path.is_dir() and not _is_zip(path) and not _is_tar(path):
            raise ArchiveDamaged(f"{str(path)!r} is no archive: neither a directory, nor zip, nor tar")

    def json(self, name: str) -> Any:
        """A JSON file at the top; None when there is none. ArchiveDamaged."""
        with self.files({name}) as found:
            if name not in found:
                return None
            if found[name].stat().st_size > MAX_JSON:
                raise ArchiveDamaged(f"{name!r} in it is too large")
            try:
                return json.loads(found[name].read_bytes())
            except (ValueError, RecursionError) as error:
                raise ArchiveDamaged(f"{name!r} in it is not JSON") from error

    @contextmanager
    def files(self, wanted: Collection[str]) -> Iterator[dict[str, Path]]:
        """The wanted files, as files on the disk while the block lasts; those that are not there are missing.

        A wanted path may lack the directories that stand before it in the archive. Missing, too, is what is
        larger than `MAX_FILE`, and what comes when `MAX_TOGETHER` would be passed.
        """
        if self._path.is_dir():
            yield _in_directory(self._path, wanted)
            return
        ends = {_plain(one): one for one in wanted}
        with TemporaryDirectory(prefix="mau-import-") as place:
            with self._broken():
                found = self._unpacked(ends, Path(place))
            yield found

    def sizes(self, wanted: Collection[str]) -> dict[str, int]:
        """Bytes that each of the wanted files takes when it is unpacked; none for files of a directory."""
        if self._path.is_dir() or not wanted:
            return {}
        with self._broken():
            return {name: size for name, size, _ in self._members({_plain(one): one for one in wanted})}

    @contextmanager
    def _broken(self) -> Iterator[None]:
        try:
            yield
        except _BROKEN as error:
            raise ArchiveDamaged(f"{str(self._path)!r} is damaged: {type(error).__name__}") from error

    def _unpacked(self, ends: dict[str, str], place: Path) -> dict[str, Path]:
        found: dict[str, Path] = {}
        room = MAX_TOGETHER
        for name, size, opened in self._members(ends):
            if size > min(MAX_FILE, room):
                continue
            path = place / str(len(found))
            with opened() as source:
                copied = _copied(source, path, min(MAX_FILE, room))
            if copied is not None:
                found[name] = path
                room -= copied
        return found

    def _members(self, ends: dict[str, str]) -> Iterator[tuple[str, int, Callable[[], IO[bytes]]]]:
        """The first file of each wanted path: the path, how large it says it is, how to open it."""
        left = set(ends.values())
        walk = self._in_zip(ends) if _is_zip(self._path) else self._in_tar(ends)
        for name, size, opened in walk:
            if name in left:
                left.remove(name)
                yield name, size, opened
            if not left:
                break

    def _in_zip(self, ends: dict[str, str]) -> Iterator[tuple[str | None, int, Callable[[], IO[bytes]]]]:
        with zipfile.ZipFile(self._path) as archive:
            for member in archive.infolist()[:_MOST_MEMBERS]:
                name = None if member.is_dir() else _meant(member.filename, ends)
                yield name, member.file_size, partial(archive.open, member)

    def _in_tar(self, ends: dict[str, str]) -> Iterator[tuple[str | None, int, Callable[[], IO[bytes]]]]:
        with tarfile.open(self._path, "r:*") as archive:
            for member in islice(archive, _MOST_MEMBERS):
                name = _meant(member.name, ends) if member.isreg() else None
                yield name, member.size, partial(_file_in, archive, member)


def _file_in(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    source = archive.extractfile(member)
    assert source is not None  # noqa: S101 - it is a regular file
    return source


def _is_zip(path: Path) -> bool:
    return zipfile.is_zipfile(path)


def _is_tar(path: Path) -> bool:
    try:
        return tarfile.is_tarfile(path)
    except (OSError, *_BROKEN):
        return False


def _plain(path: str) -> str:
    """A path as archives write it: no host before it, no slash at its beginning."""
    for mark in ("://",):
        if mark in path:
            path = "/" + path.partition(mark)[2].partition("/")[2]
    return "/".join(part for part in PurePosixPath(path).parts if part not in {"/", ".", ".."})


def _meant(name: str, ends: dict[str, str]) -> str | None:
    """Which wanted path a member is: the whole of it, or with one directory around all."""
    plain = _plain(name)
    return ends.get(plain) or ends.get(plain.partition("/")[2])


def _in_directory(top: Path, wanted: Collection[str]) -> dict[str, Path]:
    """The wanted files that are regular ones below a directory; links lead nowhere."""
    inside = [top, *(one for one in sorted(top.iterdir()) if one.is_dir() and not one.is_symlink())]
    places = [top] if (top / OUTBOX).exists() else [one for one in inside if (one / OUTBOX).exists()]
    found: dict[str, Path] = {}
    for name in wanted:
        for place in places[:1]:
            path = place / _plain(name)
            try:
                held = os.lstat(path)
                real = path.resolve().is_relative_to(place.resolve())
            except (OSError, ValueError):
                continue
            if stat.S_ISREG(held.st_mode) and real and held.st_size <= MAX_FILE:
                found[name] = path
    return found


def _copied(source: IO[bytes], path: Path, most: int) -> int | None:
    """Copy at most so many bytes and say how many; None, and nothing is left, when there are more."""
    size = 0
    with path.open("xb") as out:
        while piece := source.read(_PIECE):
            size += len(piece)
            if size > most:
                break
            out.write(piece)
    if size > most:
        path.unlink()
        return None
    return size
