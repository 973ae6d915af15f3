"""What a peer's answers were worth. It orders, and decides nothing (spec/kademlia.md D19)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Score:
    """`useful`: nodes it named that were there; `lies`: addresses of the target that were not its own."""

    useful: int = 0
    lies: int = 0

    @property
    def worth(self) -> int:
        """The more the better. A lie may be an old truth, so one weighs little beside what was useful."""
        return min(self.useful, 20) - 4 * min(self.lies, 20)

    def add(self, other: Score) -> None:
        """Count what another lookup found."""
        self.useful += other.useful
        self.lies += other.lies
