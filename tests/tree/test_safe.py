"""Single files: never through a link, never a part (spec/tree.md S, W1)."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from mau.errors import InvalidName, NoSuchPost, NotAFile
from mau.tree import safe
from mau.tree.layout import Root
from mau.tree.safe import read_bytes, write_bytes


def put_in_the_way(kind: str, path: Path, elsewhere: Path) -> None:
    """Make something at `path` that is no regular file."""
    if kind == "link":
        path.symlink_to(elsewhere)
    elif kind == "dangling":
        path.symlink_to(elsewhere / "nowhere")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            before = Path.cwd()
            os.chdir(path.parent)  # the path of a socket is short
            try:
                made.bind(path.name)
            finally:
                os.chdir(before)


KINDS = ["link", "dangling", "fifo", "directory", "socket"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_regular_file_is_neither_read_nor_written(kind: str, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"secret")
    path = tmp_path / "x"
    put_in_the_way(kind, path, elsewhere)
    with pytest.raises(NotAFile):
        read_bytes(path, 100)
    with pytest.raises(NotAFile):
        write_bytes(path, b"new")
    assert elsewhere.read_bytes() == b"secret"
    assert {entry.name for entry in tmp_path.iterdir()} == {"elsewhere", "x"}


def test_a_device_is_not_opened() -> None:
    with pytest.raises(NotAFile):
        read_bytes(Path("/dev/zero"), 100)


def test_a_linked_directory_is_not_entered(root: Root, tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "b").mkdir(parents=True)
    (tmp_path / "elsewhere" / "b" / "x").write_bytes(b"secret")
    (root.mau / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotAFile):
        read_bytes(root.mau / "a" / "b" / "x", 100, below=root.path)
    with pytest.raises(NotAFile):
        write_bytes(root.mau / "a" / "b" / "y", b"", below=root.path)
    with pytest.raises(NotAFile):
        read_bytes(root.mau / "a" / "x", 100)
    with pytest.raises(NotAFile):
        write_bytes(root.mau / "a" / "y", b"")
    with pytest.raises(InvalidName):
        write_bytes(root.mau / ".." / ".." / "y", b"", below=root.path)
    assert [p.name for p in (tmp_path / "elsewhere").iterdir()] == ["b"]


def test_missing_and_too_large(tmp_path: Path) -> None:
    with pytest.raises(NoSuchPost):
        read_bytes(tmp_path / "x", 100)
    with pytest.raises(NoSuchPost):
        read_bytes(tmp_path / "no" / "x", 100)
    write_bytes(tmp_path / "x", b"12345")
    assert read_bytes(tmp_path / "x", 5) == b"12345"
    with pytest.raises(NotAFile, match="too large"):
        read_bytes(tmp_path / "x", 4)


def test_files_are_private_and_directories_are_made_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o777)
    try:
        write_bytes(tmp_path / "a" / "b" / "x", b"1", below=tmp_path)
        write_bytes(tmp_path / "c" / "d" / "x", b"2")
    finally:
        os.umask(before)
    for name, data in (("a/b/x", b"1"), ("c/d/x", b"2")):
        path = tmp_path / name
        assert path.read_bytes() == data
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == path.parent.parent.stat().st_mode & 0o777 == 0o700


def test_nothing_but_keys_ever_lies_in_the_key_directory(root: Root) -> None:
    """Other programs read every entry of ``.mau`` as a key, so temporary files lie elsewhere."""
    seen: list[set[str]] = []
    before = safe.sync

    def look(fd: int) -> None:
        seen.append({path.name for path in root.mau.rglob("*")})
        before(fd)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(safe, "sync", look)
        write_bytes(root.account_file, b"one")
        write_bytes(root.mau / "family" / "k.pgp", b"two", below=root.path)
    assert len(seen) >= 4
    assert set().union(*seen) == {"account.pgp", "family", "k.pgp"}


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_bytes(tmp_path / "x", b"old")
    with pytest.raises(TypeError):
        write_bytes(tmp_path / "x", "no bytes")  # type: ignore[arg-type]
    assert (tmp_path / "x").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
