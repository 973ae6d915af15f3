"""`mau unfollow`."""

from __future__ import annotations

from collections.abc import Callable

from mau.account import Account
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring
from tests.cli.conftest import PASSPHRASE, Ended
from tests.cli.people import key_of

Run = Callable[..., Ended]


def test_unfollow_hides_and_keeps(mau: Run, alice: Account) -> None:
    bob = Keyring.load(alice).add(key_of("Bob"), "Bob")
    alice.root.follow(bob.fingerprint)
    (alice.root.author_dir(bob.fingerprint) / "a.json.pgp").write_bytes(b"...")
    assert mau("unfollow", "Bob", passphrase=PASSPHRASE).code == 0
    assert alice.root.follows(alice.fingerprint) == []
    assert (alice.root.hidden_dir(bob.fingerprint) / "a.json.pgp").read_bytes() == b"..."
    assert "do not follow" in mau("unfollow", "Bob", passphrase=PASSPHRASE).err


def test_whom_one_follows_without_a_key_is_found_by_the_beginning_too(mau: Run, alice: Account) -> None:
    stranger = Fingerprint(b"\x7f" * 20)
    alice.root.follow(stranger)
    assert mau("unfollow", "7f7f7f7", passphrase=PASSPHRASE).code == 2
    assert mau("unfollow", "7f7f7f7f", passphrase=PASSPHRASE).code == 0
    assert alice.root.follows(alice.fingerprint) == []
