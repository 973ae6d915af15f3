"""Where paths begin: at the seeds, then at what early answers named (spec/kademlia.md D27)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain, zip_longest

from mau.kademlia.node import Node

Root = tuple[Node, int, bool]
"""A node, how many answers lie before it, and whether the first of them is of somebody we chose."""


@dataclass(slots=True)
class _Answer:
    nodes: list[Node]
    depth: int
    trusted: bool
    used: int = 0

    @property
    def rank(self) -> tuple[int, int]:
        """The least is used first: each answer alike often, but the earlier the oftener."""
        return self.used + self.depth - self.trusted, self.depth


class Roots:
    """Beginnings, in the order in which they are to be used.

    The nearest node of the table comes first, then a friend, then the next of the table, and so on: a table
    full of liars costs half of the beginnings. When seeds are used up, answers take turns, so that no liar's
    names crowd out what others named.
    """

    def __init__(self, goal: int, seeds: Iterable[Node], friends: Iterable[Node]) -> None:
        self._goal = goal
        seeds, friends = list(seeds), list(friends)
        both = ([(node, False) for node in seeds], [(node, True) for node in friends])
        self._first = [one for one in chain.from_iterable(zip_longest(*both)) if one is not None]
        self._first.reverse()
        self._answers: list[_Answer] = []

    def told(self, nodes: list[Node], depth: int, *, trusted: bool) -> None:
        """An answer at a depth of a path named these."""
        nearest = sorted(nodes, key=lambda node: node.long_id ^ self._goal, reverse=True)
        self._answers.append(_Answer(nearest, depth, trusted))

    def next(self, usable: Callable[[Node], bool]) -> Root | None:
        """The next beginning of which ``usable`` says yes; None when there is none left."""
        while self._first:
            node, trusted = self._first.pop()
            if usable(node):
                return node, 0, trusted
        while self._answers:
            answer = min(self._answers, key=lambda one: one.rank)
            while answer.nodes:
                node = answer.nodes.pop()
                if usable(node):
                    answer.used += 1
                    return node, answer.depth + 1, answer.trusted
            self._answers.remove(answer)
        return None
