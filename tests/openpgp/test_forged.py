"""What an enemy may try with a post: each attempt ends as its own typed error (spec/threats.md)."""

from __future__ import annotations

import bz2
import io
import os
import random
import resource
import time
import warnings
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pysequoia
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.errors import (
    BadSignature,
    FromTheFuture,
    MalformedPost,
    NoIntegrity,
    NotReadable,
    NotSigned,
    PostError,
    SeveralSignatures,
    SignatureTooWeak,
    SignerExpired,
    SignerRevoked,
    TooLarge,
    UnknownAuthor,
    UnknownSigner,
    WrongSignatureType,
)
from mau.openpgp import Certificate, Kind, SecretKey, open_message, packets, read_head
from mau.openpgp.compat import pgpy
from mau.openpgp.protected import protect
from mau.openpgp.signing import LITERAL_HEAD, Signing, signed_whole
from mau.openpgp.writing import _Session
from tests.openpgp.conftest import YESTERDAY, message

TEXT = b'{"articleBody":"' + b"hello " * 40 + b'"}'
NOW = int(time.time())


def literal(data: bytes = TEXT) -> bytes:
    return packets.packet(packets.LITERAL, LITERAL_HEAD + data)


def sealed(inside: bytes, key: SecretKey, recipient: Certificate) -> bytes:
    """Any packets, encrypted for somebody."""
    session = _Session(key, [recipient])
    body = b"".join(protect(session.cipher, session.key, iter((inside,))))
    return session.keys + packets.packet(packets.PROTECTED, body)


def parts(key: SecretKey, data: bytes = TEXT, created: int = NOW) -> tuple[bytes, bytes, bytes]:
    signing = Signing(key, created, {})
    signing.update(data)
    return signing.one_pass, literal(data), signing.finish()


def graft(victim: Certificate, *extra: bytes) -> Certificate:
    return Certificate.parse(bytes(victim) + b"".join(extra))


@pytest.fixture
def refused(alice: SecretKey, bob: SecretKey) -> Callable[..., PostError]:
    """Both forms of an attempt are refused alike: public as it is, and encrypted."""

    def attempt(inside: bytes, why: type[PostError], author: Certificate | None = None) -> PostError:
        author = author or alice.certificate
        with pytest.raises(why) as public:
            open_message(inside, key=bob, author=author)
        with pytest.raises(why):
            open_message(sealed(inside, alice, bob.certificate), key=bob, author=author)
        return public.value

    return attempt


def test_unsigned(refused: Callable[..., PostError]) -> None:
    refused(literal(), NotSigned)


def test_signed_by_another(refused: Callable[..., PostError], mallory: SecretKey) -> None:
    refused(b"".join(parts(mallory)), UnknownSigner)


def test_signed_by_another_who_claims_the_authors_key_id(
    refused: Callable[..., PostError], alice: SecretKey, mallory: SecretKey
) -> None:
    signing = Signing(mallory, NOW, {})
    subpackets = signing._signature._signature.subpackets
    for subpacket in subpackets._hashed_sp.values():
        if type(subpacket).__name__ == "IssuerFingerprint":
            subpacket._issuer_fpr = alice.pgpy_key.fingerprint
    signing.update(TEXT)
    refused(signing.one_pass + literal() + signing.finish(), BadSignature)


def test_unknown_author(bob: SecretKey, alice: SecretKey) -> None:
    with pytest.raises(UnknownAuthor):
        open_message(message(TEXT, alice, None), key=bob, author=None)


def test_content_exchanged_under_a_good_signature(
    refused: Callable[..., PostError], alice: SecretKey
) -> None:
    head, _, signature = parts(alice)
    refused(head + literal(TEXT + b" ") + signature, BadSignature)


def test_signed_by_a_subkey_grafted_onto_the_author(
    refused: Callable[..., PostError], alice: SecretKey, mallory: SecretKey
) -> None:
    packet = packets.packet(packets.PUBLIC_SUBKEY, mallory.certificate.public_packet)
    refused(b"".join(parts(mallory)), BadSignature, graft(alice.certificate, packet))
    lib = pgpy()
    flags = lib.constants.KeyFlags
    stranger = SecretKey.generate("Stranger", "", created=YESTERDAY).pgpy_key
    own = lib.PGPKey.new(lib.constants.PubKeyAlgorithm.EdDSA, lib.constants.EllipticCurveOID.Ed25519)
    stranger.add_subkey(own, usage={flags.Sign})
    subkey = packets.split(bytes(stranger.pubkey))[-2:]
    grafted = graft(alice.certificate, *(raw for _, _, raw in subkey))
    signature = own.sign(TEXT, hash=lib.constants.HashAlgorithm.SHA256)
    one_pass = b"\x03\x00\x08\x16" + bytes.fromhex(own.fingerprint.keyid) + b"\x01"
    inside = packets.packet(packets.ONE_PASS, one_pass) + literal() + bytes(signature)
    refused(inside, BadSignature, grafted)


def test_encryption_subkeys_grafted_onto_a_key_are_not_its_own(alice: SecretKey, mallory: SecretKey) -> None:
    subkey = packets.split(bytes(mallory.certificate))[-2:]
    grafted = graft(alice.certificate, *(raw for _, _, raw in subkey))
    assert grafted.encryption_keyids == alice.certificate.encryption_keyids
    unbound = graft(alice.certificate, subkey[0][2])
    assert unbound.encryption_keyids == alice.certificate.encryption_keyids


def revoked(key: SecretKey, reason: str, when: int) -> Certificate:
    lib = pgpy()
    signature = key.pgpy_key.revoke(
        key.pgpy_key,
        reason=getattr(lib.constants.RevocationReason, reason),
        created=datetime.fromtimestamp(when, UTC),
    )
    return graft(key.certificate, bytes(signature))


def test_revoked_as_compromised_refuses_all_and_as_superseded_what_came_later() -> None:
    old = NOW - 100_000
    key = SecretKey.generate("Rosa", "rosa@example.org", created=old)
    early, late = (b"".join(parts(key, created=old + after)) for after in (1000, 50_000))
    for reason in ("Compromised", "NotSpecified"):
        certificate = revoked(key, reason, old + 20_000)
        assert certificate.revoked
        for post in (early, late):
            with pytest.raises(SignerRevoked):
                open_message(post, key=None, author=certificate)
    for reason in ("Superseded", "Retired"):
        certificate = revoked(key, reason, old + 20_000)
        assert certificate.revoked
        assert open_message(early, key=None, author=certificate).data == TEXT
        with pytest.raises(SignerRevoked):
            open_message(late, key=None, author=certificate)


def test_a_revocation_by_somebody_else_revokes_nothing(alice: SecretKey, mallory: SecretKey) -> None:
    lib = pgpy()
    foreign = mallory.pgpy_key.revoke(mallory.pgpy_key, reason=lib.constants.RevocationReason.Compromised)
    certificate = graft(alice.certificate, bytes(foreign))
    assert not certificate.revoked
    certificate.check_usable()
    assert open_message(message(TEXT, alice, None), key=None, author=certificate).data == TEXT


def test_after_expiry_is_deferred_and_before_it_holds() -> None:
    old = NOW - 100_000
    lib = pgpy()
    constants = lib.constants
    when = datetime.fromtimestamp(old, UTC)
    own = lib.PGPKey.new(constants.PubKeyAlgorithm.EdDSA, constants.EllipticCurveOID.Ed25519, created=when)
    own.add_uid(
        lib.PGPUID.new("Old"), usage={constants.KeyFlags.Certify, constants.KeyFlags.Sign},
        key_expiration=timedelta(seconds=20_000), created=when,
    )  # fmt: skip
    key = SecretKey(bytes(own))
    assert key.certificate.expires == old + 20_000
    early, late = (b"".join(parts(key, created=old + after)) for after in (1000, 50_000))
    assert open_message(early, key=None, author=key.certificate).signed_at == old + 1000
    with pytest.raises(SignerExpired) as error:
        open_message(late, key=None, author=key.certificate)
    assert error.value.lasting == "deferred"


@pytest.mark.parametrize(("number", "name"), [(2, "sha1"), (1, "md5")])
def test_weak_hashes(refused: Callable[..., PostError], alice: SecretKey, number: int, name: str) -> None:
    signing = Signing(alice, NOW, {})
    packet = signing._signature._signature
    packet.halg = pgpy().constants.HashAlgorithm(number)
    with warnings.catch_warnings(action="ignore"):  # PGPy says, rightly, that nobody should
        signature = alice.pgpy_key._sign(TEXT, signing._signature, include_issuer_fingerprint=False)
    one_pass = bytes([3, 0, number, 22]) + alice.fingerprint.raw[-8:] + b"\x01"
    inside = packets.packet(packets.ONE_PASS, one_pass) + literal() + bytes(signature)
    assert name
    refused(inside, SignatureTooWeak)


def test_two_signatures(refused: Callable[..., PostError], alice: SecretKey, mallory: SecretKey) -> None:
    head, content, signature = parts(alice)
    other_head, _, other = parts(mallory)
    refused(head + content + signature + signature, SeveralSignatures)
    refused(head + content + other + signature, SeveralSignatures)
    refused(other_head + head + content + signature + other, SeveralSignatures)


def test_other_structures(refused: Callable[..., PostError], alice: SecretKey) -> None:
    head, content, signature = parts(alice)
    refused(head + signature, MalformedPost)
    refused(head + content, MalformedPost)
    refused(content + signature, MalformedPost)
    refused(head + content + content + signature, MalformedPost)
    refused(head + content + signature + content, MalformedPost)
    packed = packets.packet(packets.COMPRESSED, b"\x02" + zlib.compress(head + content + signature))
    assert open_message(packed, key=None, author=alice.certificate).data == TEXT
    refused(packed + content, MalformedPost)
    refused(packets.packet(packets.COMPRESSED, b"\x02" + zlib.compress(packed)), MalformedPost)
    refused(packets.packet(packets.COMPRESSED, b"\x09" + packed), MalformedPost)


def test_a_text_signature_is_not_a_post(refused: Callable[..., PostError], alice: SecretKey) -> None:
    constants = pgpy().constants
    own = alice.pgpy_key
    for kind in (constants.SignatureType.CanonicalDocument, constants.SignatureType.Standalone):
        signature = pgpy().PGPSignature.new(
            kind, own.key_algorithm, constants.HashAlgorithm.SHA256, own.fingerprint.keyid
        )
        own._sign(TEXT, signature)
        one_pass = bytes([3, int(kind), 8, 22]) + alice.fingerprint.raw[-8:] + b"\x01"
        inside = packets.packet(packets.ONE_PASS, one_pass) + literal() + bytes(signature)
        refused(inside, WrongSignatureType)


def test_ahead_of_the_clock_is_deferred(refused: Callable[..., PostError], alice: SecretKey) -> None:
    error = refused(b"".join(parts(alice, created=NOW + 3600)), FromTheFuture)
    assert error.lasting == "deferred"
    soon = b"".join(parts(alice, created=NOW + 600))
    assert open_message(soon, key=None, author=alice.certificate).signed_at == NOW + 600


def test_notations_that_nobody_signed_are_not_read(alice: SecretKey) -> None:
    signing = Signing(alice, NOW, {"id@mau.invalid": "signed"})
    signing._signature._signature.subpackets.addnew(
        "NotationData", hashed=False, flags=pgpy().constants.NotationDataFlags.HumanReadable,
        name="audience@mau.invalid", value="everybody",
    )  # fmt: skip
    signing.update(TEXT)
    opened = open_message(signing.one_pass + literal() + signing.finish(), key=None, author=alice.certificate)
    assert dict(opened.notations) == {"id@mau.invalid": ("signed",)}


def test_without_integrity_protection(alice: SecretKey, bob: SecretKey) -> None:
    whole = message(TEXT, alice, [bob.certificate])
    keys = b"".join(raw for tag, _, raw in packets.split(whole) if tag == packets.PKESK)
    body = packets.split(whole)[-1][1]
    with pytest.raises(NoIntegrity):
        open_message(keys + packets.packet(packets.ENCRYPTED, body[1:]), key=bob, author=alice.certificate)
    assert read_head(io.BytesIO(keys + packets.packet(packets.ENCRYPTED, body[1:]))).kind is Kind.OTHER
    changed = bytearray(body)
    changed[-5] ^= 1
    with pytest.raises(NoIntegrity):
        open_message(
            keys + packets.packet(packets.PROTECTED, bytes(changed)), key=bob, author=alice.certificate
        )
    session = _Session(alice, [bob.certificate])
    [*chunks] = protect(session.cipher, session.key, iter((b"".join(parts(alice)),)))
    stripped = packets.packet(packets.PROTECTED, b"".join(chunks[:-1]))
    with pytest.raises((NoIntegrity, MalformedPost)):
        open_message(session.keys + stripped, key=bob, author=alice.certificate)


def test_encrypted_with_a_passphrase_or_for_others(
    alice: SecretKey, bob: SecretKey, mallory: SecretKey
) -> None:
    with pytest.raises(NotReadable):
        open_message(alice.lock("x"), key=bob, author=alice.certificate)
    with pytest.raises(NotReadable):
        open_message(message(TEXT, alice, []), key=bob, author=alice.certificate)
    with pytest.raises(NotReadable):
        open_message(message(TEXT, alice, [bob.certificate]), key=None, author=alice.certificate)
    assert read_head(io.BytesIO(alice.lock("x"))).kind is Kind.OTHER


@pytest.mark.parametrize("public", [True, False])
def test_cut_off_anywhere(alice: SecretKey, bob: SecretKey, public: bool) -> None:
    whole = message(TEXT, alice, None if public else [bob.certificate])
    for length in range(len(whole)):
        with pytest.raises((MalformedPost, NoIntegrity)):
            open_message(whole[:length], key=bob, author=alice.certificate)
    for tail in (b"\0", b"\xff", whole):
        with pytest.raises(MalformedPost):
            open_message(whole + tail, key=bob, author=alice.certificate)


@pytest.mark.parametrize("kind", ["zlib", "bzip2", "nested"])
def test_a_bomb_stops_early(alice: SecretKey, bob: SecretKey, kind: str) -> None:
    zeros = bytes(1 << 20)
    engine = bz2.BZ2Compressor() if kind == "bzip2" else zlib.compressobj(9)
    # A gigabyte; a quarter of it where making it takes ten seconds: still more than may be held.
    framed = packets.in_parts(packets.LITERAL, (zeros for _ in range(256 if kind == "bzip2" else 1024)))
    packed = b"".join([*(engine.compress(part) for part in framed), engine.flush()])
    inside = packets.packet(packets.COMPRESSED, (b"\x03" if kind == "bzip2" else b"\x02") + packed)
    if kind == "nested":
        inside = packets.packet(packets.COMPRESSED, b"\x02" + zlib.compress(inside))
    bomb = sealed(inside, alice, bob.certificate)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises((TooLarge, MalformedPost)):
        open_message(bomb, key=bob, author=alice.certificate)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200 << 10, "kilobytes of memory more than before"
    assert time.process_time() - began < 20, "seconds of CPU"


def test_a_bomb_into_a_file_leaves_no_file(alice: SecretKey, bob: SecretKey, tmp_path: Path) -> None:
    target = tmp_path / "out"
    framed = packets.in_parts(packets.LITERAL, (bytes(1 << 20) for _ in range(200)))
    engine = zlib.compressobj(9)
    packed = b"".join([*(engine.compress(part) for part in framed), engine.flush()])
    bomb = sealed(packets.packet(packets.COMPRESSED, b"\x02" + packed), alice, bob.certificate)
    with pytest.raises(TooLarge):
        open_message(bomb, key=bob, author=alice.certificate, sink=target)
    assert not target.exists()


def test_ten_thousand_bit_flips_change_nothing_or_are_refused(alice: SecretKey, bob: SecretKey) -> None:
    rng = random.Random(20)
    made = [
        (message(TEXT, alice, recipients, notations), notations)
        for recipients in (None, [bob.certificate])
        for notations in ({}, {"id@mau.invalid": "mau:/p2p/x"})
    ]
    times = {whole: open_message(whole, key=bob, author=alice.certificate).signed_at for whole, _ in made}
    survived = 0
    for count in range(10_000):
        whole, notations = made[count % len(made)]
        flipped = bytearray(whole)
        bit = rng.randrange(len(whole) * 8)
        flipped[bit // 8] ^= 1 << (bit % 8)
        try:
            opened = open_message(bytes(flipped), key=bob, author=alice.certificate)
        except PostError:
            continue
        survived += 1
        assert opened.data == TEXT
        assert opened.signer == alice.fingerprint
        assert opened.signed_at == times[whole]
        stated = {name: value for name, value in opened.notations.items() if name.endswith("@mau.invalid")}
        assert stated == {name: (value,) for name, value in notations.items()}
    assert survived < 1500, "flips outside what is signed or protected: old key ids, literal date"


@given(st.binary(max_size=300))
def test_anything_else_is_one_typed_error(junk: bytes) -> None:
    read_head(io.BytesIO(junk))
    with pytest.raises(PostError):
        open_message(junk, key=None, author=None)


@given(st.data())
def test_a_spliced_message_is_one_typed_error(data: st.DataObject) -> None:
    whole = SPLICED[data.draw(st.integers(0, len(SPLICED) - 1))]
    start = data.draw(st.integers(0, len(whole) - 1))
    patch = data.draw(st.binary(min_size=1, max_size=12))
    forged = whole[:start] + patch + whole[start + data.draw(st.integers(0, 12)) :]
    if forged in SPLICED:
        return
    read_head(io.BytesIO(forged))
    try:
        opened = open_message(forged, key=SPLICER, author=SPLICER.certificate)
    except PostError:
        return
    assert opened.data == TEXT


SPLICER = SecretKey.generate("Splice", "", created=YESTERDAY)
SPLICED = [
    message(TEXT, SPLICER, None),
    message(TEXT, SPLICER, []),
    signed_whole(Signing(SPLICER, NOW, {}), TEXT),
]


def test_many_recipients_and_none_twice(alice: SecretKey, bob: SecretKey) -> None:
    whole = message(TEXT, alice, [bob.certificate, alice.certificate, bob.certificate])
    head = read_head(io.BytesIO(whole))
    assert [{key} for key in head.recipients] == [
        set(alice.certificate.encryption_keyids), set(bob.certificate.encryption_keyids)
    ]  # fmt: skip


def test_secrets_never_show(alice: SecretKey) -> None:
    shown = f"{alice} {alice!r} {alice.__dict__.keys()}"
    assert alice._data.hex() not in shown
    assert os.fspath(alice.fingerprint.hex) in shown


def asks_for_the_newer_container(monkeypatch: pytest.MonkeyPatch) -> SecretKey:
    """A key whose self-signature says that it reads SEIPD version 2; PGPy makes none by itself."""
    lib = pgpy()
    sign = lib.PGPKey._sign

    def stating(self: object, subject: object, signature: Any, **options: object) -> object:
        for subpacket in signature._signature.subpackets:
            if type(subpacket).__name__ == "Features":
                newer = {"__bytearray__": lambda _: bytearray(b"\x02\x1e\x09")}
                subpacket.__class__ = type("Newer", (type(subpacket),), newer)
        return sign(self, subject, signature, **options)

    with monkeypatch.context() as patched:
        patched.setattr(lib.PGPKey, "_sign", stating)
        return SecretKey.generate("Modern", "modern@example.org", created=YESTERDAY)


def test_the_newer_container_opens_although_nobody_asked_for_it(
    alice: SecretKey, mallory: SecretKey, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    modern = asks_for_the_newer_container(monkeypatch)
    assert modern.certificate.encryption_keyids == modern.recoverers.keys() - {modern.fingerprint.raw[-8:]}
    for_both = message(TEXT, alice, [modern.certificate])
    assert open_message(for_both, key=modern, author=alice.certificate).data == TEXT
    made = bytes(pysequoia.encrypt(TEXT, [modern.certificate.cert], alice.signer, armor=False))
    assert packets.split(made)[-1][1][0] == 2
    assert read_head(io.BytesIO(made)).kind is Kind.OTHER
    opened = open_message(made, key=modern, author=alice.certificate)
    assert (opened.data, opened.signer, opened.signed_at) == (TEXT, alice.fingerprint, 0)
    with io.BytesIO(made) as file:
        assert open_message(file, key=modern, author=alice.certificate, sink=tmp_path / "out").size == len(
            TEXT
        )
    with pytest.raises(BadSignature):
        open_message(made, key=modern, author=mallory.certificate)
    with pytest.raises(BadSignature):
        open_message(made[:-1] + bytes([made[-1] ^ 1]), key=modern, author=alice.certificate)
    with pytest.raises(NotReadable):
        open_message(made, key=mallory, author=alice.certificate)
    own = message(TEXT, modern, [modern.certificate])
    assert packets.split(own)[-1][1][0] == 1, "what we write everybody reads, whatever the keys ask for"
    assert SecretKey.import_key(modern._data, None).fingerprint == modern.fingerprint
