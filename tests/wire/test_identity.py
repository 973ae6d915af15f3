"""From a key to a certificate and back: the same fingerprint as everybody else's (spec/tls.md T1-T9)."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from mau.errors import IdentityError
from mau.fingerprint import Fingerprint
from mau.wire.der import read_certificate
from mau.wire.identity import Identity, PrivateKey, fingerprint_of, key_fingerprint, self_signed

VECTORS = Path(__file__).parent.parent / "vectors"
SETS = ["v2-ed25519", "v2-rsa4096"]
PEOPLE = ["alice", "bob", "carol"]
CURVES: dict[bytes, ec.EllipticCurve] = {
    bytes.fromhex("2a8648ce3d030107"): ec.SECP256R1(),
    bytes.fromhex("2b81040022"): ec.SECP384R1(),
    bytes.fromhex("2b81040023"): ec.SECP521R1(),
}


# --- an OpenPGP secret key, read by hand: the tests do not ask what they test ------------------------------


def first_packet(data: bytes) -> bytes:
    """Return the body of the first packet (RFC 4880 section 4.2), which has to be a secret key."""
    if data[0] & 0x40:
        assert data[0] & 0x3F == 5, "a secret key"
        if data[1] < 192:
            return data[2 : 2 + data[1]]
        return data[3 : 3 + (data[1] - 192 << 8) + data[2] + 192]
    assert data[0] >> 2 & 0xF == 5, "a secret key"
    size = 1 << (data[0] & 3)
    return data[1 + size : 1 + size + int.from_bytes(data[1 : 1 + size], "big")]


def take_mpi(data: bytes) -> tuple[int, bytes]:
    size = (int.from_bytes(data[:2], "big") + 7) // 8
    return int.from_bytes(data[2 : 2 + size], "big"), data[2 + size :]


def read_secret_key(data: bytes) -> tuple[PrivateKey, int]:
    """Return the primary key and its creation time."""
    body = first_packet(data)
    created, algorithm, rest = int.from_bytes(body[1:5], "big"), body[5], body[6:]
    oid = b""
    if algorithm in {19, 22}:
        oid, rest = rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
    public = []
    for _ in range(2 if algorithm == 1 else 1):
        number, rest = take_mpi(rest)
        public.append(number)
    assert rest[0] == 0, "unprotected"
    secret, rest = take_mpi(rest[1:])
    if algorithm == 22:
        return ed25519.Ed25519PrivateKey.from_private_bytes(secret.to_bytes(32, "big")), created
    if algorithm == 19:
        return ec.derive_private_key(secret, CURVES[oid]), created
    p, rest = take_mpi(rest)
    q, _ = take_mpi(rest)
    return rsa.RSAPrivateNumbers(
        p,
        q,
        secret,
        rsa.rsa_crt_dmp1(secret, p),
        rsa.rsa_crt_dmq1(secret, q),
        rsa.rsa_crt_iqmp(p, q),
        rsa.RSAPublicNumbers(public[1], public[0]),
    ).private_key(), created


@pytest.fixture(scope="module")
def gnupg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty home of GnuPG. Its socket needs a short path."""
    home = Path("/tmp") / tmp_path_factory.mktemp("gnupg").name  # noqa: S108 - the name is pytest's own
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(0o700)
    (home / "gpg-agent.conf").write_text("s2k-count 65536\n")  # else it measures what takes it 100 ms
    yield home
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True)
    shutil.rmtree(home, ignore_errors=True)


def gpg(home: Path, *words: str) -> bytes:
    command = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--pinentry-mode", "loopback"]
    return subprocess.run([*command, "--passphrase", "", *words], check=True, capture_output=True).stdout


@pytest.fixture
def ada() -> Identity:
    return Identity.of(ed25519.Ed25519PrivateKey.generate(), 1_700_000_000)


# --- what others made --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ed25519", "rsa2048", "rsa3072", "nistp256", "nistp384", "nistp521"])
def test_a_key_of_gnupg_has_the_fingerprint_that_gnupg_prints(gnupg: Path, kind: str) -> None:
    gpg(gnupg, "--quick-gen-key", kind, kind, "sign", "never")
    listing = gpg(gnupg, "--with-colons", "--list-keys", kind).decode()
    printed = next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr"))
    key, created = read_secret_key(gpg(gnupg, "--export-secret-keys", kind))
    identity = Identity(Fingerprint.parse_loose(printed), created, key)
    assert fingerprint_of(self_signed(identity)).hex.upper() == printed


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("kind", SETS)
def test_certificates_of_the_reference_are_recognised(kind: str, person: str) -> None:
    expected = Fingerprint.parse((VECTORS / kind / "keys" / f"{person}.fpr").read_text().strip())
    certificates = sorted((VECTORS / kind / "certs").glob(f"{person}.*.der"))
    assert len(certificates) == 3
    for certificate in certificates:
        assert fingerprint_of(certificate.read_bytes()) == expected


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize(("kind", "addresses"), [("server", ()), ("dht-client", ("192.0.2.2:9000",))])
def test_our_certificate_is_byte_for_byte_the_one_of_the_reference(
    person: str, kind: str, addresses: tuple[str, ...]
) -> None:
    key, created = read_secret_key((VECTORS / "v2-ed25519/keys" / f"{person}.sec").read_bytes())
    reference = (VECTORS / "v2-ed25519/certs" / f"{person}.{kind}.der").read_bytes()
    assert self_signed(Identity.of(key, created), addresses) == reference


@pytest.mark.parametrize("person", PEOPLE)
def test_rsa_keys_of_the_reference_get_their_fingerprint_as_a_name_too(person: str) -> None:
    key, created = read_secret_key((VECTORS / "v2-rsa4096/keys" / f"{person}.sec").read_bytes())
    expected = (VECTORS / "v2-rsa4096/keys" / f"{person}.fpr").read_text().strip()
    der = self_signed(Identity.of(key, created), ["192.0.2.2:9000"])
    assert fingerprint_of(der).hex == expected
    names = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert names.value.get_values_for_type(x509.DNSName) == ["192.0.2.2:9000", expected]


# --- what we make ------------------------------------------------------------------------------------------


def test_what_a_certificate_of_ours_says(ada: Identity) -> None:
    certificate = x509.load_der_x509_certificate(self_signed(ada, ["[2001:db8::1]:8080"]))
    assert (certificate.version, certificate.serial_number) == (x509.Version.v3, 1)
    assert list(certificate.subject) == list(certificate.issuer) == []
    assert certificate.not_valid_before_utc == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert certificate.not_valid_after_utc == datetime(2123, 11, 14, 22, 13, 20, tzinfo=UTC)
    certificate.verify_directly_issued_by(certificate)
    said = {type(one.value): one for one in certificate.extensions}
    usage = said.pop(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert usage.value.key_encipherment
    assert not usage.value.key_cert_sign
    assert not usage.value.key_agreement
    purposes = said.pop(x509.ExtendedKeyUsage)
    assert [oid.dotted_string for oid in purposes.value] == ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]
    authority = said.pop(x509.BasicConstraints)
    assert authority.critical
    assert not authority.value.ca
    names = said.pop(x509.SubjectAlternativeName)
    assert names.critical
    assert [name.value for name in names.value] == ["[2001:db8::1]:8080", ada.fingerprint.hex]
    assert not said


def test_an_address_that_is_no_text_of_dns_is_refused(ada: Identity) -> None:
    with pytest.raises(ValueError, match="A-label"):
        self_signed(ada, ["mäu.example:8080"])


@pytest.mark.parametrize(
    ("created", "ends"),
    [
        (0, datetime(2070, 1, 1, tzinfo=UTC)),
        (951782400, datetime(2100, 3, 1, tzinfo=UTC)),  # 29 February 2000; 2100 has none
        (
            2524607999,
            datetime(2149, 12, 31, 23, 59, 59, tzinfo=UTC),
        ),  # the last second of years of two digits
        (2524608000, datetime(2150, 1, 1, tzinfo=UTC)),
        (0xFFFFFFFF, datetime(2206, 2, 7, 6, 28, 15, tzinfo=UTC)),
    ],
)
def test_every_time_that_an_openpgp_key_may_have_survives(created: int, ends: datetime) -> None:
    identity = Identity.of(ed25519.Ed25519PrivateKey.generate(), created)
    der = self_signed(identity)
    assert read_certificate(der).not_before == created
    assert fingerprint_of(der) == identity.fingerprint
    assert x509.load_der_x509_certificate(der).not_valid_after_utc == ends


@given(created=st.integers(0, 0xFFFFFFFF), seed=st.binary(min_size=32, max_size=32))
@settings(max_examples=60, deadline=None)
def test_there_and_back(created: int, seed: bytes) -> None:
    identity = Identity.of(ed25519.Ed25519PrivateKey.from_private_bytes(seed), created)
    assert fingerprint_of(self_signed(identity)) == identity.fingerprint


@given(value=st.integers(1, 2**255))
@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_there_and_back_on_nist_curves(curve: ec.EllipticCurve, value: int) -> None:
    identity = Identity.of(ec.derive_private_key(value, curve), 5)
    assert fingerprint_of(self_signed(identity)) == identity.fingerprint


def test_showing_an_identity_shows_no_secret(ada: Identity) -> None:
    assert repr(ada) == f"Identity(fingerprint={ada.fingerprint!r}, created=1700000000)"


@pytest.mark.parametrize("created", [-1, 2**32])
def test_a_time_outside_of_openpgp_is_no_identity(created: int) -> None:
    with pytest.raises(IdentityError, match="creation time"):
        Identity.of(ed25519.Ed25519PrivateKey.generate(), created)


def test_an_identity_whose_parts_do_not_fit_is_refused(ada: Identity) -> None:
    with pytest.raises(IdentityError, match="not"):
        Identity(ada.fingerprint, ada.created + 1, ada.private_key)


@pytest.mark.parametrize("bits", [1024, 2040])
def test_a_short_rsa_key_is_no_identity(bits: int) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    with pytest.raises(IdentityError, match=f"{bits} bits"):
        key_fingerprint(key.public_key(), 5)


@pytest.mark.parametrize("curve", [ec.SECP256K1(), ec.BrainpoolP256R1(), ec.BrainpoolP384R1()])
def test_other_curves_are_no_identity(curve: ec.EllipticCurve) -> None:
    with pytest.raises(IdentityError, match="kind"):
        key_fingerprint(ec.generate_private_key(curve).public_key(), 5)


# --- what strangers send -----------------------------------------------------------------------------------

GOOD = [
    (VECTORS / "v2-ed25519/certs/alice.server.der").read_bytes(),
    (VECTORS / "v2-ed25519/certs/bob.dht-client.der").read_bytes(),
    (VECTORS / "v2-rsa4096/certs/carol.server.der").read_bytes(),
    self_signed(Identity.of(ec.derive_private_key(7, ec.SECP256R1()), 1_700_000_000)),
]


def judge(der: bytes) -> Fingerprint | None:
    """Return the fingerprint, or None when it is refused as it should be, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return fingerprint_of(der)
        except IdentityError:
            return None


@given(st.binary(max_size=600))
@settings(max_examples=500, deadline=None)
def test_noise_is_refused(data: bytes) -> None:
    assert judge(data) is None


@given(st.sampled_from(GOOD), st.data())
@settings(max_examples=1500, deadline=None)
def test_a_changed_certificate_is_refused_or_judged_by_its_key_and_date(
    der: bytes, data: st.DataObject
) -> None:
    changed = bytearray(der)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(changed) - 1))
        match data.draw(st.sampled_from(["set", "cut", "put"])):
            case "set":
                changed[at] = data.draw(st.integers(0, 255))
            case "cut":
                del changed[at : at + data.draw(st.integers(1, 8))]
            case _:
                changed[at:at] = data.draw(st.binary(min_size=1, max_size=8))
        if not changed:
            break
    result = judge(bytes(changed))
    if result is not None:
        before, after = read_certificate(der), read_certificate(bytes(changed))
        assert (result == fingerprint_of(der)) == (before == after)


@pytest.mark.parametrize("der", GOOD)
def test_every_single_bit_counts_or_is_nobodys(der: bytes) -> None:
    expected, fields = fingerprint_of(der), read_certificate(der)
    for at in range(len(der)):
        changed = der[:at] + bytes((der[at] ^ 1 << at % 8,)) + der[at + 1 :]
        if judge(changed) == expected:
            assert read_certificate(changed) == fields


@pytest.mark.parametrize("der", GOOD)
def test_a_certificate_cut_short_is_refused(der: bytes) -> None:
    assert all(judge(der[:size]) is None for size in range(len(der)))


@pytest.mark.parametrize("der", GOOD)
def test_anything_behind_a_certificate_is_refused(der: bytes) -> None:
    assert judge(der + b"\0") is None
    assert judge(der + der) is None


def test_a_length_written_the_long_way_is_refused() -> None:
    der = GOOD[0]
    assert der[:2] == b"\x30\x82"
    assert judge(b"\x30\x83\x00" + der[2:]) is None
    assert judge(b"\x30\x80" + der[4:] + b"\0\0") is None


def test_a_compressed_point_is_refused() -> None:
    key = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    long = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert long in GOOD[3]
    # The same length, so that every field around it stays right: the point is what is wrong.
    short = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    assert judge(GOOD[3].replace(long, short + long[len(short) :])) is None


def test_a_point_that_is_not_on_the_curve_is_refused() -> None:
    long = (
        ec.derive_private_key(7, ec.SECP256R1())
        .public_key()
        .public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    )
    assert judge(GOOD[3].replace(long, long[:-1] + bytes((long[-1] ^ 1,)))) is None


def test_a_key_written_in_another_way_than_the_one_is_refused() -> None:
    """RSA without the NULL that its algorithm has for a parameter; every length around it made to fit."""
    info = read_certificate(GOOD[2]).public_key_info
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    assert info.count(algorithm) == 1
    other = info.replace(algorithm, algorithm[:1] + b"\x0b" + algorithm[2:-2])
    other = other[:2] + (len(other) - 4).to_bytes(2, "big") + other[4:]
    changed = GOOD[2].replace(info, other)
    for at in (0, 4):  # the certificate, and what of it is signed
        size = int.from_bytes(changed[at + 2 : at + 4], "big") - 2
        changed = changed[: at + 2] + size.to_bytes(2, "big") + changed[at + 4 :]
    assert read_certificate(changed).public_key_info == other
    with pytest.raises(IdentityError, match="one form"):
        fingerprint_of(changed)


def test_a_certificate_that_is_too_long_is_not_read() -> None:
    with pytest.raises(IdentityError, match="too long"):
        fingerprint_of(GOOD[0] + bytes(64 * 1024))


def with_serial_number(der: bytes, serial: int) -> bytes:
    """Certificates that today's libraries warn about; all of ours have the serial number 1."""
    assert der.count(b"\x02\x01\x01") >= 1
    return der.replace(b"\x02\x01\x01", b"\x02\x01" + serial.to_bytes(1, "big", signed=True), 1)


@pytest.mark.parametrize("serial", [0, -1])
def test_odd_words_make_no_noise(serial: int) -> None:
    assert judge(with_serial_number(GOOD[0], serial)) == fingerprint_of(GOOD[0])


@pytest.mark.parametrize(
    "time",
    [
        b"231114221320",
        b"231114221320+",
        b"23111422132 Z",
        b"231314221320Z",
        b"231132221320Z",
        b"231114221360Z",
    ],
)
def test_a_time_that_is_none_is_refused(time: bytes) -> None:
    der = self_signed(Identity.of(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)), 1_700_000_000))
    assert der.count(b"\x17\x0d231114221320Z") == 1
    assert judge(der.replace(b"\x17\x0d231114221320Z", b"\x17\x0d" + time.ljust(13))) is None


# --- what the specification prints --------------------------------------------------------------------------


def test_the_examples_of_the_specification_hold() -> None:
    said = (Path(__file__).parent.parent.parent / "spec" / "tls.md").read_text()
    secret = bytes(range(32))
    first = Identity.of(ed25519.Ed25519PrivateKey.from_private_bytes(secret), 1_700_000_000)
    certificate = self_signed(first, ["192.0.2.2:9000"])
    second = Identity.of(ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1()), 1_700_000_000)
    assert len(certificate) == 317
    for printed in (
        first.private_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex(),
        first.fingerprint.hex,
        hashlib.sha256(certificate).hexdigest(),
        second.fingerprint.hex,
    ):
        assert f"`{printed}`" in said
