"""What is wrong, why it matters, what to do about it. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Subject = Literal["clock", "permissions", "disk", "network", "keys", "system", "settings"]

HOUR = 3600
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be: a sentence each."""

    subject: Subject
    what: str
    why: str
    todo: str


def span(seconds: float) -> str:
    """A length of time as people say it."""
    seconds = abs(seconds)
    if seconds < 2 * HOUR:
        return f"{round(seconds / 60)} minutes"
    return f"{round(seconds / HOUR)} hours" if seconds < 2 * DAY else f"{round(seconds / DAY)} days"
