"""When a worker that failed is started again: exponential backoff with jitter. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Schedule:
    """All in seconds.

    The first failure waits `first` or somewhat less, each one after it twice as long as the one before, and
    `most` at the longest. Who ran for `well` before he failed has begun anew.
    """

    first: float = 1.0
    most: float = 300.0
    well: float = 60.0

    def failures(self, before: int, ran: float) -> int:
        """How many failures in a row there are now, after a run of that length; `before` that: so many."""
        return 1 if ran >= self.well else before + 1

    def delay(self, failures: int, chance: float) -> float:
        """How long to wait after so many failures in a row (1 or more).

        `chance`, from 0 up to 1, takes off up to a half, so that those who fail together do not all come back
        together.
        """
        doublings = min(failures - 1, 64)  # beyond that it is `most` anyway
        whole = min(self.first * 2.0**doublings, self.most)
        return whole * (1 - chance / 2)
