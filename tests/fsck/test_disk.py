"""Checks and examinations on a disk that is full, or that nobody may write to."""

from __future__ import annotations

import ctypes
import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mau.account import Account
from mau.catalogue import open_index
from mau.content.binding import PUBLIC
from mau.doctor.examining import examine
from mau.fsck.checking import Checked, check
from mau.publish import publish_file
from mau.tree.layout import Root
from tests.fsck.test_fsck import post
from tests.publish.world import World

_READ_ONLY = 1 | 32  # MS_RDONLY | MS_REMOUNT


class Disk:
    """A small file system of its own, with Alice's tree on it, in which is a post too large for memory."""

    def __init__(self, path: Path, alice: Account) -> None:
        self.path = path
        self._libc = ctypes.CDLL(None, use_errno=True)
        path.mkdir()
        if self._libc.mount(b"tmpfs", os.fsencode(path), b"tmpfs", 0, b"size=8m"):
            pytest.skip("no file system may be mounted here")
        shutil.copytree(alice.root.path, path / "tree", symlinks=True)
        for derived in (".peers", ".index", ".reader"):
            shutil.rmtree(path / "tree" / derived, ignore_errors=True)
        self.account = Account(Root(path / "tree"), alice.key)

    def fill(self) -> None:
        with (self.path / "filler").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass

    def close_to_writers(self) -> None:
        assert not self._libc.mount(b"tmpfs", os.fsencode(self.path), b"tmpfs", _READ_ONLY, b"")

    def away(self) -> None:
        self._libc.umount2(os.fsencode(self.path), 2)

    def checked(self) -> Checked:
        with open_index(self.account.root) as index:
            return check(self.account.root, self.account, index=index)


@pytest.fixture
def disk(world: World, tmp_path: Path) -> Iterator[Disk]:
    alice = world.alice
    post(alice, "x.json.pgp", "public")
    publish_file(alice.account, alice.keyring, io.BytesIO(os.urandom(3_000_000)), "film.pgp", PUBLIC)
    disk = Disk(tmp_path / "disk", alice.account)
    yield disk
    disk.away()


def test_without_room_a_large_post_is_not_taken_for_damaged(disk: Disk) -> None:
    disk.account.root.state_dir("index")
    disk.account.root.state_dir("reader")
    disk.fill()
    checked = check(disk.account.root, disk.account)
    film = f"{disk.account.fingerprint.hex}/film.pgp"
    assert {one.path: one.kind for one in checked.findings} == {film: "unread"}
    assert not any(one.repairable for one in checked.findings)


@pytest.mark.parametrize("trouble", ["fill", "close_to_writers"])
def test_the_doctor_says_so_even_then(disk: Disk, trouble: str) -> None:
    getattr(disk, trouble)()
    said = [one.what for one in examine(disk.account.root, None, disk.account).findings]
    words = "0 MiB left" if trouble == "fill" else "mounted read-only"
    assert any(words in one for one in said)
    assert any("address book cannot be opened" in one for one in said)


def test_a_tree_that_nobody_may_write_to_is_checked_all_the_same(disk: Disk) -> None:
    disk.close_to_writers()
    checked = check(disk.account.root, disk.account)
    assert checked.posts >= 3
    assert {one.kind for one in checked.findings} <= {"unread"}
