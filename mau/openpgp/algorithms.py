"""Keys by their algorithm: what one is called, its fingerprint, and whether it is too weak. Pure."""

from __future__ import annotations

import hashlib

_ALGORITHMS = {1: "RSA", 17: "DSA", 18: "ECDH", 19: "ECDSA", 22: "Ed25519", 25: "X25519", 27: "Ed25519"}
_WEAK = {16: "ElGamal", 17: "DSA", 20: "ElGamal"}
_CURVES = {
    "2a8648ce3d030107": "P-256",
    "2b81040022": "P-384",
    "2b81040023": "P-521",
    "2b06010401da470f01": "Ed25519",
    "2b8104000a": "secp256k1",
    "2b060104019755010501": "Curve25519",
}
MIN_RSA = 2048
"""RSA keys of fewer bits are too weak to be believed."""


def key_id(public: bytes) -> bytes:
    """The key id of a version 4 public key packet's body: the last 8 bytes of its fingerprint."""
    return key_fingerprint(public)[-8:]


def key_fingerprint(public: bytes) -> bytes:
    """The fingerprint of a version 4 public key packet's body (RFC 4880 section 12.2)."""
    framed = b"\x99" + len(public).to_bytes(2, "big") + public
    return hashlib.sha1(framed, usedforsecurity=False).digest()


def describe(public: bytes) -> str:
    """The algorithm of a public key packet's body in words: "Ed25519", "RSA-4096", "ECDSA P-256"."""
    number = public[5]
    word = _ALGORITHMS.get(number, f"algorithm {number}")
    if number == 1:
        return f"{word}-{int.from_bytes(public[6:8], 'big')}"
    if number in (18, 19, 22):
        curve = _CURVES.get(public[7 : 7 + public[6]].hex(), "unknown curve")
        return curve if number == 22 else f"{word} {curve}"
    return word


def weakness(public: bytes) -> str:
    """What makes the key of a packet's body too weak to be believed; "" when nothing does."""
    bits = int.from_bytes(public[6:8], "big")
    small = public[5] in (1, 2, 3) and bits < MIN_RSA
    return _WEAK.get(public[5], f"RSA of {bits} bits" if small else "")
