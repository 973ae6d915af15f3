"""A session key for each recipient: PKESK packets for Curve25519 subkeys (RFC 6637 section 8).

Sequoia says for which subkeys of a certificate one encrypts. Where all of them are Curve25519 keys, as those
of nearly everybody are, the packets are made here with the primitives of ``cryptography``, which takes half
as long and tells us the session key, which the compressed content then goes under. Everything else is left
to Sequoia (``writing``).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from mau.openpgp import packets
from mau.openpgp.algorithms import key_fingerprint
from mau.openpgp.certificate import Certificate
from mau.openpgp.sequoia import SequoiaError
from mau.openpgp.sessionkey import ECDH, HASHES, KEK_LENGTHS, kdf_parameters

AES256 = 9
_KEY_LENGTH = 32
_CURVE25519 = bytes.fromhex("0a2b060104019755010501")  # the length of its OID, and the OID
_POINT = b"\x01\x07\x40"  # 263 bits, and the native form of a point
_FRESH = 60  # seconds for which Sequoia's choice of subkeys is remembered


@dataclass(frozen=True, slots=True)
class Subkey:
    """An encryption subkey on Curve25519: its key id, its public key, and how keys are derived with it."""

    key_id: bytes
    public: X25519PublicKey
    kdf_hash: int
    kek: int
    parameters: bytes


def subkeys(certificate: Certificate) -> tuple[Subkey, ...] | None:
    """The subkeys to encrypt to, in Sequoia's order; None when one of them is not on Curve25519."""
    return _subkeys(certificate, int(time.monotonic()) // _FRESH)


@lru_cache(maxsize=1024)
def _subkeys(certificate: Certificate, _period: int) -> tuple[Subkey, ...] | None:
    try:
        chosen = certificate.chosen_keyids()
    except SequoiaError:
        return None
    bodies = {key_fingerprint(body)[-8:]: body for body in certificate.key_packets()}
    found = [_read(bodies[key_id]) if key_id in bodies else None for key_id in chosen]
    return None if not found or None in found else tuple(key for key in found if key is not None)


def _read(body: bytes) -> Subkey | None:
    start = 6 + len(_CURVE25519)
    if body[0] != 4 or body[5] != ECDH or body[6:start] != _CURVE25519:
        return None
    point, kdf = body[start : start + 35], body[start + 35 :]
    if point[:3] != _POINT or len(kdf) != 4 or kdf[:2] != b"\x03\x01":
        return None
    kdf_hash, kek = kdf[2], kdf[3]
    if kdf_hash not in HASHES or kek not in KEK_LENGTHS:
        return None
    fingerprint = key_fingerprint(body)
    parameters = kdf_parameters(_CURVE25519, kdf_hash, kek, fingerprint)
    return Subkey(fingerprint[-8:], X25519PublicKey.from_public_bytes(point[3:]), kdf_hash, kek, parameters)


def new_session_key() -> bytes:
    """A fresh AES-256 key."""
    return os.urandom(_KEY_LENGTH)


def addressed(key: bytes, recipients: Iterable[Subkey]) -> bytes:
    """The PKESK packets (version 3) that give an AES-256 session key to each recipient."""
    encoded = bytes([AES256]) + key + (sum(key) % 65536).to_bytes(2, "big")
    encoded += bytes([8 - len(encoded) % 8]) * (8 - len(encoded) % 8)
    return b"".join(_addressed(encoded, recipient) for recipient in recipients)


def _addressed(encoded: bytes, recipient: Subkey) -> bytes:
    ephemeral = X25519PrivateKey.generate()
    shared = ephemeral.exchange(recipient.public)
    length = KEK_LENGTHS[recipient.kek]
    wrapping = ConcatKDFHash(HASHES[recipient.kdf_hash](), length, recipient.parameters).derive(shared)
    wrapped = aes_key_wrap(wrapping, encoded)
    body = b"\x03" + recipient.key_id + bytes([ECDH]) + _POINT + ephemeral.public_key().public_bytes_raw()
    return packets.packet(packets.PKESK, body + bytes([len(wrapped)]) + wrapped)
