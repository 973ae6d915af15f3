"""`mau passphrase`: the old one no longer opens, the new one does, and the key is the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mau.account import Account
from mau.errors import WrongPassphrase
from tests.cli.conftest import NEW_PASSPHRASE, PASSPHRASE, Ended, Gpg

Run = Callable[..., Ended]


def check_changed(alice: Account) -> None:
    with pytest.raises(WrongPassphrase):
        Account.open(alice.root, PASSPHRASE)
    again = Account.open(alice.root, NEW_PASSPHRASE)
    assert again.key._data == alice.key._data
    assert [one.name for one in alice.root.mau.iterdir()] == ["account.pgp"]


def check_unchanged(alice: Account) -> None:
    assert Account.open(alice.root, PASSPHRASE).fingerprint == alice.fingerprint


def test_on_a_terminal_the_old_one_is_asked_once_and_the_new_one_twice(
    on_terminal: Run, alice: Account
) -> None:
    done = on_terminal(
        "passphrase",
        typed=[
            ("Passphrase: ", PASSPHRASE),
            ("New passphrase: ", NEW_PASSPHRASE),
            ("Repeat for confirmation: ", PASSPHRASE),
            ("New passphrase: ", NEW_PASSPHRASE),
            ("Repeat for confirmation: ", NEW_PASSPHRASE),
        ],
    )
    assert done.code == 0, done.err
    check_changed(alice)


def test_scripts_give_both_in_files(mau: Run, alice: Account, secret_file: Callable[[str], Path]) -> None:
    old, new = secret_file(PASSPHRASE), secret_file(NEW_PASSPHRASE)
    done = mau("--passphrase-file", old, "passphrase", "--new-passphrase-file", new)
    assert (done.code, done.out) == (0, b"")
    check_changed(alice)


def test_gpg_opens_the_account_with_the_new_one(
    mau: Run, gpg: Gpg, alice: Account, secret_file: Callable[[str], Path]
) -> None:
    mau("passphrase", "--new-passphrase-file", secret_file(NEW_PASSPHRASE), passphrase=PASSPHRASE)
    assert gpg.run("-d", alice.root.account_file, passphrase=NEW_PASSPHRASE) == alice.key._data


def test_a_wrong_old_one_is_found_before_the_new_one_is_asked_for(on_terminal: Run, alice: Account) -> None:
    done = on_terminal("passphrase", typed=[("Passphrase: ", NEW_PASSPHRASE)])
    assert done.code == 4
    assert "New" not in done.err
    check_unchanged(alice)


def test_the_sources_of_the_old_one_are_never_taken_for_the_new_one(mau: Run, alice: Account) -> None:
    done = mau("passphrase", passphrase=PASSPHRASE)
    assert done.code == 4
    assert "--new-passphrase-file" in done.err
    check_unchanged(alice)


@pytest.mark.parametrize("bad", ["", "\n", "a\x00b", "x" * 256])
def test_a_new_one_that_may_not_be_changes_nothing(
    mau: Run, alice: Account, secret_file: Callable[[str], Path], bad: str
) -> None:
    done = mau("passphrase", "--new-passphrase-file", secret_file(bad), passphrase=PASSPHRASE)
    assert done.code == 4
    check_unchanged(alice)


def test_without_an_account_nothing_is_asked(on_terminal: Run) -> None:
    done = on_terminal("passphrase")
    assert done.code == 1
    assert "mau init" in done.err
