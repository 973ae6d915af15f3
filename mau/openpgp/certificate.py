"""A certificate: somebody's public key, what it says, and whether it may be used (spec/messages.md)."""

from __future__ import annotations

import hashlib
import time
from functools import cached_property

import pysequoia
import pysequoia.packet

from mau.errors import KeyExpired, KeyMalformed, KeyRevoked, KeyTooWeak, KeyUnusable, SecretKeyOffered
from mau.fingerprint import Fingerprint
from mau.openpgp import packets
from mau.openpgp.sequoia import SequoiaError, call

MAX_KEY = 1 << 20
"""A certificate larger than this (bytes) is refused before anything reads it."""

_V4 = 4
_V6 = 6
_KEY_REVOCATION = 0x20
_SUBKEY_REVOCATION = 0x28
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


class Certificate:
    """One public key with its user ids, subkeys and signatures. Immutable; equal when the bytes are.

    Everything that is said here was judged by Sequoia's standard policy: user ids and subkeys without a good
    self-signature do not exist.
    """

    def __init__(self, cert: pysequoia.Cert) -> None:
        self._cert = cert
        self._bytes = bytes(cert.__bytes__())
        self.fingerprint = Fingerprint(bytes.fromhex(cert.fingerprint))

    @classmethod
    def parse(cls, data: bytes) -> Certificate:
        """Read exactly one public key, binary or armored.

        KeyMalformed, SecretKeyOffered, or KeyUnusable for versions other than 4.
        """
        if len(data) > MAX_KEY:
            raise KeyMalformed("that is too large for a key")
        if b"PRIVATE KEY BLOCK" in data[:4096]:
            raise SecretKeyOffered("that is a secret key; ask for the public one and tell its owner")
        try:
            certs = call(pysequoia.Cert.split_bytes, data)
        except SequoiaError as error:
            raise KeyMalformed(f"that is not an OpenPGP public key ({error})") from None
        if not certs:
            raise KeyMalformed("that is not an OpenPGP public key")
        if len(certs) != 1:
            raise KeyMalformed(f"one key was expected, {len(certs)} are in there")
        try:
            pile = call(pysequoia.packet.PacketPile.from_bytes, data)
            tags = [packet.tag for packet in pile]
        except (SequoiaError, ValueError, RuntimeError) as error:
            raise KeyMalformed(f"that is not an OpenPGP public key ({error})") from None
        if pysequoia.packet.Tag.SecretKey in tags or pysequoia.packet.Tag.SecretSubkey in tags:
            raise SecretKeyOffered("that is a secret key; ask for the public one and tell its owner")
        if len(certs[0].fingerprint) != 40:
            raise KeyUnusable("Mau needs a version 4 key; this one is of another version")
        return cls(certs[0])

    @classmethod
    def trusted(cls, data: bytes) -> Certificate:
        """Read a binary key that ``parse`` accepted before; KeyMalformed when it is none."""
        try:
            return cls(call(pysequoia.Cert.from_bytes, data))
        except (SequoiaError, ValueError) as error:
            raise KeyMalformed(f"that is not an OpenPGP public key ({error})") from None

    @cached_property
    def split(self) -> list[tuple[int, bytes, bytes]]:
        """Its packets in their order, each as (tag, body, the whole packet)."""
        return packets.split(self._bytes)

    @property
    def public_packet(self) -> bytes:
        """The body of the primary key's packet."""
        return self.split[0][1]

    @property
    def created(self) -> int:
        """When the primary key was made, in unix seconds."""
        return int.from_bytes(self.public_packet[1:5], "big")

    @property
    def algorithm(self) -> str:
        """The primary key's algorithm in words."""
        return describe(self.public_packet)

    @cached_property
    def user_ids(self) -> tuple[str, ...]:
        """The valid user ids, as their owner wrote them: clean them before showing."""
        try:
            return tuple(str(user_id) for user_id in call(lambda: self._cert.user_ids))
        except SequoiaError:
            return ()

    @property
    def name(self) -> str:
        """The name in the first user id, "" when there is none."""
        return self._named[0]

    @property
    def email(self) -> str:
        """The e-mail address in the first user id, "" when there is none."""
        return self._named[1]

    @cached_property
    def _named(self) -> tuple[str, str]:
        return parse_user_id(self.user_ids[0]) if self.user_ids else ("", "")

    @property
    def emails(self) -> frozenset[str]:
        """The e-mail addresses of all valid user ids, in lower case."""
        return frozenset(email.lower() for _, email in map(parse_user_id, self.user_ids) if email)

    @cached_property
    def expires(self) -> int | None:
        """When it expires, in unix seconds; None when it does not or no self-signature says so."""
        try:
            expiration = call(lambda: self._cert.expiration)
        except SequoiaError:
            return None
        return None if expiration is None else int(expiration.timestamp())

    @cached_property
    def revoked(self) -> bool:
        """True when its owner revoked it. Revocations by anyone else say nothing."""
        own = {self.fingerprint.raw[-8:]}
        kept = [
            raw
            for tag, body, raw in self.split
            if not (_is_signature(tag, body, _KEY_REVOCATION) and not _issued_by(raw, own))
        ]
        try:
            return bool(call(pysequoia.Cert.from_bytes, b"".join(kept)).is_revoked)
        except SequoiaError:
            return True

    @cached_property
    def compromised(self) -> bool:
        """True when its owner revoked it in a way that refuses all that it ever signed."""
        from mau.openpgp.selfsigned import KEY_REVOCATION, SelfSignature

        read = (SelfSignature.read(body) for tag, body, _ in self.split if tag == packets.SIGNATURE)
        found = [one for one in read if one and one.kind == KEY_REVOCATION and one.hard]
        return self.revoked and any(one.holds(self.public_packet, None) for one in found)

    @cached_property
    def revoked_subkeys(self) -> frozenset[bytes]:
        """The key ids (8 bytes) of encryption subkeys that its owner revoked."""
        found = set()
        for part in self._parts[1:]:
            kept = b"".join(raw for raw in part if not _is_revocation(raw))
            without_own = b"".join(raw for raw in part if not _is_signature(*_tag_body(raw), _KEY_REVOCATION))
            try:
                before = set(_chosen(call(pysequoia.Cert.from_bytes, kept)))
            except SequoiaError:
                continue
            try:
                now = set(_chosen(call(pysequoia.Cert.from_bytes, without_own)))
            except SequoiaError:
                now = set()
            found.update(before - now)
        return frozenset(found)

    def subkey_expires(self, key: bytes) -> int | None:
        """When the newest binding of the subkey of that key id says that it expires, in unix seconds."""
        for part in self._parts[1:]:
            if _last_key(part) == key:
                return _expires(part)
        return None

    def check_usable(self, now: int | None = None) -> None:
        """Raise the KeyRefused that keeps this key from being a friend's or a recipient's."""
        now = int(time.time()) if now is None else now
        if self.revoked:
            raise KeyRevoked("its owner has revoked this key; ask for the new one")
        weak = self.weakness(self.fingerprint.raw[-8:])
        if weak:
            raise KeyTooWeak(f"this key is too weak to be believed: {weak}")
        if self.expires is not None and self.expires <= now:
            raise KeyExpired("this key has expired; ask its owner for a newer copy")
        try:
            call(lambda: self._cert.expiration)
        except SequoiaError as error:
            raise KeyTooWeak(f"no self-signature of this key can be believed ({error})") from None
        if not self.user_ids:
            raise KeyTooWeak("no user id of this key can be believed")
        if not self._alive_encryption_keys(now):
            raise KeyUnusable("nothing can be encrypted for this key: it has no valid encryption subkey")

    def weakness(self, key: bytes) -> str:
        """What makes the key of that key id too weak to be believed; "" when nothing does."""
        for body in self.key_packets():
            if key_id(body) == key:
                bits = int.from_bytes(body[6:8], "big")
                small = body[5] in (1, 2, 3) and bits < MIN_RSA
                return _WEAK.get(body[5], f"RSA of {bits} bits" if small else "")
        return ""

    def _alive_encryption_keys(self, now: int) -> bool:
        if not self.encryption_keyids:
            return False
        # Sequoia falls back to expired subkeys when there are no others; those are not for new messages.
        for key in self._parts:
            try:
                subkey = call(pysequoia.Cert.from_bytes, b"".join(key))
                if _chosen(subkey) and not _expired(key, now):
                    return True
            except SequoiaError:
                continue
        return False

    @cached_property
    def _parts(self) -> list[list[bytes]]:
        """The primary key's own packets, then for each subkey those and the subkey's."""
        parts: list[list[bytes]] = [[]]
        for tag, _, raw in self.split:
            if tag == packets.PUBLIC_SUBKEY:
                parts.append(parts[0].copy())
            parts[-1].append(raw)
        return parts

    def expired(self, key: bytes, at: int) -> bool:
        """Whether the key of that key id, or the primary key, has expired at a time (unix seconds)."""
        if self.expires is not None and self.expires <= at:
            return True
        return any(_last_key(part) == key and _expired(part, at) for part in self._parts)

    @cached_property
    def encryption_keyids(self) -> frozenset[bytes]:
        """The key ids (8 bytes) of all encryption subkeys that are validly bound, expired and revoked too."""
        found = set()
        for part in self._parts:
            kept = b"".join(raw for raw in part if not _is_revocation(raw))
            try:
                found.update(_chosen(call(pysequoia.Cert.from_bytes, kept)))
            except SequoiaError:
                continue
        return frozenset(found)

    def chosen_keyids(self) -> list[bytes]:
        """The key ids of the subkeys that Sequoia would encrypt to now. SequoiaError when there is none."""
        return _chosen(self._cert)

    def key_packets(self) -> list[bytes]:
        """The bodies of the packets of the primary key and every subkey that is in there, bound or not."""
        keys = (packets.PUBLIC_KEY, packets.PUBLIC_SUBKEY)
        return [body for tag, body, _ in self.split if tag in keys]

    def merge(self, newer: Certificate) -> Certificate:
        """This key with all that another copy of it knows; KeyMalformed when it is another key."""
        if newer.fingerprint != self.fingerprint:
            raise KeyMalformed("two different keys cannot be merged")
        return Certificate(call(self._cert.merge, newer._cert))

    @property
    def cert(self) -> pysequoia.Cert:
        """Sequoia's own object, for this package only."""
        return self._cert

    def without_revocations(self) -> pysequoia.Cert:
        """The key as it would be if nothing in it had been revoked: to find out why a signature fails."""
        kept = b"".join(raw for _, _, raw in self.split if not _is_revocation(raw))
        return call(pysequoia.Cert.from_bytes, kept)

    @cached_property
    def key_ids(self) -> frozenset[bytes]:
        """The key ids of the primary key and every subkey that is in there, bound or not."""
        return frozenset(key_id(body) for body in self.key_packets())

    def without_others(self) -> Certificate:
        """The key without signatures by others: who certified it is not the holder's to tell."""
        own = {self.fingerprint.raw[-8:]}
        kept = [
            raw for tag, _, raw in self.split if tag != packets.SIGNATURE or _issued_by(raw, own, silent=True)
        ]
        return Certificate(call(pysequoia.Cert.from_bytes, b"".join(kept)))

    def __bytes__(self) -> bytes:
        return self._bytes

    def armored(self) -> str:
        """The key as text, between BEGIN and END lines; ASCII, whatever the user ids are written in."""
        # Not str(cert), which copies the user ids above the key as they are.
        return call(pysequoia.armor, self._bytes, pysequoia.ArmorKind.PublicKey)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and other._bytes == self._bytes

    def __hash__(self) -> int:
        return hash(self._bytes)

    def __repr__(self) -> str:
        return f"Certificate({self.fingerprint})"


def parse_user_id(user_id: str) -> tuple[str, str]:
    """The name and the e-mail address of a user id in the usual form ``Name <name@example.org>``."""
    text, bracket, rest = user_id.rpartition("<")
    if bracket and rest.endswith(">"):
        return text.strip(), rest[:-1].strip()
    return ("", user_id.strip()) if "@" in user_id and " " not in user_id.strip() else (user_id.strip(), "")


def _last_key(part: list[bytes]) -> bytes:
    keys = (packets.PUBLIC_KEY, packets.PUBLIC_SUBKEY)
    return next(key_id(body) for raw in reversed(part) for tag, body, _ in packets.split(raw) if tag in keys)


def _is_signature(tag: int, body: bytes, kind: int) -> bool:
    return tag == packets.SIGNATURE and len(body) > 1 and body[0] == _V4 and body[1] == kind


def _is_revocation(raw: bytes) -> bool:
    tag, body, _ = packets.split(raw)[0]
    return _is_signature(tag, body, _KEY_REVOCATION) or _is_signature(tag, body, _SUBKEY_REVOCATION)


def _issued_by(raw: bytes, key_ids: set[bytes], *, silent: bool = False) -> bool:
    """Whether a signature names one of the keys as its issuer; ``silent``: what to say when it names none."""
    try:
        signature = call(pysequoia.Sig.from_bytes, raw)
    except SequoiaError:
        return False
    issuer = signature.issuer_fingerprint or signature.issuer_key_id or ""
    if not issuer:
        return silent
    return bytes.fromhex(issuer)[-8:] in key_ids


def _chosen(cert: pysequoia.Cert) -> list[bytes]:
    """The key ids that Sequoia would encrypt to: asked by encrypting nothing."""
    sealed = call(pysequoia.encrypt, b"", [cert], armor=False)
    return [_addressee(body) for tag, body, _ in packets.split(bytes(sealed)) if tag == packets.PKESK]


def _addressee(pkesk: bytes) -> bytes:
    """The key id in a PKESK of version 3, or of version 6, which names a fingerprint (RFC 9580 5.1.2)."""
    if pkesk[0] == _V6:
        return pkesk[2 : 2 + pkesk[1]][-8:]
    return pkesk[1:9]


def _expired(part: list[bytes], now: int) -> bool:
    """Whether the newest binding of the last key in ``part`` says that it has expired."""
    expires = _expires(part)
    return expires is not None and expires <= now


def _expires(part: list[bytes]) -> int | None:
    """When the newest binding of the last key in ``part`` says that it expires, in unix seconds."""
    created, newest, validity = 0, -1.0, None
    for raw in part:
        tag, body = _tag_body(raw)
        if tag in (packets.PUBLIC_KEY, packets.PUBLIC_SUBKEY):
            created, newest, validity = int.from_bytes(body[1:5], "big"), -1.0, None
        elif tag == packets.SIGNATURE and len(body) > 1 and body[1] in (0x18, 0x13, 0x10, 0x11, 0x12, 0x1F):
            signature = call(pysequoia.Sig.from_bytes, raw)
            when = signature.created
            if when is not None and when.timestamp() > newest:
                newest, validity = when.timestamp(), signature.key_validity_period
    return None if validity is None else created + int(validity.total_seconds())


def _tag_body(raw: bytes) -> tuple[int, bytes]:
    tag, body, _ = packets.split(raw)[0]
    return tag, body
