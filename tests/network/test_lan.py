"""Two friends in one local network, with `mau up` and nothing else: nobody tells them any address."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.network.lookup import TAKING_PART
from tests.network.netns import Network
from tests.network.people import Person, friends, served, until

EVERYWHERE = 'discovery.mdns = "everywhere"'


@pytest.mark.parametrize("subnet", ["192.168.7.0/24", "fd00:7::/64"], ids=["IPv4", "IPv6 only"])
def test_friends_of_one_network_find_each_other_and_what_one_posts_arrives(net: Network, subnet: str) -> None:
    lan = net.switch(subnet)
    alice, bob = (Person(net.host(name), EVERYWHERE) for name in ("alice", "bob"))
    for one in (alice, bob):
        one.host.plug(lan)
    friends([alice, bob])
    alice.post("before", bob)
    first = alice.up()
    began = time.monotonic()
    second = bob.begin()
    served(second)
    up = time.monotonic()
    until(lambda: bob.proven(alice) and alice.proven(bob), "both found")
    found = time.monotonic() - up
    until(lambda: bob.has(alice, "before"), "the post arrives")
    arrived = time.monotonic() - began
    print(f"found {found:.2f} s after serving, {arrived:.2f} s from `mau up` to the first post")
    assert found < 2
    assert {one.host for one in bob.proven(alice)} <= set(alice.host.addresses)
    began = time.monotonic()
    bob.post("after", alice)
    until(lambda: alice.has(bob, "after"), "the answer arrives")
    print(f"the answer in {time.monotonic() - began:.2f} s")
    stopping = time.monotonic()
    assert (first.stop(), second.stop()) == (0, 0), first.lines + second.lines
    assert time.monotonic() - stopping < 10


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_with_nothing_to_do_it_costs_next_to_nothing(net: Network) -> None:
    lan = net.switch("192.168.7.0/24", "fd00:7::/64")
    people = [
        Person(net.host(name), EVERYWHERE, *TAKING_PART, "reach.router = true")
        for name in ("alice", "bob", "carol")
    ]
    for one in people:
        one.host.plug(lan)
    friends(people)
    away = people.pop()  # somebody is always missing
    processes = [one.up() for one in people]
    until(lambda: people[0].proven(people[1]) and people[1].proven(people[0]), "both found")
    time.sleep(10)
    before, began = [_used(one.pid) for one in processes], time.monotonic()
    time.sleep(30)
    spent = [_used(one.pid) - then for one, then in zip(processes, before, strict=True)]
    share = max(spent) / (time.monotonic() - began)
    print(f"{share:.2%} of a processor")
    assert share < 0.02
    assert not people[0].proven(away)


def _used(pid: int) -> float:
    """Seconds of processor that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
