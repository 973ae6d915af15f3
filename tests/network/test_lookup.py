"""A lookup network of real nodes: all enter by one, and everybody finds everybody by fingerprint alone."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import Any

import pytest

from tests.network.netns import Network
from tests.network.people import Person, served, until

LOOKING = Path(__file__).with_name("looking.py")
TAKING_PART = ("discovery.kademlia = true", "discovery.announce = true")
LAN = "10.0.0.0/24"


def _looked(one: Person, *others: Person, fresh: str = "") -> list[dict[str, Any]]:
    """What came of looking for them on the host of one."""
    words = ["--fresh", fresh] if fresh else []
    looking = one.host.python(
        LOOKING, one.host.tree, one.fpr.hex, *words, *(other.fpr.hex for other in others)
    )
    assert looking.wait(60) == 0, looking.lines
    return [json.loads(line) for line in looking.out]


def _nodes(one: Person) -> int:
    """How many nodes its finder has in its table."""
    try:
        return json.loads((one.host.tree / ".finder" / "status.json").read_text())["nodes"] or 0
    except (OSError, ValueError):
        return 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("count", "subnet"),
    [(6, LAN), (4, "fd00:9::/64"), pytest.param(20, LAN, marks=pytest.mark.slow)],
    ids=["6 hosts", "4 hosts, IPv6 only", "20 hosts"],
)
def test_all_who_enter_by_one_find_each_other_also_when_that_one_is_gone(
    net: Network, count: int, subnet: str
) -> None:
    lan = net.switch(subnet)
    people = [Person(net.host(f"p{number}"), *TAKING_PART) for number in range(count)]
    for one in people:
        one.host.plug(lan)
    first, others = people[0], people[1:]
    began = time.monotonic()
    gate = first.begin("--no-sync", "--listen", ":8880")
    port = served(gate)
    host = first.host.addresses[0]
    place = f"{first.fpr.hex}@{f'[{host}]' if ':' in host else host}:{port}"
    processes = [one.begin("--no-sync", "--bootstrap", place) for one in others]
    for process in processes:
        served(process)
    print(f"all serve after {time.monotonic() - began:.1f} s")
    until(lambda: all(_nodes(one) >= min(count - 1, 4) for one in people), "all have met some", 60)
    print(f"all have met some after {time.monotonic() - began:.1f} s")
    took = []
    for phase in ("with the first", "without it"):
        there = people if phase == "with the first" else others
        for one in there:
            wanted = [other for other in there if other is not one]
            *found, pooled = _looked(one, *wanted)
            assert [line["who"] for line in found if line["at"] is None] == [], (phase, found)
            took += [line["seconds"] for line in found]
        if phase == "with the first":
            gate.kill()
    took.sort()
    print(
        f"{len(took)} lookups: p50 {statistics.median(took) * 1000:.0f} ms, "
        f"p95 {took[int(len(took) * 0.95)] * 1000:.0f} ms, {pooled}"
    )
    for process in processes:
        process.send(15)
    assert {process.wait() for process in processes} == {0}
