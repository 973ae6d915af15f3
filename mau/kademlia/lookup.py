"""Looking for a person among strangers, some of whom lie (spec/kademlia.md D23-D33).

Several paths that share no node (S/Kademlia, section 4.4), so that who lies on one of them says nothing on
the others. It asks nobody itself. Whoever drives it asks those that `queries` names and reports what came of
each, and tries the addresses that `found` names, over a connection on which the target proves itself. It is
`done` when the target did, or when nobody is left to ask.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from heapq import nsmallest
from typing import Final

from mau.fingerprint import Fingerprint
from mau.hostport import Address
from mau.kademlia.bucket import K
from mau.kademlia.candidates import PER_ANSWER, Candidates
from mau.kademlia.caps import Caps, Crowd
from mau.kademlia.node import Node, position
from mau.kademlia.path import Path
from mau.kademlia.roots import Roots
from mau.kademlia.score import Score
from mau.kademlia.telling import told

PATHS: Final = 8
"""Paths at a time (d of S/Kademlia), each with one question under way."""
FIRST: Final = 2
"""Paths to begin with: more come when one of them disappoints."""
MOST: Final = 160
"""Nodes asked in one lookup."""
BEGINNINGS: Final = 24
"""Paths that are begun in one lookup."""
PER_ADDRESS: Final = 2
"""How often one host and port are asked, whoever is said to be there."""
PER_PERSON: Final = 3
"""Addresses at which one person is asked."""


class Lookup:
    """One lookup. `proven`: the target where it proved itself; `scores`: what answers were worth."""

    def __init__(
        self,
        target: Fingerprint,
        seeds: Iterable[Node],
        *,
        friends: Iterable[Node] = (),
        own: Fingerprint | None = None,
        avoid: Iterable[Address] = (),
        caps: Caps | None = None,
        k: int = K,
        paths: int = PATHS,
        beginnings: int = BEGINNINGS,
        most: int = MOST,
    ) -> None:
        """``seeds``: of the table, the best first; ``friends``: others to begin at, friends above all.

        ``own`` and ``avoid``: who we are and where, so that we are not sent to ourselves. ``paths``: how many
        at a time; ``beginnings``: in all, fewer for somebody often looked for in vain; ``most``: nodes asked.
        """
        self.target = target
        self.proven: Node | None = None
        self.scores: dict[Fingerprint, Score] = {}
        self.asked = 0
        self._goal = position(target)
        self._own = own
        self._k, self._most, self._paths_at_once, self._beginnings = k, most, paths, beginnings
        self._width = min(FIRST, paths)
        self._candidates = Candidates()
        self._paths: list[Path] = []
        self._begun = 0
        self._waiting: dict[bytes, Path] = {}
        self._exhausted = False
        self._answered: dict[Fingerprint, Node] = {}
        self._teller: dict[bytes, Node] = {}
        self._tries: Counter[object] = Counter(dict.fromkeys(avoid, PER_ADDRESS))
        caps = caps or Caps()
        self._crowd = Crowd(caps, caps.narrow_in_lookup, caps.wide_in_lookup)
        seeds, friends = list(seeds), list(friends)
        self._roots = Roots(self._goal, seeds, friends)
        for node in (*seeds, *friends):
            if node.fingerprint == target:
                self._claim(node, -1, None)

    # --- what to do -------------------------------------------------------------------------------------

    def queries(self) -> list[Node]:
        """Whom to ask for the target now. Each has to be reported, by `answered` or `failed`.

        Empty when nobody is left, and while an address of the target is tried that may well be the true one.
        """
        if self.done or (self._candidates.pending and not self._candidates.failures):
            return []
        asks: list[Node] = []
        for path in self._paths:
            while path.waiting is None and not path.ended and self.asked < self._most:
                node = path.next()
                if node is not None and self._may_ask(node):
                    path.waiting = node
                    asks.append(self._ask(node, path))
        self._paths = [path for path in self._paths if not path.ended]
        while len(self._paths) < self._width and self.asked < self._most and self._begun < self._beginnings:
            begin = self._roots.next(self._may_ask)
            if begin is None:
                break
            node, depth, trusted = begin
            path = Path(self._begun, node, self._goal, trusted=trusted, depth=depth)
            self._begun += 1
            self._paths.append(path)
            asks.append(self._ask(node, path))
        self._exhausted = not self._waiting and not self._candidates.pending
        return asks

    def found(self) -> list[Node]:
        """Where to try to reach the target now. Each has to be reported, by `proved` or `failed`."""
        tries: list[Node] = []
        while self.proven is None and (node := self._candidates.next()) is not None:
            self._tries[node.address] += 1
            tries.append(node)
        return tries

    # --- what came of it --------------------------------------------------------------------------------

    def answered(self, node: Node, nodes: object) -> None:
        """Who was asked proved who he is, and said that these are near (as `telling.told` reads it)."""
        path = self._waiting.pop(node.id, None)
        if path is None:
            return
        self._answered[node.fingerprint] = node
        self._credit(node)
        near: list[Node] = []
        claims = 0
        for one in told(nodes, node):
            if one.fingerprint == self.target:
                if claims < PER_ANSWER:
                    self._claim(one, path.number, node)
                claims += 1
            elif one.fingerprint not in (self._own, node.fingerprint):
                self._teller.setdefault(one.id, node)
                near.append(one)
        self._roots.told(near, path.depth, trusted=path.trusted)
        if not path.answered(near):
            self._widen(1)

    def failed(self, node: Node) -> None:
        """Nobody answered there, or somebody else did."""
        if node.fingerprint == self.target:
            if self._candidates.failed(node):
                self._widen(self._paths_at_once)
            return
        path = self._waiting.pop(node.id, None)
        if path is not None:
            path.failed()
            self._widen(1)

    def proved(self, node: Node) -> None:
        """The target proved itself there: that is the end."""
        if node.fingerprint == self.target and self.proven is None:
            self.proven = node
            true, false = self._candidates.judged(node)
            for teller in true:
                self._score(teller).useful += 1
            for teller in false:
                self._score(teller).lies += 1

    # --- how it stands ----------------------------------------------------------------------------------

    @property
    def done(self) -> bool:
        """Whether the target is proven, or there is nobody left to ask and nowhere to try."""
        return self.proven is not None or (
            self._exhausted and not self._waiting and not self._candidates.pending
        )

    @property
    def closest(self) -> list[Node]:
        """The nearest of those who answered, at most k."""
        return nsmallest(self._k, self._answered.values(), key=lambda node: node.long_id ^ self._goal)

    @property
    def answers(self) -> list[Node]:
        """Everybody who answered, in order: they are proven, and the table should know."""
        return list(self._answered.values())

    # --- inside -----------------------------------------------------------------------------------------

    def _may_ask(self, node: Node) -> bool:
        return (
            node.fingerprint not in self._answered
            and node.fingerprint not in (self.target, self._own)
            and self._tries[node.id] == 0
            and self._tries[node.address] < PER_ADDRESS
            and self._tries[node.fingerprint] < PER_PERSON
            and self._crowd.room(node.host)
        )

    def _ask(self, node: Node, path: Path) -> Node:
        self.asked += 1
        self._tries.update((node.id, node.address, node.fingerprint))
        self._crowd.add(node.host)
        self._waiting[node.id] = path
        if self._tries[node.address] >= PER_ADDRESS:
            self._candidates.forget(node.address)
        return node

    def _claim(self, node: Node, path: int, teller: Node | None) -> None:
        if self.target != self._own and self._tries[node.address] < PER_ADDRESS:
            self._candidates.claim(node, path, teller)

    def _widen(self, more: int) -> None:
        self._width = min(self._width + more, self._paths_at_once)

    def _credit(self, node: Node) -> None:
        teller = self._teller.get(node.id)
        if teller is not None:
            self._score(teller).useful += 1

    def _score(self, node: Node) -> Score:
        return self.scores.setdefault(node.fingerprint, Score())
