"""`mau fsck`: what it says, what it asks, and its exit code."""

from __future__ import annotations

import json
from collections.abc import Callable

from mau.account import Account
from tests.cli.conftest import PASSPHRASE, Ended

Mau = Callable[..., Ended]


def test_a_sound_tree_ends_with_0(mau: Mau, alice: Account) -> None:
    mau("post", "--me", "hello", passphrase=PASSPHRASE)
    done = mau("fsck", passphrase=PASSPHRASE)
    assert (done.code, done.text) == (0, "1 files checked, nothing found\n")
    assert mau("fsck", passphrase="wrong").code == 4


def test_without_a_passphrase_it_says_what_it_did_not_check(mau: Mau, alice: Account) -> None:
    for words in (["fsck"], ["fsck", "--no-passphrase"]):
        done = mau(*words)
        assert done.code == 0
        assert "Not checked: signatures" in done.err


def test_what_was_found_is_counted_by_kind_and_mended_when_told(mau: Mau, alice: Account) -> None:
    (alice.posts().path / "half\x1b.pgp").write_bytes(b"x")
    (alice.posts().path / "plain.pgp").write_bytes(b"x")
    alice.root.account_file.chmod(0o644)
    done = mau("fsck", passphrase=PASSPHRASE)
    assert done.code == 3
    assert "\x1b" not in done.err
    assert [line.split() for line in done.text.splitlines()] == [
        ["mode", "2"],
        ["name", "1"],
        ["half-saved", "1"],
    ]
    assert mau("fsck", "--repair", passphrase=PASSPHRASE).code == 2, "nobody is there to be asked"
    told = json.loads(mau("fsck", "--repair", "--yes", "--json", passphrase=PASSPHRASE).out)
    assert told["counts"] == {"mode": 2, "name": 1, "half-saved": 1}
    assert [one["mended"] for one in told["findings"] if one["kind"] == "mode"] == ["its mode is 0600"] * 2
    assert alice.root.account_file.stat().st_mode & 0o777 == 0o600
    assert mau("fsck", passphrase=PASSPHRASE).code == 3


def test_a_damaged_account_is_a_finding_and_the_rest_is_checked(mau: Mau, alice: Account) -> None:
    alice.root.account_file.write_bytes(alice.root.account_file.read_bytes()[:-40])
    done = mau("fsck", passphrase=PASSPHRASE)
    assert (done.code, done.text) == (3, "account  1\n")
    assert "mau restore FILE" in done.err


def test_each_kind_is_asked_about(on_terminal: Callable[..., Ended], alice: Account) -> None:
    alice.root.account_file.chmod(0o644)
    done = on_terminal(
        "fsck",
        "--repair",
        env={"MAU_PASSPHRASE": PASSPHRASE},
        typed=[("1 x mode: Close them to others? [y/N]: ", "y")],
    )
    assert done.code == 0
    assert "mended: .mau/account.pgp: its mode is 0600" in done.err
