"""The time that never goes back: what orders all changes of the tree (spec/index.md I6, I7).

A clock is a number of microseconds since 1970. Every change gets its own, higher than every one before, and
as late as the system's clock says or later. So it is an order without ties, and a date for people.
"""

from __future__ import annotations

from typing import Final

_PER_SECOND: Final = 1_000_000
_HIGHEST: Final = (1 << 63) - 1


def following(last: int, now_ns: int) -> int:
    """The clock of a change now, when the one before had `last`."""
    return min(max(now_ns // 1000, last + 1), _HIGHEST)


def seconds_of(clock: int) -> int:
    """In whole Unix seconds, for ``Last-Modified``."""
    return clock // _PER_SECOND


def clock_at(seconds: int) -> int:
    """The position before everything that changed in that second or later, for ``If-Modified-Since``."""
    return max(min(seconds * _PER_SECOND, _HIGHEST) - 1, 0)
