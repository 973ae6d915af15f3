"""JPEG files without what they say about their making, not a pixel changed (ITU-T T.81 annex B). Pure.

A file is a row of marked segments. Kept are those that a decoder needs; a JFIF header and Adobe's mark, which
tell how colours are coded, are written anew from what in them does so; the colour profile loses its words.
Everything else goes: EXIF, XMP, IPTC, comments, small pictures in the header, second pictures and films after
the end.
"""

from __future__ import annotations

import re
from typing import Final

from mau.errors import PictureRefused
from mau.pictures.icc import plain_profile

_SOI, _EOI, _SOS = b"\xff\xd8", 0xD9, 0xDA
_APP0, _APP2, _APP14 = 0xE0, 0xE2, 0xEE
# Frames (SOF0-SOF15 without DHT, JPG, DAC), tables, restart interval, number of lines.
_KEPT: Final = frozenset({*range(0xC0, 0xC8), *range(0xC9, 0xD0), 0xDB, 0xDC, 0xDD, _SOS})
_BARE: Final = frozenset({0x00, 0x01, *range(0xD0, 0xD9), 0xFF})
# Coded data ends at a marker that is no stuffed zero and no restart.
_AFTER_SCAN: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_PROFILE: Final = b"ICC_PROFILE\0"
_MAX_SEGMENT: Final = 0xFFFF - 2


def strip_jpeg(data: bytes) -> bytes:
    """The same picture without metadata. PictureRefused when it is no whole JPEG file."""
    if data[:2] != _SOI:
        raise PictureRefused("it is no JPEG picture")
    jfif = adobe = b""
    profile: dict[int, bytes] = {}
    kept: list[bytes] = []
    place = 2
    while True:
        marker, place = _marker(data, place)
        if marker == _EOI:
            break
        end = place + int.from_bytes(data[place : place + 2], "big")
        body = data[place + 2 : end]
        if end < place + 2 or end > len(data):
            raise _damaged()
        if marker == _SOS:
            found = _AFTER_SCAN.search(data, end)
            if found is None:
                raise _damaged()
            kept.append(_segment(marker, body) + data[end : found.start()].rstrip(b"\xff"))
            end = found.start()
        elif marker in _KEPT:
            kept.append(_segment(marker, body))
        elif marker == _APP0 and body[:5] == b"JFIF\0" and len(body) >= 12:
            jfif = _segment(_APP0, body[:12] + b"\0\0")  # without its small picture
        elif marker == _APP14 and body[:5] == b"Adobe" and len(body) >= 12:
            adobe = _segment(_APP14, body[:5] + b"\0\x64" + bytes(4) + body[11:12])
        elif marker == _APP2 and body[:12] == _PROFILE and len(body) > 14:
            profile[body[12]] = body[14:]
        place = end
    colours = plain_profile(b"".join(part for _, part in sorted(profile.items())))
    return b"".join([_SOI, jfif, *_profile_segments(colours), adobe, *kept, b"\xff\xd9"])


def _marker(data: bytes, place: int) -> tuple[int, int]:
    """The marker that stands there, and where what follows it begins."""
    begin = place
    while data[place : place + 1] == b"\xff":  # any number of them may stand before a marker
        place += 1
    if place == begin or place >= len(data) or data[place] in _BARE:
        raise _damaged()
    return data[place], place + 1


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body


def _profile_segments(profile: bytes) -> list[bytes]:
    most = _MAX_SEGMENT - len(_PROFILE) - 2
    parts = [profile[start : start + most] for start in range(0, len(profile), most)]
    return [
        _segment(_APP2, _PROFILE + bytes((number, len(parts))) + part) for number, part in enumerate(parts, 1)
    ]


def _damaged() -> PictureRefused:
    return PictureRefused("it is no whole JPEG picture")
