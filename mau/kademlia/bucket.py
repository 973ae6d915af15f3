"""The nodes of one range of fingerprints, the one that was seen longest ago first (spec/kademlia.md D4-D12).

A bucket of the kademlia package, corrected: its entries are fingerprints at addresses, it knows when each was
proven, and that it is full is no way to push anybody out. Times are seconds, and arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import kademlia.routing

from mau.hostport import prefixes
from mau.kademlia.caps import Caps
from mau.kademlia.node import Node

K: Final = 20
"""Nodes of a bucket, of an answer, and around a target."""
SPARES: Final = 1
"""Those who wait for a place, in bucketfuls."""
ADDRESSES: Final = 2
"""Addresses of one person."""
GIVE_UP: Final = 5
"""Failures in a row after which a node goes though nobody waits for its place."""


@dataclass(frozen=True, slots=True)
class Failures:
    """How often a node failed in a row, and when it did last."""

    count: int
    last: float


class Bucket(kademlia.routing.KBucket):
    """At most `K` nodes that were proven once, and some who wait. Both ends of `range` belong to it."""

    range: tuple[int, int]
    nodes: dict[bytes, Node]
    replacement_nodes: dict[bytes, Node]

    def __init__(self, low: int, high: int, size: int = K) -> None:
        super().__init__(low, high, size, SPARES)
        self.nodes, self.replacement_nodes = {}, {}
        self.proven: dict[bytes, float] = {}
        """When each was proven last. All in `nodes` were; of those who wait, not all."""
        self.failures: dict[bytes, Failures] = {}
        """Of those in `nodes` that failed since then."""
        self.looked = self.checked = float("-inf")
        """When somebody of this range was looked for, and when one of its nodes was checked."""

    def touch_last_updated(self) -> None:
        """The package asks the clock here; this one does not."""

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes.values())

    @property
    def full(self) -> bool:
        """Whether a newcomer needs somebody's place."""
        return len(self.nodes) >= int(self.ksize)

    def halves(self) -> tuple[Bucket, Bucket]:
        """Two buckets of the same nodes, each with half of the range."""
        low, high = self.range
        middle = (low + high) // 2
        halves = Bucket(low, middle, self.ksize), Bucket(middle + 1, high, self.ksize)
        for key, node in self.nodes.items():
            halves[node.long_id > middle].nodes[key] = node
        for key, node in self.replacement_nodes.items():
            halves[node.long_id > middle].replacement_nodes[key] = node
        for half in halves:
            known = half.nodes.keys() | half.replacement_nodes.keys()
            half.proven = {key: when for key, when in self.proven.items() if key in known}
            half.failures = {key: count for key, count in self.failures.items() if key in known}
            half.looked, half.checked = self.looked, self.checked
        return halves

    def refresh(self, node: Node, now: float) -> bool:
        """Note that one who has a place was proven, whose turn comes last then; False for anybody else."""
        if node.id not in self.nodes:
            return False
        del self.nodes[node.id]
        self.place(node, now)
        self.failures.pop(node.id, None)
        return True

    def place(self, node: Node, now: float) -> None:
        """Give a proven node a place."""
        self.replacement_nodes.pop(node.id, None)
        self.nodes[node.id] = node
        self.proven[node.id] = now

    def wait(self, node: Node, now: float | None, caps: Caps) -> None:
        """Note one who waits for a place; ``now``: when it was proven, None when it never was.

        Of too many the oldest goes, one that was proven only for one that was, too.
        """
        waiting = self.replacement_nodes
        if waiting.pop(node.id, None) is None and not room_among(waiting.values(), node, caps):
            return
        if len(waiting) >= self.max_replacement_nodes:
            unproven = (one for one in waiting.values() if one.id not in self.proven)
            gone = next(unproven, None if now is None else next(iter(waiting.values())))
            if gone is None:
                return
            self.remove(gone)
        waiting[node.id] = node
        if now is not None:
            self.proven[node.id] = now

    def successor(self) -> Node | None:
        """Who waits and was proven last."""
        waiting = [one for one in self.replacement_nodes.values() if one.id in self.proven]
        return max(waiting, key=lambda one: self.proven[one.id], default=None)

    def gives_way(self, node: Node) -> Node | None:
        """Whose place a proven newcomer takes: his own other address; in a full bucket, of who fails."""
        same = [one for one in self if one.long_id == node.long_id]
        if len(same) >= ADDRESSES:
            return min(same, key=lambda one: (-self._failed(one), self.proven[one.id]))
        if not self.full:
            return None
        return max((one for one in self if one.id in self.failures), key=self._failed, default=None)

    def fail(self, node: Node, now: float) -> bool:
        """Count a failure of one who has a place; whether it should go."""
        count = self._failed(node) + 1
        self.failures[node.id] = Failures(count, now)
        return count >= GIVE_UP

    def remove(self, node: Node) -> None:
        """Forget a node."""
        for known in (self.nodes, self.replacement_nodes, self.proven, self.failures):
            known.pop(node.id, None)

    def _failed(self, node: Node) -> int:
        failures = self.failures.get(node.id)
        return failures.count if failures else 0


def room_among(nodes: Iterable[Node], node: Node, caps: Caps) -> bool:
    """Whether one more of that node's networks may be among those of a bucket."""
    if not caps.counts(node.host):
        return True
    mine = prefixes(node.ip)
    narrow = wide = 0
    for one in nodes:
        theirs = prefixes(one.ip)
        if theirs[1] == mine[1]:
            wide += 1
            narrow += theirs[0] == mine[0]
    return narrow < caps.narrow_in_bucket and wide < caps.wide_in_bucket
