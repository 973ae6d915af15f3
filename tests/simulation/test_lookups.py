"""Lookups in a network of some hundred peers, in seconds; and the aims in one of thousands."""

from __future__ import annotations

import pytest

from mau.kademlia import Lookup
from tests.simulation.scenarios import SCENARIOS, measure
from tests.simulation.walking import join, walk
from tests.simulation.world import World

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
SMALL = {"peers": 400, "lookups": 50, "seed": 1}
AIMS = [
    ("nobody dead", 1.0, 20),
    ("50 % dead", 0.99, 20),
    ("30 % collude", 0.94, 30),
    ("30 % give false addresses", 0.94, 30),
    ("30 % ground around ten victims", 0.9, 60),
    ("30 % lie to who joins", 0.99, 60),
]


@pytest.mark.parametrize(("name", "found", "messages"), AIMS)
def test_lookups_find_whom_they_look_for(name: str, found: float, messages: float) -> None:
    ours, _ = measure(BY_NAME[name], **SMALL)
    assert ours.found >= found
    assert ours.messages < messages


def test_the_plain_lookup_does_not() -> None:
    ours, others = measure(BY_NAME["30 % give false addresses"], **SMALL)
    assert others.found < ours.found - 0.1


def test_the_same_seed_gives_the_same_figures() -> None:
    scenario = BY_NAME["30 % collude"]
    assert measure(scenario, peers=300, lookups=20, seed=7) == measure(
        scenario, peers=300, lookups=20, seed=7
    )


def test_a_network_that_builds_itself_survives_the_one_through_whom_all_joined() -> None:
    world = World(60, 1, settled=False)
    first, *others = world.honest
    for node in others:
        join(node.fingerprint, [first], world, at=node)
    world.dies(first)
    for asker in others:
        for target in others:
            lookup = Lookup(
                target.fingerprint, world.table(asker).seeds(target.fingerprint), own=asker.fingerprint
            )
            assert asker == target or walk(lookup, world).found


def test_who_looks_for_nobody_asks_a_bounded_number() -> None:
    ours, _ = measure(BY_NAME["who is looked for is not there"], **SMALL)
    assert ours.found == 0
    assert ours.messages < 120


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("name", "found", "messages"), AIMS)
def test_lookups_among_thousands_find_whom_they_look_for(name: str, found: float, messages: float) -> None:
    ours, _ = measure(BY_NAME[name], peers=2000 if "joins" in name else 10_000, lookups=500, seed=2)
    assert ours.found >= found
    assert ours.messages < messages
