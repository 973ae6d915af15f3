"""`mau doctor`: what it says, and its exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from mau.account import Account
from tests.cli.conftest import PASSPHRASE, Ended

Mau = Callable[..., Ended]
ENV = {"MAU_SERVER_LISTEN": "127.0.0.1:0"}


def test_what_is_wrong_is_said_with_why_and_what_to_do(mau: Mau, alice: Account) -> None:
    alice.root.account_file.chmod(0o666)
    done = mau("doctor", passphrase=PASSPHRASE, env=ENV)
    assert done.code == 3
    assert f"permissions: others on this machine can write to '{alice.root.account_file}'" in done.text
    assert "  why it matters: they can remove and replace what lies there\n" in done.text
    assert "  what to do: chmod go= " in done.text
    told = json.loads(mau("doctor", "--json", passphrase=PASSPHRASE, env=ENV).out)
    assert "permissions" in {one["subject"] for one in told["findings"]}
    assert told["unchecked"] == []


def test_when_nothing_is_wrong_it_says_so(mau: Mau, alice: Account) -> None:
    told = json.loads(mau("doctor", "--json", passphrase=PASSPHRASE, env=ENV).out)
    others = [
        one
        for one in told["findings"]
        if one["subject"] not in ("disk", "system") and "connected to no network" not in one["what"]
    ]
    assert others == [], "what this machine is like is not this test's business"
    done = mau("doctor", passphrase=PASSPHRASE, env=ENV)
    assert (done.code, done.text) == (0, "nothing is wrong\n") or told["findings"]


def test_without_a_passphrase_or_an_account_it_says_what_it_did_not_look_at(
    mau: Mau, alice: Account, tmp_path: Path
) -> None:
    assert "Not looked at: keys" in mau("doctor", env=ENV).err
    assert "mau init makes one" in mau("doctor", env=ENV, root=tmp_path / "nothing").err


def test_a_damaged_account_is_a_finding_too(mau: Mau, alice: Account) -> None:
    alice.root.account_file.write_bytes(alice.root.account_file.read_bytes()[:-40])
    done = mau("doctor", passphrase=PASSPHRASE, env=ENV)
    assert done.code == 3
    assert "mau restore FILE brings it back" in done.text


def test_settings_that_cannot_be_read_are_a_finding_too(mau: Mau, alice: Account, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("server = [")
    (tmp_path / "config.toml").chmod(0o600)
    done = mau("doctor", env={"MAU_CONFIG": str(tmp_path / "config.toml")})
    assert done.code == 3
    assert done.text.startswith("settings: ")


def test_an_account_file_that_is_gone_is_not_made_anew(mau: Mau, alice: Account) -> None:
    """It was there: `mau init` would make somebody else."""
    alice.root.account_file.unlink()
    done = mau("doctor", env=ENV)
    assert done.code == 3
    assert "the account file is gone" in done.text
    assert "mau restore FILE" in done.text
    assert "mau init" not in done.text + done.err
    done = mau("fsck")
    assert done.code == 3
    assert "mau init" not in done.text + done.err


def test_a_place_without_a_tree_is_left_as_it_is(mau: Mau, alice: Account, tmp_path: Path) -> None:
    place = tmp_path / "letters"
    place.mkdir(mode=0o755)
    done = mau("doctor", env=ENV, root=place)
    assert "nothing is wrong" not in done.text
    for words in (["fsck"], ["fsck", "--repair", "--yes"]):
        done = mau(*words, root=place)
        assert done.code == 1
        assert "is no tree" in done.err
    assert list(place.iterdir()) == []
    assert place.stat().st_mode & 0o777 == 0o755
