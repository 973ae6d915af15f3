"""A link as a QR code (ISO/IEC 18004) in the characters of a terminal. Pure."""

from __future__ import annotations

from typing import Final

import segno

WIDTH: Final = 80
"""Columns that every terminal has."""
_BORDER: Final = 4  # modules; what the standard asks for
_HALVES: Final = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}


def qr_lines(text: str, *, inked: bool) -> list[str]:
    """The code, two modules in each character, one above the other; every line as long as the others.

    ``inked``: the dark modules are drawn, for black on white; else the light ones, for a terminal that writes
    light on dark. The border is part of it.
    """
    code = segno.make_qr(text, error="l", boost_error=False)
    dark = 1 if inked else 0
    rows = [[int(bool(one) == bool(dark)) for one in row] for row in code.matrix_iter(border=_BORDER)]
    if len(rows) % 2:
        rows.append([int(not inked)] * len(rows[0]))
    return [
        "".join(_HALVES[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]
