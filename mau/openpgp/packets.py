"""The framing of OpenPGP packets (RFC 4880 section 4; RFC 9580 section 4 for what is refused).

Strict on purpose: whatever is cut off, overlong or of a form that no message of ours may have ends as one
``MalformedPost``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import BinaryIO

from mau.errors import MalformedPost

PKESK = 1
SIGNATURE = 2
SKESK = 3
ONE_PASS = 4
SECRET_KEY = 5
PUBLIC_KEY = 6
SECRET_SUBKEY = 7
COMPRESSED = 8
ENCRYPTED = 9
MARKER = 10
LITERAL = 11
USER_ID = 13
PUBLIC_SUBKEY = 14
PROTECTED = 18
AEAD_ENCRYPTED = 20
PADDING = 21

CHUNK = 1 << 18
"""How much is handled at a time when a message streams, in bytes."""

_MAX_HEAD = 1 << 20
"""Session keys of one message together: about 2,000 RSA-4096 recipients."""
_KEY_ID = slice(1, 9)


class Source:
    """Bytes to be read in order, from a ``read(n)`` that may return less than asked for."""

    __slots__ = ("_buffer", "_position", "_read")

    def __init__(self, read: Callable[[int], bytes] | None, buffer: bytes = b"") -> None:
        self._read = read
        self._buffer = buffer
        self._position = 0

    def _fill(self) -> bool:
        if self._read is None:
            return False
        fresh = self._read(CHUNK)
        if not fresh:
            self._read = None
            return False
        self._buffer = self._buffer[self._position :] + fresh
        self._position = 0
        return True

    def at_end(self) -> bool:
        """True when nothing is left."""
        return self._position >= len(self._buffer) and not self._fill()

    def exact(self, count: int) -> bytes:
        """Exactly ``count`` bytes; MalformedPost when there are fewer."""
        end = self._position + count
        while end > len(self._buffer):
            if not self._fill():
                raise MalformedPost("the message is cut off")
            end = self._position + count
        taken = self._buffer[self._position : end]
        self._position = end
        return taken

    def some(self, most: int) -> bytes:
        """Between 1 and ``most`` bytes, or none at the end."""
        if self._position >= len(self._buffer) and not self._fill():
            return b""
        taken = self._buffer[self._position : self._position + most]
        self._position += len(taken)
        return taken


class Body:
    """The body of one packet, whole or in partial lengths (RFC 4880 section 4.2.2.4)."""

    __slots__ = ("_left", "_partial", "_source", "tag")

    def __init__(self, tag: int, source: Source, left: int | None, partial: bool) -> None:
        self.tag = tag
        self._source = source
        self._left = left
        self._partial = partial

    def some(self, most: int) -> bytes:
        """Between 1 and ``most`` bytes of the body, or none at its end."""
        if self._left is None:
            return self._source.some(most)
        while self._left == 0:
            if not self._partial:
                return b""
            self._left, self._partial = _new_length(self._source)
        got = self._source.some(min(most, self._left))
        if not got:
            raise MalformedPost("the message is cut off")
        self._left -= len(got)
        return got

    def all(self, limit: int) -> bytes:
        """The rest of the body; MalformedPost when it is longer than ``limit`` bytes."""
        if self._left is not None and not self._partial:
            if self._left > limit:
                raise MalformedPost("a packet is too long")
            if self._left <= CHUNK:
                count, self._left = self._left, 0
                return self._source.exact(count)
        parts, size = [], 0
        while part := self.some(CHUNK):
            size += len(part)
            if size > limit:
                raise MalformedPost("a packet is too long")
            parts.append(part)
        return b"".join(parts)

    def source(self) -> Source:
        """The body as a source of further packets."""
        return Source(self.some)


def _new_length(source: Source) -> tuple[int, bool]:
    first = source.exact(1)[0]
    if first < 192:
        return first, False
    if first < 224:
        return ((first - 192) << 8) + source.exact(1)[0] + 192, False
    if first == 255:
        return int.from_bytes(source.exact(4), "big"), False
    return 1 << (first & 0x1F), True


def next_packet(source: Source) -> Body | None:
    """The next packet's body, or None at the end of the source. Read each body to its end before the next."""
    if source.at_end():
        return None
    first = source.exact(1)[0]
    if not first & 0x80:
        raise MalformedPost("not an OpenPGP message")
    if first & 0x40:
        tag = first & 0x3F
        left, partial = _new_length(source)
        if partial and tag not in (COMPRESSED, ENCRYPTED, LITERAL, PROTECTED, AEAD_ENCRYPTED):
            raise MalformedPost("a packet that must be whole comes in parts")
        return Body(tag, source, left, partial)
    tag, size = (first >> 2) & 0x0F, first & 0x03
    if size == 3:
        if tag not in (COMPRESSED, ENCRYPTED, LITERAL):
            raise MalformedPost("a packet of no stated length")
        return Body(tag, source, None, False)
    return Body(tag, source, int.from_bytes(source.exact(1 << size), "big"), False)


def header(tag: int, length: int) -> bytes:
    """A new-format header for a whole packet of ``length`` bytes."""
    first = bytes([0xC0 | tag])
    if length < 192:
        return first + bytes([length])
    if length < 8384:
        return first + bytes([((length - 192) >> 8) + 192, (length - 192) & 0xFF])
    return first + b"\xff" + length.to_bytes(4, "big")


def packet(tag: int, body: bytes) -> bytes:
    """One whole packet."""
    return header(tag, len(body)) + body


_PARTIAL = 16
"""Partial bodies of 2**16 bytes: small enough to buffer, large enough to cost nothing."""


def in_parts(tag: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """A packet of unknown length, from the chunks of its body, in partial lengths."""
    size = 1 << _PARTIAL
    yield bytes([0xC0 | tag])
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) > size:
            yield bytes([224 + _PARTIAL]) + bytes(waiting[:size])
            del waiting[:size]
    yield header(tag, len(waiting))[1:] + bytes(waiting)


def split(data: bytes) -> list[tuple[int, bytes, bytes]]:
    """Every packet of a binary key or signature: (tag, body, the packet's own bytes rewritten whole)."""
    source, found = Source(None, data), []
    while (body := next_packet(source)) is not None:
        content = body.all(len(data))
        found.append((body.tag, content, packet(body.tag, content)))
    return found


class Kind(Enum):
    """What a file looks like from its first packet."""

    ENCRYPTED = "encrypted"
    SIGNED = "signed"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Head:
    """The kind of a file and the key ids (8 bytes each; all zero = hidden) that it has session keys for."""

    kind: Kind
    recipients: tuple[bytes, ...] = ()

    @property
    def hidden(self) -> bool:
        """True when a recipient is hidden."""
        return bytes(8) in self.recipients


_OTHER = Head(Kind.OTHER)


def read_head(source: BinaryIO) -> Head:
    """Read the PKESK packets at the head of a file without decrypting anything.

    Reads 4 KiB and more only when that does not hold them all. Never raises on what is no message: that is
    ``Kind.OTHER``, as is a file that holds no PKESK before its encrypted data.
    """
    first = source.read(4096)
    if not first:
        return _OTHER
    recipients: list[bytes] = []
    size = 0
    stream = Source(source.read, first)
    try:
        while (body := next_packet(stream)) is not None:
            if body.tag == PKESK:
                content = body.all(_MAX_HEAD)
                size += len(content)
                if content[0] != 3 or len(content) < 10 or size > _MAX_HEAD:
                    return _OTHER
                recipients.append(content[_KEY_ID])
            elif body.tag in (MARKER, PADDING, SKESK):
                body.all(4096)
            elif body.tag in (PROTECTED, AEAD_ENCRYPTED):
                return Head(Kind.ENCRYPTED, tuple(recipients)) if recipients else _OTHER
            elif body.tag in (ONE_PASS, SIGNATURE, COMPRESSED):
                return _OTHER if recipients else Head(Kind.SIGNED)
            else:
                return _OTHER
    except (MalformedPost, IndexError):
        return _OTHER
    return _OTHER
