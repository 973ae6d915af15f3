"""`mau restore`: what it asks, what it says, and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from mau.account import Account
from tests.backup.handmade import archive, held
from tests.cli.conftest import PASSPHRASE, Ended
from tests.cli.desk import Desk, desk, trees, world

__all__ = ["desk", "trees", "world"]
Mau = Callable[..., Ended]


def test_into_an_empty_directory_it_asks_for_the_passphrase_first(
    mau: Mau, on_terminal: Callable[..., Ended], alice: Account, tmp_path: Path
) -> None:
    mau("post", "--me", "hello", passphrase=PASSPHRASE)
    mau("backup", tmp_path / "b.tar")
    new = tmp_path / "new"
    assert mau("restore", tmp_path / "b.tar", root=new, passphrase="wrong").code == 4
    assert not new.exists()
    done = on_terminal("restore", str(tmp_path / "b.tar"), root=new, typed=[("Passphrase: ", PASSPHRASE)])
    assert done.code == 0
    assert f"The account of Alice ({alice.fingerprint}) is here now." in done.err
    assert "3 back" in done.err
    assert held(Account.open(alice.root, PASSPHRASE).root) == {
        **held(Account.open(type(alice.root)(new), PASSPHRASE).root)
    }


def test_in_a_living_tree_it_says_what_became_of_each_and_3_when_something_was_refused(
    desk: Desk, tmp_path: Path
) -> None:
    alice = desk.world.alice
    name = desk.name(alice, "post", "--to", "bob", "hello")
    desk.mau(alice, "backup", tmp_path / "b.tar")
    (alice.place(alice) / name).unlink()
    would = desk.json(alice, "restore", tmp_path / "b.tar", "--dry-run")
    assert (would["counts"]["back"], would["dry_run"]) == (1, True)
    assert [one["path"] for one in would["files"]] == [f"{alice.fpr.hex}/{name}"]
    done = desk.mau(alice, "restore", tmp_path / "b.tar")
    assert done.text.startswith("1 back, ")
    bad = archive([(f"{alice.fpr.hex}/evil\x1b[2J.pgp", b"x"), ("../up", b"x")])
    (tmp_path / "bad.tar").write_bytes(bad)
    refused = desk.mau(alice, "restore", tmp_path / "bad.tar", code=3)
    assert "\x1b" not in refused.err
    assert "refused: ../up: its path leads upwards" in refused.err
    told = json.loads(desk.mau(alice, "restore", tmp_path / "bad.tar", "--json", code=3).out)
    assert told["counts"]["refused"] == 2


def test_a_damaged_account_is_never_overwritten_but_brought_back_once_it_is_away(
    mau: Mau, alice: Account, tmp_path: Path
) -> None:
    mau("backup", tmp_path / "b.tar")
    whole = alice.root.account_file.read_bytes()
    alice.root.account_file.write_bytes(whole[:-40])
    refused = mau("restore", tmp_path / "b.tar", passphrase=PASSPHRASE)
    assert (refused.code, "away, then do this again" in refused.err) == (1, True)
    alice.root.account_file.rename(tmp_path / "damaged.pgp")
    assert mau("restore", tmp_path / "b.tar", passphrase=PASSPHRASE).code == 0
    assert alice.root.account_file.read_bytes() == whole


def test_what_is_no_archive_is_an_error(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("no archive")
    assert "no tar archive" in desk.mau(desk.world.alice, "restore", tmp_path / "x", code=1).err
    desk.mau(desk.world.alice, "restore", tmp_path / "missing", code=2)
