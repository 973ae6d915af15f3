"""A network of peers in one process: our own tables, and function calls where the network would be."""

from __future__ import annotations

import ipaddress
import random
from bisect import bisect_left
from collections.abc import Sequence
from heapq import nsmallest
from typing import Final, Literal

from mau.fingerprint import Fingerprint
from mau.kademlia import Caps, Node, RoutingTable

Mode = Literal["collude", "false", "ground"]
NOW: Final = 1_000_000.0
SOMEWHERE: Final = "192.0.2.1"
OFFERED: Final = 30
"""How many peers of each range a table is offered: more than have room there."""
NETWORKS: Final = 4000
"""The /16 networks in which peers live."""
GROUND_BITS: Final = 18
"""Leading bits that a ground fingerprint shares with its target; of 10,000 others, hardly one has 14."""
LADDER: Final = 200
"""Fingerprints that hostile peers make for one target."""


class World:
    """Peers, some of them dead, some hostile. The tables of the others are made when somebody asks them.

    ``dead`` is a part of those that are not hostile, ``hostile`` one of all. Hostile peers live and answer:

    collude   whoever is looked for, with fingerprints ground for him: each nearer than the one that names it
    false     with addresses of other people for whoever is looked for, and with other hostile peers
    ground    with one another; they are ground for some ``victims``, and have been in all tables for long

    ``networks``: in how many /16 the hostile ones live; 0 for as many as all the others. Not ``settled``: all
    tables are empty to begin with.
    """

    def __init__(
        self,
        peers: int,
        seed: int,
        *,
        dead: float = 0.0,
        hostile: float = 0.0,
        mode: Mode = "collude",
        networks: int = 0,
        victims: int = 10,
        settled: bool = True,
        caps: Caps | None = None,
    ) -> None:
        self.chance = random.Random(seed)
        self.caps = caps or Caps()
        self._mode, self._seed, self._settled = mode, seed, settled
        spread = self.chance.sample(range(1 << 16), NETWORKS)
        count = round(peers * hostile)
        everybody, apart = _Hosts(self.chance, spread), _Hosts(self.chance, spread[:networks] or spread)
        self.honest = [
            Node(Fingerprint(self.chance.randbytes(20)), everybody.next(), 8080) for _ in range(peers - count)
        ]
        self.victims = self.honest[:victims] if mode == "ground" else []
        self.hostile = [
            Node(self._hostile_fingerprint(number), apart.next(), 8080) for number in range(count)
        ]
        gone = self.chance.sample(range(victims, len(self.honest)), round(len(self.honest) * dead))
        self._dead = {self.honest[number].id for number in gone}
        self.living = [node for node in self.honest if node.id not in self._dead]
        self._by_fingerprint = {node.fingerprint: node for node in self.living}
        self._there = {node.id for node in self.living + self.hostile}
        self._bad = {node.id: -1 for node in self.hostile}
        self._sorted = sorted(self.honest + self.hostile, key=lambda node: node.long_id)
        self._places = [node.long_id for node in self._sorted]
        self._tables: dict[bytes, RoutingTable] = {}
        self._made: dict[Fingerprint, list[Node]] = {}

    # --- what peers do ---------------------------------------------------------------------------------

    def ask(self, node: Node, target: Fingerprint) -> list[Node] | None:
        """The answer of who is meant, if he is there; else None."""
        if node.id in self._bad:
            return self._lie(node, target)
        if node.id not in self._there:
            return None
        return self.table(node).answer(target, SOMEWHERE, NOW, self._known_to(node, target))

    def dies(self, node: Node) -> None:
        """From now on he does not answer."""
        self._there.discard(node.id)

    def proves(self, node: Node) -> bool:
        """Whether the one with this fingerprint is at this address."""
        return node.id in self._there or node.id in self._bad

    def _known_to(self, node: Node, target: Fingerprint) -> list[Node]:
        """The target, if it has the node in its table: then it asked him for a sign of life lately."""
        other = self._by_fingerprint.get(target)
        if other is None or not self._settled or node not in self.table(other):
            return []
        return [other]

    def table(self, node: Node) -> RoutingTable:
        """The table of a peer that has been there for long: of each range it met some, in any order."""
        table = self._tables.get(node.id)
        if table is None:
            table = self._tables[node.id] = RoutingTable(node.fingerprint, caps=self.caps)
            for other in self._met(node) if self._settled else ():
                table.seen(other, NOW)
        return table

    def _met(self, node: Node) -> Sequence[Node]:
        chance = random.Random(node.long_id ^ self._seed)
        met: list[Node] = []
        for bits in range(159, -1, -1):
            low = node.long_id >> bits << bits
            first, last = self._between(low ^ 1 << bits, 1 << bits)
            met += [self._sorted[at] for at in chance.sample(range(first, last), min(OFFERED, last - first))]
            first, last = self._between(low, 1 << bits)
            if last - first <= 1:
                break
        chance.shuffle(met)
        return met

    def _between(self, low: int, size: int) -> tuple[int, int]:
        return bisect_left(self._places, low), bisect_left(self._places, low + size)

    # --- what hostile ones do ----------------------------------------------------------------------------

    def _hostile_fingerprint(self, number: int) -> Fingerprint:
        if self.victims:
            return self._near(self.victims[number % len(self.victims)].long_id, GROUND_BITS)
        return Fingerprint(self.chance.randbytes(20))

    def _near(self, place: int, bits: int) -> Fingerprint:
        rest = 160 - bits
        return Fingerprint((place >> rest << rest | self.chance.getrandbits(rest)).to_bytes(20, "big"))

    def _lie(self, node: Node, target: Fingerprint) -> list[Node]:
        made = self._made.get(target)
        if made is None:
            made = self._made[target] = self._make_for(target)
        if self._mode == "false":
            return [*self.chance.sample(made, 2), *self.chance.sample(self.hostile, 18)]
        if self._mode == "ground":
            return made
        after = self._bad[node.id] + 1
        return made[after : after + 20]

    def _make_for(self, target: Fingerprint) -> list[Node]:
        place = int.from_bytes(target.raw, "big")
        if self._mode == "false":
            return [Node(target, other.host, 8081) for other in self.chance.sample(self.honest, 20)]
        if self._mode == "ground":
            return nsmallest(20, self.hostile, key=lambda node: node.long_id ^ place)
        made = []
        for number in range(LADDER):
            host = self.chance.choice(self.hostile).host
            made.append(Node(self._near(place, GROUND_BITS + number // 4), host, 1024 + number))
            self._bad[made[-1].id] = number
        return made


class _Hosts:
    """Addresses, each given once."""

    def __init__(self, chance: random.Random, networks: Sequence[int]) -> None:
        self._chance, self._networks = chance, networks
        self._given: set[int] = set()

    def next(self) -> str:
        while True:
            address = self._chance.choice(self._networks) << 16 | self._chance.getrandbits(16)
            host = ipaddress.IPv4Address(address)
            if address not in self._given and host.is_global and not host.is_multicast:
                self._given.add(address)
                return str(host)
