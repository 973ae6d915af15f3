"""Messages out: sign, compress, encrypt (spec/messages.md).

Sequoia decides for which subkeys a session key is encrypted. On Curve25519 ``addressing`` does that; for all
other keys Sequoia does it while it encrypts nothing, and the session key is taken from the part that is
ours. The signed and compressed content goes into a container of our own under that key. What needs neither
compression nor anything stated in the signature is written by Sequoia alone.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import BinaryIO

import pysequoia

from mau.errors import KeyUnusable
from mau.openpgp import packets
from mau.openpgp.addressing import AES256, addressed, new_session_key, subkeys
from mau.openpgp.certificate import Certificate
from mau.openpgp.protected import chunks, protect
from mau.openpgp.secret import SecretKey
from mau.openpgp.sequoia import SequoiaError, call
from mau.openpgp.sessionkey import open_session_key
from mau.openpgp.signing import Signing, signed_stream, signed_whole

SMALL = 1 << 20
"""Content up to this size (bytes) is handled in memory and compressed when that makes it smaller."""

_ZLIB = b"\x02"
_NOTHING: Mapping[str, str] = MappingProxyType({})


def write_message(
    out: BinaryIO,
    source: bytes | BinaryIO,
    *,
    key: SecretKey,
    recipients: Sequence[Certificate] | None,
    notations: Mapping[str, str] = _NOTHING,
    created: int | None = None,
    for_owner: bool = False,
) -> None:
    """Write one signed message; for nobody but me and ``recipients``, or for everybody when that is None.

    ``notations`` go into the hashed part of the signature; ``created`` is its time in unix seconds. A source
    that is a file is read to its end, in bounded memory. KeyUnusable when somebody cannot be written to;
    whether theirs are revoked or expired is for the caller to ask (``Certificate.check_usable``).
    AccountRevoked or KeyExpired when the own key is; ``for_owner``: what nobody else reads is signed even so.
    """
    key.check_signs(for_owner=for_owner)
    head = source if isinstance(source, bytes) else _read_up_to(source, SMALL + 1)
    if len(head) <= SMALL:
        out.write(_small(head, key, recipients, notations, created))
        return
    rest = iter(()) if isinstance(source, bytes) else chunks(source.read)
    signing = Signing(key, _now(created), notations)
    signed = signed_stream(signing, _first(head, rest))
    if recipients is None:
        for chunk in signed:
            out.write(chunk)
        return
    session = _Session(key, recipients)
    out.write(session.keys)
    for chunk in packets.in_parts(packets.PROTECTED, protect(session.cipher, session.key, signed)):
        out.write(chunk)


def _now(created: int | None) -> int:
    return int(time.time()) if created is None else created


def _first(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest


def _read_up_to(source: BinaryIO, most: int) -> bytes:
    parts = []
    while most > 0 and (part := source.read(most)):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def _small(
    data: bytes,
    key: SecretKey,
    recipients: Sequence[Certificate] | None,
    notations: Mapping[str, str],
    created: int | None,
) -> bytes:
    # Sequoia makes no signature with a revoked key.
    plain = not notations and created is None and not key.certificate.revoked
    if plain:
        signed = bytes(call(pysequoia.sign, key.signer, data, armor=False))
    else:
        signed = signed_whole(Signing(key, _now(created), notations), data)
    if recipients is None:
        return signed
    inside = packets.packet(packets.COMPRESSED, _ZLIB + _deflated(signed))
    if len(inside) >= len(signed):
        if plain:
            return _encrypt(data, key, recipients, key.signer)
        inside = signed
    session = _Session(key, recipients)
    body = b"".join(protect(session.cipher, session.key, iter((inside,))))
    return session.keys + packets.packet(packets.PROTECTED, body)


def _deflated(data: bytes) -> bytes:
    """Compressed by zlib, with a window as large as the data: for a short text the full one costs more time
    to lay out than the text to compress."""
    window = max(9, min(15, len(data).bit_length()))
    deflate = zlib.compressobj(wbits=window, memLevel=max(1, window - 7))
    return deflate.compress(data) + deflate.flush()


def _encrypt(
    data: bytes, key: SecretKey, recipients: Sequence[Certificate], signer: pysequoia.PySigner | None = None
) -> bytes:
    """Sequoia's own message, our certificate first: then it writes the container that everybody reads."""
    certs = {key.fingerprint: key.certificate.cert}
    for certificate in recipients:
        certs.setdefault(certificate.fingerprint, certificate.cert)
    try:
        if signer is None:
            return bytes(call(pysequoia.encrypt, data, list(certs.values()), armor=False))
        return bytes(call(pysequoia.encrypt, data, list(certs.values()), signer, armor=False))
    except SequoiaError as error:
        raise KeyUnusable(f"nothing can be encrypted for one of the recipients ({error})") from None


class _Session:
    """A fresh session key: its PKESK packets for all recipients, its cipher and itself."""

    def __init__(self, key: SecretKey, recipients: Sequence[Certificate]) -> None:
        people = {one.fingerprint: one for one in (key.certificate, *recipients)}
        chosen = [subkeys(one) for one in people.values()]
        if None in chosen:
            self._by_sequoia(key, recipients)
            return
        self.cipher, self.key = AES256, new_session_key()
        self.keys = addressed(self.key, (subkey for found in chosen if found for subkey in found))

    def _by_sequoia(self, key: SecretKey, recipients: Sequence[Certificate]) -> None:
        helper = key if _opens_fast(key) else _helper()
        sealed = _encrypt(b"", key, recipients if helper is key else [*recipients, helper.certificate])
        keys: list[bytes] = []
        opened: tuple[int, bytes] | None = None
        for tag, body, raw in packets.split(sealed):
            if tag == packets.PKESK and body[0] == 3:
                recover = helper.recoverers.get(body[1:9])
                if recover is not None and opened is None:
                    opened = open_session_key(body, recover)
                if recover is None or helper is key:
                    keys.append(raw)
            elif tag != packets.PROTECTED or body[0] != 1:
                opened = None
        if opened is None:
            raise KeyUnusable("one of the keys asks for a format of messages that others cannot read")
        self.keys = b"".join(keys)
        self.cipher, self.key = opened


def _opens_fast(key: SecretKey) -> bool:
    """RSA takes milliseconds to open a session key again, elliptic curves do not."""
    return not key.algorithm.startswith("RSA")


@cache
def _helper() -> SecretKey:
    """A key that lives in this process only, to learn session keys quickly; its PKESKs are never written."""
    return SecretKey.generate("session", "")
