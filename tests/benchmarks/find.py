"""How fast people are found: by the lookup network of 20 hosts, and in a local network.

In network namespaces, which not every machine allows; nothing is measured where it does not.
"""

from __future__ import annotations

import contextlib
import io
import statistics
import tempfile
import time
from pathlib import Path

from tests.benchmarks.measure import Row
from tests.benchmarks.world import World

_HOSTS = 20
_FOUND = 2.0
_EVERYWHERE = 'discovery.mdns = "everywhere"'


def run(_world: World, rounds: int) -> list[Row]:
    """Rows: lookups, what the pool of connections saves, and the first delivery of two fresh hosts."""
    from tests.network.kernel import not_allowed

    if why := not_allowed():
        return [Row("finding people", f"not measured: no network namespaces ({why})")]
    with contextlib.redirect_stdout(io.StringIO()):
        return [*_lookups(), *_deliveries(rounds)]


def _lookups() -> list[Row]:
    from tests.network.lookup import enter, look
    from tests.network.netns import Network

    known: list[float] = []
    fresh: list[float] = []
    asked: list[int] = []
    opened = questions = missed = 0
    with tempfile.TemporaryDirectory() as place, Network(Path(place)) as net:
        entered = enter(net, _HOSTS, "10.0.0.0/24")
        for one in entered.people[1:]:
            others = [other for other in entered.people[1:] if other is not one]
            found, _ = look(one, others)
            known += [line["seconds"] for line in found]
            missed += sum(line["at"] is None for line in found)
            found, pooled = look(one, others, fresh=entered.gate)
            fresh += [line["seconds"] for line in found]
            asked += [line["asked"] for line in found]
            missed += sum(line["at"] is None for line in found)
            opened += pooled["opened"]
            questions += pooled["asked"]
    return [
        _row(f"lookup, {_HOSTS} nodes, from the table of a node that runs", known),
        _row(f"lookup, {_HOSTS} nodes, from one node and nothing else", fresh),
        Row("... nodes asked, mean", f"{statistics.fmean(asked):.1f}"),
        Row("... not found", f"{missed} of {len(known) + len(fresh)}", aim="0", holds=not missed),
        Row(
            "handshakes saved by keeping connections",
            f"{1 - opened / questions:.0%} ({questions} questions on {opened} connections)",
        ),
    ]


def _row(what: str, seconds: list[float]) -> Row:
    seconds = sorted(seconds)
    p50, p95 = statistics.median(seconds), seconds[int(len(seconds) * 0.95)]
    return Row(what, f"p50 {p50 * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms")


def _deliveries(rounds: int) -> list[Row]:
    from tests.network.netns import Network
    from tests.network.people import Person, friends, served, until

    found, delivered = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as place, Network(Path(place)) as net:
            lan = net.switch("192.168.7.0/24")
            alice, bob = (
                Person(net.host(name), 'discovery.mdns = "everywhere"') for name in ("alice", "bob")
            )
            for one in (alice, bob):
                one.host.plug(lan)
            friends([alice, bob])
            alice.post("first", bob)
            began = time.monotonic()
            processes = [one.begin() for one in (alice, bob)]
            for process in processes:
                served(process)
            up = time.monotonic()
            until(lambda: alice.proven(bob) and bob.proven(alice), "both found")  # noqa: B023 - called here
            found.append(time.monotonic() - up)
            until(lambda: bob.has(alice, "first"), "delivered")  # noqa: B023 - called here
            delivered.append(time.monotonic() - began)
    middle = statistics.median(found)
    return [
        Row(
            "two hosts of one network find each other, once both serve",
            f"{middle:.2f} s, at most {max(found):.2f} s",
            aim=f"< {_FOUND:.0f} s",
            holds=middle < _FOUND,
        ),
        Row(
            "... from `mau up` on both to the first post",
            f"{statistics.median(delivered):.2f} s, at most {max(delivered):.2f} s",
        ),
    ]
