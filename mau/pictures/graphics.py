"""Pictures for terminals that draw pixels: kitty's graphics protocol, iTerm2's, and sixel. Pure.

Each is one control sequence of ours around pixels that we encoded; no byte of the picture's file is in it.
"""

from __future__ import annotations

import re
import zlib
from base64 import standard_b64encode
from typing import Final

from mau.pictures.pixels import Pixels
from mau.pictures.png import png_of

_PIECE: Final = 4096  # characters that kitty takes at once
_BAND: Final = 6  # rows of pixels that one row of sixels has
_RUN: Final = re.compile(rb"(.)\1{3,}", re.DOTALL)


def framed(image: str, rows: int, indent: int = 0) -> list[str]:
    """Lines that make room for `rows` rows, and draw `image` there from the line after them.

    Drawing from below, after the room was made, the terminal cannot scroll while it draws; the cursor is put
    back, whatever the terminal does with it.
    """
    right = f"\x1b[{indent}C" if indent else ""
    return [*[""] * rows, f"\x1b7\x1b[{rows}A\r{right}{image}\x1b8"]


def kitty(pixels: Pixels, columns: int, rows: int) -> str:
    """Kitty's protocol: pixels packed with zlib, drawn over so many cells; nothing is answered."""
    text = standard_b64encode(zlib.compress(pixels.data)).decode("ascii")
    pieces = [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]
    size = f"s={pixels.width},v={pixels.height},c={columns},r={rows}"
    keys = [f"a=T,f={8 * pixels.channels},o=z,q=2,C=1,{size},", *[""] * (len(pieces) - 1)]
    last = len(pieces) - 1
    return "".join(
        f"\x1b_G{key}m={int(number != last)};{piece}\x1b\\"
        for number, (key, piece) in enumerate(zip(keys, pieces, strict=True))
    )


def iterm(pixels: Pixels, columns: int, rows: int) -> str:
    """ITerm2's protocol: a PNG file of ours, drawn over so many cells."""
    data = png_of(pixels.width, pixels.height, pixels.data, pixels.channels)
    size = f"size={len(data)};width={columns};height={rows};preserveAspectRatio=1"
    return f"\x1b]1337;File=inline=1;{size}:{standard_b64encode(data).decode('ascii')}\x07"


def sixel(pixels: Pixels) -> str:
    """DEC's sixels; for pixels with a palette."""
    colours = len(pixels.palette) // 3
    palette = "".join(
        "#{};2;{};{};{}".format(number, *(value * 100 // 255 for value in pixels.palette[3 * number :][:3]))
        for number in range(colours)
    )
    width = pixels.width
    rows = [pixels.data[start : start + width] for start in range(0, len(pixels.data), width)]
    bands = [_band(rows[start : start + _BAND], width) for start in range(0, len(rows), _BAND)]
    return f'\x1bP0;1q"1;1;{width};{pixels.height}{palette}' + "-".join(bands) + "\x1b\\"


def _band(rows: list[bytes], width: int) -> str:
    """Six rows: for each colour in them one row of sixels, all over each other."""
    drawn = []
    for colour in sorted(set(b"".join(rows))):
        bits = 0
        for number, row in enumerate(rows):
            table = bytearray(256)
            table[colour] = 1 << number
            bits |= int.from_bytes(row.translate(table), "big")  # no two rows share a bit
        sixels = bytes(value + 63 for value in bits.to_bytes(width, "big")).rstrip(b"?")
        drawn.append(f"#{colour}" + _RUN.sub(_repeated, sixels).decode("ascii"))
    return "$".join(drawn)


def _repeated(run: re.Match[bytes]) -> bytes:
    return b"!%d%s" % (len(run[0]), run[1])
