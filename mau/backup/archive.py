"""An archive, read: which entry belongs where, and which are refused by name (spec/backup.md B10-B14).

Only headers are read here. What a file holds is for others to judge, before anything of it is written.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Final

from mau.backup.headers import Header, read_headers
from mau.backup.members import Parts, Place, place_of, prefix_of, split_path
from mau.backup.report import Restored
from mau.errors import ArchiveDamaged, InvalidName, UsageError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MOST: Final = 2_000_000
"""Entries that are looked at: memory grows with them."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file or directory of an archive, and where it belongs. `path` is as the archive spells it."""

    path: str
    place: Place
    offset: int
    size: int
    mtime_ns: int


@dataclass(slots=True)
class Archive:
    """What is in an archive, by what it stands for; each list is in the archive's order."""

    file: BinaryIO
    account: Member | None = None
    revocations: list[Member] = field(default_factory=list)
    keys: list[Member] = field(default_factory=list)
    groups: list[Member] = field(default_factory=list)
    authors: list[Member] = field(default_factory=list)
    posts: list[Member] = field(default_factory=list)
    versions: list[Member] = field(default_factory=list)
    others: list[Member] = field(default_factory=list)

    @property
    def files(self) -> int:
        """How many files are to be looked into."""
        return len(self.keys) + len(self.posts) + len(self.versions) + len(self.others)

    def read(self, member: Member) -> bytes:
        """All bytes of a small one. ArchiveDamaged when the file became shorter."""
        self.file.seek(member.offset)
        data = self.file.read(member.size)
        if len(data) != member.size:
            raise ArchiveDamaged("the archive was changed while it was read")
        return data

    def section(self, member: Member) -> BinaryIO:
        """The bytes of a large one as a file of its own, to be read from its beginning."""
        return io.BufferedReader(_Section(self.file, member.offset, member.size), 1 << 16)


def open_archive(file: BinaryIO, restored: Restored) -> Archive:
    """Read all headers of a seekable file; what is refused by its header goes into `restored`.

    ArchiveDamaged when it is no tar archive, or holds no tree. One that is cut off is read as far as it goes.
    """
    if not file.seekable():
        raise UsageError("an archive is read twice; save it as a file first")
    headers: list[tuple[Header, Parts]] = []
    try:
        for header in read_headers(file):
            if len(headers) >= MOST:
                raise ArchiveDamaged(f"the archive has more than {MOST} entries")
            try:
                headers.append((header, split_path(header.path)))
            except InvalidName as error:
                restored.add(header.path, "refused", str(error))
    except ArchiveDamaged as error:
        if not headers:
            raise
        restored.problems.append(f"{error}; what stands before that was looked at")
    prefix = prefix_of(parts for header, parts in headers if header.kind != "refused")
    if prefix is None:
        raise ArchiveDamaged("there is no tree in the archive: neither .mau nor a directory of posts")
    return _sorted(file, headers, prefix, restored)


def _sorted(
    file: BinaryIO, headers: list[tuple[Header, Parts]], prefix: Parts, restored: Restored
) -> Archive:
    archive = Archive(file)
    seen: set[Place] = set()
    for header, parts in headers:
        if header.kind == "directory" and len(parts) <= len(prefix):
            continue
        if parts[: len(prefix)] != prefix:
            restored.add(header.path, "refused", "it does not lie in the tree")
            continue
        try:
            place = place_of(parts[len(prefix) :], directory=header.kind == "directory")
        except InvalidName as error:
            restored.add(header.path, "refused", str(error))
            continue
        if place is None:
            continue
        if place.kind == "derived":
            restored.derived += 1
        elif header.kind == "refused":
            restored.add(header.path, "refused", header.reason)
        elif place in seen:
            if header.kind != "directory":
                restored.add(header.path, "refused", "it is in the archive twice; the first one counts")
        else:
            seen.add(place)
            _put(archive, Member(header.path, place, header.offset, header.size, header.mtime_ns))
    return archive


def _put(archive: Archive, member: Member) -> None:
    match member.place.kind:
        case "account":
            archive.account = member
        case "revocation":
            archive.revocations.append(member)
        case "key":
            archive.keys.append(member)
        case "group":
            archive.groups.append(member)
        case "author":
            archive.authors.append(member)
        case "post":
            archive.posts.append(member)
        case "version":
            archive.versions.append(member)
        case _:
            archive.others.append(member)


class _Section(io.RawIOBase):
    """A part of a file that reads like a file."""

    def __init__(self, file: BinaryIO, offset: int, size: int) -> None:
        self._file = file
        self._offset = offset
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        bases: dict[int, Callable[[], int]] = {0: lambda: 0, 1: lambda: self._position, 2: lambda: self._size}
        self._position = max(0, bases[whence]() + offset)
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), max(0, self._size - self._position))
        self._file.seek(self._offset + self._position)
        data = self._file.read(wanted)
        if len(data) < wanted:
            raise ArchiveDamaged("the archive was changed while it was read")
        view[:wanted] = data
        self._position += wanted
        return wanted
