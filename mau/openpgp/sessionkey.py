"""From a PKESK packet to the session key, with our own encryption subkeys (RFC 4880 5.1, RFC 6637).

PGPy builds the private key anew for each message (an RSA key for 290 ms) and refuses the padding that
ProtonMail's go-crypto puts around AES-128 keys, so the keys are taken from PGPy once and the primitives of
``cryptography`` are called here: X25519 or ECDH, the concatenation KDF, AES key wrap; RSA PKCS #1 v1.5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from mau.errors import MalformedPost
from mau.openpgp.ownkeys import private_key
from mau.openpgp.protected import KEY_LENGTHS

Recover = Callable[[bytes], bytes]
"""From a PKESK's algorithm-specific part to the encoded session key; ValueError when it does not open."""

HASHES: dict[int, Callable[[], hashes.HashAlgorithm]] = {
    8: hashes.SHA256,
    9: hashes.SHA384,
    10: hashes.SHA512,
}
KEK_LENGTHS = {7: 16, 8: 24, 9: 32}
ECDH = 18


def _mpi(data: bytes) -> tuple[bytes, bytes]:
    length = (int.from_bytes(data[:2], "big") + 7) // 8
    if len(data) < 2 + length:
        raise ValueError("an integer is cut off")
    return data[2 : 2 + length], data[2 + length :]


def kdf_parameters(oid: bytes, kdf_hash: int, kek: int, fingerprint: bytes) -> bytes:
    """What goes into the key derivation besides the secret (RFC 6637 section 7)."""
    return oid + bytes([ECDH, 3, 1, kdf_hash, kek]) + b"Anonymous Sender    " + fingerprint


def _ecdh(
    exchange: Callable[[bytes], bytes], oid: bytes, kdf_hash: int, kek: int, fingerprint: bytes
) -> Recover:
    """RFC 6637 section 8 for one subkey; ``oid`` with its length octet, the subkey's fingerprint in bytes."""
    info = kdf_parameters(oid, kdf_hash, kek, fingerprint)
    algorithm, length = HASHES[kdf_hash], KEK_LENGTHS[kek]

    def recover(data: bytes) -> bytes:
        point, wrapped = _mpi(data)
        if not wrapped or len(wrapped) != wrapped[0] + 1:
            raise ValueError("a wrapped key is cut off")
        wrapping = ConcatKDFHash(algorithm(), length, info).derive(exchange(point))
        return aes_key_unwrap(wrapping, wrapped[1:])

    return recover


def _x25519(key: X25519PrivateKey) -> Callable[[bytes], bytes]:
    def exchange(point: bytes) -> bytes:
        if len(point) != 33 or point[0] != 0x40:
            raise ValueError("not a point of Curve25519")
        return key.exchange(X25519PublicKey.from_public_bytes(point[1:]))

    return exchange


def _nist(key: ec.EllipticCurvePrivateKey) -> Callable[[bytes], bytes]:
    def exchange(point: bytes) -> bytes:
        return key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(key.curve, point))

    return exchange


def _rsa(key: rsa.RSAPrivateKey) -> Recover:
    size = key.key_size // 8

    def recover(data: bytes) -> bytes:
        number, _ = _mpi(data)
        return key.decrypt(number.rjust(size, b"\0"), padding.PKCS1v15())

    return recover


def recoverer(packet: Any) -> Recover | None:
    """What opens session keys for one of our secret (sub)keys, a PGPy key packet; None when it cannot."""
    material = packet.keymaterial
    private = private_key(packet)
    if isinstance(private, rsa.RSAPrivateKey):
        return _rsa(private)
    if not hasattr(material, "kdf"):
        return None
    from pyasn1.codec.der import encoder

    oid = encoder.encode(material.oid.value)[1:]
    fingerprint = bytes.fromhex(str(packet.fingerprint).replace(" ", ""))
    kdf_hash, kek = int(material.kdf.halg), int(material.kdf.encalg)
    if kdf_hash not in HASHES or kek not in KEK_LENGTHS:
        return None
    if isinstance(private, X25519PrivateKey):
        return _ecdh(_x25519(private), oid, kdf_hash, kek, fingerprint)
    return _ecdh(_nist(private), oid, kdf_hash, kek, fingerprint)


def open_session_key(pkesk: bytes, recover: Recover) -> tuple[int, bytes]:
    """The cipher's number and the session key from a PKESK's body; MalformedPost when it does not open."""
    try:
        encoded = recover(pkesk[10:])
        number = encoded[0]
        length = KEY_LENGTHS[number]
        key, checksum = encoded[1 : 1 + length], encoded[1 + length : 3 + length]
        if len(checksum) != 2 or sum(key) % 65536 != int.from_bytes(checksum, "big"):
            raise ValueError("the checksum does not fit")
        return number, key
    except (ValueError, IndexError, KeyError, InvalidUnwrap):
        raise MalformedPost("the session key for this account does not open") from None
