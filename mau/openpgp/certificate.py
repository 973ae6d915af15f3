"""A certificate: somebody's public key, what it says, and whether it may be used (spec/messages.md)."""

from __future__ import annotations

import time
from functools import cached_property

import pysequoia
import pysequoia.packet

from mau.errors import KeyExpired, KeyMalformed, KeyRevoked, KeyTooWeak, KeyUnusable, SecretKeyOffered
from mau.fingerprint import Fingerprint
from mau.openpgp import packets, parts
from mau.openpgp.algorithms import describe, key_id, weakness
from mau.openpgp.sequoia import SequoiaError, call

MAX_KEY = 1 << 20
"""A certificate larger than this (bytes) is refused before anything reads it."""


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
            if not (parts.is_signature(tag, body, parts.KEY_REVOCATION) and not parts.issued_by(raw, own))
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
            kept = b"".join(raw for raw in part if not parts.is_revocation(raw))
            without_own = b"".join(
                raw for raw in part if not parts.is_signature(*parts.tag_body(raw), parts.KEY_REVOCATION)
            )
            try:
                before = set(parts.chosen(call(pysequoia.Cert.from_bytes, kept)))
            except SequoiaError:
                continue
            try:
                now = set(parts.chosen(call(pysequoia.Cert.from_bytes, without_own)))
            except SequoiaError:
                now = set()
            found.update(before - now)
        return frozenset(found)

    def subkey_expires(self, key: bytes) -> int | None:
        """When the newest binding of the subkey of that key id says that it expires, in unix seconds."""
        for part in self._parts[1:]:
            if parts.last_key(part) == key:
                return parts.expires(part)
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
        return next((weakness(body) for body in self.key_packets() if key_id(body) == key), "")

    def _alive_encryption_keys(self, now: int) -> bool:
        if not self.encryption_keyids:
            return False
        # Sequoia falls back to expired subkeys when there are no others; those are not for new messages.
        for key in self._parts:
            try:
                subkey = call(pysequoia.Cert.from_bytes, b"".join(key))
                if parts.chosen(subkey) and not parts.expired(key, now):
                    return True
            except SequoiaError:
                continue
        return False

    @cached_property
    def _parts(self) -> list[list[bytes]]:
        """The primary key's own packets, then for each subkey those and the subkey's."""
        found: list[list[bytes]] = [[]]
        for tag, _, raw in self.split:
            if tag == packets.PUBLIC_SUBKEY:
                found.append(found[0].copy())
            found[-1].append(raw)
        return found

    def expired(self, key: bytes, at: int) -> bool:
        """Whether the key of that key id, or the primary key, has expired at a time (unix seconds)."""
        if self.expires is not None and self.expires <= at:
            return True
        return any(parts.last_key(part) == key and parts.expired(part, at) for part in self._parts)

    @cached_property
    def encryption_keyids(self) -> frozenset[bytes]:
        """The key ids (8 bytes) of all encryption subkeys that are validly bound, expired and revoked too."""
        found = set()
        for part in self._parts:
            kept = b"".join(raw for raw in part if not parts.is_revocation(raw))
            try:
                found.update(parts.chosen(call(pysequoia.Cert.from_bytes, kept)))
            except SequoiaError:
                continue
        return frozenset(found)

    def chosen_keyids(self) -> list[bytes]:
        """The key ids of the subkeys that Sequoia would encrypt to now. SequoiaError when there is none."""
        return parts.chosen(self._cert)

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
        kept = b"".join(raw for _, _, raw in self.split if not parts.is_revocation(raw))
        return call(pysequoia.Cert.from_bytes, kept)

    @cached_property
    def key_ids(self) -> frozenset[bytes]:
        """The key ids of the primary key and every subkey that is in there, bound or not."""
        return frozenset(key_id(body) for body in self.key_packets())

    def without_others(self) -> Certificate:
        """The key without signatures by others: who certified it is not the holder's to tell."""
        own = {self.fingerprint.raw[-8:]}
        kept = [
            raw
            for tag, _, raw in self.split
            if tag != packets.SIGNATURE or parts.issued_by(raw, own, silent=True)
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
