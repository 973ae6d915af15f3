"""Driving a lookup through a world, and the plain lookup beside it: one path, three at a time, k=20."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from mau.fingerprint import Fingerprint
from mau.kademlia import Lookup, Node, RoutingTable
from tests.simulation.world import NOW, World

ALPHA: Final = 3
K: Final = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """`messages`: questions and tries, answered or not; `hops`: how many of them one after another."""

    found: bool
    messages: int
    hops: int


def walk(lookup: Lookup, world: World) -> Outcome:
    """Do what a lookup says until it has nothing more to say."""
    messages = hops = 0
    while not lookup.done:
        tries, asks = lookup.found(), lookup.queries()
        messages += len(asks) + len(tries)
        hops += bool(asks or tries)
        for node in asks:
            answer = world.ask(node, lookup.target)
            if answer is None:
                lookup.failed(node)
            else:
                lookup.answered(node, answer)
        for node in tries:
            if world.proves(node):
                lookup.proved(node)
            else:
                lookup.failed(node)
    return Outcome(lookup.proven is not None, messages, hops)


def plain(target: Fingerprint, seeds: list[Node], world: World) -> Outcome:
    """As the paper has it: the k nearest that are known, each asked once; a person's first address counts."""
    goal = int.from_bytes(target.raw, "big")
    known = {node.fingerprint: node for node in seeds}
    asked: set[Fingerprint] = set()
    messages = hops = 0
    while target not in known:
        nearest = sorted(known.values(), key=lambda node: node.long_id ^ goal)[:K]
        asks = [node for node in nearest if node.fingerprint not in asked][:ALPHA]
        if not asks:
            return Outcome(False, messages, hops)
        messages, hops = messages + len(asks), hops + 1
        for node in asks:
            asked.add(node.fingerprint)
            answer = world.ask(node, target)
            if answer is None:
                del known[node.fingerprint]
            for one in answer or ():
                if one.fingerprint not in asked:
                    known.setdefault(one.fingerprint, one)
    return Outcome(world.proves(known[target]), messages + 1, hops + 1)


def join(own: Fingerprint, bootstrap: list[Node], world: World, *, at: Node | None = None) -> RoutingTable:
    """The table of a newcomer who knows a few peers, looks for himself, and then fills his table.

    ``at``: his node, if those whom he asks note him; then the table is the one that he answers from.
    """
    table = world.table(at) if at else RoutingTable(own, caps=world.caps)
    chance = random.Random(own.raw)
    for _ in range(2):
        for target in table.upkeep(NOW, chance).refresh:
            lookup = Lookup(target, [*table.seeds(target), *bootstrap], own=own, beginnings=8)
            walk(lookup, world)
            for node in lookup.answers:
                table.seen(node, NOW)
                if at:
                    world.table(node).seen(at, NOW)
            table.scored(lookup.scores)
            table.looked_up(target, NOW)
    return table
