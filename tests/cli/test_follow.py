"""`mau follow`."""

from __future__ import annotations

from collections.abc import Callable

from mau.account import Account
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring
from tests.cli.conftest import PASSPHRASE, Ended
from tests.cli.people import key_of

Run = Callable[..., Ended]


def test_follow_makes_the_directory(mau: Run, alice: Account) -> None:
    bob = Keyring.load(alice).add(key_of("Bob"), "Bob")
    stranger = Fingerprint(b"\x7f" * 20)
    done = mau("follow", "bob", stranger.hex.upper(), passphrase=PASSPHRASE)
    assert done.code == 0, done.err
    assert alice.root.follows(alice.fingerprint) == sorted([bob.fingerprint, stranger])
    assert "No key" in done.err


def test_following_again_shows_what_was_hidden(mau: Run, alice: Account) -> None:
    bob = Keyring.load(alice).add(key_of("Bob"), "Bob")
    hidden = alice.root.hidden_dir(bob.fingerprint)
    hidden.mkdir()
    (hidden / "a.json.pgp").write_bytes(b"...")
    assert mau("follow", "Bob", passphrase=PASSPHRASE).code == 0
    assert (alice.root.author_dir(bob.fingerprint) / "a.json.pgp").read_bytes() == b"..."


def test_nobody_follows_himself_or_nobody(mau: Run, alice: Account) -> None:
    for word in ("me", alice.fingerprint.hex, "nobody", "7f7f7f7f7f"):
        assert mau("follow", word, passphrase=PASSPHRASE).code == 2
    assert alice.root.follows(alice.fingerprint) == []
