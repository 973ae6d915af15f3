"""Addresses that others say are those of the one who is looked for (spec/kademlia.md D28-D30)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from mau.hostport import Address, prefixes
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

    def failed(self, node: Node) -> bool:
        """Nobody, or somebody else, is there; whether it was being tried."""
        if node.id not in self.trying:
            return False
        self.trying.discard(node.id)
        self.failures += 1
        return True

    def forget(self, address: Address) -> None:
        """Do not try this address any more."""
        for key, claim in list(self._waiting.items()):
            if claim.node.address == address:
                del self._waiting[key]

    def judged(self, proven: Node) -> tuple[list[Node], list[Node]]:
        """Who named the address where the target is, and who only others, where it was not found."""
        true = self._claims[proven.id].tellers if proven.id in self._claims else []
        tried = [claim for key, claim in self._claims.items() if key not in self._waiting]
        false = [teller for claim in tried if claim.node != proven for teller in claim.tellers]
        return true, [teller for teller in false if teller not in true]

    def _may_try(self) -> bool:
        return bool(self._waiting) and self.tried < MOST
