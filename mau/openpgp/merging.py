"""A copy of a held key that came over the network: what is taken from it, and when it counts. Pure.

Whoever brought the copy, only packets count that the key's own primary signed, and nothing that is held ever
goes: a host can withhold a revocation and cannot undo it. What changes nothing in whom one writes to or what
he is called counts at once (revocations, another expiry, a signing subkey); a new user id and a new
encryption subkey are put aside, until the owner of the keyring confirms them (spec/keyring.md K11).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pysequoia

from mau.errors import KeyMalformed, KeyRefused
from mau.openpgp import packets
from mau.openpgp.algorithms import key_id
from mau.openpgp.certificate import MAX_KEY, Certificate
from mau.openpgp.selfsigned import (
    BINDING,
    CERTIFICATIONS,
    DIRECT,
    KEY_REVOCATION,
    MAY_ENCRYPT,
    MAY_SIGN,
    REVOCATIONS,
    SUBKEY_REVOCATION,
    USER_ID_REVOCATION,
    SelfSignature,
)
from mau.openpgp.sequoia import SequoiaError, call

MAX_PACKETS = 2000
"""A copy with more packets is refused before any of them is looked at."""

_KINDS = {
    packets.PUBLIC_KEY: frozenset({DIRECT, KEY_REVOCATION}),
    packets.USER_ID: CERTIFICATIONS | {USER_ID_REVOCATION},
    packets.PUBLIC_SUBKEY: frozenset({BINDING, SUBKEY_REVOCATION}),
}
_ENCRYPTING = frozenset({1, 2, 16, 18, 25, 26})
"""Algorithms that can encrypt (RFC 9580 section 9.1)."""

Place = tuple[int, bytes]
"""The tag and body of the packet that signatures are about: primary key, user id, subkey."""


@dataclass(frozen=True, slots=True)
class Merged:
    """``certificate``: what counts now. ``reported``: that with all that waits for a word, None = nothing."""

    certificate: Certificate
    reported: Certificate | None


@dataclass(slots=True)
class _Part:
    """One packet of a certificate with the signatures about it: as held, and those that are to be added."""

    place: Place
    held: list[bytes] = field(default_factory=list)
    known: set[bytes] = field(default_factory=set)
    fresh: dict[bytes, SelfSignature] = field(default_factory=dict)


def merge_fetched(held: Certificate, fetched: Certificate, reported: Certificate | None = None) -> Merged:
    """``held`` with what ``fetched`` brings, and what was ``reported`` before.

    The result does not depend on the order in which copies come, nor on how often. KeyRefused for another
    key, KeyMalformed for one of too many packets. When all of it together would pass ``MAX_KEY``, only
    revocations are taken.
    """
    copies = [fetched] if reported is None else [fetched, reported]
    for copy in copies:
        if copy.fingerprint != held.fingerprint:
            raise KeyRefused(f"that is another key: {copy.fingerprint}")
        if len(copy.split) > MAX_PACKETS:
            raise KeyMalformed(f"a key of more than {MAX_PACKETS} packets is not looked at")
    parts = _parts_of(held)
    before = dict(parts)
    for copy in copies:
        _add(parts, copy, held.public_packet)
    now, later = _sorted(parts, before, held)
    certificate = _built(held, before.values(), parts, now)
    if not certificate.encryption_keyids <= held.encryption_keyids:  # what was overlooked above waits, too
        now = {one: _revocations(some) for one, some in now.items() if one in before}
        certificate = _built(held, before.values(), parts, now)
    everything = _built(held, before.values(), parts, later)
    if max(len(bytes(certificate)), len(bytes(everything))) > MAX_KEY:
        ended = {one: _revocations(some) for one, some in now.items() if one[0] == packets.PUBLIC_KEY}
        return Merged(_built(held, before.values(), parts, ended), None)
    return Merged(certificate, everything if everything != certificate else None)


def _parts_of(held: Certificate) -> dict[Place, _Part]:
    parts: dict[Place, _Part] = {}
    current: _Part | None = None
    for tag, body, raw in held.split:
        if tag == packets.SIGNATURE:
            if current is not None:
                current.held.append(raw)
                signature = SelfSignature.read(body)
                if signature is not None:
                    current.known.add(_identity(signature, held.public_packet, current.place))
        else:
            current = parts.setdefault((tag, body), _Part((tag, body)))
    return parts


def _add(parts: dict[Place, _Part], copy: Certificate, primary: bytes) -> None:
    """Note the signatures of a copy that hold and are not held yet."""
    current: _Part | None = None
    for tag, body, _ in copy.split:
        if tag != packets.SIGNATURE:
            known = tag in _KINDS
            current = parts.get((tag, body), _Part((tag, body))) if known else None
            continue
        signature = SelfSignature.read(body) if current is not None else None
        if current is None or signature is None or signature.kind not in _KINDS[current.place[0]]:
            continue
        target = None if current.place[0] == packets.PUBLIC_KEY else current.place[1]
        signature = signature.plain(primary, target)
        identity = _identity(signature, primary, current.place)
        if identity in current.known or identity in current.fresh or not signature.holds(primary, target):
            continue
        current.fresh[identity] = signature
        parts.setdefault(current.place, current)


def _identity(signature: SelfSignature, primary: bytes, place: Place) -> bytes:
    """Two signatures are the same when all but what others can add is; a back-signature that holds counts."""
    backed = (
        signature.kind == BINDING
        and place[0] == packets.PUBLIC_SUBKEY
        and signature.back_signature(primary, place[1]) is not None
    )
    return signature.same + (b"\x01" if backed else b"\x00")


_Chosen = dict[Place, list[SelfSignature]]


def _sorted(
    parts: dict[Place, _Part], before: dict[Place, _Part], held: Certificate
) -> tuple[_Chosen, _Chosen]:
    """What counts at once, and that with what waits."""
    now: _Chosen = {}
    later: _Chosen = {}
    valid = set(held.user_ids)
    primary = held.public_packet
    for place, part in parts.items():
        fresh = list(part.fresh.values())
        tag, body = place
        if tag == packets.USER_ID:
            confirmed = place in before and body.decode("utf-8", "replace") in valid
            at_once = [one for one in fresh if confirmed or (place in before and one.kind in REVOCATIONS)]
            at_once = [one for one in at_once if not _gives_encryption(one, primary, held)]
            wanted = place in before or any(one.kind in CERTIFICATIONS for one in fresh)
        elif tag == packets.PUBLIC_SUBKEY:
            signs = any(_only_signs(one, primary, body) for one in fresh)
            encrypts = any(one.key_flags & MAY_ENCRYPT for one in fresh)
            at_once = [one for one in fresh if not _gives_encryption(one, body, held)]
            at_once = at_once if place in before or signs else []
            wanted = place in before or signs or encrypts
        else:
            at_once = [one for one in fresh if not _gives_encryption(one, primary, held)]
            wanted = True
        if at_once:
            now[place] = at_once
        if fresh and wanted:
            later[place] = fresh
    return now, later


def _gives_encryption(signature: SelfSignature, key: bytes, held: Certificate) -> bool:
    """Whether it makes an encryption key of one that was none."""
    can = key[5] in _ENCRYPTING and bool(signature.key_flags & MAY_ENCRYPT)
    return can and key_id(key) not in held.encryption_keyids


def _only_signs(signature: SelfSignature, primary: bytes, subkey: bytes) -> bool:
    signs = signature.kind == BINDING and signature.key_flags & (MAY_SIGN | MAY_ENCRYPT) == MAY_SIGN
    return signs and signature.back_signature(primary, subkey) is not None


def _revocations(signatures: Iterable[SelfSignature]) -> list[SelfSignature]:
    return [one for one in signatures if one.kind in REVOCATIONS]


def _built(
    held: Certificate, before: Iterable[_Part], parts: dict[Place, _Part], chosen: _Chosen
) -> Certificate:
    """The held certificate with the chosen signatures in their places; itself when there are none."""
    if not any(chosen.values()):
        return held
    in_order = [part.place for part in before]
    fresh = sorted(place for place in chosen if place not in in_order)
    first_subkey = next(
        (at for at, place in enumerate(in_order) if place[0] == packets.PUBLIC_SUBKEY), len(in_order)
    )
    in_order[first_subkey:first_subkey] = [place for place in fresh if place[0] == packets.USER_ID]
    in_order += [place for place in fresh if place[0] == packets.PUBLIC_SUBKEY]
    whole = b""
    for place in in_order:
        part = parts[place]
        added = sorted(chosen.get(place, ()), key=lambda one: (one.created, one.same))
        whole += packets.packet(*place) + b"".join([*part.held, *map(bytes, added)])
    try:
        return Certificate(call(pysequoia.Cert.from_bytes, whole))
    except SequoiaError as error:
        raise KeyMalformed(f"the copy does not fit the key that is held ({error})") from None
