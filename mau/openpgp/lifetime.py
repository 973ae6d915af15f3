"""How long our own key lives: another expiry, and the end of it (spec/keyring.md K12).

New self-signatures are put beside the old ones, which stay byte for byte as they are; what a newer one says
counts, for every OpenPGP program. Each copies what its predecessor stated (flags, preferences, whatever
another program put there), but for its time and the expiry.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import pysequoia

from mau.errors import AccountRevoked, KeyMalformed, KeyRefused, KeyUnusable, UsageError
from mau.openpgp import packets, subpackets
from mau.openpgp.algorithms import key_fingerprint, key_id
from mau.openpgp.certificate import MAX_KEY, Certificate
from mau.openpgp.merging import merge_fetched
from mau.openpgp.secret import SecretKey
from mau.openpgp.selfsigned import (
    BINDING,
    CERTIFICATIONS,
    DIRECT,
    KEY_REVOCATION,
    SelfSignature,
    framed,
    trailer,
)
from mau.openpgp.sequoia import SequoiaError, call
from mau.openpgp.signing import sign_numbers
from mau.openpgp.subpackets import Subpacket

Reason = Literal["superseded", "retired", "compromised"]
REASONS: dict[Reason, int] = {"superseded": 1, "retired": 3, "compromised": 2}
"""Why a key is given up, with the number that says so (RFC 4880 section 5.2.3.23)."""

_PUBLIC = {packets.SECRET_KEY: packets.PUBLIC_KEY, packets.SECRET_SUBKEY: packets.PUBLIC_SUBKEY}
_REPLACED = frozenset(
    {
        subpackets.CREATED,
        subpackets.EXPIRES,
        subpackets.KEY_EXPIRES,
        subpackets.ISSUER,
        subpackets.ISSUER_FINGERPRINT,
    }
)
_MOST = (1 << 32) - 1
"""Seconds between a key's making and its expiry that a signature can state."""


@dataclass(slots=True)
class _Part:
    """A packet of the own key, public body and raw packet, with the signatures about it."""

    tag: int
    body: bytes
    raw: bytes
    signatures: list[bytes] = field(default_factory=list)

    def newest(self, primary: bytes, kinds: frozenset[int]) -> SelfSignature | None:
        """The newest self-signature of these kinds that holds."""
        target = None if self.tag == packets.PUBLIC_KEY else self.body
        read = (SelfSignature.read(packets.split(raw)[0][1]) for raw in self.signatures)
        found = [one for one in read if one and one.kind in kinds and one.holds(primary, target)]
        return max(found, key=lambda one: one.created, default=None)


def extended(key: SecretKey, until: int | None, now: int | None = None) -> SecretKey:
    """The key with another expiry of the primary key and its subkeys, in unix seconds; None = never.

    Revoked subkeys stay as they are, and expired ones whose place another one has taken. AccountRevoked,
    UsageError for a time that cannot be stated or has passed, KeyUnusable when the result does not hold.
    """
    now = int(time.time()) if now is None else now
    if key.certificate.revoked:
        raise AccountRevoked("your key is revoked: nothing makes it live on")
    if until is not None and not now < until <= key.created + _MOST:
        raise UsageError("a key expires in the future, and at most 136 years after it was made")
    parts = list(_parts(key))
    primary = parts[0].body
    left_alone = _left_alone(key.certificate, now)
    whole, made = b"", [now]
    for part in parts:
        whole += part.raw
        if part.tag == packets.PUBLIC_KEY:
            kinds, dying, target = frozenset({DIRECT}), part.body, None
        elif part.tag == packets.USER_ID:
            kinds, dying, target = CERTIFICATIONS, primary, part.body
        else:
            kinds, dying, target = frozenset({BINDING}), part.body, part.body
        template = part.newest(primary, kinds) if _renewed(key, part, left_alone) else None
        if template is not None:
            # What is to count must be newer than what it replaces.
            made.append(max(now, template.created + 1))
            whole += _renewal(key, primary, template, target, dying, until, made[-1])
        whole += b"".join(part.signatures)
    _reach(max(made))
    return _proven(key, whole, until, now)


def revoked(key: SecretKey, reason: Reason, now: int | None = None) -> SecretKey:
    """The key with its own revocation. AccountRevoked when it has one already, unless this one says more."""
    if now is None:
        now = int(time.time()) + 1  # what was signed in this second was signed before
        _reach(now)
    if key.certificate.revoked and (reason != "compromised" or key.certificate.compromised):
        raise AccountRevoked("your key is revoked already")
    primary = next(_parts(key)).body
    stated = [
        Subpacket(subpackets.CREATED, now.to_bytes(4, "big")),
        _issuer(primary),
        Subpacket(subpackets.REASON, bytes([REASONS[reason]])),
    ]
    return _with_revocation(key, _signed(key, primary, KEY_REVOCATION, None, stated))


def revoked_by(key: SecretKey, certificate: bytes) -> SecretKey:
    """The key with the revocation that was made for it earlier, binary or armored; KeyRefused."""
    return _with_revocation(key, read_revocation(key.certificate, certificate))


def read_revocation(certificate: Certificate, data: bytes) -> bytes:
    """The packet of a revocation certificate for that key; KeyMalformed, KeyRefused."""
    if len(data) > MAX_KEY:
        raise KeyMalformed("that is too large for a revocation certificate")
    try:
        found = [bytes(packet.__bytes__()) for packet in call(_pile, data)]
        read = [(tag, SelfSignature.read(body)) for raw in found for tag, body, _ in packets.split(raw)]
    except (SequoiaError, ValueError, RuntimeError) as error:
        raise KeyMalformed(f"that is not a revocation certificate ({error})") from None
    signatures = [one for tag, one in read if tag == packets.SIGNATURE and one and one.kind == KEY_REVOCATION]
    if not signatures:
        raise KeyMalformed("there is no revocation of a key in that file")
    for signature in signatures:
        if signature.holds(certificate.public_packet, None):
            return bytes(signature.plain(certificate.public_packet, None))
    raise KeyRefused("that revocation certificate is for another key")


def with_revocation(certificate: Certificate, revocation: bytes) -> Certificate:
    """A public key with a revocation that `read_revocation` returned."""
    first, *rest = [raw for _, _, raw in certificate.split]
    return Certificate.trusted(first + revocation + b"".join(rest))


def with_public(key: SecretKey, public: Certificate) -> SecretKey:
    """The key with what a public copy of it knows in addition, as far as the key itself signed it.

    User ids and subkeys that the key does not have are not taken: there is no secret for them here.
    """
    newer = merge_fetched(key.certificate, public).certificate
    if newer == key.certificate:
        return key
    added: dict[tuple[int, bytes], list[bytes]] = {}
    place = (0, b"")
    for tag, body, raw in newer.split:
        if tag == packets.SIGNATURE:
            added.setdefault(place, []).append(raw)
        else:
            place = (tag, body)
    whole = b""
    for part in _parts(key):
        signatures = added.get((part.tag, part.body), [])
        whole += part.raw + b"".join(part.signatures)
        whole += b"".join(raw for raw in signatures if raw not in part.signatures)
    return SecretKey(whole)


def _pile(data: bytes) -> list[pysequoia.packet.Packet]:
    return list(pysequoia.packet.PacketPile.from_bytes(data))


def _parts(key: SecretKey) -> Iterator[_Part]:
    """Primary key first; the bodies of keys are those of their public packets."""
    public = key.certificate.key_packets()
    part: _Part | None = None
    for tag, body, raw in packets.split(key.transferable):
        if tag == packets.SIGNATURE and part is not None:
            part.signatures.append(raw)
            continue
        if part is not None:
            yield part
        if tag in _PUBLIC:
            # A secret key's packet begins with what its public one holds.
            part = _Part(_PUBLIC[tag], next(one for one in public if body.startswith(one)), raw)
        else:
            part = _Part(tag, body, raw)
    if part is not None:
        yield part


def _renewed(key: SecretKey, part: _Part, left_alone: frozenset[bytes]) -> bool:
    if part.tag == packets.USER_ID:
        return part.body.decode("utf-8", "replace") in key.certificate.user_ids
    return part.tag == packets.PUBLIC_KEY or (
        part.tag == packets.PUBLIC_SUBKEY and key_id(part.body) not in left_alone
    )


def _left_alone(certificate: Certificate, now: int) -> frozenset[bytes]:
    """The key ids of subkeys that are not renewed."""
    encrypting = certificate.encryption_keyids
    own = {key_id(body): certificate.subkey_expires(key_id(body)) for body in certificate.key_packets()[1:]}
    gone = {one for one, expires in own.items() if expires is not None and expires <= now}
    alive = (encrypting & own.keys()) - gone - certificate.revoked_subkeys
    replaced = gone & encrypting if alive else frozenset()
    return certificate.revoked_subkeys | replaced


def _renewal(
    key: SecretKey,
    primary: bytes,
    template: SelfSignature,
    target: bytes | None,
    dying: bytes,
    until: int | None,
    created: int,
) -> bytes:
    """A signature that says what the template did, and the new expiry of the key whose body is ``dying``."""
    kept = [one for one in subpackets.parse(template.hashed) if one.kind not in _REPLACED]
    if template.kind == BINDING and not any(one.kind == subpackets.EMBEDDED for one in kept):
        # Not covered by the template, but a subkey that signs must say itself that it belongs here.
        kept += [one for one in subpackets.parse(template.unhashed) if one.kind == subpackets.EMBEDDED]
    stated = [
        Subpacket(subpackets.CREATED, created.to_bytes(4, "big")),
        _issuer(primary),
        *kept,
    ]
    if until is not None:
        seconds = until - int.from_bytes(dying[1:5], "big")
        stated.insert(1, Subpacket(subpackets.KEY_EXPIRES, seconds.to_bytes(4, "big")))
    return _signed(key, primary, template.kind, target, stated)


def _issuer(primary: bytes) -> Subpacket:
    return Subpacket(subpackets.ISSUER_FINGERPRINT, b"\x04" + key_fingerprint(primary))


def _signed(
    key: SecretKey, primary: bytes, kind: int, target: bytes | None, stated: list[Subpacket]
) -> bytes:
    number, sign = sign_numbers(key)
    unhashed = bytes(Subpacket(subpackets.ISSUER, key_id(primary)))
    unsigned = SelfSignature(kind, primary[5], number, subpackets.join(stated), unhashed, b"", b"")
    quick, numbers = sign(framed(primary, kind, target) + unsigned.covered + trailer(unsigned.covered))
    made = SelfSignature(kind, primary[5], number, unsigned.hashed, unhashed, quick, numbers)
    if not made.holds(primary, target):
        raise KeyUnusable("what was signed does not hold; nothing was written")
    return bytes(made)


def _with_revocation(key: SecretKey, revocation: bytes) -> SecretKey:
    first, *rest = [raw for _, _, raw in packets.split(key.transferable)]
    changed = SecretKey(first + revocation + b"".join(rest))
    if not changed.certificate.revoked or changed.fingerprint != key.fingerprint:
        raise KeyUnusable("the revocation does not take effect; nothing was written")
    return changed


def _reach(moment: int) -> None:
    """Let the second of the last signature begin: twice within one second of the clock is not later."""
    ahead = moment - time.time()
    if ahead > 5:
        raise KeyUnusable(f"your key was changed {int(ahead)} seconds ahead of this clock; set the clock")
    if ahead > 0:
        time.sleep(ahead)


def _proven(key: SecretKey, data: bytes, until: int | None, now: int) -> SecretKey:
    changed = SecretKey(data)
    certificate = changed.certificate
    try:
        certificate.check_usable(now)
    except KeyRefused as error:
        raise KeyUnusable(f"the key could not be extended, nothing was written: {error}") from None
    if changed.fingerprint != key.fingerprint or certificate.expires != until:
        raise KeyUnusable("the new expiry does not take effect; nothing was written")
    return changed
