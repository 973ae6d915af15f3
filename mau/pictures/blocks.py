"""Pictures of half blocks: each character is two pixels, one above the other, in its two colours. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mau.pictures.pixels import Pixels

_UPPER: Final = "\u2580"
_RESET: Final = "\x1b[0m"
_LEVELS: Final = (0, 95, 135, 175, 215, 255)  # of the cube of 6 x 6 x 6 colours
_NEAREST: Final = bytes(min(range(6), key=lambda one: abs(_LEVELS[one] - value)) for value in range(256))

Colour = tuple[int, int, int]


def block_lines(pixels: Pixels, *, many_colours: bool) -> list[str]:
    """Lines of ``pixels.width`` columns, half as many as rows of pixels; in 24 bits or in 256 colours."""
    rows = _rows(pixels)
    if len(rows) % 2:
        rows.append([(0, 0, 0)] * pixels.width)
    code = _true if many_colours else _of_256
    return [_line(above, below, code) for above, below in zip(rows[::2], rows[1::2], strict=True)]


def _line(above: list[Colour], below: list[Colour], code: Callable[[Colour], str]) -> str:
    parts: list[str] = []
    before = ("", "")
    for top, bottom in zip(above, below, strict=True):
        colours = code(top), code(bottom)
        if colours != before:
            parts.append(f"\x1b[38;{colours[0]};48;{colours[1]}m")
            before = colours
        parts.append(_UPPER)
    return "".join(parts) + _RESET


def _rows(pixels: Pixels) -> list[list[Colour]]:
    """Every pixel in RGB; what shines through lies on black."""
    data, width, channels = pixels.data, pixels.width, pixels.channels
    if channels == 4:
        flat = [
            (
                data[at] * data[at + 3] // 255,
                data[at + 1] * data[at + 3] // 255,
                data[at + 2] * data[at + 3] // 255,
            )
            for at in range(0, len(data), 4)
        ]
    else:
        flat = list(zip(data[::3], data[1::3], data[2::3], strict=True))
    return [flat[start : start + width] for start in range(0, len(flat), width)]


def _true(colour: Colour) -> str:
    return "2;{};{};{}".format(*colour)


def _of_256(colour: Colour) -> str:
    red, green, blue = (_NEAREST[value] for value in colour)
    average = sum(colour) // 3
    if max(colour) - min(colour) < 12 and 8 <= average <= 238:  # the 24 greys lie closer than the cube's
        return f"5;{232 + (average - 8 + 5) // 10 if average < 238 else 255}"
    return f"5;{16 + 36 * red + 6 * green + blue}"
