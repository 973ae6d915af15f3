"""What a key consists of, for people to read: its primary key and subkeys, each with what it may do."""

from __future__ import annotations

from dataclasses import dataclass

from mau.openpgp import packets
from mau.openpgp.algorithms import describe, key_fingerprint
from mau.openpgp.certificate import Certificate
from mau.openpgp.selfsigned import (
    BINDING,
    CERTIFICATIONS,
    DIRECT,
    KEY_REVOCATION,
    SUBKEY_REVOCATION,
    SelfSignature,
)

_CAPABILITIES = ((0x01, "certify"), (0x02, "sign"), (0x0C, "encrypt"), (0x20, "authenticate"))


@dataclass(frozen=True, slots=True)
class KeyPart:
    """The primary key or one subkey; times in unix seconds, ``expires`` None when it does not."""

    fingerprint: str
    algorithm: str
    created: int
    expires: int | None
    capabilities: tuple[str, ...]
    revoked: bool


def key_parts(certificate: Certificate) -> list[KeyPart]:
    """The primary key first, then every subkey that it binds."""
    bodies: list[bytes] = []
    about: list[list[SelfSignature]] = []
    target: bytes | None = None
    primary = certificate.public_packet
    for tag, body, _ in certificate.split:
        if tag in (packets.PUBLIC_KEY, packets.PUBLIC_SUBKEY):
            bodies.append(body)
            about.append([])
        if tag != packets.SIGNATURE:
            target = None if tag == packets.PUBLIC_KEY else body
            continue
        signature = SelfSignature.read(body)
        if signature is not None and signature.holds(primary, target):
            about[-1].append(signature)
    parts = [_part(certificate, *one, own=at == 0) for at, one in enumerate(zip(bodies, about, strict=True))]
    return [part for part in parts if part is not None]


def _part(certificate: Certificate, body: bytes, about: list[SelfSignature], *, own: bool) -> KeyPart | None:
    kinds = CERTIFICATIONS | {DIRECT} if own else frozenset({BINDING})
    stating = [one for one in about if one.kind in kinds and (one.key_flags or not own)]
    newest = max(stating, key=lambda one: one.created, default=None)
    if newest is None and not own:
        return None
    fingerprint = key_fingerprint(body)
    flags = newest.key_flags if newest else 0
    return KeyPart(
        fingerprint.hex(),
        describe(body),
        int.from_bytes(body[1:5], "big"),
        certificate.expires if own else certificate.subkey_expires(fingerprint[-8:]),
        tuple(word for bits, word in _CAPABILITIES if flags & bits),
        any(one.kind in (KEY_REVOCATION, SUBKEY_REVOCATION) for one in about),
    )
