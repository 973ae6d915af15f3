"""Taking over a secret key that GnuPG made: what can serve, and what cannot and why (spec/messages.md)."""

from __future__ import annotations

from typing import Any

import pysequoia
import pysequoia.packet

from mau.errors import KeyMalformed, KeyRefused, KeyTooWeak, KeyUnusable, WrongPassphrase
from mau.openpgp import packets
from mau.openpgp.algorithms import MIN_RSA, describe
from mau.openpgp.certificate import MAX_KEY
from mau.openpgp.compat import pgpy
from mau.openpgp.sequoia import SequoiaError, call

_TLS_NAMES = ("Ed25519", "ECDSA P-256", "ECDSA P-384", "ECDSA P-521")


def unprotected(data: bytes, passphrase: str | None) -> bytes:
    """The transferable secret key without its own protection.

    KeyMalformed, KeyUnusable, KeyTooWeak, KeyRefused with the reason; WrongPassphrase.
    """
    binary = _one_key(data)
    found = packets.split(binary)
    tag, body, _ = found[0]
    if tag == packets.PUBLIC_KEY:
        raise KeyRefused("that is only the public key; export the secret one: gpg --export-secret-keys")
    if tag != packets.SECRET_KEY:
        raise KeyMalformed("that is not a secret key")
    _check_primary(body)
    try:
        key = pgpy().PGPKey.from_blob(binary)[0]
    except Exception as error:
        raise KeyUnusable(f"this key cannot be read: {type(error).__name__}: {error}") from None
    if _stub(key):
        raise KeyRefused("the secret of its primary key is not in there (kept offline or on a card)")
    _check_flags(binary)
    return _open(key, binary, passphrase)


def _one_key(data: bytes) -> bytes:
    if len(data) > MAX_KEY:
        raise KeyMalformed("that is too large for a key")
    try:
        keys = call(pysequoia.Cert.split_bytes, data)
        pile = call(pysequoia.packet.PacketPile.from_bytes, data)
        binary = b"".join(bytes(packet.__bytes__()) for packet in pile)
    except (SequoiaError, ValueError, RuntimeError) as error:
        raise KeyMalformed(f"that is not an OpenPGP key ({error})") from None
    if not keys:
        raise KeyMalformed("that is not an OpenPGP key")
    if len(keys) != 1:
        raise KeyMalformed(f"one key was expected, {len(keys)} are in there")
    return binary


def _check_primary(body: bytes) -> None:
    if body[0] != 4:
        raise KeyUnusable(f"Mau needs a version 4 key; this one is of version {body[0]}")
    algorithm = describe(body)
    if body[5] == 27:
        raise KeyUnusable("an Ed25519 key in the new format (algorithm 27) has no TLS identity in version 4")
    if algorithm.startswith("RSA-"):
        bits = int(algorithm.removeprefix("RSA-"))
        if bits < MIN_RSA:
            raise KeyTooWeak(f"RSA of {bits} bits is too weak")
    elif algorithm not in _TLS_NAMES:
        raise KeyUnusable(f"TLS 1.3 cannot prove an identity with {algorithm}")


def _check_flags(binary: bytes) -> None:
    """The primary key must be allowed to sign: the newest self-signature's key flags decide."""
    newest, flags = -1.0, None
    subkey = False
    for packet in call(pysequoia.packet.PacketPile.from_bytes, binary):
        name = packet.tag
        subkey = subkey or name == pysequoia.packet.Tag.SecretSubkey
        if name != pysequoia.packet.Tag.Signature or subkey or packet.key_flags is None:
            continue
        created = packet.signature_created
        if created is not None and created.timestamp() > newest:
            newest, flags = created.timestamp(), packet.key_flags
    if flags is not None and not flags.signing:
        raise KeyUnusable("its primary key may only certify, not sign; Mau signs with the primary key")


def _stub(key: Any) -> bool:
    s2k = key._key.keymaterial.s2k
    return bool(s2k) and int(s2k.specifier) == 101


def _open(key: Any, binary: bytes, passphrase: str | None) -> bytes:
    if not key.is_protected:
        return binary
    if not passphrase:
        raise WrongPassphrase("this key is protected; its passphrase is needed")
    try:
        with key.unlock(passphrase):
            opened = {}
            for part in (key, *key.subkeys.values()):
                if _stub(part):
                    continue
                material = part._key.keymaterial
                material.s2k = pgpy().packet.fields.String2Key()
                material._compute_chksum()
                material.__privkey__()  # OpenSSL looks at it closely, once
                part._key.update_hlen()
                opened[bytes.fromhex(part.fingerprint.keyid)] = bytes(part._key)
    except pgpy().errors.PGPDecryptionError:
        raise WrongPassphrase("the passphrase does not open that key") from None
    return _with_opened(binary, opened)


def _with_opened(binary: bytes, opened: dict[bytes, bytes]) -> bytes:
    """The key with its secret packets replaced, and every signature byte for byte as it was.

    PGPy would write the signatures anew and lose what it does not know, and they would no longer hold.
    """
    keys = call(pysequoia.packet.PacketPile.from_bytes, binary)
    ids = [bytes.fromhex(packet.key_id) for packet in keys if packet.key_id is not None]
    whole = b""
    for tag, _, raw in packets.split(binary):
        if tag in (packets.SECRET_KEY, packets.SECRET_SUBKEY):
            whole += opened.get(ids.pop(0), raw)
        else:
            whole += raw
    return whole
