"""`mau lock`: what was remembered is forgotten; where nothing was, nothing happens."""

from __future__ import annotations

from collections.abc import Callable

from mau.account import Account
from tests.cli.conftest import PASSPHRASE, Ended, Keyrings

Run = Callable[..., Ended]


def test_it_needs_no_passphrase_and_may_be_said_twice(mau: Run, alice: Account, keyrings: Keyrings) -> None:
    mau("unlock", "--remember", passphrase=PASSPHRASE, env=keyrings.file)
    done = mau("lock", env=keyrings.file)
    assert (done.code, done.out) == (0, b"")
    assert "no longer" in done.err
    again = mau("lock", env=keyrings.file)
    assert (again.code, again.out) == (0, b"")
    assert "was not" in again.err
    assert keyrings.entries() == {}


def test_it_leaves_other_entries_alone(mau: Run, alice: Account, keyrings: Keyrings) -> None:
    keyrings.path.write_text('{"mail/alice": "another secret"}')
    mau("unlock", "--remember", passphrase=PASSPHRASE, env=keyrings.file)
    mau("lock", env=keyrings.file)
    assert keyrings.entries() == {"mail/alice": "another secret"}


def test_without_an_account_it_says_so(mau: Run, keyrings: Keyrings) -> None:
    done = mau("lock", env=keyrings.file)
    assert done.code == 1
    assert "mau init" in done.err
