"""Two friends in one local network, with `mau up` and nothing else: nobody tells them any address."""

from __future__ import annotations

import time

import pytest

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
