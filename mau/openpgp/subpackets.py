"""The subpackets of a version 4 signature: what it states beside its numbers (RFC 4880 5.2.3.1). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

CREATED = 2
EXPIRES = 3
KEY_EXPIRES = 9
ISSUER = 16
KEY_FLAGS = 27
REASON = 29
EMBEDDED = 32
ISSUER_FINGERPRINT = 33

_CRITICAL = 0x80


@dataclass(frozen=True, slots=True)
class Subpacket:
    """One subpacket; ``content`` is what follows the octet of its kind."""

    kind: int
    content: bytes
    critical: bool = False

    def __bytes__(self) -> bytes:
        size = len(self.content) + 1
        if size < 192:
            length = bytes([size])
        elif size < 8384:
            length = bytes([((size - 192) >> 8) + 192, (size - 192) & 0xFF])
        else:
            length = b"\xff" + size.to_bytes(4, "big")
        return length + bytes([self.kind | (_CRITICAL if self.critical else 0)]) + self.content


def parse(area: bytes) -> list[Subpacket]:
    """The subpackets of an area, in their order; ValueError when it is not made of whole ones."""
    found, at = [], 0
    while at < len(area):
        size, at = _length(area, at)
        if size == 0 or at + size > len(area):
            raise ValueError("a subpacket is cut off")
        kind = area[at]
        content = area[at + 1 : at + size]
        found.append(Subpacket(kind & ~_CRITICAL, content, bool(kind & _CRITICAL)))
        at += size
    return found


def join(subpackets: Iterable[Subpacket]) -> bytes:
    """The area that holds them."""
    return b"".join(map(bytes, subpackets))


def _length(area: bytes, at: int) -> tuple[int, int]:
    first = area[at]
    if first < 192:
        return first, at + 1
    if first < 255:
        if at + 2 > len(area):
            raise ValueError("a subpacket is cut off")
        return ((first - 192) << 8) + area[at + 1] + 192, at + 2
    if at + 5 > len(area):
        raise ValueError("a subpacket is cut off")
    return int.from_bytes(area[at + 1 : at + 5], "big"), at + 5
