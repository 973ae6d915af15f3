"""What a start-up finishes and removes, and what it leaves alone (spec/tree.md R)."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from mau.tree.layout import Root
from mau.tree.posts import AuthorDir, Committed
from mau.tree.recovery import recover_root
from mau.tree.safe import create_temp

Put = Callable[..., Committed]
Contents = Callable[[AuthorDir, str], list[bytes]]
Stray = Callable[[AuthorDir], list[str]]


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_temporary_file_that_is_still_written_stays(own: AuthorDir) -> None:
    with own.stage() as staged:
        staged.file.write(b"not yet")
        own.recover()
        assert staged.path.exists()
        own.commit(staged, "x.pgp")
    assert own.sha256("x.pgp") == sha(b"not yet")


def test_one_of_another_living_process_stays_and_one_of_a_dead_one_goes(own: AuthorDir, stray: Stray) -> None:
    code = (
        "import os, sys; from mau.tree.safe import create_temp\n"
        "fd, name = create_temp(os.open(sys.argv[1], os.O_RDONLY))\n"
        "print(name, flush=True); sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(own.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout
        name = writer.stdout.readline().strip()
        own.recover()
        assert stray(own) == [name]
        writer.kill()
    own.recover()
    assert stray(own) == []


def test_only_our_own_leftovers_go(own: AuthorDir, stray: Stray) -> None:
    names = [
        ".mau-notes",
        ".mau.lock",
        ".x.swp",
        ".mau-0123.tmp",
        "draft",
        ".mau-0123456789ABCDEF.tmp",
        ".git",
    ]
    for name in names:
        (own.path / name).write_bytes(b"mine")
    os.mkfifo(own.path / ".mau-0123456789abcdee.tmp")
    (own.path / ".mau-0123456789abcdef.tmp").symlink_to("draft")
    (own.path / ".mau-0123456789abcdec.gone").symlink_to(own.root.mau)
    (own.path / ".mau-0123456789abcded.tmp").write_bytes(b"left over")
    own.recover()
    assert (own.path / "draft").read_bytes() == b"mine"
    assert own.root.mau.is_dir()
    left = [".mau-0123456789abcdee.tmp", ".mau-0123456789abcdef.tmp", ".mau-0123456789abcdec.gone"]
    assert stray(own) == sorted([*names, *left])


def test_new_content_that_was_never_swapped_in_goes(
    own: AuthorDir, put: Put, contents: Contents, stray: Stray
) -> None:
    put(own, "x.pgp", b"old")
    (own.path / f".mau-0123456789abcdef.{sha(b'new')}.new").write_bytes(b"new")
    own.recover()
    assert contents(own, "x.pgp") == [b"old"]
    assert stray(own) == []


def test_content_that_was_swapped_out_is_filed(
    own: AuthorDir, put: Put, contents: Contents, stray: Stray
) -> None:
    put(own, "x.pgp", b"new")
    put(own, "y.pgp", b"other")
    (own.path / f".mau-0123456789abcdef.{sha(b'new')}.new").write_bytes(b"swapped out")
    own.recover()
    assert set(contents(own, "x.pgp")) == {b"swapped out", b"new"}
    assert contents(own, "y.pgp") == [b"other"]
    assert stray(own) == []


def test_content_whose_post_is_not_found_stays(own: AuthorDir, put: Put, stray: Stray) -> None:
    put(own, "x.pgp", b"something else")
    name = f".mau-0123456789abcdef.{sha(b'new')}.new"
    (own.path / name).write_bytes(b"swapped out")
    own.recover()
    assert stray(own) == [name]


def test_a_backup_by_hard_links_is_left_alone(own: AuthorDir, put: Put, contents: Contents) -> None:
    put(own, "x.pgp", b"one")
    put(own, "x.pgp", b"two")
    backup = own.root.path.parent / "backup"
    backup.mkdir()
    os.link(own.path / "x.pgp", backup / "x.pgp")
    os.link(own.path / "x.pgp.versions" / f"{sha(b'one')}.pgp", backup / "one.pgp")
    own.recover()
    put(own, "x.pgp", b"three")
    assert contents(own, "x.pgp") == [b"one", b"two", b"three"]
    assert sorted(path.read_bytes() for path in backup.iterdir()) == [b"one", b"two"]


def test_the_root_is_cleared_of_what_was_left_there(root: Root) -> None:
    top = root.open()
    try:
        fd, living = create_temp(top)
        (root.path / ".mau-0123456789abcdef.tmp").write_bytes(b"half a key")
        (root.path / ".mau-x.tmp").write_bytes(b"not ours")
        recover_root(root)
        assert sorted(path.name for path in root.path.iterdir()) == sorted([living, ".mau", ".mau-x.tmp"])
        os.close(fd)
        recover_root(root)
        assert sorted(path.name for path in root.path.iterdir()) == [".mau", ".mau-x.tmp"]
    finally:
        os.close(top)


def test_without_hard_links_versions_are_copies(
    own: AuthorDir, put: Put, contents: Contents, stray: Stray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no hard links on this file system")

    monkeypatch.setattr(os, "link", refuse)
    big = os.urandom(3_000_000)
    for data in (b"one", big, b"three", b"three", b"four"):
        put(own, "x.pgp", data)
    own.recover()
    assert set(contents(own, "x.pgp")) == {b"one", big, b"three", b"four"}
    assert stray(own) == []
