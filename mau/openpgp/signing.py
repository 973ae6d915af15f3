"""Signatures by our own primary key, with a stated time and notations (RFC 4880 sections 5.2 and 5.4).

Sequoia signs faster but can state neither; PGPy's packet classes can, and let the content be hashed as it
streams. The signature itself is made by the key of ``cryptography`` beneath.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from mau.errors import UsageError
from mau.openpgp import packets
from mau.openpgp.compat import pgpy
from mau.openpgp.secret import SecretKey

_HASHES = {"ECDSA P-384": (9, "sha384"), "ECDSA P-521": (10, "sha512")}
"""The hash by algorithm, its number and name: a curve's signature takes a hash of its own length or more."""
_MAX_HASHED = 9_500
"""Notations together, in bytes: GnuPG refuses a signature whose hashed area passes 10,000."""

LITERAL_HEAD = b"b\x00\x00\x00\x00\x00"
"""Binary, no name, no date: nothing signs those fields, so nothing stands in them."""


class Signing:
    """One signature in the making: ``update`` with the content, then ``finish``."""

    def __init__(self, key: SecretKey, created: int, notations: Mapping[str, str]) -> None:
        """``created`` in unix seconds. UsageError when the notations do not fit into a signature."""
        if sum(len(n.encode()) + len(v.encode()) + 16 for n, v in notations.items()) > _MAX_HASHED:
            raise UsageError("that is too much to state in a signature: too many people in the audience")
        lib = pgpy()
        constants = lib.constants
        own = key.pgpy_key
        self._key = key
        self._number, self._hash_name = _HASHES.get(key.algorithm, (8, "sha256"))
        self._hash = hashlib.new(self._hash_name)
        self._signature: Any = lib.PGPSignature.new(
            constants.SignatureType.BinaryDocument,
            own.key_algorithm,
            constants.HashAlgorithm(self._number),
            own.fingerprint.keyid,
            created=datetime.fromtimestamp(created, UTC),
        )
        subpackets = self._signature._signature.subpackets
        subpackets.addnew("IssuerFingerprint", hashed=True, _version=4, _issuer_fpr=own.fingerprint)
        readable = constants.NotationDataFlags.HumanReadable
        for name, value in notations.items():
            subpackets.addnew("NotationData", hashed=True, flags=readable, name=name, value="")
            # PGPy counts a text's characters where the format counts its bytes.
            notation = next(reversed(subpackets._hashed_sp.values()))
            notation._value = bytearray(value.encode())
            notation.update_hlen()
        self.update = self._hash.update

    @property
    def one_pass(self) -> bytes:
        """The one-pass signature packet that stands before the content."""
        public = self._key.certificate.public_packet
        key_id = self._key.fingerprint.raw[-8:]
        return packets.packet(
            packets.ONE_PASS, b"\x03\x00" + bytes([self._number, public[5]]) + key_id + b"\x01"
        )

    def finish(self) -> bytes:
        """The signature packet."""
        packet = self._signature._signature
        self._hash.update(bytes(self._signature.hashdata(b"")))
        digest = self._hash.digest()
        packet.hash2 = bytearray(digest[:2])
        packet.signature.from_signer(_sign(self._key.private_key(), digest, self._hash_name))
        packet.update_hlen()
        return bytes(self._signature)


def _sign(private: Any, digest: bytes, hash_name: str) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

    prehashed = utils.Prehashed(getattr(hashes, hash_name.upper())())
    if isinstance(private, rsa.RSAPrivateKey):
        return private.sign(digest, padding.PKCS1v15(), prehashed)
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return private.sign(digest, ec.ECDSA(prehashed))
    signature: bytes = private.sign(digest)
    return signature


def sign_numbers(key: SecretKey) -> tuple[int, Callable[[bytes], tuple[bytes, bytes]]]:
    """The number of the hash that goes with our primary key, and what signs data with both.

    It returns the two octets for a quick look and the signature's own numbers (RFC 4880 section 5.2.3).
    """
    number, name = _HASHES.get(key.algorithm, (8, "sha256"))

    def sign(data: bytes) -> tuple[bytes, bytes]:
        from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils

        digest = hashlib.new(name, data).digest()
        private = key.private_key()
        signature = _sign(private, digest, name)
        if isinstance(private, rsa.RSAPrivateKey):
            written = [int.from_bytes(signature, "big")]
        elif isinstance(private, ec.EllipticCurvePrivateKey):
            written = list(utils.decode_dss_signature(signature))
        else:
            written = [int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")]
        return digest[:2], b"".join(map(_number, written))

    return number, sign


def _number(value: int) -> bytes:
    bits = value.bit_length()
    return bits.to_bytes(2, "big") + value.to_bytes((bits + 7) // 8, "big")


def signed_whole(signing: Signing, data: bytes) -> bytes:
    """One-pass signature, literal and signature packets around content in memory."""
    signing.update(data)
    return signing.one_pass + packets.packet(packets.LITERAL, LITERAL_HEAD + data) + signing.finish()


def signed_stream(signing: Signing, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same for content that streams, in chunks."""

    def literal() -> Iterator[bytes]:
        yield LITERAL_HEAD
        for chunk in chunks:
            signing.update(chunk)
            yield chunk

    yield signing.one_pass
    yield from packets.in_parts(packets.LITERAL, literal())
    yield signing.finish()
