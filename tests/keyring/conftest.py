"""People with keys of every kind, a tree of one's own, and what an enemy can put into it."""

from __future__ import annotations

import base64
import io
import shutil
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mau.account import Account
from mau.keyring import Keyring
from mau.openpgp import Certificate, SecretKey, packets, write_message
from mau.openpgp.compat import pgpy
from mau.tree.layout import Root

VECTORS = Path(__file__).parent.parent / "vectors"


def make(name: str) -> SecretKey:
    return SecretKey.generate(name, f"{name.lower()}@example.org")


@pytest.fixture(scope="session")
def my_key() -> SecretKey:
    return make("Me")


@pytest.fixture(scope="session")
def bob() -> SecretKey:
    return make("Bob")


@pytest.fixture(scope="session")
def carol() -> SecretKey:
    return make("Carol")


@pytest.fixture(scope="session")
def mallory() -> SecretKey:
    return make("Mallory")


@pytest.fixture
def account(tmp_path: Path, my_key: SecretKey) -> Account:
    account = Account(Root(tmp_path / "tree"), my_key)
    account.root.ensure()
    account.root.author_dir(my_key.fingerprint).mkdir(mode=0o700)
    return account


@pytest.fixture
def keyring(account: Account) -> Keyring:
    return Keyring.load(account)


@pytest.fixture
def reload(account: Account) -> Callable[[], Keyring]:
    """The keyring as another process would read it."""
    return lambda: Keyring.load(account)


def sealed(data: bytes, signer: SecretKey, reader: SecretKey) -> bytes:
    """Signed by one, encrypted for another: what a key file is, when both are the same."""
    out = io.BytesIO()
    write_message(out, data, key=signer, recipients=[reader.certificate])
    return out.getvalue()


def place(account: Account, certificate: Certificate, group: str = "", data: bytes | None = None) -> Path:
    """Put a key file where another program would; by default one that the account itself signed."""
    path = account.root.key_file(certificate.fingerprint, group)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(sealed(bytes(certificate), account.key, account.key) if data is None else data)
    return path


def names(people: list[Any]) -> list[str]:
    return [person.local_name for person in people]


# --- keys that changed, or should not be trusted ------------------------------------------------------------


def own_copy(key: SecretKey) -> Any:
    """PGPy's object of the key, to be changed."""
    return SecretKey(key._data).pgpy_key


def public(key: Any) -> Certificate:
    return Certificate.parse(bytes(key.pubkey))


def with_user_id(key: SecretKey, name: str, email: str) -> Certificate:
    """A newer copy of the key, with another user id."""
    own = own_copy(key)
    own.add_uid(pgpy().PGPUID.new(name, email=email), usage={pgpy().constants.KeyFlags.Certify})
    return public(own)


def with_subkey(key: SecretKey) -> Certificate:
    """A newer copy of the key, with one more encryption subkey of its owner."""
    constants = pgpy().constants
    own = own_copy(key)
    subkey = pgpy().PGPKey.new(constants.PubKeyAlgorithm.ECDH, constants.EllipticCurveOID.Curve25519)
    own.add_subkey(subkey, usage={constants.KeyFlags.EncryptCommunications})
    return public(own)


def grafted(thief: SecretKey, victim: SecretKey) -> Certificate:
    """The thief's certificate with the victim's encryption subkey bound to it by the thief: valid OpenPGP."""
    flags = pgpy().constants.KeyFlags
    subkey = next(iter(own_copy(victim).pubkey.subkeys.values()))
    own = own_copy(thief)
    subkey._parent = own  # what the binding is to cover
    binding = own.bind(subkey, usage={flags.EncryptCommunications, flags.EncryptStorage})
    body = next(
        body for tag, body, _ in packets.split(bytes(victim.certificate)) if tag == packets.PUBLIC_SUBKEY
    )
    extra = packets.packet(packets.PUBLIC_SUBKEY, body) + bytes(binding)
    return Certificate.parse(bytes(thief.certificate) + extra)


def revoked(key: SecretKey) -> Certificate:
    """The key as its owner revoked it."""
    armor = key.revocation_certificate().split("\n\n", 1)[1].partition("\n=")[0]
    parts = packets.split(bytes(key.certificate))
    return Certificate.parse(parts[0][2] + base64.b64decode(armor) + b"".join(raw for _, _, raw in parts[1:]))


def expired() -> Certificate:
    constants = pgpy().constants
    before = time.time() - 10 * 86400
    own = SecretKey.generate("Old", "old@example.org", created=int(before)).pgpy_key
    own.add_uid(
        pgpy().PGPUID.new("Older", email="older@example.org"),
        usage={constants.KeyFlags.Certify},
        key_expiration=timedelta(days=1),
        primary=True,
    )
    return public(own)


def weak() -> Certificate:
    constants = pgpy().constants
    primary = pgpy().PGPKey.new(constants.PubKeyAlgorithm.RSAEncryptOrSign, 1024)
    flags = constants.KeyFlags
    usage = {flags.Certify, flags.Sign, flags.EncryptCommunications}
    primary.add_uid(pgpy().PGPUID.new("Weak", email="weak@example.org"), usage=usage)
    return public(primary)


@pytest.fixture(params=["v2-ed25519", "v2-rsa4096"])
def reference_account(request: pytest.FixtureRequest, tmp_path: Path) -> Account:
    """Alice's account as the Go reference wrote it; friends are Bob and Carol."""
    shutil.copytree(VECTORS / request.param / "accounts" / "alice", tmp_path / "reference")
    return Account.open(Root(tmp_path / "reference"), "alice-pass")
