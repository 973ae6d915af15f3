"""Lengths of time as people write them: ``90s``, ``30m``, ``8h``, ``2d``, ``1h30m``. Pure."""

from __future__ import annotations

import re
from typing import Final

from mau.errors import UsageError

_UNITS: Final = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_DURATION: Final = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", re.ASCII)


def parse_duration(text: str) -> int:
    """Seconds, 1 or more; UsageError."""
    found = _DURATION.fullmatch(text.strip().lower())
    seconds = 0
    if found is not None:
        counts = (int(count or 0) for count in found.groups())
        seconds = sum(count * unit for count, unit in zip(counts, _UNITS.values(), strict=True))
    if seconds < 1:
        raise UsageError(f"not a length of time such as 30m, 8h or 2d: {text!r:.40}")
    return seconds


def duration_words(seconds: float) -> str:
    """The two largest units of it: ``7 h 59 min``."""
    left = max(int(seconds), 0)
    parts = []
    for name, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"
