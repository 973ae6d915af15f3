"""A picture as rows of pixels: what a decoder gives, and what drawings are made of. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pixels:
    """8 bits for each of `channels`: 3 for RGB, 4 for RGBA, 1 for numbers of colours in `palette` (RGB)."""

    width: int
    height: int
    data: bytes
    channels: int
    palette: bytes = b""


def fitted(width: int, height: int, most_width: int, most_height: int) -> tuple[int, int]:
    """That size in the same proportions, as large as it fits, never larger than it is, at least 1 x 1."""
    scale = min(1.0, most_width / max(width, 1), most_height / max(height, 1))
    return max(1, round(width * scale)), max(1, round(height * scale))
