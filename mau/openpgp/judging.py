"""Is this exactly one good signature by that author? And if not, why not (spec/messages.md).

Sequoia judges; its "no" has no reason, so the reason is searched for afterwards. It never turns into a yes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import pysequoia
import pysequoia.packet

from mau.errors import (
    BadSignature,
    FromTheFuture,
    MalformedPost,
    PostError,
    SignatureTooWeak,
    SignerExpired,
    SignerRevoked,
    UnknownAuthor,
    UnknownSigner,
    WrongSignatureType,
)
from mau.fingerprint import Fingerprint
from mau.openpgp.certificate import Certificate
from mau.openpgp.sequoia import SequoiaError, call

TOLERANCE = 30 * 60
"""How far ahead of our clock a signature may be, in seconds."""

_MAPPED = 32 << 20
"""Files up to this size (bytes) are given to Sequoia by name."""
_BINARY = 0x00
_WEAK_HASHES = {1: "MD5", 2: "SHA-1", 3: "RIPEMD-160"}


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature packet as it was read: nothing in it is believed before ``judge`` returned."""

    sig: pysequoia.Sig
    issuer: bytes
    hash_number: int
    created: int
    notations: Mapping[str, tuple[str, ...]]


def read_signature(packet: bytes, body: bytes) -> Signature:
    """Read a signature packet (whole packet and body); MalformedPost, WrongSignatureType."""
    if len(body) < 6 or body[0] != 4:
        raise WrongSignatureType("its signature is not of version 4")
    if body[1] != _BINARY:
        raise WrongSignatureType("it is not signed as a binary document")
    try:
        sig = call(pysequoia.Sig.from_bytes, packet)
        [parsed] = call(lambda: list(pysequoia.packet.PacketPile.from_bytes(packet)))
        found: dict[str, tuple[str, ...]] = {}
        for notation in call(lambda: parsed.notations) or ():
            found[notation.key] = (*found.get(notation.key, ()), notation.value)
    except (SequoiaError, ValueError):
        raise MalformedPost("its signature cannot be read") from None
    if sig.created is None:
        raise MalformedPost("its signature states no time")
    issuer = sig.issuer_fingerprint or sig.issuer_key_id or ""
    return Signature(sig, bytes.fromhex(issuer)[-8:], body[3], int(sig.created.timestamp()), found)


def judge(signature: Signature, content: bytes | Path, author: Certificate | None) -> Fingerprint:
    """The author's fingerprint when the signature is good and his; one PostError that says why otherwise."""
    if signature.created > time.time() + TOLERANCE:
        until = signature.created - TOLERANCE
        raise FromTheFuture("it is signed more than 30 minutes ahead of this clock", until=until)
    if author is None:
        raise UnknownAuthor("the key of its author is not held here")
    if _holds(signature, content, author.cert):
        return author.fingerprint
    raise _reason(signature, content, author)


def _holds(signature: Signature, content: bytes | Path, cert: pysequoia.Cert) -> bool:
    def store(_ids: list[str]) -> list[pysequoia.Cert]:
        return [cert]

    try:
        if isinstance(content, bytes):
            result = call(pysequoia.verify, bytes=content, store=store, signature=signature.sig)
        elif content.stat().st_size <= _MAPPED:
            result = call(pysequoia.verify, file=content, store=store, signature=signature.sig)
        else:
            result = _verify_piped(content, store, signature)
    except SequoiaError:
        return False
    valid = result.valid_sigs
    return len(valid) == 1 and valid[0].certificate == cert.fingerprint


def _verify_piped(
    content: Path, store: Callable[[list[str]], list[pysequoia.Cert]], signature: Signature
) -> pysequoia.Decrypted:
    import subprocess  # every command loads this module, and hardly any needs that

    # Sequoia maps a file into memory whole; what comes through a pipe it reads in small pieces.
    feeder = subprocess.Popen(["/bin/cat", "--", content], stdout=subprocess.PIPE, env={})
    with feeder:
        pipe = cast(BinaryIO, feeder.stdout)
        name = Path(f"/dev/fd/{pipe.fileno()}")
        result = call(pysequoia.verify, file=name, store=store, signature=signature.sig)
        pipe.close()
    if feeder.returncode != 0:
        raise SequoiaError("the content could not be read back")
    return result


def _reason(signature: Signature, content: bytes | Path, author: Certificate) -> PostError:
    if signature.issuer not in author.key_ids:
        by = signature.issuer.hex() or "a key that it does not name"
        return UnknownSigner(f"it is signed with {by}, which the copy of its author's key held here lacks")
    if signature.hash_number in _WEAK_HASHES:
        weak = _WEAK_HASHES[signature.hash_number]
        return SignatureTooWeak(f"its signature uses {weak}, which proves nothing")
    try:
        if _holds(signature, content, author.without_revocations()):
            return SignerRevoked("its author has revoked the key that signed it")
    except SequoiaError:
        pass
    weak = author.weakness(signature.issuer)
    if weak:
        return SignatureTooWeak(f"the key that signed it is too weak: {weak}")
    if author.expired(signature.issuer, signature.created):
        return SignerExpired("it was signed after its author's key, as far as it is known here, had expired")
    return BadSignature("the signature does not fit the content and its author's key")
