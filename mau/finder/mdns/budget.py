"""How much is listened to: so many at once, and so many a second in the long run. Pure; times are given."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(slots=True)
class Budget:
    """``burst`` at once, ``rate`` for each second that passes. Times in seconds; they only grow."""

    burst: float
    rate: float
    _left: float = -1.0
    _at: float = 0.0

    def take(self, now: float) -> bool:
        """Whether one more may be had now."""
        if self._left < 0:
            self._left, self._at = self.burst, now
        self._left = min(self.burst, self._left + max(0.0, now - self._at) * self.rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Budgets:
    """A budget for each of those who send, of whom at most ``most`` are remembered."""

    def __init__(self, burst: float, rate: float, most: int) -> None:
        self._burst, self._rate, self._most = burst, rate, most
        self._of: dict[Hashable, Budget] = {}

    def take(self, who: Hashable, now: float) -> bool:
        """Whether he may have one more now. Whom nobody remembers any more begins anew."""
        budget = self._of.pop(who, None) or Budget(self._burst, self._rate)
        if len(self._of) >= self._most:
            del self._of[next(iter(self._of))]
        self._of[who] = budget  # the last one is the one who sent last
        return budget.take(now)
