"""What other implementations wrote opens here: the Go reference (both kinds of keys) and GnuPG."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from mau.errors import AccountDamaged, NotReadable, NotSigned, WrongPassphrase
from mau.fingerprint import Fingerprint
from mau.openpgp import Certificate, Kind, SecretKey, open_message, read_head
from tests.openpgp.conftest import VECTORS

SETS = ["v2-ed25519", "v2-rsa4096"]
NAMES = ["alice", "bob", "carol"]


def unlock(which: str, name: str) -> SecretKey:
    account = VECTORS / which / "accounts" / name / ".mau" / "account.pgp"
    return SecretKey.unlock(account.read_bytes(), f"{name}-pass")


def public(which: str, name: str) -> Certificate:
    return Certificate.parse((VECTORS / which / "keys" / f"{name}.asc").read_bytes())


@pytest.mark.parametrize("which", SETS)
@pytest.mark.parametrize("name", NAMES)
def test_an_account_of_the_reference_opens(which: str, name: str) -> None:
    key = unlock(which, name)
    told = json.loads((VECTORS / which / "accounts.json").read_text())
    assert key.fingerprint.hex in json.dumps(told)
    assert key.fingerprint.hex == (VECTORS / which / "keys" / f"{name}.fpr").read_text().strip()
    assert key._data == (VECTORS / which / "keys" / f"{name}.sec").read_bytes()
    with pytest.raises(WrongPassphrase):
        SecretKey.unlock((VECTORS / which / "accounts" / name / ".mau" / "account.pgp").read_bytes(), "no")


@pytest.mark.parametrize("which", SETS)
def test_armored_and_binary_keys_of_the_reference_are_the_same(which: str) -> None:
    for name in NAMES:
        binary = Certificate.parse((VECTORS / which / "keys" / f"{name}.pub.gpg").read_bytes())
        assert binary == public(which, name)
        binary.check_usable()
        assert len(binary.encryption_keyids) == 1


POSTS = {
    "self.json": (["alice"], "self.json"),
    "tobob.json": (["alice", "bob"], "tobob.json"),
    "toboth.json": (["alice", "bob", "carol"], "toboth.json"),
    "versioned.json": (["alice", "bob", "carol"], "versioned.v2.json"),
    "pic é 1.bin": (["alice", "bob"], None),
}


@pytest.mark.parametrize("which", SETS)
@pytest.mark.parametrize("post", POSTS)
@pytest.mark.parametrize("reader", NAMES)
def test_posts_of_the_reference_open_for_whom_they_were_written(which: str, post: str, reader: str) -> None:
    author = public(which, "alice")
    path = VECTORS / which / "accounts" / "alice" / author.fingerprint.hex / f"{post}.pgp"
    readers, plain = POSTS[post]
    with path.open("rb") as file:
        head = read_head(file)
    owners = {key: name for name in NAMES for key in public(which, name).encryption_keyids}
    assert head.kind is Kind.ENCRYPTED
    assert [owners[key] for key in head.recipients] == readers
    key = unlock(which, reader)
    if reader not in readers:
        with pytest.raises(NotReadable):
            open_message(path.read_bytes(), key=key, author=author)
        return
    opened = open_message(path.read_bytes(), key=key, author=author)
    assert opened.signer == author.fingerprint
    assert opened.signed_at > 1_700_000_000
    if plain:
        assert opened.data == (VECTORS / which / "plain" / plain).read_bytes()


@pytest.mark.parametrize("which", SETS)
def test_friend_files_of_the_reference_open(which: str) -> None:
    key = unlock(which, "alice")
    folder = VECTORS / which / "accounts" / "alice" / ".mau"
    friends = [path for path in folder.iterdir() if path.name != "account.pgp"]
    assert len(friends) == 2
    for path in friends:
        opened = open_message(path.read_bytes(), key=key, author=key.certificate)
        assert Certificate.parse(opened.data or b"").fingerprint == Fingerprint.parse(path.stem)


@pytest.fixture(scope="module")
def ed_alice() -> Certificate:
    return public("v2-ed25519", "alice")


GPG = VECTORS / "gpg-made"


@pytest.mark.parametrize(
    "name",
    ["gpgse.pgp", "gpgse-bzip2.pgp", "gpgse-zlib-aes256-sha512.pgp", "gpg-hidden-rcpt.pgp",
     "signedonly.pgp", "signedonly-nocomp.pgp"],
)  # fmt: skip
def test_messages_of_gnupg_open(name: str, ed_alice: Certificate) -> None:
    opened = open_message((GPG / name).read_bytes(), key=unlock("v2-ed25519", "bob"), author=ed_alice)
    assert opened.data
    assert opened.encrypted is ("signedonly" not in name)


def test_an_unsigned_message_of_gnupg_is_refused(ed_alice: Certificate) -> None:
    with pytest.raises(NotSigned):
        open_message((GPG / "unsigned.pgp").read_bytes(), key=unlock("v2-ed25519", "bob"), author=ed_alice)


def test_a_message_for_others_is_not_readable(ed_alice: Certificate) -> None:
    with pytest.raises(NotReadable):
        open_message((GPG / "notforbob.pgp").read_bytes(), key=unlock("v2-ed25519", "bob"), author=ed_alice)


def test_a_signing_subkey_speaks_for_its_owner() -> None:
    author = Certificate.parse((GPG / "subkey-signer.asc").read_bytes())
    [path] = GPG.glob("signed-by-subkey-of-*")
    opened = open_message(path.read_bytes(), key=unlock("v2-ed25519", "bob"), author=author)
    assert opened.signer == author.fingerprint


def test_hidden_recipients_are_seen_in_the_head() -> None:
    assert read_head(io.BytesIO((GPG / "gpg-hidden-rcpt.pgp").read_bytes())).hidden


def test_armored_messages_are_not_what_a_tree_holds(ed_alice: Certificate) -> None:
    armored = (GPG / "armored.pgp").read_bytes()
    assert read_head(io.BytesIO(armored)).kind is Kind.OTHER


def test_the_vectors_are_there() -> None:
    assert len(list(Path(VECTORS).rglob("*.pgp"))) > 30


def test_a_damaged_account_file_is_not_called_a_wrong_passphrase() -> None:
    account = (VECTORS / "v2-ed25519" / "accounts" / "alice" / ".mau" / "account.pgp").read_bytes()
    for position in (len(account) - 3, len(account) // 2):
        damaged = account[:position] + bytes([account[position] ^ 1]) + account[position + 1 :]
        with pytest.raises(AccountDamaged):
            SecretKey.unlock(damaged, "alice-pass")
    with pytest.raises(AccountDamaged):
        SecretKey.unlock(account[:-1], "alice-pass")
