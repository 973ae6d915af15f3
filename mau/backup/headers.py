"""The headers of a tar archive that may come from anywhere (POSIX ustar and pax, GNU long names).

Nothing is believed that costs memory or time: what extends a header is bounded, numbers are checked, and
every way of saying that a file is something else than its bytes in a row (links, holes, devices) is told as
such, for the caller to refuse. Memory is that of one header.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal

from mau.errors import ArchiveDamaged

BLOCK: Final = 512
_MAX_EXTENSION: Final = 1 << 16
_MAX_PATH: Final = 1 << 13
"""Bytes; no system opens a longer one. Of two million, each would cost memory."""
_MAX_SIZE: Final = 1 << 50
_NO_DATA: Final = (b"1", b"2", b"3", b"4", b"5", b"6")
_FILES: Final = (b"0", b"\0", b"7")
_KINDS: Final = {
    b"1": "it is a link to another file",
    b"2": "it is a symbolic link",
    b"3": "it is a device",
    b"4": "it is a device",
    b"6": "it is a pipe",
    b"S": "it is a file with holes (sparse)",
    b"M": "it is the rest of a file from another volume",
}
_COMPRESSED: Final = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}

Kind = Literal["file", "directory", "refused"]


@dataclass(frozen=True, slots=True)
class Header:
    """One entry: its path as the archive spells it, and where in the archive its bytes are.

    `reason` says of a refused one what it is instead of a file.
    """

    path: str
    kind: Kind
    offset: int
    size: int
    mtime_ns: int
    reason: str = ""


@dataclass(slots=True)
class _Extended:
    """What the headers before an entry say of it."""

    path: str | None = None
    size: int | None = None
    mtime_ns: int | None = None
    sparse: bool = False


def read_headers(file: BinaryIO) -> Iterator[Header]:
    """Every entry in its order. ArchiveDamaged at the first thing that is none; what came before holds."""
    total = file.seek(0, os.SEEK_END)
    position = 0
    extended = _Extended()
    while True:
        file.seek(position)
        block = file.read(BLOCK)
        if position == 0:
            _require_tar(block)
        if len(block) < BLOCK:
            raise ArchiveDamaged(f"the archive is cut off after {position} bytes")
        if not block.strip(b"\0"):
            return
        _check_sum(block, position)
        kind = block[156:157]
        size = _number(block[124:136], position)
        position += BLOCK
        if kind in (b"x", b"X", b"g", b"L", b"K"):
            if size > _MAX_EXTENSION:
                raise ArchiveDamaged(f"a header of the archive has {size} bytes")
            data = file.read(size)
            if len(data) < size:
                raise ArchiveDamaged(f"the archive is cut off after {position} bytes")
            position += _padded(size)
            if kind == b"L":
                extended.path = _text(data.partition(b"\0")[0])
            elif kind in (b"x", b"X"):
                _read_pax(data, extended)
            continue
        header = _entry(block, kind, position, size, extended)
        extended = _Extended()
        # As every tar does: links, devices and directories have no bytes, whatever their size says.
        bare = kind in _NO_DATA or (kind in _FILES and header.kind == "directory")
        stored = 0 if bare else header.size
        position += _padded(stored)
        if header.offset + stored > total:
            raise ArchiveDamaged(f"the archive is cut off inside {header.path!r:.200}")
        yield header


def _entry(block: bytes, kind: bytes, offset: int, size: int, extended: _Extended) -> Header:
    path = extended.path
    if path is None:
        path = _text(block[:100].partition(b"\0")[0])
        if block[257:263] == b"ustar\0":
            prefix = _text(block[345:500].partition(b"\0")[0])
            path = f"{prefix}/{path}" if prefix else path
    if extended.size is not None:
        size = extended.size
    mtime = extended.mtime_ns
    if mtime is None:
        mtime = _number(block[136:148], offset) * 1_000_000_000
    if extended.sparse:
        return Header(path, "refused", offset, size, mtime, _KINDS[b"S"])
    if kind in (b"5", b"D") or (kind in _FILES and path.endswith("/")):
        return Header(path, "directory", offset, size if kind == b"D" else 0, mtime)
    if kind in _FILES:
        return Header(path, "file", offset, size, mtime)
    return Header(path, "refused", offset, size, mtime, _KINDS.get(kind, "it is of no kind that is known"))


def _require_tar(block: bytes) -> None:
    for magic, name in _COMPRESSED.items():
        if block.startswith(magic):
            raise ArchiveDamaged(f"the archive is compressed; unpack it with {name} first")
    if len(block) < BLOCK or (block.strip(b"\0") and _sum(block) is None):
        raise ArchiveDamaged("that is no tar archive")


def _check_sum(block: bytes, position: int) -> None:
    if _sum(block) is None:
        raise ArchiveDamaged(f"the archive is damaged at byte {position}")


def _sum(block: bytes) -> int | None:
    """The sum of a header when it holds (counted with or without signs, as old programs did)."""
    try:
        stated = _number(block[148:156], 0)
    except ArchiveDamaged:
        return None
    rest = block[:148] + b" " * 8 + block[156:]
    plain = sum(rest)
    signed = plain - 256 * sum(byte > 127 for byte in rest)
    return stated if stated in (plain, signed) else None


def _number(field: bytes, position: int) -> int:
    """An octal number, or a binary one as GNU tar writes those that do not fit."""
    if field[0] == 0x80:
        value = int.from_bytes(field[1:], "big")
    elif field[0] == 0xFF:
        return 0  # a time before 1970
    else:
        try:
            value = int(field.strip(b"\0 ") or b"0", 8)
        except ValueError:
            raise ArchiveDamaged(f"the archive is damaged at byte {position}") from None
    if not 0 <= value <= _MAX_SIZE:
        raise ArchiveDamaged(f"a number in the archive is beyond all bounds, at byte {position}")
    return value


def _read_pax(data: bytes, extended: _Extended) -> None:
    """The records ``LENGTH KEY=VALUE`` of one extended header (POSIX 1003.1, pax)."""
    data = data.rstrip(b"\0")
    start = 0
    while start < len(data):
        digits = data[start : start + 8].partition(b" ")[0]
        length = int(digits) if digits.isdigit() and len(digits) < 8 else 0
        record = data[start + len(digits) + 1 : start + length]
        key, equals, value = record.partition(b"=")
        if not equals or not record.endswith(b"\n"):
            raise ArchiveDamaged("an extended header of the archive is damaged")
        start += length
        _note_pax(key, value[:-1], extended)


def _note_pax(key: bytes, value: bytes, extended: _Extended) -> None:
    if key == b"path":
        extended.path = _text(value)
    elif key == b"size":
        if not value.isdigit() or len(value) > 16 or int(value) > _MAX_SIZE:
            raise ArchiveDamaged("an extended header of the archive is damaged")
        extended.size = int(value)
    elif key == b"mtime":
        extended.mtime_ns = _nanoseconds(value)
    elif key.startswith((b"GNU.sparse.", b"SCHILY.realsize")):
        extended.sparse = True


def _nanoseconds(value: bytes) -> int | None:
    whole, _, fraction = value.partition(b".")
    if not whole.isdigit() or len(whole) > 12 or (fraction and not fraction.isdigit()):
        return None
    return int(whole) * 1_000_000_000 + int(fraction[:9].ljust(9, b"0") or b"0")


def _text(raw: bytes) -> str:
    if len(raw) > _MAX_PATH:
        raise ArchiveDamaged("a path in the archive is longer than any that there is")
    return raw.decode("utf-8", "surrogateescape")


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK
