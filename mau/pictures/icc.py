"""Colour profiles without what they say about screens, cameras and people (ICC.1:2022). Pure.

A profile names whoever made it and the device that it was made for, a screen's serial number at times. Kept
is what computes colours; the rest of the header and every other tag go, and the two texts that a profile must
have are ours.
"""

from __future__ import annotations

import struct
from typing import Final

MAX_PROFILE: Final = 4 << 20
"""Bytes. Profiles for print have half a megabyte."""
_HEADER: Final = 128
_MAX_TAGS: Final = 100
# Tag -> the types that it may have.
_CURVES: Final = (b"curv", b"para")
_TABLES: Final = (b"mft1", b"mft2", b"mAB ", b"mBA ")
_KEPT: Final[dict[bytes, tuple[bytes, ...]]] = {
    **dict.fromkeys((b"rXYZ", b"gXYZ", b"bXYZ", b"wtpt", b"bkpt"), (b"XYZ ",)),
    **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC", b"kTRC"), _CURVES),
    **dict.fromkeys((b"A2B0", b"A2B1", b"A2B2", b"B2A0", b"B2A1", b"B2A2", b"gamt"), _TABLES),
    b"chad": (b"sf32",),
    b"cicp": (b"cicp",),
}
_SIZES: Final = {b"XYZ ": 20, b"sf32": 44, b"cicp": 12}
_CLASSES: Final = (b"scnr", b"mntr", b"prtr", b"spac")
_WORDS: Final = "Colours"


def plain_profile(profile: bytes) -> bytes:
    """The profile with nothing in it but what colours are computed from; b"" when it is none."""
    if not _HEADER + 4 <= len(profile) <= MAX_PROFILE or profile[36:40] != b"acsp":
        return b""
    if profile[12:16] not in _CLASSES:
        return b""
    tags = _tags(profile)
    if not tags.keys() & {b"rXYZ", b"kTRC", b"A2B0"}:
        return b""
    modern = profile[8] >= 4
    tags |= {b"desc": _description(modern), b"cprt": _text(modern)}
    header = bytearray(_HEADER)
    header[8:24] = profile[8:24]  # version, class, colour space, connection space
    header[36:40] = b"acsp"
    header[64:80] = profile[64:80]  # intent, illuminant
    # The date must be one (ICC.1 4.2); that it is the same for all tells nothing.
    header[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    return _packed(header, tags)


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, _HEADER)
    if count > _MAX_TAGS or len(profile) < _HEADER + 4 + 12 * count:
        return {}
    found: dict[bytes, bytes] = {}
    for number in range(count):
        tag, start, size = struct.unpack_from(">4sII", profile, _HEADER + 4 + 12 * number)
        value = profile[start : start + size]
        kind = value[:4]
        if kind not in _KEPT.get(tag, ()) or len(value) != size or size < 12:
            continue
        found[tag] = value[: _length(kind, value)]
    return found


def _length(kind: bytes, value: bytes) -> int:
    """How much of a tag's value counts: what comes after is nothing that a colour is computed from."""
    if kind == b"curv":
        return int(12 + 2 * struct.unpack_from(">I", value, 8)[0])
    if kind == b"para":
        parameters = (1, 3, 4, 5, 7)
        function = struct.unpack_from(">H", value, 8)[0]
        return 12 + 4 * parameters[function] if function < len(parameters) else 12
    return _SIZES.get(kind, len(value))


def _description(modern: bool) -> bytes:
    if modern:
        return _text(modern)
    words = _WORDS.encode("ascii") + b"\0"
    return b"desc" + bytes(4) + struct.pack(">I", len(words)) + words + bytes(4 + 4 + 2 + 1 + 67)


def _text(modern: bool) -> bytes:
    if not modern:
        return b"text" + bytes(4) + _WORDS.encode("ascii") + b"\0"
    words = _WORDS.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(words), 28) + words


def _packed(header: bytearray, tags: dict[bytes, bytes]) -> bytes:
    """Header, table and values, each value once and at a multiple of four."""
    table, values = b"", b""
    places: dict[bytes, int] = {}
    begin = _HEADER + 4 + 12 * len(tags)
    for tag, value in tags.items():
        if value not in places:
            places[value] = begin + len(values)
            values += value + bytes(-len(value) % 4)
        table += struct.pack(">4sII", tag, places[value], len(value))
    header[:4] = struct.pack(">I", begin + len(values))
    return bytes(header) + struct.pack(">I", len(tags)) + table + values
