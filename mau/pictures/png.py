"""PNG files without what they say about their making, not a pixel changed (W3C PNG, third edition). Pure.

Kept are the chunks that a decoder needs for pixels, colours and frames. Texts, EXIF, times, unknown chunks
and whatever stands behind the last pixel or behind the end go.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final

from mau.errors import PictureRefused
from mau.pictures.icc import MAX_PROFILE, plain_profile

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
# Chunk -> the most bytes that its definition gives it; longer ones go.
_KEPT: Final = {
    b"IHDR": 13,
    b"PLTE": 768,
    b"tRNS": 256,
    b"gAMA": 4,
    b"cHRM": 32,
    b"sRGB": 1,
    b"cICP": 4,
    b"mDCV": 24,
    b"cLLI": 8,
    b"sBIT": 4,
    b"bKGD": 6,
    b"pHYs": 9,
    b"acTL": 8,
    b"fcTL": 26,
}
_PIECE: Final = 1 << 20


def strip_png(data: bytes) -> bytes:
    """The same picture, all of its frames, without metadata. PictureRefused when it is no whole PNG file."""
    if data[:8] != _SIGNATURE:
        raise PictureRefused("it is no PNG picture")
    kept = [_SIGNATURE]
    place = 8
    pixels, frame = _Pixels(), _Pixels()
    while True:
        size, kind = struct.unpack_from(">I4s", data, place) if place + 12 <= len(data) else (0, b"")
        body = data[place + 8 : place + 8 + size]
        place += 12 + size
        if place > len(data) or not kind or not _holds(kind, body, data[place - 4 : place]):
            raise PictureRefused("it is no whole PNG picture")
        if kind == b"IEND":
            kept.append(_chunk(kind, b""))
            return b"".join(kept)
        if kind == b"IDAT":
            part = pixels.part(body)
            kept += [_chunk(kind, part)] if part else []
        elif kind == b"fdAT":
            # Also when nothing is left of it: its first four bytes count the chunks.
            kept.append(_chunk(kind, body[:4] + frame.part(body[4:])))
        elif kind == b"iCCP":
            kept += _profile(body)
        elif len(body) <= _KEPT.get(kind, -1):
            kept.append(_chunk(kind, body))
        if kind == b"fcTL":
            frame = _Pixels()


class _Pixels:
    """The compressed pixels of one frame, in the order of their chunks: nothing may stand behind them."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj()

    def part(self, body: bytes) -> bytes:
        """What of a chunk belongs to the pixels."""
        if self._stream.eof:
            return b""
        waiting = body
        while waiting and not self._stream.eof:
            try:
                self._stream.decompress(waiting, _PIECE)
            except zlib.error:
                raise PictureRefused("its pixels cannot be unpacked") from None
            waiting = self._stream.unconsumed_tail
        return body[: len(body) - len(self._stream.unused_data)]


def _profile(body: bytes) -> list[bytes]:
    packed = body.partition(b"\0")[2][1:]
    stream = zlib.decompressobj()
    try:
        profile = plain_profile(stream.decompress(packed, MAX_PROFILE + 1))
    except zlib.error:
        return []
    return [_chunk(b"iCCP", b"Colours\0\0" + zlib.compress(profile))] if profile else []


def _holds(kind: bytes, body: bytes, check: bytes) -> bool:
    """Whether a chunk that is kept came whole: with a sum of ours nobody could tell any more."""
    needless = kind not in _KEPT and kind not in {b"IDAT", b"fdAT", b"iCCP"}
    return needless or zlib.crc32(kind + body) == int.from_bytes(check, "big")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of(width: int, height: int, pixels: bytes, channels: int) -> bytes:
    """A PNG file of 8-bit pixels: 3 channels for RGB, 4 for RGBA."""
    row = width * channels
    lines = b"".join(b"\0" + pixels[row * line : row * (line + 1)] for line in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, {3: 2, 4: 6}[channels], 0, 0, 0)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(lines, 6)), _chunk(b"IEND", b""))
    return _SIGNATURE + b"".join(chunks)
