"""GnuPG reads what we write, and we read what GnuPG writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mau.errors import (
    KeyExpired,
    KeyRefused,
    KeyRevoked,
    KeyTooWeak,
    KeyUnusable,
    SecretKeyOffered,
    WrongPassphrase,
)
from mau.openpgp import Certificate, SecretKey, open_message
from tests.openpgp.conftest import Gpg, message

TEXT = json.dumps({"articleBody": "hello " * 40, "n": 1}).encode()
NOISE = bytes(range(256)) * 3


@pytest.mark.parametrize("data", [TEXT, NOISE[7:], b"", b"x\r\ny\n"])
@pytest.mark.parametrize("stated", [{}, {"id@mau.invalid": "mau:/p2p/é"}])
def test_gpg_opens_our_messages(
    gpg: Gpg, alice: SecretKey, bob: SecretKey, data: bytes, stated: dict[str, str]
) -> None:
    gpg.import_secret(bob)
    gpg.run("--import", data=bytes(alice.certificate))
    done = gpg.run("--decrypt", data=message(data, alice, [bob.certificate], stated))
    assert done.stdout == data
    assert b"Good signature" in done.stderr


def test_gpg_verifies_our_public_posts(gpg: Gpg, alice: SecretKey) -> None:
    gpg.run("--import", data=bytes(alice.certificate))
    done = gpg.run("--decrypt", data=message(TEXT, alice, None))
    assert done.stdout == TEXT
    assert b"Good signature" in done.stderr


def test_gpg_opens_a_large_message(gpg: Gpg, alice: SecretKey, bob: SecretKey) -> None:
    data = b"0123456789abcdef" * 200_000
    gpg.import_secret(bob)
    gpg.run("--import", data=bytes(alice.certificate))
    done = gpg.run("--decrypt", data=message(data, alice, [bob.certificate], {"id@mau.invalid": "x"}))
    assert done.stdout == data
    assert b"Good signature" in done.stderr


def test_gpg_opens_the_account_file(gpg: Gpg, alice: SecretKey) -> None:
    locked = alice.lock("a long passphrase ü")
    opened = gpg.run("--passphrase", "a long passphrase ü", "--decrypt", data=locked).stdout
    assert opened == alice._data
    gpg.run("--import", data=opened)
    assert gpg.fingerprint("alice") == alice.fingerprint.hex


def test_our_revocation_certificate_revokes(gpg: Gpg) -> None:
    key = SecretKey.generate("Rita", "rita@example.org")
    gpg.run("--import", data=bytes(key.certificate))
    gpg.run("--import", data=key.revocation_certificate().encode())
    revoked = gpg.public("rita")
    assert revoked.revoked
    with pytest.raises(KeyRevoked):
        revoked.check_usable()


@pytest.mark.parametrize(
    "options",
    [[], ["--compress-algo", "bzip2"], ["--compress-algo", "zip"], ["--compress-algo", "none"],
     ["--cipher-algo", "AES256"], ["--cipher-algo", "CAST5"], ["--digest-algo", "SHA512"]],
)  # fmt: skip
def test_we_open_what_gpg_signs_and_encrypts(gpg: Gpg, bob: SecretKey, options: list[str]) -> None:
    gpg.make("carol", "ed25519", "sign", "never")
    gpg.run("--import", data=bytes(bob.certificate))
    sealed = gpg.run(*options, "-s", "-e", "-u", "carol", "-r", bob.fingerprint.hex, data=TEXT).stdout
    opened = open_message(sealed, key=bob, author=gpg.public("carol"))
    assert opened.data == TEXT
    assert opened.signer.hex == gpg.fingerprint("carol") if opened.signer else False


def test_we_open_a_large_compressed_message_of_gpg_into_a_file(
    gpg: Gpg, bob: SecretKey, tmp_path: Path
) -> None:
    data = b"all the same " * 500_000
    gpg.make("carol", "ed25519", "sign", "never")
    gpg.run("--import", data=bytes(bob.certificate))
    sealed = gpg.run("-s", "-e", "-u", "carol", "-r", bob.fingerprint.hex, data=data).stdout
    opened = open_message(sealed, key=bob, author=gpg.public("carol"), sink=tmp_path / "out")
    assert opened.data is None
    assert (tmp_path / "out").read_bytes() == data
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["ed25519", "rsa3072", "nistp256", "nistp384", "nistp521"])
@pytest.mark.parametrize("passphrase", ["", "own passphrase"])
@pytest.mark.parametrize("armored", [False, True])
def test_a_key_of_gpg_becomes_an_account(
    gpg: Gpg, bob: SecretKey, kind: str, passphrase: str, armored: bool
) -> None:
    fingerprint = gpg.make("dora", kind, "sign", "never", passphrase=passphrase)
    subkey = kind.replace("ed25519", "cv25519")
    gpg.run("--passphrase", passphrase, "--quick-add-key", fingerprint.upper(), subkey, "encr", "never")
    exported = gpg.secret("dora", passphrase)
    if armored:
        exported = gpg.run("--passphrase", passphrase, "--armor", "--export-secret-keys", "dora").stdout
    if passphrase:
        with pytest.raises(WrongPassphrase):
            SecretKey.import_key(exported, "another")
        with pytest.raises(WrongPassphrase):
            SecretKey.import_key(exported, None)
    key = SecretKey.import_key(exported, passphrase or None)
    assert key.fingerprint.hex == fingerprint
    again = SecretKey.unlock(key.lock("new"), "new")
    sealed = message(TEXT, again, [bob.certificate], {"id@mau.invalid": "x"})
    for reader in (bob, again):
        assert open_message(sealed, key=reader, author=gpg.public("dora")).data == TEXT
    gpg.run("--delete-secret-and-public-key", fingerprint.upper())
    gpg.run("--import", data=again._data)
    assert gpg.run("--decrypt", data=sealed).stdout == TEXT


def test_keys_that_cannot_serve_are_refused_with_the_reason(gpg: Gpg) -> None:
    certify_only = gpg.make("eve", "ed25519", "cert", "never")
    gpg.run("--quick-add-key", certify_only.upper(), "ed25519", "sign", "never")
    gpg.run("--quick-add-key", certify_only.upper(), "cv25519", "encr", "never")
    with pytest.raises(KeyUnusable, match="certify"):
        SecretKey.import_key(gpg.secret("eve"), None)
    offline = gpg.run("--export-secret-subkeys", "eve").stdout
    with pytest.raises(KeyRefused):
        SecretKey.import_key(offline, None)

    full = gpg.make("frank", "default", "default", "never")
    assert SecretKey.import_key(gpg.secret("frank"), None).fingerprint.hex == full
    with pytest.raises(KeyRefused, match="offline or on a card"):
        SecretKey.import_key(gpg.run("--export-secret-subkeys", "frank").stdout, None)
    with pytest.raises(KeyRefused, match="public"):
        SecretKey.import_key(gpg.run("--export", "frank").stdout, None)
    with pytest.raises(KeyRefused, match="one key"):
        SecretKey.import_key(gpg.run("--export-secret-keys").stdout, None)

    gpg.make("grace", "secp256k1", "sign", "never")
    with pytest.raises(KeyUnusable, match="secp256k1"):
        SecretKey.import_key(gpg.secret("grace"), None)
    gpg.make("heidi", "ed25519", "sign", "never")
    with pytest.raises(KeyUnusable, match="encryption subkey"):
        SecretKey.import_key(gpg.secret("heidi"), None)
    gpg.make("ivan", "rsa1024", "sign", "never")
    with pytest.raises(KeyTooWeak):
        SecretKey.import_key(gpg.secret("ivan"), None)
    gpg.make("judy", "dsa2048", "sign", "never")
    with pytest.raises(KeyRefused):
        SecretKey.import_key(gpg.secret("judy"), None)
    for junk in (b"", b"junk", b"\x95" * 300):
        with pytest.raises(KeyRefused):
            SecretKey.import_key(junk, None)


def test_friends_keys_are_judged(gpg: Gpg, alice: SecretKey) -> None:
    with pytest.raises(SecretKeyOffered):
        Certificate.parse(alice._data)
    gpg.make("karl", "default", "default", "never")
    with pytest.raises(SecretKeyOffered):
        Certificate.parse(gpg.run("--armor", "--export-secret-keys", "karl").stdout)
    gpg.run(
        "--faked-system-time",
        "20200101T000000",
        "--quick-gen-key",
        "old@example.org",
        "default",
        "default",
        "1y",
    )
    with pytest.raises(KeyExpired):
        gpg.public("old@example.org").check_usable()
    gpg.make("rsa", "rsa1024", "default", "never")
    with pytest.raises(KeyTooWeak):
        gpg.public("rsa@example.org").check_usable()
    gpg.make("signer", "ed25519", "sign", "never")
    with pytest.raises(KeyUnusable):
        gpg.public("signer").check_usable()


def test_expired_and_revoked_subkeys_are_still_their_owners(gpg: Gpg) -> None:
    fingerprint = gpg.make("lena", "ed25519", "sign", "never")
    gpg.run("--quick-add-key", fingerprint.upper(), "cv25519", "encr", "never")
    first = gpg.public("lena").encryption_keyids
    gpg.run("--quick-add-key", fingerprint.upper(), "cv25519", "encr", "seconds=1")
    both = gpg.public("lena").encryption_keyids
    assert first < both
    assert len(both) == 2
