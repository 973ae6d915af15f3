"""The packets of a certificate, and those about one of its keys: which of them say what.

A *part* is the primary key's own packets and then those of one subkey, each packet whole.
"""

from __future__ import annotations

import pysequoia
import pysequoia.packet

from mau.openpgp import packets
from mau.openpgp.algorithms import key_id
from mau.openpgp.sequoia import SequoiaError, call

KEY_REVOCATION = 0x20
"""The type of a signature that revokes a primary key (RFC 4880 section 5.2.1)."""
_V4 = 4
_V6 = 6
_SUBKEY_REVOCATION = 0x28


def last_key(part: list[bytes]) -> bytes:
    """The key id of the last key in a part."""
    keys = (packets.PUBLIC_KEY, packets.PUBLIC_SUBKEY)
    return next(key_id(body) for raw in reversed(part) for tag, body, _ in packets.split(raw) if tag in keys)


def is_signature(tag: int, body: bytes, kind: int) -> bool:
    """Whether a packet is a version 4 signature of that type."""
    return tag == packets.SIGNATURE and len(body) > 1 and body[0] == _V4 and body[1] == kind


def is_revocation(raw: bytes) -> bool:
    """Whether a packet revokes a key or a subkey, whoever made it."""
    tag, body, _ = packets.split(raw)[0]
    return is_signature(tag, body, KEY_REVOCATION) or is_signature(tag, body, _SUBKEY_REVOCATION)


def issued_by(raw: bytes, key_ids: set[bytes], *, silent: bool = False) -> bool:
    """Whether a signature names one of the keys as its issuer; ``silent``: what to say when it names none."""
    try:
        signature = call(pysequoia.Sig.from_bytes, raw)
    except SequoiaError:
        return False
    issuer = signature.issuer_fingerprint or signature.issuer_key_id or ""
    if not issuer:
        return silent
    return bytes.fromhex(issuer)[-8:] in key_ids


def chosen(cert: pysequoia.Cert) -> list[bytes]:
    """The key ids that Sequoia would encrypt to: asked by encrypting nothing."""
    sealed = call(pysequoia.encrypt, b"", [cert], armor=False)
    return [_addressee(body) for tag, body, _ in packets.split(bytes(sealed)) if tag == packets.PKESK]


def _addressee(pkesk: bytes) -> bytes:
    """The key id in a PKESK of version 3, or of version 6, which names a fingerprint (RFC 9580 5.1.2)."""
    if pkesk[0] == _V6:
        return pkesk[2 : 2 + pkesk[1]][-8:]
    return pkesk[1:9]


def expired(part: list[bytes], now: int) -> bool:
    """Whether the newest binding of the last key in ``part`` says that it has expired."""
    until = expires(part)
    return until is not None and until <= now


def expires(part: list[bytes]) -> int | None:
    """When the newest binding of the last key in ``part`` says that it expires, in unix seconds."""
    created, newest, validity = 0, -1.0, None
    for raw in part:
        tag, body = tag_body(raw)
        if tag in (packets.PUBLIC_KEY, packets.PUBLIC_SUBKEY):
            created, newest, validity = int.from_bytes(body[1:5], "big"), -1.0, None
        elif tag == packets.SIGNATURE and len(body) > 1 and body[1] in (0x18, 0x13, 0x10, 0x11, 0x12, 0x1F):
            signature = call(pysequoia.Sig.from_bytes, raw)
            when = signature.created
            if when is not None and when.timestamp() > newest:
                newest, validity = when.timestamp(), signature.key_validity_period
    return None if validity is None else created + int(validity.total_seconds())


def tag_body(raw: bytes) -> tuple[int, bytes]:
    """The tag and the body of one packet."""
    tag, body, _ = packets.split(raw)[0]
    return tag, body
