"""How much a process that decodes a picture may use, and what its answer may be. Pure.

Numbers that were measured stand in spec/attachments.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_HEAD: Final = 4096
"""Bytes of the line that an answer begins with."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`memory` in bytes of address space, `cpu` and `wall` in seconds, `answer` and `file` in bytes."""

    pixels: int
    memory: int
    cpu: int
    wall: int
    file: int
    answer: int


OWN: Final = Limits(pixels=120_000_000, memory=2 << 30, cpu=60, wall=180, file=256 << 20, answer=260 << 20)
"""For pictures that the owner of the tree attaches."""
FOREIGN: Final = Limits(pixels=40_000_000, memory=512 << 20, cpu=5, wall=20, file=64 << 20, answer=16 << 20)
"""For pictures that anybody may have made."""
LISTED: Final = Limits(pixels=16_000_000, memory=256 << 20, cpu=2, wall=8, file=8 << 20, answer=4 << 20)
"""For one of many of them: thumbnails in a list."""
MAX_LISTED: Final = 20.0
"""Seconds that all pictures of a list take together; the rest of them is told in words."""
