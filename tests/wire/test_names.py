"""The address that a certificate claims is its first DNS name, whatever else is in it (spec/tls.md)."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from mau.wire.identity import Identity, self_signed
from mau.wire.names import claimed_address, first_name

IDENTITY = Identity.of(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32))), 1_600_000_000)
PLAIN = self_signed(IDENTITY)
REACHABLE = self_signed(IDENTITY, ["192.0.2.7:8880", "[2001:db8::1]:8880"])


def judged_by_cryptography(der: bytes) -> str:
    names = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    return names.value.get_values_for_type(x509.DNSName)[0]


def test_the_first_name_is_the_address_where_there_is_one() -> None:
    assert first_name(REACHABLE) == judged_by_cryptography(REACHABLE) == "192.0.2.7:8880"
    assert claimed_address(REACHABLE) == ("192.0.2.7", 8880)
    assert claimed_address(self_signed(IDENTITY, ["[2001:db8::1]:8880"])) == ("2001:db8::1", 8880)


def test_a_fingerprint_or_a_plain_name_is_no_address() -> None:
    assert first_name(PLAIN) == judged_by_cryptography(PLAIN) == IDENTITY.fingerprint.hex
    assert claimed_address(PLAIN) is None
    assert claimed_address(self_signed(IDENTITY, ["example.org"])) is None
    assert claimed_address(self_signed(IDENTITY, [":0", "192.0.2.7:8880"])) is None


def test_names_of_another_kind_and_other_extensions_do_not_confuse_it() -> None:
    key = IDENTITY.private_key
    builder = (
        x509.CertificateBuilder(issuer_name=x509.Name([]), subject_name=x509.Name([]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(x509.load_der_x509_certificate(PLAIN).not_valid_before_utc)
        .not_valid_after(x509.load_der_x509_certificate(PLAIN).not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.RFC822Name("a@b.example"), x509.DNSName("198.51.100.1:1")]),
            critical=False,
        )
    )
    der = builder.sign(key, None).public_bytes(Encoding.DER)
    assert claimed_address(der) == ("198.51.100.1", 1)


@given(st.integers(0, len(REACHABLE) - 1), st.integers(0, 255))
def test_whatever_is_broken_in_it_is_no_more_than_another_claim(at: int, byte: int) -> None:
    broken = REACHABLE[:at] + bytes((byte,)) + REACHABLE[at + 1 :]
    name = first_name(broken)
    assert name is None or name.isascii()
    claimed_address(broken)


@given(st.integers(0, len(REACHABLE) - 1))
def test_what_is_cut_off_claims_nothing(end: int) -> None:
    assert claimed_address(REACHABLE[:end]) is None
