"""`mau backup`: what it says, and where it does not write."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from mau.account import Account
from tests.backup.handmade import tar
from tests.cli.conftest import PASSPHRASE, Ended

Mau = Callable[..., Ended]


def test_it_needs_no_passphrase_and_tar_reads_what_it_writes(
    mau: Mau, alice: Account, tmp_path: Path
) -> None:
    mau("post", "--me", "hello", passphrase=PASSPHRASE)
    done = mau("backup", tmp_path / "b.tar")
    assert (done.code, done.err) == (0, "")
    assert done.text.startswith("3 files, ")
    assert ".mau/account.pgp" in tar("-tf", tmp_path / "b.tar").splitlines()
    assert (tmp_path / "b.tar").stat().st_mode & 0o777 == 0o600


def test_to_stdout_it_is_the_archive_and_nothing_else(mau: Mau, alice: Account, tmp_path: Path) -> None:
    done = mau("backup", "-")
    assert done.code == 0
    (tmp_path / "b.tar").write_bytes(done.out)
    assert ".mau/account.pgp" in tar("-tf", tmp_path / "b.tar")
    assert done.err.endswith("KiB\n")
    assert mau("backup", "-", "--json").code == 2


def test_what_is_left_out_is_said_and_told_as_json(mau: Mau, alice: Account, tmp_path: Path) -> None:
    os.mkfifo(alice.posts().path / "pipe.pgp")
    done = mau("backup", tmp_path / "b.tar")
    assert (done.code, done.err) == (
        0,
        f"  left out: {alice.fingerprint.hex}/pipe.pgp: it is no regular file\n",
    )
    told = json.loads(mau("backup", tmp_path / "b.tar", "--force", "--json").out)
    assert told["files"] == 2
    assert [one["path"] for one in told["left_out"]] == [f"{alice.fingerprint.hex}/pipe.pgp"]


def test_it_overwrites_nothing_and_never_goes_into_the_tree(mau: Mau, alice: Account, tmp_path: Path) -> None:
    (tmp_path / "b.tar").write_text("mine")
    refused = mau("backup", tmp_path / "b.tar")
    assert (refused.code, "--force" in refused.err) == (2, True)
    assert (tmp_path / "b.tar").read_text() == "mine"
    assert mau("backup", alice.root.path / "b.tar", "--force").code == 2
    assert mau("backup", tmp_path / "no" / "b.tar").code == 1
    assert mau("backup", tmp_path / "c.tar", root=tmp_path / "nothing").code == 1
    assert not (tmp_path / "c.tar").exists()
