"""Where the root is found, what lies where, and what is passed over (spec/tree.md L)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mau.errors import NoAccount, NotAFile, UsageError
from mau.fingerprint import Fingerprint
from mau.tree.layout import Root

A, B, C = (Fingerprint(bytes([number]) * 20) for number in (10, 11, 12))


def test_the_root_is_found_in_this_order(tmp_path: Path) -> None:
    here = tmp_path / "here"
    (here / ".mau").mkdir(parents=True)
    environ = {"MAU_DIR": str(tmp_path / "env"), "HOME": str(tmp_path / "home")}
    assert Root.find(tmp_path / "given", environ, here).path == tmp_path / "given"
    assert Root.find(None, environ, here).path == tmp_path / "env"
    del environ["MAU_DIR"]
    assert Root.find(None, environ, here).path == here
    assert Root.find(None, environ, tmp_path).path == tmp_path / "home" / "Mau"


def test_places(root: Root) -> None:
    assert root.account_file == root.path / ".mau" / "account.pgp"
    assert root.author_dir(A) == root.path / A.hex
    assert root.hidden_dir(A) == root.path / f".{A.hex}"
    assert root.key_file(A) == root.path / ".mau" / f"{A.hex}.pgp"
    assert root.key_file(A, "known") == root.path / ".mau" / "known" / f"{A.hex}.pgp"
    assert root.key_file(A, "a/b") == root.path / ".mau" / "a" / "b" / f"{A.hex}.pgp"
    for group in ("..", "../..", "/etc", "a/known"):
        with pytest.raises(UsageError):
            root.key_file(A, group)


def test_directories_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o777)
    try:
        root = Root(tmp_path / "deep" / "Mau")
        (tmp_path / "deep").mkdir()
        (tmp_path / "deep").chmod(0o700)
        root.ensure()
        root.state_dir("syncer")
        root.follow(A)
    finally:
        os.umask(before)
    for path in (root.path, root.mau, root.path / ".syncer", root.author_dir(A)):
        assert path.stat().st_mode & 0o777 == 0o700
    root.ensure()


def test_state_directories_are_those_of_the_layout(root: Root) -> None:
    assert root.state_dir("peers") == root.path / ".peers"
    assert (root.path / ".peers").is_dir()
    with pytest.raises(ValueError, match="layout"):
        root.state_dir("mau")
    with pytest.raises(NoAccount):
        Root(root.path / "nowhere").state_dir("peers")


def test_a_link_for_a_directory_is_refused(root: Root, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (root.path / ".server").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotAFile):
        root.state_dir("server")
    root.author_dir(A).symlink_to(tmp_path / "elsewhere")
    assert root.authors() == []
    with pytest.raises(NotAFile):
        root.follow(A)
    with pytest.raises(NotAFile):
        root.unfollow(A)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_key_files_and_groups_are_found_and_all_else_is_passed_over(root: Root, tmp_path: Path) -> None:
    for group in ("", "known", "family", "family/close", "empty"):
        root.key_file(A, group).parent.mkdir(exist_ok=True)
    for fpr, group in ((B, ""), (A, ""), (C, "known"), (A, "family"), (B, "family/close")):
        root.key_file(fpr, group).write_bytes(b"key")
    for name in (
        "account.pgp",
        "sync_state.json",
        f"{C.hex.upper()}.pgp",
        f"{C.hex}",
        f"{C.hex}.pgp~",
        ".x.pgp",
    ):
        (root.mau / name).write_bytes(b"no key")
    (root.mau / f"{C.hex}.pgp").symlink_to(root.key_file(A))
    (root.mau / "linked").symlink_to(root.mau / "family")
    os.mkfifo(root.mau / "family" / f"{C.hex}.pgp")
    (root.mau / ".dot").mkdir()
    (root.mau / "@at").mkdir()
    (root.mau / "known" / "deeper").mkdir()
    (root.mau / "dir.pgp").mkdir()
    found = list(root.key_files())
    assert [(group, fpr) for group, fpr, _ in found] == [
        ("", A),
        ("", B),
        ("family", A),
        ("family/close", B),
        ("known", C),
    ]
    assert all(
        path == root.key_file(fpr, group) and path.read_bytes() == b"key" for group, fpr, path in found
    )
    assert root.groups() == ["empty", "family", "family/close"]


def test_without_a_root_there_is_nothing(tmp_path: Path) -> None:
    root = Root(tmp_path / "nowhere")
    assert list(root.key_files()) == []
    assert root.groups() == []
    assert root.authors() == []
    assert root.follows(None) == []


def test_whom_i_follow_is_a_matter_of_directories(root: Root) -> None:
    for fpr in (A, B):
        root.author_dir(fpr).mkdir()
    root.hidden_dir(C).mkdir()
    (root.path / A.hex.upper()).mkdir()
    (root.path / "other").mkdir()
    Path(root.author_dir(C)).write_bytes(b"a file")
    assert root.authors() == [(A, False), (B, False), (C, True)]
    assert root.follows(A) == [B]
    assert root.follows(None) == [A, B]
