"""Extending and revoking our own key; GnuPG reads the result (spec/keyring.md K12)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mau.errors import AccountRevoked, KeyExpired, KeyMalformed, KeyRefused, UsageError
from mau.openpgp import Certificate, SecretKey, open_message, packets, write_message
from mau.openpgp.compat import pgpy
from mau.openpgp.lifetime import REASONS, Reason, extended, read_revocation, revoked, revoked_by, with_public
from tests.openpgp.conftest import YESTERDAY, Gpg, message

NOW = int(time.time())
MONTH = 30 * 86_400


def keys_of(gpg: Gpg, certificate: Certificate) -> list[list[str]]:
    """What gpg says of the key: (pub or sub, validity, expiry, capabilities) for each part."""
    gpg.run("--import", data=bytes(certificate))
    listing = gpg.run("--with-colons", "--list-keys").stdout.decode()
    fields = [line.split(":") for line in listing.splitlines()]
    return [[line[0], line[1], line[6], line[11]] for line in fields if line[0] in ("pub", "sub")]


def in_gpg(gpg: Gpg, kind: str, encrypting: str) -> SecretKey:
    """A key that gpg made, with an expiry on both of its parts."""
    fingerprint = gpg.make("dora", kind, "sign", "2y").upper()
    gpg.run("--quick-add-key", fingerprint, encrypting, "encr", "1y")
    return SecretKey.import_key(gpg.secret("dora"), None)


@pytest.mark.parametrize("rsa", [False, True])
def test_gpg_sees_the_new_expiry_of_both_parts_and_that_it_went_again(gpg: Gpg, rsa: bool) -> None:
    key = SecretKey.generate("Alice", "alice@example.org", rsa=rsa, created=YESTERDAY)
    longer = extended(key, NOW + MONTH)
    assert [part[2] for part in keys_of(gpg, longer.certificate)] == [str(NOW + MONTH)] * 2
    assert longer.certificate.expires == NOW + MONTH
    even_longer = extended(longer, NOW + 2 * MONTH)
    assert [part[2] for part in keys_of(gpg, even_longer.certificate)] == [str(NOW + 2 * MONTH)] * 2
    never = extended(even_longer, None)
    assert [part[2] for part in keys_of(gpg, never.certificate)] == ["", ""]
    assert never.certificate.expires is None


@pytest.mark.parametrize(
    ("kind", "encrypting"), [("ed25519", "cv25519"), ("rsa2048", "rsa2048"), ("nistp384", "nistp384")]
)
def test_a_key_that_gpg_made_is_extended_and_gpg_still_works_with_it(
    gpg: Gpg, kind: str, encrypting: str
) -> None:
    key = in_gpg(gpg, kind, encrypting)
    longer = extended(key, NOW + 5 * MONTH)
    before = {raw for _, _, raw in key.certificate.split}
    assert before <= {raw for _, _, raw in longer.certificate.split}, "nothing is lost or written anew"
    assert [part[2] for part in keys_of(gpg, longer.certificate)] == [str(NOW + 5 * MONTH)] * 2
    assert gpg.run("--decrypt", data=message(b"x", longer, [])).stdout == b"x"
    again = SecretKey.import_key(gpg.secret("dora"), None)
    assert again.certificate.expires == NOW + 5 * MONTH


def test_every_user_id_and_a_signing_subkey_live_on(gpg: Gpg) -> None:
    fingerprint = gpg.make("dora", "ed25519", "sign", "2y").upper()
    gpg.run("--quick-add-key", fingerprint, "cv25519", "encr", "1y")
    gpg.run("--quick-add-key", fingerprint, "ed25519", "sign", "1y")
    gpg.run("--quick-add-uid", fingerprint, "Dora at work <dora@work.example>")
    key = SecretKey.import_key(gpg.secret("dora"), None)
    longer = extended(key, NOW + 5 * MONTH)
    assert {part[2] for part in keys_of(gpg, longer.certificate)} == {str(NOW + 5 * MONTH)}
    assert sorted(longer.certificate.user_ids) == sorted(key.certificate.user_ids)
    signed = gpg.run("--sign", "-u", "dora", data=b"by the subkey").stdout
    assert open_message(signed, key=None, author=longer.certificate).data == b"by the subkey"


def test_what_had_expired_lives_on_and_a_replaced_subkey_does_not() -> None:
    constants = pgpy().constants
    key = SecretKey.generate("Old", "old@example.org", created=NOW - 10 * MONTH)
    dead = extended(key, NOW - 5 * MONTH, NOW - 9 * MONTH)
    with pytest.raises(KeyExpired):
        dead.certificate.check_usable()
    [old] = dead.certificate.encryption_keyids
    alive = extended(dead, NOW + MONTH)
    alive.certificate.check_usable()
    assert alive.certificate.subkey_expires(old) == NOW + MONTH
    # Another subkey takes its place; the old one stays dead.
    own = dead.pgpy_key
    subkey = pgpy().PGPKey.new(constants.PubKeyAlgorithm.ECDH, constants.EllipticCurveOID.Curve25519)
    own.add_subkey(subkey, usage={constants.KeyFlags.EncryptCommunications})
    alive = extended(SecretKey(bytes(own)), NOW + MONTH)
    assert alive.certificate.subkey_expires(old) == NOW - 5 * MONTH
    [new] = alive.certificate.encryption_keyids - {old}
    assert alive.certificate.subkey_expires(new) == NOW + MONTH


def test_preferences_and_flags_survive() -> None:
    key = SecretKey.generate("Alice", "alice@example.org", created=YESTERDAY)
    own, later = (one.pgpy_key.userids[0].selfsig for one in (key, extended(key, NOW + MONTH)))
    assert later.created > own.created
    for what in ("key_flags", "cipherprefs", "hashprefs", "compprefs", "features"):
        assert getattr(later, what) == getattr(own, what)


@pytest.mark.parametrize("until", [0, NOW - 10, NOW + (1 << 33)], ids=["never was", "past", "too far"])
def test_an_expiry_that_cannot_be_is_refused(alice: SecretKey, until: int) -> None:
    with pytest.raises(UsageError):
        extended(alice, until)


def test_twice_in_a_second_the_second_counts() -> None:
    key = SecretKey.generate("Alice", "alice@example.org")
    for until in (NOW + MONTH, NOW + 2 * MONTH, None):
        key = extended(key, until)
        assert key.certificate.expires == until


# --- revoking -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", REASONS)
def test_gpg_sees_the_revocation_and_its_reason(gpg: Gpg, alice: SecretKey, reason: Reason) -> None:
    done = revoked(alice, reason)
    assert [part[1] for part in keys_of(gpg, done.certificate)] == ["r", "r"]
    listing = gpg.run("--with-colons", "--check-sigs").stdout.decode()
    [line] = [line.split(":") for line in listing.splitlines() if line.startswith("rev")]
    assert line[1] == "!"
    assert line[10] == f"20x,{REASONS[reason]:02x}"
    assert done.certificate.revoked
    assert done.certificate.compromised == (reason == "compromised")


def test_revoking_twice_is_refused_unless_it_says_more(alice: SecretKey) -> None:
    soft = revoked(alice, "retired")
    with pytest.raises(AccountRevoked):
        revoked(soft, "superseded")
    hard = revoked(soft, "compromised")
    assert hard.certificate.compromised
    with pytest.raises(AccountRevoked):
        revoked(hard, "compromised")
    with pytest.raises(AccountRevoked):
        extended(soft, None)


def test_the_revocation_certificate_that_was_made_before_is_applied(gpg: Gpg, alice: SecretKey) -> None:
    for written in (alice.revocation_certificate().encode(), _binary(alice)):
        done = revoked_by(alice, written)
        assert done.certificate.compromised, "without a reason it refuses all"
    assert [part[1] for part in keys_of(gpg, done.certificate)] == ["r", "r"]


def _binary(key: SecretKey) -> bytes:
    return read_revocation(key.certificate, key.revocation_certificate().encode())


def test_the_revocation_certificate_of_gpg_is_applied(gpg: Gpg) -> None:
    fingerprint = gpg.make("dora", "ed25519", "sign", "never")
    gpg.run("--quick-add-key", fingerprint.upper(), "cv25519", "encr", "never")
    key = SecretKey.import_key(gpg.secret("dora"), None)
    written = (gpg.home / "openpgp-revocs.d" / f"{fingerprint.upper()}.rev").read_bytes()
    assert revoked_by(key, written.replace(b":-----BEGIN", b"-----BEGIN")).certificate.revoked


@pytest.mark.parametrize(
    "junk", [b"", b"junk", b"\x88" * 40, b"x" * (1 << 21)], ids=["", "words", "bits", "big"]
)
def test_what_is_no_revocation_certificate_is_refused(alice: SecretKey, junk: bytes) -> None:
    with pytest.raises(KeyMalformed):
        read_revocation(alice.certificate, junk)


def test_a_revocation_certificate_for_another_key_is_refused(alice: SecretKey, bob: SecretKey) -> None:
    with pytest.raises(KeyRefused, match="another key"):
        read_revocation(alice.certificate, bob.revocation_certificate().encode())
    broken = bytearray(_binary(alice))
    broken[-1] ^= 1
    with pytest.raises(KeyRefused):
        read_revocation(alice.certificate, bytes(broken))
    with pytest.raises(KeyMalformed):
        read_revocation(alice.certificate, bytes(alice.certificate))


def test_a_revoked_or_expired_key_signs_nothing_that_others_read(alice: SecretKey, tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        for recipients in (None, []):
            with pytest.raises(AccountRevoked):
                write_message(out, b"x", key=revoked(alice, "retired"), recipients=recipients)
        expired = extended(alice, NOW - 1000, NOW - 2000)
        with pytest.raises(KeyExpired, match="mau key extend"):
            write_message(out, b"x", key=expired, recipients=[])
        assert out.tell() == 0


@pytest.mark.parametrize("reason", REASONS)
def test_what_the_owner_alone_reads_is_still_signed(alice: SecretKey, tmp_path: Path, reason: Reason) -> None:
    done = revoked(alice, reason)
    for notations in ({}, {"use@mau.invalid": "keyring"}):
        with (tmp_path / "out").open("wb") as out:
            write_message(out, b"x", key=done, recipients=[done.anchor], notations=notations, for_owner=True)
        opened = open_message((tmp_path / "out").read_bytes(), key=done, author=done.anchor)
        assert opened.data == b"x"


# --- two copies of the own key ------------------------------------------------------------------------------


def test_a_public_copy_teaches_the_key_what_it_signed_itself(alice: SecretKey, mallory: SecretKey) -> None:
    longer = extended(alice, NOW + MONTH)
    ended = revoked(longer, "compromised")
    learned = with_public(alice, ended.certificate)
    assert learned.certificate == ended.certificate
    assert learned.secrets == alice.secrets
    assert with_public(alice, alice.certificate) is alice
    foreign = packets.split(bytes(revoked(mallory, "compromised").certificate))[1][2]
    first = len(alice.certificate.split[0][2])
    planted = bytes(alice.certificate)[:first] + foreign + bytes(alice.certificate)[first:]
    assert with_public(alice, Certificate.parse(planted)) is alice


def test_a_key_learns_in_place(alice: SecretKey) -> None:
    key = SecretKey(alice.transferable)
    assert key.anchor is key.certificate
    key.learn(revoked(alice, "retired").certificate)
    assert key.certificate.revoked
    assert not key.anchor.revoked
    with pytest.raises(AccountRevoked):
        key.check_signs()
