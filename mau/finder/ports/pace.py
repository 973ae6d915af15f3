"""When a router is asked next. Pure: seconds from now."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: between looks at the routes, between looks at a mapping, and of waiting after failures."""

    look: float = 5.0
    check: float = 60.0
    retry: float = 15.0
    longest: float = 1800.0
    shortest: float = 4.0

    def after_failures(self, failures: int) -> float:
        """How long nothing is asked after so many failures in a row: twice as long after each."""
        return float(min(self.retry * 2 ** min(max(failures - 1, 0), 20), self.longest))

    def while_mapped(self, left: float) -> float:
        """When a mapping is looked at again whose lease has ``left`` seconds: half of that, or sooner.

        Never sooner than after four seconds (RFC 6887 section 11.2.1), whatever a router grants.
        """
        return max(min(self.check, left / 2), self.shortest)

    def unanswered(self, left: float) -> float:
        """When a router is asked again that did not answer while it maps."""
        return max(min(self.retry, left / 2), self.shortest)

    @staticmethod
    def is_due(left: float, granted: float) -> bool:
        """Whether to renew: half of what was granted is gone, or nearly; never what has no end."""
        return left < inf and left <= granted / 2 + 1.0
