"""The routing table: which nodes are known, near our own fingerprint all of them (spec/kademlia.md D4-D18).

The table of the kademlia package, corrected. It holds hints: what it says is worth a try, and nothing more.
Times are seconds, and arguments. It asks nobody: what should be asked, `upkeep` says.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import nsmallest
from typing import Final

import kademlia.routing

from mau.fingerprint import Fingerprint
from mau.hostport import believable
from mau.kademlia.bucket import Bucket, K, room_among
from mau.kademlia.caps import Caps, Crowd
from mau.kademlia.node import Node, position
from mau.kademlia.score import Score

STALE: Final = 3600.0
"""After which somebody in a bucket's range is looked for."""
TOLD: Final = 3 * 3600.0
"""For how long after its proof a node is told to others."""
PROVE_AGAIN: Final = 2 * 3600.0
"""After which a node is proven again, so that it can be told on."""
BETWEEN_CHECKS: Final = 60.0
"""Between two checks in one bucket, whatever comes."""


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What the table needs: fingerprints to look up, and nodes to ask for a sign of life."""

    refresh: tuple[Fingerprint, ...]
    ping: tuple[Node, ...]


class RoutingTable(kademlia.routing.RoutingTable):
    """All nodes that are known, in buckets that are narrow near our own fingerprint."""

    buckets: list[Bucket]

    def __init__(self, own: Fingerprint, *, caps: Caps | None = None, size: int = K) -> None:
        self.own = own
        self.caps = caps or Caps()
        self._place = position(own)
        self._crowd = Crowd(self.caps, self.caps.narrow_in_table, self.caps.wide_in_table)
        self._scores: dict[int, Score] = {}
        super().__init__(None, size, Node(own, "", 0))

    @classmethod
    def rebuilt(
        cls, own: Fingerprint, entries: Iterable[tuple[Node, float]], *, caps: Caps | None = None
    ) -> RoutingTable:
        """A table of nodes and when each was proven last, as the address book keeps them."""
        table = cls(own, caps=caps)
        for node, proven in sorted(entries, key=lambda entry: entry[1]):
            table.seen(node, proven)
        return table

    def flush(self) -> None:
        """Forget every node."""
        self.buckets = [Bucket(0, 2**160 - 1, self.ksize)]
        self._crowd = Crowd(self.caps, self.caps.narrow_in_table, self.caps.wide_in_table)
        self._scores.clear()

    def split_bucket(self, index: int) -> None:
        """Put two buckets in the place of one."""
        self.buckets[index : index + 1] = self.buckets[index].halves()

    def get_bucket_for(self, node: kademlia.node.Node) -> int:
        """The index of the bucket in whose range a node is."""
        return self._index(node.long_id)

    def __len__(self) -> int:
        return sum(len(bucket.nodes) for bucket in self.buckets)

    def __iter__(self) -> Iterator[Node]:
        for bucket in self.buckets:
            yield from bucket

    def __contains__(self, node: object) -> bool:
        return isinstance(node, Node) and node.id in self.buckets[self.get_bucket_for(node)].nodes

    # --- what happened ----------------------------------------------------------------------------------

    def seen(self, node: Node, now: float) -> bool:
        """A node was proven at its address by a connection that we made; whether it has a place now."""
        if node.long_id == self._place:
            return False
        if self.buckets[self.get_bucket_for(node)].refresh(node, now):
            return True
        return self._take_in(node, now)

    def heard(self, node: Node) -> None:
        """Somebody says that a node is there. It waits to be checked where there is a place for it."""
        bucket = self.buckets[self.get_bucket_for(node)]
        if node.long_id == self._place or any(one.long_id == node.long_id for one in bucket):
            return
        if node.id not in bucket.replacement_nodes:
            bucket.wait(node, None, self.caps)

    def failed(self, node: Node, now: float) -> None:
        """A node was not reached at its address, or somebody else is there.

        Who waits for a place gets it; else the node stays for some more failures, but is named no more.
        """
        bucket = self.buckets[self.get_bucket_for(node)]
        if node.id not in bucket.nodes:
            bucket.remove(node)
            return
        gone = bucket.fail(node, now)
        successor = bucket.successor()
        if gone or (successor is not None and self._room(bucket, successor, node)):
            self._remove(bucket, node)
            if successor is not None and self._room(bucket, successor):
                self._put(bucket, successor, bucket.proven[successor.id])

    def looked_up(self, target: Fingerprint, now: float) -> None:
        """Somebody was looked for: the bucket of his range is fresh."""
        self.buckets[self._index(position(target))].looked = now

    def scored(self, scores: Mapping[Fingerprint, Score]) -> None:
        """Note what answers were worth; of those only who have a place here."""
        for fingerprint, score in scores.items():
            place = position(fingerprint)
            if any(one.long_id == place for one in self.buckets[self._index(place)]):
                self._scores.setdefault(place, Score()).add(score)

    # --- what is asked of it ----------------------------------------------------------------------------

    def nearest(self, target: Fingerprint, n: int = K, *, proven_since: float | None = None) -> list[Node]:
        """Up to ``n`` nodes nearest to a fingerprint, the nearest first, the target's own among them.

        Who failed since the last proof is left out. ``proven_since``: only who was proven then or later.
        """
        goal = position(target)
        found: list[Node] = []
        for bucket in self._by_distance(goal):
            if len(found) >= n:
                break
            proven, failures = bucket.proven, bucket.failures
            found += nsmallest(
                n - len(found),
                [
                    node
                    for key, node in bucket.nodes.items()
                    if key not in failures and (proven_since is None or proven.get(key, -1.0) >= proven_since)
                ],
                key=lambda node: node.long_id ^ goal,
            )
        return found

    def answer(self, target: Fingerprint, asker: str, now: float, known: Iterable[Node] = ()) -> list[Node]:
        """What somebody at the host ``asker`` is told: nodes proven lately, in networks that he can reach.

        ``known``: where the target itself was proven within `TOLD`, whether or not it has a place here.
        It asks those in its own table for signs of life, so they know it, however full their buckets are.
        """
        found = dict.fromkeys(known)
        found |= dict.fromkeys(self.nearest(target, 2 * self.ksize, proven_since=now - TOLD))
        return [node for node in found if believable(node.host, asker)][: self.ksize]

    def seeds(self, target: Fingerprint, n: int = K) -> list[Node]:
        """Whom to ask first for a fingerprint: the nearest, those who told lies after all others."""
        return sorted(self.nearest(target, n), key=lambda node: self._worth(node) < 0)

    def upkeep(self, now: float, chance: random.Random) -> Upkeep:
        """What is to be done now. A bucket of which a node is named here names none for the next minute.

        ``chance`` picks whom to look up in a range where nobody was looked for in the last hour; near our own
        fingerprint, that is ourselves, first of all.
        """
        refresh, ping = [], []
        for bucket in self._by_distance(self._place):
            low, high = bucket.range
            if now - bucket.looked >= STALE:
                place = self._place if low <= self._place <= high else chance.randint(low, high)
                refresh.append(Fingerprint(place.to_bytes(20, "big")))
            if now - bucket.checked >= BETWEEN_CHECKS:
                node = self._to_check(bucket, now)
                if node is not None:
                    bucket.checked = now
                    ping.append(node)
        return Upkeep(tuple(refresh), tuple(ping))

    def find_neighbors(
        self, node: kademlia.node.Node, k: int | None = None, exclude: kademlia.node.Node | None = None
    ) -> list[Node]:
        """`nearest`, under the name and with the words of the package."""
        target = Fingerprint(node.long_id.to_bytes(20, "big"))
        found = self.nearest(target, (k or self.ksize) + (exclude is not None))
        return [one for one in found if exclude is None or not one.same_home_as(exclude)][: k or self.ksize]

    # --- inside -----------------------------------------------------------------------------------------

    def _index(self, place: int) -> int:
        return bisect_left(self.buckets, place, key=lambda bucket: bucket.range[1])

    def _take_in(self, node: Node, now: float) -> bool:
        index = self.get_bucket_for(node)
        while (bucket := self.buckets[index]).full and self._may_split(bucket):
            self.split_bucket(index)
            index = self.get_bucket_for(node)
        loser = bucket.gives_way(node)
        if bucket.full and loser is None:
            bucket.wait(node, now, self.caps)
            return False
        if not self._room(bucket, node, loser):
            return False
        if loser is not None:
            self._remove(bucket, loser)
        self._put(bucket, node, now)
        return True

    def _may_split(self, bucket: Bucket) -> bool:
        """Whether it is our own, or among the nearest to it that hold the `K` nodes nearest to us."""
        low, high = bucket.range
        if low <= self._place <= high:
            return low < high
        distance = _least(bucket, self._place)
        nearer = sum(len(one.nodes) for one in self.buckets if _least(one, self._place) < distance)
        return nearer < int(self.ksize)

    def _by_distance(self, goal: int) -> list[Bucket]:
        """The buckets, the one whose range is nearest to a place first. Their distances do not overlap."""
        return sorted(self.buckets, key=lambda bucket: _least(bucket, goal))

    def _room(self, bucket: Bucket, node: Node, instead: Node | None = None) -> bool:
        """Whether the networks of a node leave room for it, when it comes in another one's place."""
        if instead is not None:
            self._crowd.drop(instead.host)
        room = self._crowd.room(node.host) and room_among(
            (one for one in bucket if one is not instead), node, self.caps
        )
        if instead is not None:
            self._crowd.add(instead.host)
        return room

    def _put(self, bucket: Bucket, node: Node, now: float) -> None:
        bucket.place(node, now)
        self._crowd.add(node.host)

    def _remove(self, bucket: Bucket, node: Node) -> None:
        bucket.remove(node)
        self._crowd.drop(node.host)
        self._scores.pop(node.long_id, None)

    def _worth(self, node: Node) -> int:
        score = self._scores.get(node.long_id)
        return score.worth if score else 0

    def _to_check(self, bucket: Bucket, now: float) -> Node | None:
        """Who waits unproven while there is room; else the oldest, if it is due or its place is wanted."""
        if not bucket.full:
            for node in bucket.replacement_nodes.values():
                if node.id not in bucket.proven:
                    return node
        wanted = PROVE_AGAIN if bucket.successor() is None else 0.0
        due = [
            node
            for node in bucket
            if now - bucket.proven[node.id] >= wanted and self._may_retry(bucket, node, now)
        ]
        return min(due, key=lambda one: (bucket.proven[one.id] // STALE, self._worth(one)), default=None)

    @staticmethod
    def _may_retry(bucket: Bucket, node: Node, now: float) -> bool:
        failures = bucket.failures.get(node.id)
        return failures is None or now - failures.last >= BETWEEN_CHECKS * 2.0**failures.count


def _least(bucket: Bucket, goal: int) -> int:
    """The least distance of a place to a bucket's range, which is all numbers with one prefix."""
    low, high = bucket.range
    return (low ^ goal) & ~(high - low)
