"""The archive of many files: what was written is read, in whatever pieces; what is odd ends the reading."""

from __future__ import annotations

import hashlib
import io
import itertools
import tarfile
import tracemalloc
from collections.abc import Callable, Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.errors import PeerMisbehaved
from mau.tree.names import is_post_name
from mau.wire.bulk import MAX_PADDING, MAX_PAX, Body, End, Event, Head, Tail, TarReader

Entry = tuple[str, bytes, str]
"""Name, content, cursor."""

ONE: Entry = ("hello.json.pgp", b"content of some bytes", "c-1")


def archive(entries: Iterable[Entry], edit: Callable[[tarfile.TarInfo], None] | None = None) -> bytes:
    """An archive as Python's own writer makes it; ``edit`` changes each entry before it is written."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content, cursor in entries:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            info.pax_headers = {"MAU.sha256": hashlib.sha256(content).hexdigest(), "MAU.cursor": cursor}
            if edit is not None:
                edit(info)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def reader(largest: int = 1 << 20, most: int = 1000) -> TarReader:
    return TarReader(largest=largest, most=most)


def cut(data: bytes, sizes: Iterator[int]) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        size = next(sizes)
        yield data[at : at + size]
        at += size


def read(data: bytes, pieces: Iterable[bytes] | None = None, **limits: int) -> list[Event]:
    tar = reader(**limits)
    return [event for piece in pieces or [data] for event in tar.feed(piece)]


def entries_of(events: Iterable[Event]) -> list[tuple[str, bytes, str, str]]:
    found: list[tuple[str, bytes, str, str]] = []
    head, content = None, b""
    for event in events:
        match event:
            case Head():
                head, content = event, b""
            case Body(data):
                assert data
                content += data
            case Tail():
                assert head is not None
                assert len(content) == head.size
                found.append((head.name, content, head.sha256, head.cursor))
    return found


names = st.text(min_size=1, max_size=60).map(lambda stem: stem + ".pgp").filter(is_post_name)
cursors = st.from_regex(r"[A-Za-z0-9_-]{1,256}", fullmatch=True)
contents = st.binary(max_size=2000)
archives = st.lists(st.tuples(names, contents, cursors), max_size=8, unique_by=lambda entry: entry[0])


@given(archives, st.lists(st.integers(1, 1500), min_size=1, max_size=20))
def test_what_was_written_is_read_however_it_is_cut(entries: list[Entry], sizes: list[int]) -> None:
    written = archive(entries)
    events = read(written, cut(written, itertools.cycle(sizes)))
    assert events[-1] == End()
    assert entries_of(events) == [
        (name, content, hashlib.sha256(content).hexdigest(), cursor) for name, content, cursor in entries
    ]


@given(archives, st.data())
def test_a_flipped_byte_is_never_an_entry_that_was_not_written(
    entries: list[Entry], data: st.DataObject
) -> None:
    written = bytearray(archive(entries))
    at = data.draw(st.integers(0, len(written) - 1))
    written[at] ^= 1 << data.draw(st.integers(0, 7))
    seen: list[Event] = []
    try:
        for event in reader().feed(bytes(written)):
            seen.append(event)
    except PeerMisbehaved:
        pass
    sums = {name: hashlib.sha256(content).hexdigest() for name, content, _ in entries}
    whole = [
        (name, sha256) for name, content, sha256, _ in entries_of(seen)
        if hashlib.sha256(content).hexdigest() == sha256
    ]  # fmt: skip
    # A byte of a pax header has no checksum: name or sum may be others, but then sum and name do not agree.
    for name, sha256 in whole:
        assert sums.get(name, sha256) == sha256
        assert sha256 in sums.values()


@given(st.binary(max_size=5000))
def test_garbage_ends_as_one_error_or_waits_for_more(data: bytes) -> None:
    tar = reader()
    try:
        events = list(tar.feed(data))
    except PeerMisbehaved:
        with pytest.raises(PeerMisbehaved):
            list(tar.feed(b"more"))
        return
    assert entries_of(events) == []


# --- hostile archives --------------------------------------------------------------------------------------


def kind(letter: bytes, linkname: str = "") -> Callable[[tarfile.TarInfo], None]:
    def edit(info: tarfile.TarInfo) -> None:
        info.type, info.linkname = letter, linkname

    return edit


def header(**records: str | None) -> Callable[[tarfile.TarInfo], None]:
    """Change the records of the pax header; ``MAU_sha256`` stands for ``MAU.sha256``."""

    def edit(info: tarfile.TarInfo) -> None:
        for key, value in records.items():
            dotted = key.replace("_", ".")
            if value is None:
                info.pax_headers.pop(dotted, None)
            else:
                info.pax_headers[dotted] = value

    return edit


def named(name: str) -> bytes:
    return archive([(name, b"x", "c")])


def raw_header(
    name: bytes = b"x.pgp",
    size: bytes = b"00000000001\0",
    letter: bytes = b"0",
    magic: bytes = b"ustar\x0000",
    *,
    prefix: bytes = b"",
    link: bytes = b"",
) -> bytes:
    block = bytearray(512)
    block[: len(name)] = name
    block[100:108] = b"0000600\0"
    block[124:136] = size
    block[136:148] = b"00000000000\0"
    block[148:156] = b" " * 8
    block[156:157] = letter
    block[157 : 157 + len(link)] = link
    block[257:265] = magic
    block[345 : 345 + len(prefix)] = prefix
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def pax(*records: bytes, size: int | None = None) -> bytes:
    """A pax header of these raw records."""
    data = b"".join(records)
    padded = data + bytes(-len(data) % 512)
    return raw_header(b"h", b"%011o\0" % (len(data) if size is None else size), b"x") + padded


def record(key: str, value: str) -> bytes:
    rest = f" {key}={value}\n".encode()
    length = len(rest) + 1
    while len(str(length)) + len(rest) != length:
        length = len(str(length)) + len(rest)
    return str(length).encode() + rest


SUM = record("MAU.sha256", "ab" * 32)
CURSOR = record("MAU.cursor", "c")
GOOD = pax(SUM, CURSOR) + raw_header() + b"x" + bytes(511)
ENDING = bytes(1024)

HOSTILE = {
    "a hard link": archive([ONE], kind(tarfile.LNKTYPE, "/etc/passwd")),
    "a symbolic link": archive([ONE], kind(tarfile.SYMTYPE, "../account.pgp")),
    "a character device": archive([ONE], kind(tarfile.CHRTYPE)),
    "a block device": archive([ONE], kind(tarfile.BLKTYPE)),
    "a directory": archive([ONE], kind(tarfile.DIRTYPE)),
    "a pipe": archive([ONE], kind(tarfile.FIFOTYPE)),
    "a contiguous file": archive([ONE], kind(tarfile.CONTTYPE)),
    "an old sparse file": archive([ONE], kind(tarfile.GNUTYPE_SPARSE)),
    "a new sparse file": archive([ONE], header(GNU_sparse_major="1", GNU_sparse_minor="0")),
    "a real size elsewhere": archive([ONE], header(SCHILY_realsize="1000000000")),
    "a link's name in the header": archive([ONE], header(linkpath="/etc/passwd")),
    "another character set": archive([ONE], header(hdrcharset="BINARY")),
    "no sum": archive([ONE], header(MAU_sha256=None)),
    "no position": archive([ONE], header(MAU_cursor=None)),
    "an upper-case sum": archive([ONE], header(MAU_sha256="AB" * 32)),
    "a short sum": archive([ONE], header(MAU_sha256="ab")),
    "an odd position": archive([ONE], header(MAU_cursor="a b")),
    "an empty position": archive([ONE], header(MAU_cursor="")),
    "an endless position": archive([ONE], header(MAU_cursor="x" * 257)),
    "another size in the header": archive([ONE], header(size="5")),
    "a size in words": archive([ONE], header(size="1e3")),
    "a path upwards": named("../x.pgp"),
    "a path from the root": named("/x.pgp"),
    "a path downwards": named("a/b.pgp"),
    "a long path downwards": named("a/" * 60 + "b.pgp"),
    "a backslash": named("a\\b.pgp"),
    "a line break": named("a\nb.pgp"),
    "a hidden name": named(".x.pgp"),
    "a name of versions": named("x.pgp.versions.pgp"),
    "another suffix": named("x.txt"),
    "too long a name": named("x" * 300 + ".pgp"),
    "no name": pax(SUM, CURSOR) + raw_header(b"") + ENDING,
    "a path in the prefix": pax(SUM, CURSOR) + raw_header(prefix=b"a") + ENDING,
    "a link's name beside a file": pax(SUM, CURSOR) + raw_header(link=b"/etc/passwd") + ENDING,
    "a name that is no text": pax(SUM, CURSOR) + raw_header(b"\xff.pgp") + ENDING,
    "a key that is no text": pax(b"9 \xff=abc\n", SUM, CURSOR) + raw_header() + ENDING,
    "the same name twice": GOOD + GOOD + ENDING,
    "a file without a header": raw_header() + ENDING,
    "two headers": pax(SUM) + pax(CURSOR) + raw_header() + ENDING,
    "a header for all": raw_header(b"h", b"%011o\0" % len(SUM), b"g") + SUM + bytes(512 - len(SUM)) + GOOD,
    "a header with something twice": pax(SUM, SUM, CURSOR) + raw_header() + ENDING,
    "a header without an end": pax(b"99 MAU.cursor=c\n") + ENDING,
    "a header that counts short": pax(b"5 MAU.cursor=c\n", SUM) + raw_header() + ENDING,
    "a header that counts nothing": pax(b"0 MAU.cursor=c\n", SUM) + raw_header() + ENDING,
    "a header without a line's end": pax(b"15 MAU.cursor=cX", SUM) + raw_header() + ENDING,
    "an empty header": pax() + raw_header() + ENDING,
    "too long a header": pax(SUM, CURSOR, record("comment", "x" * MAX_PAX)) + raw_header() + ENDING,
    "an immense header": pax(SUM, size=0o77777777777) + ENDING,
    "something behind a header": GOOD[:1020] + b"x" + GOOD[1021:] + ENDING,
    "something behind a file": GOOD[:-1] + b"x" + ENDING,
    "a wrong checksum": GOOD[:1024] + b"y" + GOOD[1025:] + ENDING,
    "no checksum": GOOD[: 1024 + 148] + bytes(8) + GOOD[1024 + 156 :] + ENDING,
    "a negative size": pax(SUM, CURSOR) + raw_header(size=b"-0000000001\0") + ENDING,
    "a binary size": pax(SUM, CURSOR) + raw_header(size=b"\x80" + bytes(10) + b"\1") + ENDING,
    "a GNU header": pax(SUM, CURSOR) + raw_header(magic=b"ustar  \0") + ENDING,
    "an old header": pax(SUM, CURSOR) + raw_header(magic=bytes(8)) + ENDING,
    "a long name as GNU writes it": raw_header(b"././@LongLink", letter=b"L") + ENDING,
    "one empty block": GOOD + bytes(512) + GOOD,
    "something after the end": GOOD + ENDING + b"x",
    "zeros without end": GOOD + ENDING + bytes(MAX_PADDING + 1),
    "JSON": b"[" + b'{"path":"x"},' * 100,
    "nothing but noise": bytes(range(1, 256)) * 5,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("size", [1 << 20, 100], ids=["at once", "in pieces"])
def test_what_does_not_belong_ends_the_reading(name: str, size: int) -> None:
    tar = reader()
    data = HOSTILE[name]
    with pytest.raises(PeerMisbehaved):
        for at in range(0, len(data), size):
            list(tar.feed(data[at : at + size]))
    with pytest.raises(PeerMisbehaved):
        list(tar.feed(GOOD))


def test_the_table_is_made_of_archives_that_would_be_good_otherwise() -> None:
    assert entries_of(read(GOOD + ENDING)) == [("x.pgp", b"x", "ab" * 32, "c")]
    assert entries_of(read(archive([ONE])))[0][:2] == ONE[:2]
    assert entries_of(read(named("x" * 230 + ".pgp")))[0][0] == "x" * 230 + ".pgp"
    assert entries_of(read(archive([ONE], header(comment="a", size=str(len(ONE[1])), mtime="1.5"))))
    assert read(ENDING) == [End()]


def test_more_than_was_asked_for_ends_the_reading() -> None:
    two = archive([("a.pgp", b"x" * 10, "c"), ("b.pgp", b"x" * 11, "d")])
    assert len(entries_of(read(two, largest=11, most=2))) == 2
    for limits in ({"largest": 10, "most": 2}, {"largest": 11, "most": 1}):
        tar = reader(**limits)
        seen: list[Event] = []
        with pytest.raises(PeerMisbehaved):
            seen.extend(tar.feed(two))
        assert not tar.ended


@pytest.mark.parametrize("left", [0, 1, 511, 512, 1024, 1536, 1540, 2048, 2559])
def test_a_cut_off_archive_has_no_end(left: int) -> None:
    tar = reader()
    events = list(tar.feed((GOOD + ENDING)[:left]))
    assert not tar.ended
    assert End() not in events


def test_a_file_is_never_held_as_a_whole() -> None:
    size = 64 << 20
    start = pax(SUM, CURSOR) + raw_header(size=b"%011o\0" % size)
    tar = reader(largest=size)
    piece = bytes(1 << 16)
    tracemalloc.start()
    came = sum(len(event.data) for event in tar.feed(start) if isinstance(event, Body))
    for _ in range(size // len(piece)):
        came += sum(len(event.data) for event in tar.feed(piece) if isinstance(event, Body))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert came == size
    assert peak < 1 << 20
