"""GIF files without comments and what applications left in them, every frame as it was (GIF89a). Pure."""

from __future__ import annotations

from typing import Final

from mau.errors import PictureRefused

_FRAME, _EXTENSION, _END = 0x2C, 0x21, 0x3B
_CONTROL, _APPLICATION = 0xF9, 0xFF
_LOOPS: Final = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def strip_gif(data: bytes) -> bytes:
    """The same picture, all of its frames, without metadata. PictureRefused when it is no whole GIF file."""
    if data[:6] not in {b"GIF87a", b"GIF89a"} or len(data) < 13:
        raise PictureRefused("it is no GIF picture")
    place = 13 + _colours(data[10])
    kept = [data[:place]]
    while True:
        if place >= len(data):
            raise _damaged()
        kind = data[place]
        if kind == _END:
            return b"".join([*kept, b"\x3b"])
        if kind == _FRAME:
            begin, place = place, place + 10
            place += _colours(data[place - 1]) + 1 if place <= len(data) else len(data)
            _, place = _blocks(data, place)
            kept.append(data[begin:place])
        elif kind == _EXTENSION and place + 2 < len(data):
            label = data[place + 1]
            blocks, place = _blocks(data, place + 2)
            kept += _extension(label, blocks)
        else:
            raise _damaged()


def _extension(label: int, blocks: list[bytes]) -> list[bytes]:
    """What is kept of it: how long and how a frame is shown, and how often all of them."""
    if label == _CONTROL and len(blocks) == 1 and len(blocks[0]) == 4:
        return [b"\x21\xf9\x04" + blocks[0] + b"\0"]
    if label == _APPLICATION and len(blocks) >= 2 and blocks[0] in _LOOPS:
        loop = blocks[1]
        if len(loop) == 3 and loop[0] == 1:
            return [b"\x21\xff\x0b" + blocks[0] + b"\x03" + loop + b"\0"]
    return []


def _blocks(data: bytes, place: int) -> tuple[list[bytes], int]:
    """The sub-blocks that begin there, and where what follows them begins."""
    found: list[bytes] = []
    while place < len(data) and data[place]:
        size = data[place]
        found.append(data[place + 1 : place + 1 + size])
        place += 1 + size
    if place >= len(data):
        raise _damaged()
    return found, place + 1


def _colours(packed: int) -> int:
    """How many bytes the table of colours takes that these flags announce."""
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _damaged() -> PictureRefused:
    return PictureRefused("it is no whole GIF picture")
