"""Messages in: decrypt, decompress, verify (spec/messages.md). The one way from foreign bytes to content.

Every failure is one ``PostError``. Nothing is returned, and nothing stays in ``sink``, unless the whole
message was read, its container unchanged, and its signature judged.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pysequoia

from mau.errors import (
    BadSignature,
    MalformedPost,
    NoIntegrity,
    NotReadable,
    NotSigned,
    PostError,
    SeveralSignatures,
    TooLarge,
    UnknownAuthor,
)
from mau.fingerprint import Fingerprint
from mau.openpgp import packets
from mau.openpgp.certificate import Certificate
from mau.openpgp.inflating import inflated
from mau.openpgp.judging import Signature, judge, read_signature
from mau.openpgp.protected import Unprotected
from mau.openpgp.secret import SecretKey
from mau.openpgp.sequoia import SequoiaError, call
from mau.openpgp.sessionkey import open_session_key

MEMORY_LIMIT = 64 << 20
"""The most content that is opened in memory by default, in bytes."""
FILE_LIMIT = 1 << 40
"""The most content that is opened into a file by default, in bytes."""

_MAX_SIGNATURE = 1 << 17
_SKIPPED = (packets.MARKER, packets.PADDING)


@dataclass(frozen=True, slots=True)
class Opened:
    """A message that holds.

    ``signer`` is the author's fingerprint, ``signed_at`` in unix seconds, ``notations`` those of the hashed
    part, ``recipients`` the key ids of the session keys in order. ``data`` is None when the content went to
    a file; ``size`` is the content's in bytes. ``problem`` is None unless it was opened ``anyway``.
    """

    signer: Fingerprint | None
    signed_at: int
    notations: Mapping[str, tuple[str, ...]]
    encrypted: bool
    recipients: tuple[bytes, ...]
    data: bytes | None
    size: int
    problem: PostError | None = None


def open_message(
    source: bytes | BinaryIO,
    *,
    key: SecretKey | None,
    author: Certificate | None,
    sink: Path | None = None,
    limit: int | None = None,
    anyway: bool = False,
) -> Opened:
    """Open one message by ``author`` and check everything about it.

    ``source``: the bytes, or a binary file at the message's begin. ``key``: the account's, None to open only
    what is not encrypted. With ``sink`` the content goes into that file (made anew, 0600) in bounded memory.
    ``limit`` in bytes, else ``MEMORY_LIMIT`` or ``FILE_LIMIT``. With ``anyway`` a signature that does not
    hold is reported in ``problem`` instead of raised; everything else is raised all the same.
    """
    if sink is None:
        return _open(source, key, author, _Memory(limit or MEMORY_LIMIT), anyway)
    target = _File(sink, limit or FILE_LIMIT)
    try:
        opened = _open(source, key, author, target, anyway)
    except BaseException:
        target.discard()
        raise
    return opened


class _Content(ABC):
    """Where content goes, up to ``limit`` bytes of it."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0

    def write(self, part: bytes) -> None:
        self.size += len(part)
        if self.size > self.limit:
            raise TooLarge(f"it holds more than {self.limit} bytes")
        self._keep(part)

    @abstractmethod
    def _keep(self, part: bytes) -> None: ...

    @abstractmethod
    def content(self) -> bytes | Path: ...


class _Memory(_Content):
    """Content in memory."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self._parts: list[bytes] = []

    def _keep(self, part: bytes) -> None:
        self._parts.append(part)

    def content(self) -> bytes | Path:
        if len(self._parts) != 1:
            self._parts = [b"".join(self._parts)]
        return self._parts[0]


class _File(_Content):
    """Content in a new file, removed unless everything holds."""

    def __init__(self, path: Path, limit: int) -> None:
        super().__init__(limit)
        self._path = path
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file = os.fdopen(os.open(path, flags, 0o600), "wb")

    def _keep(self, part: bytes) -> None:
        self._file.write(part)

    def content(self) -> bytes | Path:
        self._file.close()
        return self._path

    def discard(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)


def _open(
    source: bytes | BinaryIO,
    key: SecretKey | None,
    author: Certificate | None,
    target: _Content,
    anyway: bool,
) -> Opened:
    stream = packets.Source(None, source) if isinstance(source, bytes) else packets.Source(source.read)
    sealed, first = _session_keys(stream)
    if first.tag == packets.PROTECTED and first.some(1) != b"\x01":
        return _open_newer(source, key, author, target)
    if sealed is None:
        signature = _signed(stream, first, target)
        recipients: tuple[bytes, ...] = ()
    else:
        recipients = tuple(body[1:9] for body in sealed)
        container = _unprotect(first, sealed, key)
        inner = packets.Source(container.read)
        signature = _signed(inner, _next(inner), target)
        container.finish()
        if not stream.at_end():
            raise MalformedPost("something follows the message")
    content = target.content()
    signer, problem = None, None
    try:
        if signature is None:
            raise NotSigned("nobody signed it")
        signer = judge(signature, content, author)
    except PostError as error:
        if not anyway:
            raise
        problem = error
    return Opened(
        signer=signer,
        signed_at=signature.created if signature else 0,
        notations=signature.notations if signature else {},
        encrypted=sealed is not None,
        recipients=recipients,
        data=None if isinstance(content, Path) else content,
        size=target.size,
        problem=problem,
    )


def _open_newer(
    source: bytes | BinaryIO, key: SecretKey | None, author: Certificate | None, target: _Content
) -> Opened:
    """SEIPD version 2, which Mau does not ask for: Sequoia opens it, in memory, and tells no signature time.

    ``signed_at`` is then 0, older than everything: such a message replaces nothing unless its author's own
    host says so.
    """
    if key is None:
        raise NotReadable("it is encrypted, and no account is open")
    if author is None:
        raise UnknownAuthor("the key of its author is not held here")
    if not isinstance(source, bytes):
        source.seek(0)
        source = source.read(MEMORY_LIMIT + 1)
    if len(source) > MEMORY_LIMIT:
        raise TooLarge(f"in this format at most {MEMORY_LIMIT} bytes are read")
    try:
        opened = call(pysequoia.decrypt, source, key.decryptor(), lambda _ids: [author.cert])
    except SequoiaError as error:
        if "No key to decrypt" in str(error):
            raise NotReadable("it is not encrypted for this account") from None
        raise BadSignature("it was changed, or its signature does not fit its author's key") from None
    valid = opened.valid_sigs
    if len(valid) != 1 or valid[0].certificate != author.fingerprint.hex:
        raise BadSignature("it does not have exactly one signature by its author")
    data = bytes(opened.bytes or b"")
    target.write(data)
    content = target.content()
    in_memory = None if isinstance(content, Path) else content
    return Opened(author.fingerprint, 0, {}, True, (), in_memory, target.size)


def _next(source: packets.Source) -> packets.Body:
    while (body := packets.next_packet(source)) is not None:
        if body.tag not in _SKIPPED:
            return body
        body.all(4096)
    raise MalformedPost("the message is cut off")


def _session_keys(stream: packets.Source) -> tuple[list[bytes] | None, packets.Body]:
    """The bodies of the PKESK packets (None when nothing is encrypted) and the packet after them."""
    found: list[bytes] = []
    size, with_passphrase = 0, False
    while True:
        body = _next(stream)
        if body.tag == packets.PKESK:
            content = body.all(1 << 16)
            size += len(content)
            if size > 1 << 20:
                raise MalformedPost("it has too many recipients")
            if len(content) > 10 and content[0] == 3:
                found.append(content)
        elif body.tag == packets.SKESK:
            body.all(4096)
            with_passphrase = True
        elif body.tag == packets.ENCRYPTED:
            raise NoIntegrity("it is encrypted without protection against changes")
        elif body.tag in (packets.PROTECTED, packets.AEAD_ENCRYPTED):
            if not found and with_passphrase:
                raise NotReadable("it is encrypted with a passphrase, not for anybody")
            return found, body
        elif found or with_passphrase:
            raise MalformedPost("session keys, but nothing encrypted")
        else:
            return None, body


def _unprotect(body: packets.Body, sealed: list[bytes], key: SecretKey | None) -> Unprotected:
    if body.tag == packets.AEAD_ENCRYPTED:
        raise NotReadable("it is encrypted in a format that Mau does not ask for and cannot read")
    if key is None:
        raise NotReadable("it is encrypted, and no account is open")
    problem: PostError | None = None
    for content in sealed:
        key_id = content[1:9]
        if key_id in key.recoverers:
            recovers = [key.recoverers[key_id]]
        elif key_id == bytes(8):
            recovers = list(key.recoverers.values())
        else:
            continue
        for recover in recovers:
            try:
                return Unprotected(body, *open_session_key(content, recover))
            except MalformedPost as error:
                problem = error if key_id != bytes(8) else problem
    raise problem or NotReadable("it is not encrypted for this account")


def _signed(source: packets.Source, body: packets.Body, target: _Content) -> Signature | None:
    """Read one-pass signature, literal, signature to the end; None when there is a bare literal."""
    if body.tag == packets.COMPRESSED:
        inner = packets.Source(inflated(body, target.limit))
        signature = _signed_plain(inner, _next(inner), target)
    else:
        signature = _signed_plain(source, body, target)
    while (rest := packets.next_packet(source)) is not None:
        if rest.tag not in _SKIPPED:
            raise MalformedPost("something follows the message")
        rest.all(4096)
    return signature


def _signed_plain(source: packets.Source, body: packets.Body, target: _Content) -> Signature | None:
    announced = body.tag == packets.ONE_PASS
    if announced:
        body.all(4096)
        body = _next(source)
        if body.tag == packets.ONE_PASS:
            raise SeveralSignatures("it has more than one signature")
    if body.tag != packets.LITERAL:
        raise MalformedPost("there is no content where it should be")
    _literal(body, target)
    signature = None
    while (body_after := packets.next_packet(source)) is not None:
        content = body_after.all(_MAX_SIGNATURE)
        if body_after.tag in _SKIPPED:
            continue
        if body_after.tag != packets.SIGNATURE or not announced:
            raise MalformedPost("something follows the content")
        if signature is not None:
            raise SeveralSignatures("it has more than one signature")
        signature = read_signature(packets.packet(packets.SIGNATURE, content), content)
    if announced and signature is None:
        raise MalformedPost("the signature that was announced is missing")
    return signature


def _literal(body: packets.Body, target: _Content) -> None:
    """The content byte for byte, whatever the mode; no signature covers the name and date in front."""
    head = body.source()
    name_length = head.exact(2)[1]
    head.exact(name_length + 4)
    while part := head.some(packets.CHUNK):
        target.write(part)
