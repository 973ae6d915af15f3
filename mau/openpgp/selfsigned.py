"""What the holder of a key signed about his own key: read, and checked one signature at a time.

Sequoia judges certificates as wholes and does not say of a single signature whether it holds. To take
packets from a copy that anybody may have put together, that must be known first; whether a signature that
holds also counts (its time, its strength, what came later) stays Sequoia's to say. What is hashed is RFC 4880
section 5.2.4; the check itself is that of ``cryptography``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from mau.openpgp import packets, subpackets
from mau.openpgp.subpackets import Subpacket

DIRECT = 0x1F
CERTIFICATIONS = frozenset({0x10, 0x11, 0x12, 0x13})
BINDING = 0x18
BACK = 0x19
KEY_REVOCATION = 0x20
SUBKEY_REVOCATION = 0x28
USER_ID_REVOCATION = 0x30
REVOCATIONS = frozenset({KEY_REVOCATION, SUBKEY_REVOCATION, USER_ID_REVOCATION})

MAY_SIGN = 0x02
MAY_ENCRYPT = 0x0C

_HASHES = {2: "sha1", 8: "sha256", 9: "sha384", 10: "sha512", 11: "sha224"}
_SHA1 = 2
_HARD_REASONS = frozenset({0, 2})
_ED25519_OID = bytes.fromhex("2b06010401da470f01")
_CURVES = {
    bytes.fromhex("2a8648ce3d030107"): "SECP256R1",
    bytes.fromhex("2b81040022"): "SECP384R1",
    bytes.fromhex("2b81040023"): "SECP521R1",
}
_KEPT_UNHASHED = frozenset({subpackets.ISSUER, subpackets.ISSUER_FINGERPRINT, subpackets.EMBEDDED})


@dataclass(frozen=True, slots=True)
class SelfSignature:
    """A version 4 signature packet, taken apart; nothing in it is believed before `holds` said so."""

    kind: int
    algorithm: int
    hash_number: int
    hashed: bytes
    unhashed: bytes
    quick: bytes
    numbers: bytes
    """The two octets for a quick look, and the signature's own numbers as they are written."""

    @classmethod
    def read(cls, body: bytes) -> Self | None:
        """The body of a signature packet; None for other versions and for what is cut off."""
        if len(body) < 10 or body[0] != 4:
            return None
        middle = 6 + int.from_bytes(body[4:6], "big")
        end = middle + 2 + int.from_bytes(body[middle : middle + 2], "big")
        if len(body) < end + 4:
            return None
        try:
            subpackets.parse(body[6:middle])
            subpackets.parse(body[middle + 2 : end])
        except ValueError:
            return None
        return cls(
            body[1],
            body[2],
            body[3],
            body[6:middle],
            body[middle + 2 : end],
            body[end : end + 2],
            body[end + 2 :],
        )

    def __bytes__(self) -> bytes:
        """The whole packet."""
        unhashed = len(self.unhashed).to_bytes(2, "big") + self.unhashed
        return packets.packet(packets.SIGNATURE, self.covered + unhashed + self.quick + self.numbers)

    @property
    def covered(self) -> bytes:
        """The part of the packet that it signs itself."""
        head = bytes([4, self.kind, self.algorithm, self.hash_number])
        return head + len(self.hashed).to_bytes(2, "big") + self.hashed

    @property
    def same(self) -> bytes:
        """What makes it this signature and no other; anybody can change the rest."""
        return self.covered + self.numbers

    def stated(self, kind: int) -> bytes | None:
        """The content of the one hashed subpacket of a kind; None when there is none, or several."""
        found = [one.content for one in subpackets.parse(self.hashed) if one.kind == kind]
        return found[0] if len(found) == 1 else None

    @property
    def created(self) -> int:
        """Its time in unix seconds, 0 when it states none."""
        return int.from_bytes(self.stated(subpackets.CREATED) or b"", "big")

    @property
    def key_flags(self) -> int:
        """The first octet of the key flags, 0 when there are none."""
        flags = self.stated(subpackets.KEY_FLAGS)
        return flags[0] if flags else 0

    @property
    def hard(self) -> bool:
        """Of a revocation: that it refuses all (compromised, or no reason that says otherwise)."""
        reason = self.stated(subpackets.REASON)
        return not reason or reason[0] in _HARD_REASONS or reason[0] > 32

    def holds(self, primary: bytes, target: bytes | None) -> bool:
        """Whether the primary key (its packet's body) made it about ``target``.

        ``target``: the body of a user id or subkey, None for the primary key itself.
        """
        # SHA-1 still tells who revoked something: to believe that too often does no harm.
        if self.hash_number not in _HASHES or (self.hash_number == _SHA1 and self.kind not in REVOCATIONS):
            return False
        return _verifies(self, primary, framed(primary, self.kind, target))

    def back_signature(self, primary: bytes, subkey: bytes) -> SelfSignature | None:
        """The signature in it by which the subkey says that it belongs to this key, when that one holds."""
        for area in (self.hashed, self.unhashed):
            for one in subpackets.parse(area):
                inner = self.read(one.content) if one.kind == subpackets.EMBEDDED else None
                if inner is None or inner.kind != BACK or inner.hash_number == _SHA1:
                    continue
                if _verifies(inner, subkey, framed(primary, BACK, subkey)):
                    return inner
        return None

    def plain(self, primary: bytes, target: bytes | None) -> SelfSignature:
        """The same without what others could have added to it: so that it has one form, and cannot grow."""
        kept: dict[int, Subpacket] = {}
        for one in subpackets.parse(self.unhashed):
            if one.kind not in _KEPT_UNHASHED or one.kind in kept:
                continue
            if one.kind == subpackets.EMBEDDED:
                alone = replace(self, hashed=b"", unhashed=bytes(one))
                if self.kind != BINDING or target is None or not alone.back_signature(primary, target):
                    continue
            elif one.content[-8:] != _key_id(primary) or len(one.content) > 33:
                continue
            kept[one.kind] = one
        return replace(self, unhashed=subpackets.join(kept[kind] for kind in sorted(kept)))


def framed(primary: bytes, kind: int, target: bytes | None) -> bytes:
    """What a self-signature is about, as it is hashed: the key, and a user id or subkey after it."""
    whole = _framed_key(primary)
    if target is None:
        return whole
    if kind in CERTIFICATIONS or kind == USER_ID_REVOCATION:
        return whole + b"\xb4" + len(target).to_bytes(4, "big") + target
    return whole + _framed_key(target)


def trailer(covered: bytes) -> bytes:
    """What is hashed last."""
    return b"\x04\xff" + len(covered).to_bytes(4, "big")


def _framed_key(body: bytes) -> bytes:
    return b"\x99" + len(body).to_bytes(2, "big") + body


def _key_id(body: bytes) -> bytes:
    return hashlib.sha1(_framed_key(body), usedforsecurity=False).digest()[-8:]


def _verifies(signature: SelfSignature, key: bytes, about: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature

    name = _HASHES.get(signature.hash_number)
    if name is None or signature.algorithm != key[5]:
        return False
    data = about + signature.covered + trailer(signature.covered)
    if hashlib.new(name, data, usedforsecurity=False).digest()[:2] != signature.quick:
        return False
    try:
        check = _verifier(key, signature.numbers, name)
        if check is None:
            return False
        check(data)
    except (InvalidSignature, ValueError, IndexError, OverflowError):
        return False
    return True


def _verifier(key: bytes, numbers: bytes, hash_name: str) -> Callable[[bytes], None] | None:
    """What checks signed data against the numbers of a signature; None for keys of other kinds."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

    algorithm, material = key[5], key[6:]
    chosen = getattr(hashes, hash_name.upper())()
    digest = hashlib.new(hash_name, usedforsecurity=False)

    def hashed(data: bytes) -> bytes:
        digest.update(data)
        return digest.digest()

    if algorithm in (1, 3):
        n, e = _integers(material, 2)
        (number,) = _integers(numbers, 1)
        size = (n.bit_length() + 7) // 8
        public = rsa.RSAPublicNumbers(e, n).public_key()
        return lambda data: public.verify(number.to_bytes(size, "big"), data, padding.PKCS1v15(), chosen)
    if algorithm == 27:
        alone = ed25519.Ed25519PublicKey.from_public_bytes(material)
        return lambda data: alone.verify(numbers, hashed(data))
    curve, point = material[1 : 1 + material[0]], _octets(material[1 + material[0] :])
    r, s = _integers(numbers, 2)
    if algorithm == 22 and curve == _ED25519_OID and point[:1] == b"\x40":
        edwards = ed25519.Ed25519PublicKey.from_public_bytes(point[1:])
        written = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return lambda data: edwards.verify(written, hashed(data))
    if algorithm == 19 and curve in _CURVES:
        elliptic = ec.EllipticCurvePublicKey.from_encoded_point(getattr(ec, _CURVES[curve])(), point)
        der = utils.encode_dss_signature(r, s)
        return lambda data: elliptic.verify(der, data, ec.ECDSA(chosen))
    return None


def _octets(data: bytes) -> bytes:
    """The octets of the one number that ``data`` is (RFC 4880 section 3.2)."""
    (number,) = _integers(data, 1)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _integers(data: bytes, count: int) -> list[int]:
    """Exactly so many numbers, each written in its one shortest way; ValueError."""
    found, at = [], 0
    for _ in range(count):
        bits = int.from_bytes(data[at : at + 2], "big")
        octets = data[at + 2 : at + 2 + (bits + 7) // 8]
        number = int.from_bytes(octets, "big")
        if len(octets) != (bits + 7) // 8 or number.bit_length() != bits:
            raise ValueError("a number is not as long as it says")
        found.append(number)
        at += 2 + len(octets)
    if at != len(data):
        raise ValueError("something follows the numbers")
    return found
