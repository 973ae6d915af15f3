"""Addresses that others say are those of the one who is looked for (spec/kademlia.md D28-D30)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from mau.kademlia.caps import prefixes
from mau.kademlia.node import Node

MOST: Final = 16
"""Addresses that are tried in one lookup."""
AT_ONCE: Final = 3
PER_ANSWER: Final = 2
"""Addresses of the target that count in one answer."""


@dataclass(slots=True)
class _Claim:
    node: Node
    order: int
    paths: set[int] = field(default_factory=set)
    networks: set[str] = field(default_factory=set)
    tellers: list[Node] = field(default_factory=list)

    @property
    def rank(self) -> tuple[int, int, int]:
        """The least is tried first: what more paths say, which share no node, then more networks."""
        return -len(self.paths), -len(self.networks), self.order


class Candidates:
    """Claims of where the target is, each tried at most once."""

    def __init__(self) -> None:
        self._claims: dict[bytes, _Claim] = {}
        self._waiting: dict[bytes, _Claim] = {}
        self.trying: set[bytes] = set()
        self.tried = 0
        self.failures = 0

    @property
    def pending(self) -> bool:
        """Whether one is being tried, or could be."""
        return bool(self.trying) or self._may_try()

    def claim(self, node: Node, path: int, teller: Node | None) -> None:
        """Somebody asked on a path says that the target is there; None: our own table says so."""
        claim = self._claims.get(node.id)
        if claim is None:
            claim = self._claims[node.id] = self._waiting[node.id] = _Claim(node, len(self._claims))
        claim.paths.add(path)
        if teller is not None:
            claim.networks.add(prefixes(teller.host)[1])
            claim.tellers.append(teller)

    def next(self) -> Node | None:
        """The best that was not tried yet, unless enough are being tried."""
        if not self._may_try() or len(self.trying) >= AT_ONCE:
            return None
        best = min(self._waiting.values(), key=lambda claim: claim.rank)
        del self._waiting[best.node.id]
        self.trying.add(best.node.id)
        self.tried += 1
        return best.node

    def failed(self, node: Node) -> list[Node]:
        """Nobody, or somebody else, is there; who said so."""
        if node.id not in self.trying:
            return []
        self.trying.discard(node.id)
        self.failures += 1
        return self._claims[node.id].tellers

    def tellers(self, node: Node) -> list[Node]:
        """Who named this address."""
        claim = self._claims.get(node.id)
        return claim.tellers if claim else []

    def _may_try(self) -> bool:
        return bool(self._waiting) and self.tried < MOST
