"""The files of an archive: a directory, a zip file, a tar file, packed or not (spec/imports.md W60-W62).

Nothing is unpacked under the names in it, links in it lead nowhere, and no file is larger than is fair. Of a
tar file only one pass is made for what is wanted: going back in a packed one means unpacking it again.
"""

from __future__ import annotations

import json
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO, Any, Final

from mau.errors import ArchiveDamaged, NoSuchPost

MAX_JSON: Final = 512 << 20
"""Bytes of a JSON file in an archive: some 100,000 posts."""
MAX_FILE: Final = 512 << 20
"""Bytes of any other file in it."""
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

        A wanted path may lack the directories that stand before it in the archive.
        """
        if self._path.is_dir():
            yield _in_directory(self._path, wanted)
            return
        ends = {_plain(one): one for one in wanted}
        with TemporaryDirectory(prefix="mau-import-") as place:
            try:
                if _is_zip(self._path):
                    yield self._unzipped(ends, Path(place))
                else:
                    yield self._untarred(ends, Path(place))
            except _BROKEN as error:
                raise ArchiveDamaged(f"{str(self._path)!r} is damaged: {type(error).__name__}") from error

    def _unzipped(self, ends: dict[str, str], place: Path) -> dict[str, Path]:
        found: dict[str, Path] = {}
        with zipfile.ZipFile(self._path) as archive:
            for member in archive.infolist()[:_MOST_MEMBERS]:
                wanted = None if member.is_dir() else _meant(member.filename, ends)
                if wanted is not None and wanted not in found:
                    with archive.open(member) as source:
                        if _copied(source, place / str(len(found))):
                            found[wanted] = place / str(len(found))
        return found

    def _untarred(self, ends: dict[str, str], place: Path) -> dict[str, Path]:
        found: dict[str, Path] = {}
        with tarfile.open(self._path, "r:*") as archive:
            for number, member in enumerate(archive):
                wanted = _meant(member.name, ends) if member.isreg() else None
                if wanted is not None and wanted not in found:
                    source = archive.extractfile(member)
                    if source is not None and _copied(source, place / str(len(found))):
                        found[wanted] = place / str(len(found))
                if number >= _MOST_MEMBERS or len(found) == len(ends):
                    break
        return found


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


def _copied(source: IO[bytes], path: Path) -> bool:
    """Copy at most `MAX_FILE` bytes; False, and nothing is left, when there are more."""
    size = 0
    with path.open("xb") as out:
        while piece := source.read(_PIECE):
            size += len(piece)
            if size > MAX_FILE:
                break
            out.write(piece)
    if size > MAX_FILE:
        path.unlink()
    return size <= MAX_FILE
