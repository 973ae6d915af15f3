"""Whether a router forgot what it mapped: both protocols send the seconds since it began to remember. Pure.

Times are this machine's steady clock, in seconds; epochs are the router's, as received.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Epoch:
    """What an answer said, and when it came."""

    said: int
    heard: float

    def forgot(self, later: Epoch) -> bool:
        """RFC 6887 section 8.5: whether the router lost its state between this answer and a later one.

        Its clock may run by a sixteenth faster or slower than ours, and answers may be two seconds late.
        """
        if later.said < self.said - 1:
            return True
        ours = later.heard - self.heard
        theirs = later.said - self.said
        return ours + 2 < theirs - theirs / 16 or theirs + 2 < ours - ours / 16

    def forgot_natpmp(self, later: Epoch) -> bool:
        """RFC 6886 section 3.6: as `forgot`, where only a clock that fell behind says so."""
        ours = later.heard - self.heard
        return later.said + 2 < self.said + ours * 7 / 8
