"""Spans of time as people say them: ``--since`` and ``--until``."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta

from mau.duration import parse_duration
from mau.errors import UsageError

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_WAYS = "2026-11-20, 2026-11-20T18:30, today, yesterday, or how long ago: 90m, 8h, 3d"


def parse_since(text: str, now: float | None = None) -> int:
    """The beginning of a span, in unix seconds: a day begins at midnight where we are. UsageError."""
    return _parse(text, now, after=False)


def parse_until(text: str, now: float | None = None) -> int:
    """The end of a span, which is no longer in it: that of a day is the midnight after it. UsageError."""
    return _parse(text, now, after=True)


def _parse(text: str, now: float | None, *, after: bool) -> int:
    moment = time.time() if now is None else now
    word = text.strip().lower()
    try:
        if word in {"today", "yesterday"}:
            there = datetime.fromtimestamp(moment) - timedelta(days=word == "yesterday")
            word = f"{there:%Y-%m-%d}"
        if _DAY.fullmatch(word):
            return int((datetime.fromisoformat(word) + timedelta(days=after)).timestamp())
        if word[:4].isdecimal() and "-" in word:
            return int(datetime.fromisoformat(text.strip()).timestamp())
        return int(moment - parse_duration(word))
    except (UsageError, ValueError, OverflowError, OSError):
        raise UsageError(f"{text!r:.80} is no time; say {_WAYS}") from None
