"""Headers of archives: what every tar means by them, and nothing that costs memory or time."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.backup.headers import BLOCK, read_headers
from mau.errors import ArchiveDamaged
from tests.backup.handmade import archive, special, tar

FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
NAMES = ("a", "d/" * 30 + "b" * 90, "ü" * 40, "x" * 99, "y" * 100)


@pytest.mark.parametrize("format", FORMATS)
def test_paths_sizes_and_times_are_those_that_tarfile_wrote(format: int) -> None:  # noqa: A002
    members = [(name, name.encode() * 20) for name in NAMES]
    data = archive(members, format)
    headers = list(read_headers(io.BytesIO(data)))
    assert [(one.path, data[one.offset : one.offset + one.size]) for one in headers] == members
    assert {(one.kind, one.mtime_ns) for one in headers} == {("file", 1_600_000_000 * 10**9)}


@pytest.mark.parametrize("format", ["v7", "oldgnu", "gnu", "ustar", "posix"])
def test_what_gnu_tar_writes_is_read(tmp_path: Path, format: str) -> None:  # noqa: A002
    (tmp_path / "in" / "sub").mkdir(parents=True)
    name = "n" * {"v7": 60, "ustar": 97}.get(format, 180)
    (tmp_path / "in" / "sub" / name).write_bytes(b"x" * 1000)
    tar("--format", format, "-cf", tmp_path / "a.tar", "in", cwd=tmp_path)
    with (tmp_path / "a.tar").open("rb") as file:
        headers = list(read_headers(file))
        assert [(one.path.rstrip("/"), one.kind) for one in headers] == [
            ("in", "directory"),
            ("in/sub", "directory"),
            (f"in/sub/{name}", "file"),
        ]
        file.seek(headers[-1].offset)
        assert file.read(headers[-1].size) == b"x" * 1000


@pytest.mark.parametrize("format", ["gnu", "posix"])
def test_files_with_holes_are_told(tmp_path: Path, format: str) -> None:  # noqa: A002
    with (tmp_path / "holes").open("wb") as file:
        file.truncate(10 << 20)
        file.seek(5 << 20)
        file.write(b"x")
    (tmp_path / "after").write_text("after")
    tar("--sparse", "--format", format, "-cf", tmp_path / "a.tar", "holes", "after", cwd=tmp_path)
    with (tmp_path / "a.tar").open("rb") as opened:
        kinds = {one.path.rpartition("/")[2]: one.kind for one in read_headers(opened)}
    assert kinds == {"holes": "refused", "after": "file"}


def test_what_is_no_file_is_told_with_what_it_is() -> None:
    kinds = (tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"V")
    data = archive([special("x", kind, "/etc/passwd") for kind in kinds])
    headers = list(read_headers(io.BytesIO(data)))
    assert [one.kind for one in headers] == ["refused"] * len(kinds)
    assert all(one.reason for one in headers)


@pytest.mark.parametrize("cut", [100, BLOCK, BLOCK + 100, 2 * BLOCK, 3 * BLOCK])
def test_an_archive_that_is_cut_off_is_read_to_there(cut: int) -> None:
    data = archive([("a", b"x" * 400), ("b", b"y" * 400)])
    found = []
    with pytest.raises(ArchiveDamaged):
        found += list_until(data[:cut])
    assert len(found) == 0


def list_until(data: bytes) -> list[str]:
    return [one.path for one in read_headers(io.BytesIO(data))]


@pytest.mark.parametrize("start", [b"\x1f\x8b", b"BZh9", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"hello", b""])
def test_what_is_no_archive_is_said_and_compression_named(start: bytes) -> None:
    with pytest.raises(ArchiveDamaged) as raised:
        list(read_headers(io.BytesIO(start + bytes(1000) if start else b"")))
    assert ("compressed" in str(raised.value)) == (start not in (b"hello", b""))


def test_numbers_and_extensions_beyond_all_bounds_end_it() -> None:
    info = tarfile.TarInfo("x")
    info.size = 1 << 60
    head = info.tobuf(tarfile.GNU_FORMAT)
    with pytest.raises(ArchiveDamaged, match="beyond"):
        list(read_headers(io.BytesIO(head)))
    long = tarfile.TarInfo("x" * 70_000)
    with pytest.raises(ArchiveDamaged, match="header"):
        list(read_headers(io.BytesIO(long.tobuf(tarfile.PAX_FORMAT) + bytes(1024))))
    for format in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):  # noqa: A001 - tar's word
        longer = tarfile.TarInfo("a/" * 5_000)
        with pytest.raises(ArchiveDamaged, match="longer"):
            list(read_headers(io.BytesIO(longer.tobuf(format) + bytes(1024))))


@given(st.data())
def test_whatever_the_bytes_it_ends_in_headers_or_in_one_error(data: st.DataObject) -> None:
    whole = bytearray(archive([("a", b"x" * 600), ("ü" * 70, b"y")]))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):  # sums that hold
        for start in range(0, len(whole) - BLOCK, BLOCK):
            block = whole[start : start + BLOCK]
            total = sum(block[:148]) + 8 * 32 + sum(block[156:])
            whole[start + 148 : start + 156] = b"%06o\0 " % total
    try:
        for header in read_headers(io.BytesIO(bytes(whole))):
            assert header.kind == "refused" or header.offset + header.size <= len(whole)
    except ArchiveDamaged:
        pass
