"""One of several ways to a target: only what was said on it is followed on it (spec/kademlia.md D24-D26)."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Final

from mau.kademlia.node import Node

STALLS: Final = 3
"""Answers in a row that named nobody nearer: then the path is where it leads."""
SILENT: Final = 6
"""Nodes in a row that did not answer."""
LONGEST: Final = 12
"""Answers on one path: however near liars say the next one is, it ends."""


class Path:
    """What is known on the way, the nearest first. `waiting`: who is being asked."""

    def __init__(self, number: int, root: Node, goal: int, *, trusted: bool, depth: int) -> None:
        self.number = number
        self.goal = goal
        self.trusted = trusted
        self.depth = depth
        self.waiting: Node | None = root
        self.answers = self.stalls = self.silent = 0
        self._nearest = root.long_id ^ goal
        self._known = {root.id}
        self._frontier: list[tuple[int, bytes, Node]] = []

    def next(self) -> Node | None:
        """The nearest who was named and not asked on this path."""
        return heappop(self._frontier)[2] if self._frontier else None

    def answered(self, nodes: Iterable[Node]) -> bool:
        """The one who was asked named these; whether one of them is nearer than all before."""
        self.waiting = None
        self.answers += 1
        self.depth += 1
        self.silent = 0
        before = self._nearest
        for node in nodes:
            if node.id not in self._known:
                self._known.add(node.id)
                distance = node.long_id ^ self.goal
                heappush(self._frontier, (distance, node.id, node))
                self._nearest = min(self._nearest, distance)
        nearer = self._nearest < before
        self.stalls = 0 if nearer else self.stalls + 1
        return nearer

    def failed(self) -> None:
        """The one who was asked did not answer, or is somebody else."""
        self.waiting = None
        self.silent += 1

    @property
    def ended(self) -> bool:
        """Whether nobody is asked on it any more."""
        return self.waiting is None and (
            not self._frontier or self.stalls >= STALLS or self.silent >= SILENT or self.answers >= LONGEST
        )
