"""The routing table: what it keeps, whom it names, and how the package's own one fails at the same."""

from __future__ import annotations

import asyncio
import random
from itertools import pairwise

import kademlia.node
import kademlia.routing
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mau.fingerprint import Fingerprint
from mau.kademlia import UNCAPPED, Caps, Node, RoutingTable, Score
from mau.kademlia.node import position

TOP = 2**160 - 1
OWN = Fingerprint(bytes(20))


def node_at(place: int, host: str = "", port: int = 8080) -> Node:
    """A node at a place of the space; without a host, at one of its own, far from all others."""
    some = random.Random(place)
    network = f"{some.randrange(11, 100)}.{some.randrange(256)}.{some.randrange(256)}"
    return Node(Fingerprint(place.to_bytes(20, "big")), host or f"{network}.7", port)


def some_nodes(count: int, seed: int = 1) -> list[Node]:
    chance = random.Random(seed)
    return [node_at(chance.getrandbits(160)) for _ in range(count)]


def far(number: int) -> Node:
    """One of many nodes in the half of the space that is not ours, which is one bucket."""
    return node_at(TOP - number)


def theirs_of(node: Node) -> kademlia.node.Node:
    """The node of the package."""
    return kademlia.node.Node(node.fingerprint.raw, node.host, node.port)


def near(number: int) -> Node:
    """One of many nodes in our own half."""
    return node_at(1 + number)


def full_table(*, caps: Caps = UNCAPPED) -> RoutingTable:
    """A table whose far bucket is full, proven at 0 to 19, and will not be split: enough are nearer."""
    table = RoutingTable(OWN, caps=caps)
    for number in range(20):
        table.seen(far(number), number)
        table.seen(near(number), number)
    assert [len(bucket.nodes) for bucket in table.buckets] == [20, 20]
    return table


# --- whom it names --------------------------------------------------------------------------------------


def test_the_target_itself_is_named_first() -> None:
    table = RoutingTable(OWN, caps=UNCAPPED)
    nodes = some_nodes(30)
    for node in nodes:
        table.seen(node, 0)
    known = next(iter(table))
    assert table.nearest(known.fingerprint)[0] == known
    assert table.find_neighbors(kademlia.node.Node(known.fingerprint.raw))[0] == known


def test_the_package_never_names_the_target() -> None:
    theirs = kademlia.routing.RoutingTable(None, 20, kademlia.node.Node(bytes(20)))
    known = kademlia.node.Node(b"\x80" * 20, "192.0.2.1", 8080)
    theirs.add_contact(known)
    assert theirs.find_neighbors(kademlia.node.Node(known.id)) == []


@pytest.mark.parametrize("seed", range(5))
def test_of_those_nearest_to_us_none_is_missing(seed: int) -> None:
    own = Fingerprint(random.Random(seed).randbytes(20))
    table = RoutingTable(own, caps=UNCAPPED)
    nodes = some_nodes(3000, seed)
    for node in nodes:
        table.seen(node, 0)
    nearest = sorted(nodes, key=lambda node: node.long_id ^ position(own))[:20]
    assert table.nearest(own) == nearest


def test_the_package_misses_some_of_them() -> None:
    own = theirs_of(Node(Fingerprint(random.Random(1).randbytes(20)), "", 0))
    theirs = kademlia.routing.RoutingTable(None, 20, own)
    nodes = [theirs_of(node) for node in some_nodes(3000)]
    for node in nodes:
        bucket = theirs.buckets[theirs.get_bucket_for(node)]
        if len(bucket) < 20 or bucket.has_in_range(own):  # of a full one it would only ping
            theirs.add_contact(node)
    nearest = {node.id for node in sorted(nodes, key=own.distance_to)[:20]}
    assert len(nearest & {node.id for node in theirs.find_neighbors(own)}) < 20


async def test_the_package_pings_for_each_newcomer_to_a_full_bucket() -> None:
    pinged = []

    class Protocol:
        """What the package's table pings with."""

        async def call_ping(self, node: kademlia.node.Node) -> None:
            pinged.append(node)

    theirs = kademlia.routing.RoutingTable(Protocol(), 20, theirs_of(node_at(1)))
    for number in range(32):
        theirs.add_contact(theirs_of(far(number)))
    await asyncio.sleep(0)
    assert len(pinged) == 12


def test_the_package_has_numbers_that_belong_to_two_buckets() -> None:
    one, two = kademlia.routing.KBucket(0, 2**160, 20).split()
    border = theirs_of(node_at(2**159))
    assert one.has_in_range(border)
    theirs = kademlia.routing.RoutingTable(None, 20, theirs_of(node_at(1)))
    theirs.split_bucket(0)
    assert theirs.get_bucket_for(border) == 1
    assert not two.has_in_range(border)


@settings(max_examples=60, deadline=None)
@given(
    places=st.lists(st.integers(1, TOP) | st.integers(1, 64), max_size=120),
    target=st.integers(0, TOP),
    n=st.integers(1, 40),
)
def test_what_is_named_are_the_nearest_that_are_known(places: list[int], target: int, n: int) -> None:
    table = RoutingTable(OWN, caps=UNCAPPED)
    for place in places:
        table.seen(node_at(place), 0)
    goal = Fingerprint(target.to_bytes(20, "big"))
    known = sorted(table, key=lambda node: node.long_id ^ target)
    assert table.nearest(goal, n) == known[:n]


@settings(max_examples=60, deadline=None)
@given(places=st.lists(st.integers(1, TOP) | st.integers(1, 4096), min_size=21, max_size=200))
def test_buckets_cover_the_space_and_hold_no_more_than_their_size(places: list[int]) -> None:
    table = RoutingTable(OWN, caps=UNCAPPED)
    for place in places:
        table.seen(node_at(place), 0)
    ranges = [bucket.range for bucket in table.buckets]
    assert ranges[0][0] == 0
    assert ranges[-1][1] == TOP
    assert all(one[1] + 1 == two[0] for one, two in pairwise(ranges))
    for bucket in table.buckets:
        assert len(bucket.nodes) <= 20
        assert len(bucket.replacement_nodes) <= 20
        assert all(bucket.range[0] <= node.long_id <= bucket.range[1] for node in bucket)
        assert bucket.proven.keys() == bucket.nodes.keys() | bucket.replacement_nodes.keys()


def test_who_was_not_proven_since_is_not_named() -> None:
    table = RoutingTable(OWN, caps=UNCAPPED)
    table.seen(node_at(5), 100)
    table.seen(node_at(6), 200)
    assert table.nearest(OWN, proven_since=150) == [node_at(6)]


def test_others_are_told_what_was_proven_within_three_hours() -> None:
    table = RoutingTable(OWN, caps=UNCAPPED)
    table.seen(node_at(5), 0)
    assert table.answer(OWN, "192.0.2.9", 3 * 3600) == [node_at(5)]
    assert table.answer(OWN, "192.0.2.9", 3 * 3600 + 1) == []


def test_others_are_told_at_most_twenty() -> None:
    table = RoutingTable(OWN, caps=UNCAPPED)
    for node in some_nodes(500):
        table.seen(node, 0)
    assert len(table.answer(OWN, "192.0.2.9", 1)) == 20


def test_the_target_is_told_of_though_it_has_no_place() -> None:
    table = full_table()
    without, at_home = far(99), Node(far(99).fingerprint, "192.168.1.5", 8080)
    told = table.answer(without.fingerprint, "192.0.2.9", 60, [without, at_home])
    assert told[0] == without
    assert at_home not in told
    assert len(told) == 20
    assert table.answer(far(3).fingerprint, "192.0.2.9", 60, [far(3)]).count(far(3)) == 1


def test_addresses_of_a_network_are_told_in_that_network() -> None:
    table = RoutingTable(OWN, caps=UNCAPPED)
    at_home, here, outside = node_at(5, "192.168.1.5"), node_at(6, "127.0.0.1"), node_at(7, "198.51.100.1")
    for node in (at_home, here, outside):
        table.seen(node, 0)
    assert set(table.answer(OWN, "198.51.100.9", 1)) == {outside}
    assert set(table.answer(OWN, "192.168.1.77", 1)) == {outside, at_home}
    assert set(table.answer(OWN, "127.0.0.1", 1)) == {outside, at_home, here}


# --- whom it keeps --------------------------------------------------------------------------------------


def test_our_own_fingerprint_has_no_place() -> None:
    table = RoutingTable(OWN)
    assert not table.seen(Node(OWN, "198.51.100.1", 8080), 0)
    table.heard(Node(OWN, "198.51.100.1", 8080))
    assert len(table) == 0
    assert table.upkeep(0, random.Random(1)).ping == ()


def test_a_full_bucket_keeps_whom_it_has() -> None:
    table = full_table()
    assert not table.seen(far(99), 50)
    assert far(99) not in table
    assert far(0) in table


def test_who_was_seen_is_checked_last() -> None:
    table = full_table()
    table.seen(far(0), 7200)
    table.seen(far(99), 7200)
    assert far(1) in table.upkeep(7200, random.Random(1)).ping


def test_who_waits_gets_the_place_of_who_fails() -> None:
    table = full_table()
    table.seen(far(98), 50)
    table.seen(far(99), 60)
    table.failed(far(3), 61)
    assert far(3) not in table
    assert far(99) in table
    assert far(98) not in table


def test_who_fails_while_nobody_waits_stays_but_is_not_named() -> None:
    table = full_table()
    table.failed(far(3), 61)
    assert far(3) in table
    assert far(3) not in table.nearest(far(3).fingerprint)
    table.seen(far(3), 62)
    assert far(3) in table.nearest(far(3).fingerprint)


def test_who_fails_five_times_goes() -> None:
    table = full_table()
    for when in range(5):
        assert far(3) in table
        table.failed(far(3), when)
    assert far(3) not in table


def test_who_fails_gives_way_to_the_next_newcomer() -> None:
    table = full_table()
    table.failed(far(3), 61)
    assert table.seen(far(99), 62)
    assert far(3) not in table


def test_hearsay_takes_no_place() -> None:
    table = full_table()
    for number in range(100, 400):
        table.heard(far(number))
        table.heard(near(number))
    assert len(table) == 40


def test_hearsay_pushes_out_nobody_who_waits_proven() -> None:
    table = full_table()
    table.seen(far(99), 50)
    for number in range(100, 400):
        table.heard(far(number))
    table.failed(far(3), 61)
    assert far(99) in table


def test_hearsay_is_checked_where_there_is_room() -> None:
    table = RoutingTable(OWN)
    table.heard(node_at(5))
    assert table.nearest(OWN) == []
    assert table.upkeep(0, random.Random(1)).ping == (node_at(5),)
    assert table.seen(node_at(5), 1)
    assert table.nearest(OWN) == [node_at(5)]


def test_hearsay_that_fails_is_forgotten() -> None:
    table = RoutingTable(OWN)
    table.heard(node_at(5))
    table.failed(node_at(5), 0)
    assert table.upkeep(100, random.Random(1)).ping == ()


# --- several addresses of one person --------------------------------------------------------------------


def test_a_false_address_does_not_stand_before_the_true_one() -> None:
    table = RoutingTable(OWN)
    true, false = node_at(5, "198.51.100.1"), node_at(5, "203.0.113.1")
    table.heard(false)
    table.seen(true, 1)
    table.heard(false)
    assert table.nearest(true.fingerprint) == [true]


def test_a_new_address_is_known_beside_the_old_one_until_that_fails() -> None:
    table = RoutingTable(OWN)
    old, new = node_at(5, "198.51.100.1"), node_at(5, "203.0.113.1")
    table.seen(old, 0)
    table.seen(new, 10)
    assert set(table) == {old, new}
    table.failed(old, 20)
    assert table.nearest(old.fingerprint) == [new]


def test_the_package_knows_a_person_once_and_keeps_the_old_address() -> None:
    theirs = kademlia.routing.RoutingTable(None, 20, kademlia.node.Node(bytes(20)))
    old = kademlia.node.Node(b"\x80" * 20, "192.0.2.1", 8080)
    theirs.add_contact(old)
    new = kademlia.node.Node(b"\x80" * 20, "192.0.2.2", 8080)
    assert not theirs.is_new_node(new)  # and what is not new its protocol does not add


def test_of_many_addresses_of_one_person_the_two_proven_last_are_kept() -> None:
    table = RoutingTable(OWN, caps=UNCAPPED)
    homes = [node_at(5, f"198.51.{number}.1") for number in range(10)]
    for when, node in enumerate(homes):
        table.seen(node, when)
    assert set(table) == set(homes[-2:])


# --- networks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hosts", "kept"),
    [
        ([f"198.51.100.{number}" for number in range(1, 15)], 2),
        ([f"198.51.{number}.1" for number in range(1, 15)], 4),
        ([f"2001:db8:1:{number:x}::1" for number in range(1, 15)], 2),
        ([f"2001:db8:{number:x}::1" for number in range(1, 15)], 4),
        ([f"{number}.example.org" for number in range(1, 15)], 2),
        ([f"example{number}.org" for number in range(1, 15)], 4),
        (["127.0.0.1"] * 15, 2),
        ([f"{number + 10}.1.2.3" for number in range(1, 15)], 14),
    ],
)
def test_one_network_has_few_places_in_a_bucket(hosts: list[str], kept: int) -> None:
    table = RoutingTable(OWN)
    for number, host in enumerate(hosts):
        table.seen(node_at(TOP - number, host), 0)
    assert len(table) == kept


@pytest.mark.parametrize(("wide", "kept"), [(False, 8), (True, 20)])
def test_one_network_has_few_places_in_the_table(wide: bool, kept: int) -> None:
    table = RoutingTable(OWN)
    for place, number in ((1 << bits, bits) for bits in range(159, 120, -1)):
        for filler in range(21):  # so that the bucket is narrow enough for the next to lie in another
            table.seen(node_at(place + (filler << 90) + 1), 0)
        table.seen(node_at(place, f"198.51.{number if wide else 100}.{number}"), 0)
    assert sum(node.host.startswith("198.51.") for node in table) == kept


def test_who_goes_leaves_his_network_s_place() -> None:
    table = RoutingTable(OWN)
    here = [node_at(TOP - number, f"198.51.100.{number}") for number in range(1, 5)]
    table.seen(here[0], 0)
    table.seen(here[1], 0)
    assert not table.seen(here[2], 0)
    for when in range(5):
        table.failed(here[0], when)
    assert table.seen(here[2], 9)


def test_private_networks_can_be_let_off() -> None:
    table = RoutingTable(OWN, caps=Caps(counted="public"))
    for number in range(1, 16):
        table.seen(node_at(TOP - number, f"192.168.1.{number}"), 0)
        table.seen(node_at(number, f"198.51.100.{number}"), 0)
    assert sum(node.host.startswith("192.168.") for node in table) == 15
    assert sum(node.host.startswith("198.51.") for node in table) < 15


# --- what it asks for -----------------------------------------------------------------------------------


def test_a_thousand_newcomers_to_a_full_bucket_cost_one_question_a_minute() -> None:
    table = full_table()
    chance = random.Random(1)
    asked: list[Node] = []
    for when in range(1000):
        table.seen(far(1000 + when), 1000 + when / 10)
        asked += [node for node in table.upkeep(1000 + when / 10, chance).ping if node.long_id > TOP // 2]
    assert len(asked) == 2


def test_what_is_fresh_is_left_alone() -> None:
    table = full_table()
    assert table.upkeep(60, random.Random(1)).ping == ()


def test_all_are_proven_again_before_they_can_no_longer_be_told() -> None:
    table = RoutingTable(OWN, caps=UNCAPPED)
    for node in some_nodes(2000):
        table.seen(node, 0)
    known, chance = set(table), random.Random(1)
    for minute in range(3 * 60):
        for node in table.upkeep(minute * 60.0, chance).ping:
            table.seen(node, minute * 60.0)
    assert set(table.nearest(OWN, 10_000, proven_since=1.0)) == known


def test_who_fails_is_tried_less_and_less() -> None:
    table = RoutingTable(OWN)
    table.seen(node_at(5), 0)
    tries = []
    for minute in range(120, 400):
        for node in table.upkeep(minute * 60.0, random.Random(1)).ping:
            tries.append(minute - 120)
            table.failed(node, minute * 60.0)
    assert tries == [0, 2, 6, 14, 30]


def test_ranges_where_nobody_was_looked_for_are_refreshed_each_hour() -> None:
    table = full_table()
    chance = random.Random(1)
    first = table.upkeep(0, chance).refresh
    assert first[0] == OWN
    assert position(first[1]) > TOP // 2
    assert table.upkeep(1, chance).refresh != ()
    for target in first:
        table.looked_up(target, 1)
    assert table.upkeep(3600, chance).refresh == ()
    assert len(table.upkeep(3601, chance).refresh) == 2


def test_who_told_lies_is_asked_after_all_others_and_nothing_else() -> None:
    table = full_table()
    liar = far(0)
    table.scored({liar.fingerprint: Score(useful=1, lies=3), far(999).fingerprint: Score(lies=9)})
    assert table.nearest(liar.fingerprint)[0] == liar
    seeds = table.seeds(liar.fingerprint)
    assert seeds[-1] == liar
    assert set(seeds) == set(table.nearest(liar.fingerprint))


def test_it_is_rebuilt_from_what_was_proven_when() -> None:
    table = full_table()
    entries = [(make(number), float(number)) for make in (far, near) for number in reversed(range(20))]
    entries += [(Node(OWN, "192.0.2.1", 1), 0.0), (far(20), 30.0)]
    again = RoutingTable.rebuilt(OWN, entries, caps=UNCAPPED)
    assert set(again) == set(table)
    assert again.nearest(OWN, 99, proven_since=15) == table.nearest(OWN, 99, proven_since=15)
    again.failed(far(7), 40)
    assert far(20) in again
