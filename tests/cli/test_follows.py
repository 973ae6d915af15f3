"""`mau follows`."""

from __future__ import annotations

import json
from collections.abc import Callable

from mau.account import Account
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring
from tests.cli.conftest import PASSPHRASE, Ended
from tests.cli.people import key_of

Run = Callable[..., Ended]


def test_follows_lists_names_and_strangers(mau: Run, alice: Account) -> None:
    nobody = mau("follows", passphrase=PASSPHRASE)
    assert (nobody.code, nobody.out) == (0, b"")
    bob = Keyring.load(alice).add(key_of("Bob"), "Bob")
    stranger = Fingerprint(b"\x01" * 20)
    for fingerprint in (bob.fingerprint, stranger):
        alice.root.follow(fingerprint)
    done = mau("follows", passphrase=PASSPHRASE)
    assert [line.split() for line in done.text.splitlines()] == [
        ["Bob", bob.fingerprint.hex, "friend"],
        [stranger.hex, "no", "key"],
    ]
    assert json.loads(mau("follows", "--json", passphrase=PASSPHRASE).text) == [
        {"fingerprint": bob.fingerprint.hex, "name": "Bob", "status": "friend"},
        {"fingerprint": stranger.hex, "name": None, "status": None},
    ]
