"""Who somebody is on a connection: from an OpenPGP primary key to a TLS certificate and back (spec/tls.md).

Everything here is pure. A certificate carries the primary's public key, and its NotBefore is the time at
which that key was made: the two things that a version 4 fingerprint is a hash of (RFC 4880 sections 5.5.2
and 12.2). Whatever else is written in a certificate is never believed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from mau.errors import IdentityError
from mau.fingerprint import Fingerprint
from mau.wire.der import DerError, read_certificate

PrivateKey = ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = ed25519.Ed25519PublicKey | rsa.RSAPublicKey | ec.EllipticCurvePublicKey

Digest = hashes.SHA256 | hashes.SHA384 | hashes.SHA512

MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 16384
MAX_CREATED: Final = 0xFFFFFFFF
LIFETIME_YEARS: Final = 100

_RSA, _ECDSA, _EDDSA = 1, 19, 22  # public-key algorithms of RFC 4880 section 9.1 and its EdDSA extension

_ED25519_OID = bytes.fromhex("2b06010401da470f01")
_CURVE_OIDS: Final = {
    "secp256r1": bytes.fromhex("2a8648ce3d030107"),
    "secp384r1": bytes.fromhex("2b81040022"),
    "secp521r1": bytes.fromhex("2b81040023"),
}

_DIGESTS: Final[dict[str, type[Digest]]] = {
    "secp256r1": hashes.SHA256,
    "secp384r1": hashes.SHA384,
    "secp521r1": hashes.SHA512,
}


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Identity:
    """An unlocked identity, as far as a connection needs it.

    ``created`` is the creation time of the primary key in Unix seconds. Two identities are equal only when
    they are the same object; ``repr`` never shows the key. Raises IdentityError when the three do not fit
    together.
    """

    fingerprint: Fingerprint
    created: int
    private_key: PrivateKey = field(repr=False)

    @classmethod
    def of(cls, private_key: PrivateKey, created: int) -> Identity:
        """Make the identity of a key made at `created`, whatever its fingerprint is."""
        return cls(key_fingerprint(private_key.public_key(), created), created, private_key)

    def __post_init__(self) -> None:
        rebuilt = key_fingerprint(self.private_key.public_key(), self.created)
        if rebuilt != self.fingerprint:
            raise IdentityError(f"this key made at {self.created} is {rebuilt}, not {self.fingerprint}")


def key_fingerprint(key: PublicKey, created: int) -> Fingerprint:
    """Hash the version 4 public-key packet of `key` made at `created` (Unix seconds; spec/tls.md T4-T7).

    Raises IdentityError for a key or a time that cannot be an identity.
    """
    if not 0 <= created <= MAX_CREATED:
        raise IdentityError("its creation time does not fit into an OpenPGP key")
    match key:
        case ed25519.Ed25519PublicKey():
            algorithm, material = _EDDSA, _oid(_ED25519_OID) + _mpi(b"\x40" + key.public_bytes_raw())
        case rsa.RSAPublicKey():
            numbers = key.public_numbers()
            if not MIN_RSA_BITS <= numbers.n.bit_length() <= MAX_RSA_BITS:
                raise IdentityError(f"an RSA key of {numbers.n.bit_length()} bits cannot be an identity")
            algorithm, material = _RSA, _mpi(_integer(numbers.n)) + _mpi(_integer(numbers.e))
        case ec.EllipticCurvePublicKey() if key.curve.name in _CURVE_OIDS:
            point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            algorithm, material = _ECDSA, _oid(_CURVE_OIDS[key.curve.name]) + _mpi(point)
        case _:
            raise IdentityError("a key of this kind cannot be an identity")
    body = b"\x04" + created.to_bytes(4, "big") + bytes((algorithm,)) + material
    # SHA-1 because RFC 4880 says so: what stands on it is second preimages, not collisions.
    packet = b"\x99" + len(body).to_bytes(2, "big") + body
    return Fingerprint(hashlib.sha1(packet, usedforsecurity=False).digest())


def fingerprint_of(der: bytes) -> Fingerprint:
    """Rebuild the fingerprint whose key a certificate holds (spec/tls.md T4-T9).

    That the other end *has* the key is proven by the handshake alone, never by the certificate. Raises
    IdentityError for whatever cannot be an identity, and nothing else.
    """
    return fingerprint_and_key_of(der)[0]


def fingerprint_and_key_of(der: bytes) -> tuple[Fingerprint, bytes]:
    """Return what `fingerprint_of` returns, and the DER SubjectPublicKeyInfo that it was built from."""
    try:
        fields = read_certificate(der)
        key = load_der_public_key(fields.public_key_info)
        canonical = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except DerError as error:
        raise IdentityError(f"its certificate cannot be read: {error}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise IdentityError("the key in its certificate cannot be read") from error
    if canonical != fields.public_key_info:
        raise IdentityError("the key in its certificate is not written in the one form of DER")
    # The cast of kinds: key_fingerprint refuses all others by itself.
    return key_fingerprint(key, fields.not_before), canonical  # type: ignore[arg-type]


def self_signed(identity: Identity, addresses: Sequence[str] = ()) -> bytes:
    """Make the certificate of `identity` (DER, spec/tls.md T1-T3): valid from its creation, for 100 years.

    `addresses` ("HOST:PORT", ASCII) come before the fingerprint among its names: peers of the Go
    reference take the first name for the address, and for Ed25519 the 40 hex digits for the identity. Raises
    ValueError for an address that is not ASCII.
    """
    names = [x509.DNSName(name) for name in (*addresses, identity.fingerprint.hex)]
    start = datetime.fromtimestamp(identity.created, UTC)
    no_one = x509.Name([])
    builder = (
        x509.CertificateBuilder(issuer_name=no_one, subject_name=no_one)
        .public_key(identity.private_key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(_years_after(start, LIFETIME_YEARS))
        .add_extension(_KEY_USAGE, critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        # Critical because the subject is empty (RFC 5280 section 4.2.1.6).
        .add_extension(x509.SubjectAlternativeName(names), critical=True)
    )
    return builder.sign(identity.private_key, _digest_for(identity.private_key)).public_bytes(Encoding.DER)


_KEY_USAGE: Final = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=True,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


def _digest_for(key: PrivateKey) -> Digest | None:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None  # Ed25519 hashes by itself
    return _DIGESTS[key.curve.name]() if isinstance(key, ec.EllipticCurvePrivateKey) else hashes.SHA256()


def _years_after(start: datetime, years: int) -> datetime:
    """Return the same day so many years later; 1 March for 29 February of a year that has none."""
    try:
        return start.replace(year=start.year + years)
    except ValueError:
        return start.replace(year=start.year + years, month=3, day=1)


def _mpi(number: bytes) -> bytes:
    """Write a multiprecision integer (RFC 4880 section 3.2): the count of bits, then the bytes."""
    number = number.lstrip(b"\x00")
    return int.from_bytes(number, "big").bit_length().to_bytes(2, "big") + number


def _integer(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _oid(body: bytes) -> bytes:
    return bytes((len(body),)) + body
