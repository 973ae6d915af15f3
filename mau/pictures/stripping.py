"""Pictures without what they say about their making: place, time, camera, texts (attachments.md AT20). Pure.

Nothing is decoded: what decoders do not need is left out, so not a pixel changes, and an animation stays one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mau.errors import PictureRefused
from mau.pictures.gif import strip_gif
from mau.pictures.jpeg import strip_jpeg
from mau.pictures.png import strip_png
from mau.pictures.webp import strip_webp

_STRIP: Final[dict[str, Callable[[bytes], bytes]]] = {
    "image/jpeg": strip_jpeg,
    "image/png": strip_png,
    "image/gif": strip_gif,
    "image/webp": strip_webp,
}


def strip(data: bytes, encoding: str) -> bytes:
    """The same picture without metadata; stripping it again changes nothing. PictureRefused."""
    if encoding not in _STRIP:
        raise PictureRefused(f"nothing is known of what {encoding} says about its making")
    return _STRIP[encoding](data)
