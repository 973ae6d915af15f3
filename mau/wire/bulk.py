"""Reading the archive in which many files come at once (spec/http.yaml H68-H69). Pure: bytes in, events out.

    Head     an entry begins: its name, its bytes, the sha256 that it claims, the position after it
    Body     some of its bytes
    Tail     it is complete
    End      the archive is complete

The format is tar with pax headers (POSIX.1-2024, pax), and of that only what the protocol needs: pairs of
a pax header and a regular file. Headers are read here and by nobody else. Whatever could mean anything else
than these bytes under that name (links, sparse files, devices, directories, sizes and names that
contradict each other) ends the reading with PeerMisbehaved, and a reader that ended so takes nothing more.
Never more than one header is held, whatever the archive claims.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

from mau.errors import InvalidName, PeerMisbehaved
from mau.tree.names import check_post_name

BLOCK: Final = 512
MAX_PAX: Final = 8 * BLOCK
"""Bytes of one pax header that are read: a name, a sum, a position and some times fit many times."""
MAX_PADDING: Final = 20 * BLOCK
"""Bytes of zeros after the end: writers fill up their last record."""

_EMPTY: Final = bytes(BLOCK)
_OCTAL: Final = re.compile(rb" *([0-7]{1,12})[ \0]*")
_RECORD: Final = re.compile(rb"([1-9][0-9]{0,4}) ([^=\0]+)=")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_CURSOR: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")
_KINDS: Final = {
    b"1": "a link",
    b"2": "a link",
    b"3": "a device",
    b"4": "a device",
    b"5": "a directory",
    b"6": "a pipe",
    b"S": "a sparse file",
    b"g": "a header for all",
}
# What would change which bytes or which file an entry means. Others, such as times and owners, mean nothing.
_FORBIDDEN: Final = ("GNU.", "SCHILY.", "SUN.", "linkpath", "hdrcharset", "charset")


@dataclass(frozen=True, slots=True)
class Head:
    """An entry begins. ``name`` is one that a post can have, ``sha256`` and ``cursor`` have their form."""

    name: str
    size: int
    sha256: str
    cursor: str


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes of the entry that began last; never none."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Tail:
    """The entry that began last has all its bytes."""


@dataclass(frozen=True, slots=True)
class End:
    """Nothing belongs to the archive any more."""


Event = Head | Body | Tail | End

T = TypeVar("T")
Reading = Generator[Event | None, None, T]
_TAIL: Final = Tail()
_END: Final = End()


class TarReader:
    """Reads one archive as it comes: at most ``most`` entries, of at most ``largest`` bytes each."""

    def __init__(self, *, largest: int, most: int) -> None:
        self._largest = largest
        self._most = most
        self._events = self._read()
        self._buffer = bytearray()
        self._failed: PeerMisbehaved | None = None
        self._names: set[str] = set()
        self.ended = False
        """Whether the end was seen."""

    def feed(self, data: bytes) -> Iterator[Event]:
        """Take the next bytes; yields what they complete. Use up one feeding before the next.

        PeerMisbehaved at the first thing that does not belong there, then and ever after.
        """
        if self._failed is not None:
            raise self._failed
        self._buffer += data
        try:
            for event in self._events:
                if event is None:
                    return
                yield event
        except PeerMisbehaved as error:
            self._failed = error
            self._buffer.clear()
            raise

    # --- the grammar ---------------------------------------------------------------------------------------

    def _read(self) -> Reading[None]:
        """The archive from its beginning; yields None when there are too few bytes to go on."""
        while True:
            block = yield from self._take(BLOCK)
            if block == _EMPTY:
                break
            size = _checked(block)
            if block[156:157] != b"x":
                raise PeerMisbehaved(f"the archive holds {_kind(block)} without a header of its own")
            if not 0 < size <= MAX_PAX:
                raise PeerMisbehaved("the archive holds a header of a length that none has")
            records = _records((yield from self._padded(size)))
            block = yield from self._take(BLOCK)
            yield from self._entry(block, records)
        if (yield from self._take(BLOCK)) != _EMPTY:
            raise PeerMisbehaved("the archive ends and goes on")
        self.ended = True
        yield _END
        padding = 0
        while True:
            while not self._buffer:
                yield None
            padding += len(self._buffer)
            if padding > MAX_PADDING or any(self._buffer):
                raise PeerMisbehaved("the archive goes on after its end")
            self._buffer.clear()

    def _entry(self, block: bytes, records: dict[str, str]) -> Reading[None]:
        size = _checked(block)
        if block[156:157] not in (b"0", b"\0"):
            raise PeerMisbehaved(f"the archive holds {_kind(block)}")
        if block[157:257].strip(b"\0") or block[345:500].strip(b"\0"):
            raise PeerMisbehaved("the archive holds an entry with the name of another file, or with a path")
        if "size" in records and not (_NUMBER.fullmatch(records["size"]) and int(records["size"]) == size):
            raise PeerMisbehaved("the archive holds an entry of two sizes")
        name = records["path"] if "path" in records else _text(block[:100].partition(b"\0")[0])
        try:
            check_post_name(name)
        except (InvalidName, UnicodeError) as error:
            raise PeerMisbehaved(f"the archive holds a name that no post may have: {name[:300]!r}") from error
        if name in self._names:
            raise PeerMisbehaved("the archive holds a name twice")
        if size > self._largest or len(self._names) >= self._most:
            raise PeerMisbehaved("the archive holds more than was asked for")
        self._names.add(name)
        sha256, cursor = records.get("MAU.sha256", ""), records.get("MAU.cursor", "")
        if not _SHA256.fullmatch(sha256) or not _CURSOR.fullmatch(cursor):
            raise PeerMisbehaved("the archive holds an entry without sum or position")
        yield Head(name, size, sha256, cursor)
        left = size
        while left:
            while not self._buffer:
                yield None
            data = bytes(self._buffer[:left])
            del self._buffer[:left]
            left -= len(data)
            yield Body(data)
        if any((yield from self._take(-size % BLOCK))):
            raise PeerMisbehaved("the archive has something between its entries")
        yield _TAIL

    def _padded(self, size: int) -> Reading[bytes]:
        data = yield from self._take(size + -size % BLOCK)
        if any(data[size:]):
            raise PeerMisbehaved("the archive has something between its entries")
        return data[:size]

    def _take(self, size: int) -> Reading[bytes]:
        while len(self._buffer) < size:
            yield None
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data


def _checked(block: bytes) -> int:
    """The size in a header whose sum is right, and that is of the format."""
    # As POSIX says: all bytes, those of the sum itself counted as spaces.
    if _octal(block[148:156]) != sum(block) - sum(block[148:156]) + 8 * 32:
        raise PeerMisbehaved("the archive is none, or damaged: a header has the wrong sum")
    if block[257:265] != b"ustar\x0000":
        raise PeerMisbehaved("the archive is of another format than pax")
    return _octal(block[124:136])


def _octal(field: bytes) -> int:
    found = _OCTAL.fullmatch(field)
    if found is None:
        raise PeerMisbehaved("the archive is none, or damaged: no number where one belongs")
    return int(found[1], 8)


def _kind(block: bytes) -> str:
    return _KINDS.get(block[156:157], "an entry")


def _records(data: bytes) -> dict[str, str]:
    """The records of a pax header: ``LENGTH KEY=VALUE\\n``, where the length counts the whole of it."""
    records: dict[str, str] = {}
    at = 0
    while at < len(data):
        found = _RECORD.match(data, at)
        end = at + int(found[1]) if found else 0
        if found is None or not found.end() < end <= len(data) or data[end - 1] != 0x0A:
            raise PeerMisbehaved("the archive holds a header that is none")
        key, value = _text(found[2]), _text(data[found.end() : end - 1])
        if key.startswith(_FORBIDDEN):
            raise PeerMisbehaved(f"the archive holds a header that changes what is meant: {key[:50]!r}")
        if key in records:
            raise PeerMisbehaved("the archive holds a header that says something twice")
        records[key] = value
        at = end
    return records


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PeerMisbehaved("the archive holds a name that is no text") from error
