"""The account's own key: make, import, lock and unlock it (spec/messages.md).

A ``SecretKey`` in memory is unprotected; on disk it lies in ``account.pgp``: the transferable secret key,
encrypted with the passphrase (SKESK version 4, as the Go reference reads and writes it). PGPy is loaded only
when something needs the secret itself: showing who one is does not.
"""

from __future__ import annotations

import io
import time
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pysequoia

from mau.errors import (
    AccountDamaged,
    AccountRevoked,
    KeyExpired,
    KeyRefused,
    KeyRevoked,
    KeyUnusable,
    MalformedPost,
    PostError,
    WrongPassphrase,
)
from mau.fingerprint import Fingerprint
from mau.openpgp import packets
from mau.openpgp.algorithms import describe
from mau.openpgp.certificate import Certificate
from mau.openpgp.compat import pgpy
from mau.openpgp.ownkeys import private_key
from mau.openpgp.sequoia import SequoiaError, call

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from mau.openpgp.sessionkey import Recover

    PrivateKey = Ed25519PrivateKey | RSAPrivateKey | EllipticCurvePrivateKey

RSA_BITS = 4096
_SECRET = (packets.SECRET_KEY, packets.SECRET_SUBKEY)


class SecretKey:
    """The unlocked key of an account. Its text forms never show what is secret."""

    def __init__(self, data: bytes) -> None:
        """From the bytes of an unprotected transferable secret key; AccountDamaged when they are none."""
        self._data = data
        try:
            self._tsk = call(pysequoia.Tsk.from_bytes, data)
            self.certificate = Certificate(call(self._tsk.extract_certificate))
            tags = {tag for tag, _, _ in packets.split(data)}
        except (SequoiaError, ValueError, KeyRefused):
            raise AccountDamaged("the account file holds no OpenPGP key; restore it from a backup") from None
        if packets.SECRET_KEY not in tags:
            raise AccountDamaged("the account file holds no secret key; restore it from a backup")

    # --- making ---------------------------------------------------------------------------------------

    @classmethod
    def generate(cls, name: str, email: str, *, rsa: bool = False, created: int | None = None) -> SecretKey:
        """A new version 4 key: a primary that certifies and signs, one subkey that encrypts, no expiry.

        Ed25519 with Cv25519, or RSA-4096 twice. ``created`` in unix seconds, now by default.
        """
        lib = pgpy()
        constants = lib.constants
        algorithm, flags = constants.PubKeyAlgorithm, constants.KeyFlags
        when = datetime.fromtimestamp(int(time.time()) if created is None else created, UTC)
        if rsa:
            primary = lib.PGPKey.new(algorithm.RSAEncryptOrSign, RSA_BITS, created=when)
            subkey = lib.PGPKey.new(algorithm.RSAEncryptOrSign, RSA_BITS, created=when)
        else:
            curves = constants.EllipticCurveOID
            primary = lib.PGPKey.new(algorithm.EdDSA, curves.Ed25519, created=when)
            subkey = lib.PGPKey.new(algorithm.ECDH, curves.Curve25519, created=when)
        ciphers = constants.SymmetricKeyAlgorithm
        compression = constants.CompressionAlgorithm
        primary.add_uid(
            lib.PGPUID.new(name, email=email),
            usage={flags.Certify, flags.Sign},
            hashes=[constants.HashAlgorithm.SHA256, constants.HashAlgorithm.SHA512],
            ciphers=[ciphers.AES256, ciphers.AES128],
            compression=[compression.ZLIB, compression.ZIP, compression.Uncompressed],
            primary=True,
            created=when,
        )
        primary.add_subkey(subkey, usage={flags.EncryptCommunications, flags.EncryptStorage}, created=when)
        return cls(bytes(primary))

    @classmethod
    def import_key(cls, data: bytes, passphrase: str | None) -> SecretKey:
        """A secret key that GnuPG exported, binary or armored, with its own passphrase.

        KeyRefused says why a key cannot serve; WrongPassphrase.
        """
        from mau.openpgp.importing import unprotected

        key = cls(unprotected(data, passphrase))
        if key.certificate.revoked:
            raise KeyRevoked("this key is revoked; nobody would believe it")
        expires = key.certificate.expires
        if expires is not None and expires <= time.time():
            raise KeyExpired("this key has expired; extend it with gpg and export it again")
        key.certificate.check_usable()
        if key.recoverers.keys().isdisjoint(key.certificate.encryption_keyids):
            raise KeyRefused("the secret of its encryption subkey is not in there")
        _prove(key)
        return key

    # --- the account file -----------------------------------------------------------------------------

    @classmethod
    def unlock(cls, account_file: bytes, passphrase: str) -> SecretKey:
        """Open ``account.pgp``; WrongPassphrase, AccountDamaged."""
        source = packets.Source(None, account_file)
        try:
            body = packets.next_packet(source)
            if body is None or body.tag != packets.SKESK:
                raise AccountDamaged("the account file is not encrypted with a passphrase; restore a backup")
            body.all(4096)
            while (body := packets.next_packet(source)) is not None:
                while body.some(packets.CHUNK):
                    pass
        except MalformedPost:
            raise AccountDamaged("the account file is cut off or damaged; restore it from a backup") from None
        try:
            opened = call(pysequoia.decrypt, account_file, passwords=[passphrase])
        except SequoiaError as error:
            if "manipulated" in str(error):  # the key derived fits, the bytes behind it do not
                raise AccountDamaged("the account file was changed or is damaged; restore a backup") from None
            raise WrongPassphrase("the passphrase does not open this account") from None
        return cls(bytes(opened.bytes or b""))

    def lock(self, passphrase: str) -> bytes:
        """The bytes of ``account.pgp``."""
        return bytes(call(pysequoia.encrypt, self._data, passwords=[passphrase], armor=False))

    # --- what it is -----------------------------------------------------------------------------------

    @property
    def fingerprint(self) -> Fingerprint:
        """The primary key's fingerprint."""
        return self.certificate.fingerprint

    @property
    def transferable(self) -> bytes:
        """The unprotected transferable secret key: never to be shown, written or sent."""
        return self._data

    @property
    def secrets(self) -> frozenset[bytes]:
        """The secret key packets: whether two copies hold the same."""
        return frozenset(raw for tag, _, raw in packets.split(self._data) if tag in _SECRET)

    @property
    def created(self) -> int:
        """When the primary key was made, in unix seconds."""
        return self.certificate.created

    @property
    def algorithm(self) -> str:
        """The primary key's algorithm in words."""
        return describe(self.certificate.public_packet)

    def __repr__(self) -> str:
        return f"SecretKey({self.fingerprint})"

    __str__ = __repr__

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("a secret key is not pickled")

    @cached_property
    def anchor(self) -> Certificate:
        """The public key as if it had never been revoked: what the account itself signed into its own tree
        (who its friends are) holds on after that, and nobody else is asked to believe it."""
        if not self.certificate.revoked:
            return self.certificate
        return Certificate(self.certificate.without_revocations())

    def learn(self, public: Certificate) -> None:
        """Take in what a newer public copy knows and this key itself signed (an expiry, a revocation)."""
        from mau.openpgp.lifetime import with_public

        try:
            newer = with_public(self, public) if public != self.certificate else self
        except KeyRefused:  # anybody may have written it
            return
        if newer is not self:
            self._data, self._tsk, self.certificate = newer._data, newer._tsk, newer.certificate
            self.__dict__.pop("anchor", None)

    def check_signs(self, now: int | None = None, *, for_owner: bool = False) -> None:
        """AccountRevoked or KeyExpired when nobody would believe what this key signs from now on.

        ``for_owner``: what only the account itself reads is signed by a revoked key all the same.
        """
        if self.certificate.revoked and not for_owner:
            raise AccountRevoked(
                "your key is revoked: nothing new is signed with it. What you hold can still be read"
            )
        expires = self.certificate.expires
        if expires is not None and expires <= (time.time() if now is None else now):
            raise KeyExpired("your own key has expired: `mau key extend` gives it more time")

    # --- what it does ---------------------------------------------------------------------------------

    @cached_property
    def signer(self) -> pysequoia.PySigner:
        """Sequoia's signer for the primary key."""
        return call(self._tsk.signer)

    def decryptor(self) -> pysequoia.PyDecryptor:
        """A fresh decryptor of Sequoia's (a panic poisons the one it happens in)."""
        return call(self._tsk.decryptor)

    @cached_property
    def pgpy_key(self) -> Any:
        """PGPy's object of the key."""
        return pgpy().PGPKey.from_blob(self._data)[0]

    @cached_property
    def _private(self) -> PrivateKey:
        private: PrivateKey = private_key(self.pgpy_key._key)
        return private

    def private_key(self) -> PrivateKey:
        """The primary key as an object of ``cryptography``, made once: for TLS."""
        return self._private

    @cached_property
    def recoverers(self) -> dict[bytes, Recover]:
        """For each of our keys that can open session keys its key id (8 bytes) and what opens them."""
        from mau.openpgp.sessionkey import recoverer

        found: dict[bytes, Recover] = {}
        for key in (self.pgpy_key, *self.pgpy_key.subkeys.values()):
            opens = recoverer(key._key)
            if opens is not None:
                found[bytes.fromhex(key.fingerprint.keyid)] = opens
        return found

    def revocation_certificate(self) -> str:
        """An armored revocation of this key, to keep apart for the day its secret is lost or stolen."""
        revocation = call(self.certificate.cert.revoke, call(self._tsk.certifier))
        return call(pysequoia.armor, bytes(revocation.__bytes__()), pysequoia.ArmorKind.PublicKey)


def _prove(key: SecretKey) -> None:
    """Write a message to oneself and open it: a key that cannot is refused now, not at the first post."""
    from mau.openpgp.opening import open_message
    from mau.openpgp.writing import write_message

    proof = b"can this key write to itself? " * 4
    out = io.BytesIO()
    write_message(out, proof, key=key, recipients=())
    try:
        open_message(out.getvalue(), key=key, author=key.certificate)
    except PostError as error:
        raise KeyUnusable(f"what this key writes it cannot read: {error}") from None
