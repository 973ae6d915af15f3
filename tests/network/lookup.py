"""A lookup network of hosts with `mau up`: all enter by the first, and look for each other."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mau.hostport import format_address
from tests.network.netns import Network
from tests.network.people import Person, served, until
from tests.network.process import Process

LOOKING = Path(__file__).with_name("looking.py")
TAKING_PART = ("discovery.kademlia = true", "discovery.announce = true")
_PATIENCE = 90.0


@dataclass(frozen=True)
class Entered:
    """People who take part, their processes in the same order, and where they entered: FPR@HOST:PORT."""

    people: list[Person]
    processes: list[Process]
    gate: str


def enter(net: Network, count: int, subnet: str, *settings: str) -> Entered:
    """Start them, and wait until everybody's table has several nodes; says how long that took."""
    lan = net.switch(subnet)
    people = [Person(net.host(f"p{number}"), *TAKING_PART, *settings) for number in range(count)]
    for one in people:
        one.host.plug(lan)
    began = time.monotonic()
    first = people[0].begin("--no-sync")
    gate = f"{people[0].fpr.hex}@{format_address((people[0].host.addresses[0], served(first)))}"
    processes = [first, *(one.begin("--no-sync", "--bootstrap", gate) for one in people[1:])]
    for process in processes[1:]:
        served(process)
    serve = time.monotonic() - began
    until(lambda: all(nodes_of(one) >= min(count - 1, 4) for one in people), "all have met some", _PATIENCE)
    print(f"{count} serve after {serve:.1f} s, have met some after {time.monotonic() - began:.1f} s")
    return Entered(people, processes, gate)


def look(one: Person, others: Sequence[Person], *, fresh: str = "") -> tuple[list[dict[str, Any]], Any]:
    """What came of looking for them on the host of one: a line each, and what was asked on how many
    connections. ``fresh``: with nothing known but this node."""
    words = ["--fresh", fresh] if fresh else []
    looking = one.host.python(
        LOOKING, one.host.tree, one.fpr.hex, *words, *(other.fpr.hex for other in others)
    )
    assert looking.wait(_PATIENCE) == 0, looking.lines
    *found, pooled = map(json.loads, looking.out)
    return found, pooled


def nodes_of(one: Person) -> int:
    """How many nodes its finder says that it knows."""
    try:
        return json.loads((one.host.tree / ".finder" / "status.json").read_text())["nodes"] or 0
    except (OSError, ValueError):
        return 0
