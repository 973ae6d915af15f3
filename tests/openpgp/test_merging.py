"""What is taken from a copy of a key that came over the network, and when it counts (spec/keyring.md K11)."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mau.errors import KeyMalformed, KeyRefused, SignerExpired, SignerRevoked
from mau.openpgp import Certificate, SecretKey, open_message, packets
from mau.openpgp.certificate import MAX_KEY
from mau.openpgp.compat import pgpy
from mau.openpgp.lifetime import Reason, extended, revoked
from mau.openpgp.merging import MAX_PACKETS, Merged, merge_fetched
from mau.openpgp.selfsigned import SelfSignature
from mau.openpgp.subpackets import EMBEDDED, Subpacket
from tests.keyring.conftest import grafted, public, with_subkey, with_user_id
from tests.openpgp.conftest import YESTERDAY, Gpg, message

NOW = int(time.time())


@pytest.fixture(scope="session")
def copies(alice: SecretKey, mallory: SecretKey) -> list[Certificate]:
    """Newer copies of Alice's key, each with something else."""
    return [
        alice.certificate,
        with_user_id(alice, "Alice at work", "alice@work.example"),
        with_subkey(alice),
        with_signing_subkey(alice)[0],
        extended(alice, NOW + 1000).certificate,
        revoked(alice, "retired").certificate,
        grafted(alice, mallory),
    ]


def with_signing_subkey(key: SecretKey) -> tuple[Certificate, Any]:
    """A newer copy of the key with a subkey that signs, and PGPy's object of all of it."""
    constants = pgpy().constants
    own = SecretKey(key.transferable).pgpy_key
    subkey = pgpy().PGPKey.new(constants.PubKeyAlgorithm.EdDSA, constants.EllipticCurveOID.Ed25519)
    own.add_subkey(subkey, usage={constants.KeyFlags.Sign})
    return public(own), own


def merged(held: Certificate, *others: Certificate) -> Merged:
    result = Merged(held, None)
    for other in others:
        result = merge_fetched(result.certificate, other, result.reported)
    return result


def changed(certificate: Certificate, change: Callable[[int, bytes], bytes | None]) -> Certificate:
    """The certificate with packets replaced or (None) left out."""
    whole = b""
    for tag, body, _ in certificate.split:
        after = change(tag, body)
        whole += b"" if after is None else packets.packet(tag, after)
    return Certificate.parse(whole)


# --- what counts when ---------------------------------------------------------------------------------------


def test_the_same_key_again_changes_nothing(alice: SecretKey) -> None:
    result = merge_fetched(alice.certificate, alice.certificate)
    assert result == Merged(alice.certificate, None)
    assert result.certificate is alice.certificate


@pytest.mark.parametrize("reason", ["superseded", "retired", "compromised"])
def test_a_revocation_counts_at_once(alice: SecretKey, reason: Reason) -> None:
    result = merge_fetched(alice.certificate, revoked(alice, reason).certificate)
    assert result.certificate.revoked
    assert result.certificate.compromised == (reason == "compromised")
    assert result.reported is None


def test_another_expiry_counts_at_once_both_ways(alice: SecretKey) -> None:
    soon = extended(alice, NOW + 1000)
    result = merge_fetched(alice.certificate, soon.certificate)
    assert (result.certificate.expires, result.reported) == (NOW + 1000, None)
    later = extended(soon, NOW + 5000)
    assert merge_fetched(result.certificate, later.certificate).certificate.expires == NOW + 5000
    never = extended(later, None)
    assert merge_fetched(result.certificate, never.certificate).certificate.expires is None


def test_a_key_that_had_expired_lives_on(gpg: Gpg) -> None:
    old = SecretKey.generate("Old", "old@example.org", created=NOW - 5000)
    long_ago = NOW - 4000
    own = old.pgpy_key
    own.add_uid(
        pgpy().PGPUID.new("Old", email="old@example.org"),
        usage={pgpy().constants.KeyFlags.Certify, pgpy().constants.KeyFlags.Sign},
        key_expiration=timedelta(seconds=2000),
        created=datetime.fromtimestamp(long_ago, UTC),
        primary=True,
    )
    expired = SecretKey(bytes(own))
    assert expired.certificate.expires == NOW - 3000
    again = extended(expired, NOW + 1000)
    assert merge_fetched(expired.certificate, again.certificate) == Merged(again.certificate, None)


def test_a_new_user_id_waits(alice: SecretKey) -> None:
    result = merge_fetched(alice.certificate, with_user_id(alice, "The bank", "bank@example.org"))
    assert result.certificate == alice.certificate
    assert result.reported is not None
    assert "The bank <bank@example.org>" in result.reported.user_ids


def test_a_new_encryption_subkey_waits_and_one_that_signs_does_not(alice: SecretKey) -> None:
    result = merge_fetched(alice.certificate, with_subkey(alice))
    assert result.certificate == alice.certificate
    assert result.reported is not None
    assert len(result.reported.encryption_keyids) == 2
    signing, own = with_signing_subkey(alice)
    result = merge_fetched(alice.certificate, signing)
    assert result.reported is None
    [subkey] = [one for one in own.subkeys.values() if one.key_algorithm.name == "EdDSA"]
    text = pgpy().PGPMessage.new(b"signed by a subkey", compression=pgpy().constants.CompressionAlgorithm(0))
    text |= subkey.sign(text)
    assert open_message(bytes(text), key=None, author=result.certificate).data == b"signed by a subkey"


def test_someone_elses_encryption_subkey_waits(alice: SecretKey, bob: SecretKey) -> None:
    theirs = grafted(bob, alice)
    assert theirs.encryption_keyids & alice.certificate.encryption_keyids
    assert merge_fetched(bob.certificate, theirs).certificate == bob.certificate


def test_a_user_id_whose_revocation_is_taken_back_waits(alice: SecretKey) -> None:
    own = SecretKey(with_secret_user_id(alice, "The bank", "bank@example.org")).pgpy_key
    [bank] = [one for one in own.userids if one.name == "The bank"]
    own_before = datetime.fromtimestamp(NOW - 1000, UTC)
    bank |= own.revoke(bank, created=own_before, reason=pgpy().constants.RevocationReason.UserID)
    held = public(own)
    assert "The bank <bank@example.org>" not in held.user_ids
    bank |= own.certify(bank, usage={pgpy().constants.KeyFlags.Certify, pgpy().constants.KeyFlags.Sign})
    again = public(own)
    assert "The bank <bank@example.org>" in again.user_ids, "the test makes what it says"
    result = merge_fetched(held, again)
    assert "The bank <bank@example.org>" not in result.certificate.user_ids
    assert result.reported is not None
    assert "The bank <bank@example.org>" in result.reported.user_ids


def with_secret_user_id(key: SecretKey, name: str, email: str) -> bytes:
    own = SecretKey(key.transferable).pgpy_key
    own.add_uid(
        pgpy().PGPUID.new(name, email=email),
        usage={pgpy().constants.KeyFlags.Certify},
        created=datetime.fromtimestamp(NOW - 2000, UTC),
    )
    return bytes(own)


def test_nothing_makes_an_encryption_key_of_the_primary_key_unasked() -> None:
    key = SecretKey.generate("Rsa", "rsa@example.org", rsa=True, created=YESTERDAY)
    flags = pgpy().constants.KeyFlags
    own = SecretKey(key.transferable).pgpy_key
    own.userids[0] |= own.certify(
        own.userids[0], usage={flags.Certify, flags.Sign, flags.EncryptCommunications}, primary=True
    )
    newer = public(own)
    assert len(newer.encryption_keyids) == 2, "the test makes what it says"
    result = merge_fetched(key.certificate, newer)
    assert result.certificate.encryption_keyids == key.certificate.encryption_keyids
    assert result.reported is not None
    assert len(result.reported.encryption_keyids) == 2


# --- signatures by a key as it is after the merge (design: when must a key be valid?) -----------------------


def test_posts_are_judged_at_their_time_after_a_soft_revocation_and_refused_after_a_hard_one(
    alice: SecretKey,
) -> None:
    before, after = message(b"x", alice, None, created=NOW - 500), message(b"x", alice, None, created=NOW)
    soft = merge_fetched(alice.certificate, revoked(alice, "retired", NOW - 100).certificate).certificate
    assert open_message(before, key=None, author=soft).data == b"x"
    with pytest.raises(SignerRevoked):
        open_message(after, key=None, author=soft)
    hard = merge_fetched(soft, revoked(alice, "compromised", NOW - 100).certificate).certificate
    with pytest.raises(SignerRevoked):
        open_message(before, key=None, author=hard)


def test_a_post_after_the_expiry_that_was_known_verifies_once_the_key_was_extended() -> None:
    made = NOW - 5000
    key = SecretKey.generate("Eve", "eve@example.org", created=made)
    shorter = extended(key, NOW - 2000, NOW - 3000)
    post = message(b"x", key, None, created=NOW - 1000)
    with pytest.raises(SignerExpired):
        open_message(post, key=None, author=shorter.certificate)
    longer = merge_fetched(shorter.certificate, extended(shorter, NOW + 5000, NOW - 2500).certificate)
    assert open_message(post, key=None, author=longer.certificate).data == b"x"


# --- what a host can do -------------------------------------------------------------------------------------


def test_a_copy_that_leaves_things_out_undoes_nothing(copies: list[Certificate]) -> None:
    all_of_it = merged(*copies)
    for copy in copies:
        assert merge_fetched(all_of_it.certificate, copy, all_of_it.reported) == all_of_it


def test_another_key_is_refused(alice: SecretKey, bob: SecretKey) -> None:
    with pytest.raises(KeyRefused):
        merge_fetched(alice.certificate, bob.certificate)


def test_nothing_is_taken_whose_signature_does_not_hold(alice: SecretKey, copies: list[Certificate]) -> None:
    for copy in copies[1:]:
        fresh = {raw for tag, _, raw in copy.split if tag == packets.SIGNATURE} - {
            raw for _, _, raw in alice.certificate.split
        }

        def spoil(tag: int, body: bytes, fresh: set[bytes] = fresh) -> bytes:
            if packets.packet(tag, body) in fresh:
                return body[:-1] + bytes([body[-1] ^ 1])
            return body

        spoilt = changed(copy, spoil)
        assert merge_fetched(alice.certificate, spoilt) == Merged(alice.certificate, None)


def test_a_strangers_signatures_are_not_taken(alice: SecretKey, mallory: SecretKey) -> None:
    own = SecretKey(mallory.transferable).pgpy_key
    victim = SecretKey(alice.transferable).pgpy_key.pubkey
    victim.userids[0] |= own.certify(victim.userids[0])
    revocation = packets.split(bytes(revoked(mallory, "compromised").certificate))[1][2]
    whole = bytes(victim)
    first = len(alice.certificate.split[0][2])
    copy = Certificate.parse(whole[:first] + revocation + whole[first:])
    assert merge_fetched(alice.certificate, copy) == Merged(alice.certificate, None)


def test_a_signing_subkey_without_its_own_signature_is_not_taken(alice: SecretKey) -> None:
    copy, _ = with_signing_subkey(alice)

    def strip(tag: int, body: bytes) -> bytes:
        signature = SelfSignature.read(body) if tag == packets.SIGNATURE else None
        if signature is None or signature.key_flags != 2:
            return body
        return signature.covered + b"\x00\x00" + signature.quick + signature.numbers

    stripped = changed(copy, strip)
    assert merge_fetched(alice.certificate, stripped) == Merged(alice.certificate, None)
    # And whoever brought that first does not keep the whole one out.
    assert merged(alice.certificate, stripped, copy) == merged(alice.certificate, copy)


def test_what_others_can_write_into_a_signature_makes_no_other_signature_of_it(alice: SecretKey) -> None:
    copy = with_user_id(alice, "Alice at work", "alice@work.example")
    expected = merged(alice.certificate, copy)
    foreign = next(body for tag, body, _ in alice.certificate.split if tag == packets.SIGNATURE)
    for number in range(20):
        embedded = number % 3 == 0
        junk = (
            Subpacket(EMBEDDED, foreign) if embedded else Subpacket(100 + number % 10, bytes([number]) * 50)
        )

        def add(tag: int, body: bytes, junk: Subpacket = junk) -> bytes:
            signature = SelfSignature.read(body) if tag == packets.SIGNATURE else None
            if signature is None:
                return body
            unhashed = signature.unhashed + bytes(junk)
            size = len(unhashed).to_bytes(2, "big")
            return signature.covered + size + unhashed + signature.quick + signature.numbers

        padded = changed(copy, add)
        assert merge_fetched(alice.certificate, padded, expected.reported) == expected
        assert merge_fetched(alice.certificate, padded) == expected


def test_a_copy_of_very_many_packets_is_refused(alice: SecretKey) -> None:
    user_ids = b"".join(packets.packet(packets.USER_ID, b"%d" % number) for number in range(MAX_PACKETS))
    with pytest.raises(KeyMalformed):
        merge_fetched(alice.certificate, Certificate.parse(bytes(alice.certificate) + user_ids))


def test_a_key_that_is_made_to_grow_is_not_taken_but_its_revocation_is(alice: SecretKey) -> None:
    reported = None
    held = alice.certificate
    for number in range(60):
        copy = with_user_id(alice, chr(ord("A") + number) * 30_000, "a@example.org")
        result = merge_fetched(held, copy, reported)
        if result.reported is None:
            break
        reported = result.reported
        assert len(bytes(reported)) <= MAX_KEY
    assert 30 < number < 40
    assert result == Merged(held, None)
    ended = merge_fetched(held, revoked(alice, "compromised").certificate, reported)
    assert ended.certificate.compromised


# --- any order, any number of times -------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(order=st.lists(st.integers(0, 6), max_size=10))
def test_the_order_and_number_of_copies_do_not_matter(order: list[int], copies: list[Certificate]) -> None:
    held = copies[0]
    chosen = [copies[one] for one in order]
    assert merged(held, *chosen) == merged(held, *(copies[one] for one in sorted(set(order))))


def test_every_order_of_three(copies: list[Certificate]) -> None:
    for three in itertools.combinations(range(1, 7), 3):
        results = {
            (bytes(one.certificate), bytes(one.reported) if one.reported else b"")
            for order in itertools.permutations(three)
            for one in [merged(copies[0], *(copies[number] for number in order))]
        }
        assert len(results) == 1


def test_gpg_takes_what_comes_out(gpg: Gpg, copies: list[Certificate], alice: SecretKey) -> None:
    everything = merged(*copies[:5]).reported
    assert everything is not None
    gpg.run("--import", data=bytes(everything))
    listing = gpg.run("--with-colons", "--list-keys").stdout.decode()
    assert [line.split(":")[0] for line in listing.splitlines()].count("sub") == 3
    assert "Alice at work" in listing
