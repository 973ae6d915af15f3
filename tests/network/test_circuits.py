"""Two friends behind routers that let nobody in meet through a friend who passes connections on."""

from __future__ import annotations

import json
import time

from mau.hostport import circuit_of, parse_address
from tests.network.netns import Network
from tests.network.people import Person, friends, until

PORT = 4747
LISTEN = f'server.listen = "0.0.0.0:{PORT}"'


def test_two_behind_routers_reach_each_other_through_a_friend(net: Network) -> None:
    wan = net.switch("11.22.33.0/24")
    carol = Person(net.host("carol"), LISTEN, 'circuit.relay = "friends"')
    carol.host.plug(wan)
    given = f'peer.{carol.fpr.hex} = ["{carol.host.addresses[0]}:{PORT}"]'
    people = []
    for name, subnet in (("alice", "192.168.1.0/24"), ("bob", "192.168.1.0/24")):  # as routers come
        lan = net.switch(subnet)
        net.router(f"{name}-router", inside=lan, outside=wan)
        person = Person(net.host(name), LISTEN, given)
        person.host.plug(lan, gateway=True)
        people.append(person)
    alice, bob = people
    friends([alice, bob, carol])
    alice.post("for-bob", bob)
    processes = [carol.up(), alice.up()]
    # The friend in the middle reaches whoever is behind her through her own relay, and so has the post that
    # tells the others.
    began = time.monotonic()
    until(lambda: carol.has(alice, "contact"), "the friend in the middle knows that Alice is behind her", 40)
    print(f"told after {time.monotonic() - began:.1f} s")
    processes.append(bob.up())
    began = time.monotonic()
    until(lambda: bob.has(alice, "for-bob"), "a post for Bob alone, which nobody else can have", 50)
    print(f"the first post {time.monotonic() - began:.1f} s after `mau up`")
    assert not carol.has(alice, "for-bob")
    back = until(lambda: alice.has(bob, "contact"), "the other direction", 50)
    print(f"the other direction {back:.1f} s later")
    began = time.monotonic()
    bob.post("answer", alice)
    until(lambda: alice.has(bob, "answer"), "the answer, on a connection that waits for it")
    print(f"the answer after {time.monotonic() - began:.2f} s")
    # There was no other way.
    assert bob.proven(alice) == alice.proven(bob) == []
    told = json.loads(bob.host.mau("status", "--json").out)
    [line] = [one for one in told["friends"] if one["author"] == alice.fpr.hex]
    way = circuit_of(line["address"])
    assert way == (carol.fpr, parse_address(f"{carol.host.addresses[0]}:{PORT}"))
    assert told["finder"]["relays"] == [carol.fpr.hex]
    began = time.monotonic()
    for process in processes:
        assert process.stop() == 0, process.lines
        print(f"stopped after {time.monotonic() - began:.1f} s")
