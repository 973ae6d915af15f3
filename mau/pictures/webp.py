"""WebP files without EXIF, XMP and unknown chunks, every frame as it was (RFC 9649). Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from mau.errors import PictureRefused
from mau.pictures.icc import plain_profile

_PIXELS: Final = (b"VP8 ", b"VP8L", b"ALPH")
_PROFILE_FLAG, _EXIF_FLAG, _XMP_FLAG = 0x20, 0x08, 0x04
_FRAME_HEADER: Final = 16


def strip_webp(data: bytes) -> bytes:
    """The same picture, all of its frames, without metadata. PictureRefused when it is no whole WebP file."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise PictureRefused("it is no WebP picture")
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise _damaged()
    chunks = list(_chunks(data, 12, end))
    profile = next((plain_profile(body) for kind, body in chunks if kind == b"ICCP"), b"")
    kept: list[bytes] = []
    for kind, body in chunks:
        if kind == b"VP8X" and len(body) >= 10:
            flags = body[0] & ~(_EXIF_FLAG | _XMP_FLAG | _PROFILE_FLAG)
            kept.append(
                _chunk(kind, bytes((flags | (_PROFILE_FLAG if profile else 0),)) + bytes(3) + body[4:10])
            )
            kept += [_chunk(b"ICCP", profile)] if profile else []
        elif kind == b"ANIM":
            kept.append(_chunk(kind, body[:6]))
        elif kind == b"ANMF" and len(body) > _FRAME_HEADER:
            inner = [_chunk(*one) for one in _chunks(body, _FRAME_HEADER, len(body)) if one[0] in _PIXELS]
            kept.append(_chunk(kind, body[:_FRAME_HEADER] + b"".join(inner)))
        elif kind in _PIXELS:
            kept.append(_chunk(kind, body))
    whole = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(whole)) + whole


def is_lossless(data: bytes) -> bool:
    """Whether the pixels of a WebP file were encoded without loss."""
    return any(kind == b"VP8L" for kind, _ in _chunks(data, 12, len(data)))


def _chunks(data: bytes, place: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    while place < end:
        if place + 8 > end:
            raise _damaged()
        kind, size = struct.unpack_from("<4sI", data, place)
        if place + 8 + size > end:
            raise _damaged()
        yield kind, data[place + 8 : place + 8 + size]
        place += 8 + size + (size & 1)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) & 1)


def _damaged() -> PictureRefused:
    return PictureRefused("it is no whole WebP picture")
