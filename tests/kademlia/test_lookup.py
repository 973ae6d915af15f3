"""The lookup: whom it asks, what it believes, and that it ends within its bounds whatever is answered."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mau.fingerprint import Fingerprint
from mau.kademlia import UNCAPPED, Lookup, Node, Score

TARGET = Fingerprint(bytes(20))
OWN = Fingerprint(b"\xff" * 20)
Answers = Callable[[Node], object]


def node_at(place: int, host: str = "", port: int = 8080) -> Node:
    """A node so far from the target (which is at 0); without a host, at one of its own."""
    some = random.Random(place)
    network = f"{some.randrange(11, 100)}.{some.randrange(256)}.{some.randrange(256)}"
    return Node(Fingerprint(place.to_bytes(20, "big")), host or f"{network}.7", port)


def target_at(host: str, port: int = 8080) -> Node:
    return Node(TARGET, host, port)


def drive(lookup: Lookup, answers: Answers, *, there: frozenset[Node] = frozenset()) -> list[Node]:
    """Ask and try one after the other what the lookup says; whom, in order. An answer of None is none."""
    asked: list[Node] = []
    for _ in range(2000):
        if lookup.done:
            return asked
        for node in lookup.found():
            asked.append(node)
            if node in there:
                lookup.proved(node)
            else:
                lookup.failed(node)
        for node in lookup.queries():
            asked.append(node)
            answer = answers(node)
            if answer is None:
                lookup.failed(node)
            else:
                lookup.answered(node, answer)
    raise AssertionError("it never ends")


def silence(_: Node) -> None:
    """Nobody answers."""


SEEDS = [node_at(2**159 + (number << 140)) for number in range(20)]


# --- how it ends -------------------------------------------------------------------------------------------


def test_without_anybody_to_ask_it_is_done() -> None:
    lookup = Lookup(TARGET, [])
    assert drive(lookup, silence) == []
    assert lookup.proven is None


def test_it_ends_when_the_target_proves_itself() -> None:
    there = target_at("198.51.100.1")
    lookup = Lookup(TARGET, SEEDS, own=OWN)
    asked = drive(lookup, lambda node: [there], there=frozenset([there]))
    assert lookup.proven == there
    assert len(asked) == 3  # the two with which it begins, and the target
    assert lookup.queries() == lookup.found() == []


def test_while_the_first_address_is_tried_nobody_else_is_asked() -> None:
    lookup = Lookup(TARGET, SEEDS)
    first, _ = lookup.queries()
    lookup.answered(first, [target_at("198.51.100.1"), node_at(5)])
    assert lookup.queries() == []
    (tried,) = lookup.found()
    assert lookup.queries() == []
    lookup.failed(tried)
    assert len(lookup.queries()) == 7  # now there is a liar: all eight paths


def test_where_the_table_knows_the_target_nobody_is_asked() -> None:
    there = target_at("198.51.100.1")
    lookup = Lookup(TARGET, [*SEEDS, there])
    assert drive(lookup, silence, there=frozenset([there])) == [there]


def test_nobody_answers_and_it_is_done() -> None:
    lookup = Lookup(TARGET, SEEDS)
    assert set(drive(lookup, silence)) == set(SEEDS)
    assert lookup.done
    assert lookup.closest == []


def test_looking_for_ourselves_it_tries_no_address_and_finds_those_nearest() -> None:
    lookup = Lookup(OWN, SEEDS, own=OWN)
    asked = drive(lookup, lambda node: [Node(OWN, "198.51.100.1", 8080), node_at(2**159 + 7)])
    assert lookup.proven is None
    assert all(node.fingerprint != OWN for node in asked)
    assert set(lookup.closest) <= set(asked)


def test_liars_who_always_name_somebody_nearer_get_no_further_than_the_bound() -> None:
    chance = random.Random(1)

    def nearer(node: Node) -> list[Node]:
        return [node_at(max(node.long_id // 2 - chance.getrandbits(64), 1)) for _ in range(20)]

    lookup = Lookup(TARGET, SEEDS, most=50)
    assert len(drive(lookup, nearer)) == 50


# --- whom it asks ------------------------------------------------------------------------------------------


def test_paths_share_no_node() -> None:
    everybody = [node_at(2**150 + number) for number in range(40)]
    lookup = Lookup(TARGET, SEEDS, caps=UNCAPPED)
    asked = Counter(drive(lookup, lambda node: everybody[:20] if node in SEEDS else everybody[20:]))
    assert set(asked.values()) == {1}
    assert len(asked) > 30


def test_paths_begin_at_the_table_and_at_friends_by_turns() -> None:
    friends = [node_at(2**159 + (number << 130)) for number in range(1, 4)]
    lookup = Lookup(TARGET, SEEDS, friends=friends)
    assert lookup.queries() == [SEEDS[0], friends[0]]
    lookup.failed(SEEDS[0])
    lookup.failed(friends[0])
    assert lookup.queries() == [SEEDS[1], friends[1], SEEDS[2], friends[2]]


def test_a_path_follows_only_what_was_said_on_it() -> None:
    """A liar on one path cannot send another one anywhere."""
    lookup = Lookup(TARGET, SEEDS[:2])
    honest, liar = lookup.queries()
    traps = [node_at(1 + number) for number in range(20)]
    lookup.answered(liar, traps)
    lookup.answered(honest, [node_at(2**140)])
    assert set(lookup.queries()) == {node_at(2**140), traps[0]}


def test_when_seeds_are_used_up_answers_take_turns() -> None:
    first, second = SEEDS[:2]
    by_first = [node_at(2**159 + 100 + number) for number in range(5)]
    by_second = [node_at(2**159 + 200 + number) for number in range(5)]
    lookup = Lookup(TARGET, [first, second])
    lookup.queries()
    lookup.answered(first, by_first)
    lookup.answered(second, by_second)
    beginnings = lookup.queries()
    assert {node in by_first for node in beginnings} == {True, False}


def test_one_network_is_asked_a_few_times_only() -> None:
    crowd = [node_at(1 + number, f"198.51.100.{number + 1}") for number in range(200)]
    lookup = Lookup(TARGET, SEEDS)
    asked = drive(lookup, lambda node: crowd[:20] if node in SEEDS else crowd[20:40])
    assert sum(node.host.startswith("198.51.100.") for node in asked) <= 6


@pytest.mark.parametrize("who", ["others", "target"])
def test_one_address_is_asked_twice_at_most_whoever_is_said_to_be_there(who: str) -> None:
    def lies(node: Node) -> list[Node]:
        chance = random.Random(node.id)
        some = [node_at(chance.getrandbits(150), "198.51.100.1", 443) for _ in range(19)]
        return [*some, target_at("198.51.100.1", 443)] if who == "target" else some

    lookup = Lookup(TARGET, SEEDS, caps=UNCAPPED)
    asked = drive(lookup, lambda node: lies(node) if node.host != "198.51.100.1" else None)
    assert 1 <= sum(node.address == ("198.51.100.1", 443) for node in asked) <= 2


def test_we_are_not_sent_to_ourselves() -> None:
    lookup = Lookup(TARGET, SEEDS, own=OWN, avoid=[("198.51.100.1", 8080)])
    lies = [Node(OWN, "198.51.100.2", 1), node_at(5, "198.51.100.1"), target_at("198.51.100.1")]
    assert set(drive(lookup, lambda node: lies)) == set(SEEDS)


def test_a_person_is_asked_at_three_addresses_at_most() -> None:
    homes = [node_at(5, f"198.51.{number}.1") for number in range(20)]
    lookup = Lookup(TARGET, SEEDS)
    asked = drive(lookup, lambda node: None if node in homes else homes)
    assert sum(node in homes for node in asked) == 3


def test_a_false_address_of_a_node_does_not_keep_us_from_the_true_one() -> None:
    false, true, there = node_at(5, "198.51.100.1"), node_at(5, "203.0.113.1"), target_at("192.0.2.1")
    said = {SEEDS[0]: [false], SEEDS[1]: [true], true: [there]}
    lookup = Lookup(TARGET, SEEDS[:2])
    drive(lookup, said.get, there=frozenset([there]))
    assert lookup.proven == there


# --- addresses of the target -------------------------------------------------------------------------------


def test_what_more_paths_say_is_tried_first() -> None:
    lookup = Lookup(TARGET, SEEDS)
    one, other = lookup.queries()
    false, true = target_at("198.51.100.1"), target_at("203.0.113.1")
    lookup.answered(one, [false, true])
    lookup.answered(other, [true])
    assert lookup.found() == [true, false]


def test_no_more_than_sixteen_addresses_are_tried_three_at_a_time() -> None:
    numbers = iter(range(1, 10_000))
    lookup = Lookup(TARGET, SEEDS)
    tries: list[Node] = []
    while not lookup.done:
        now = lookup.found()
        assert len(now) <= 3
        tries += now
        for node in now:
            lookup.failed(node)
        for node in lookup.queries():
            lookup.answered(
                node, [target_at(f"198.51.{next(numbers) % 250}.1", 1 + next(numbers)) for _ in range(20)]
            )
    assert len(tries) == 16


def test_of_one_answer_two_addresses_of_the_target_count() -> None:
    lookup = Lookup(TARGET, SEEDS[:1])
    asked = drive(lookup, lambda node: [target_at(f"198.51.{number}.1") for number in range(20)])
    assert len(asked) == 3


def test_who_named_the_true_address_was_useful_and_who_named_another_one_lied() -> None:
    lookup = Lookup(TARGET, SEEDS)
    honest, liar = lookup.queries()
    false, true = target_at("198.51.100.1"), target_at("203.0.113.1")
    lookup.answered(liar, [false])
    lookup.answered(honest, [true])
    for node in lookup.found():
        if node == false:
            lookup.failed(node)
    assert lookup.scores == {}
    lookup.proved(true)
    assert lookup.scores == {honest.fingerprint: Score(useful=1), liar.fingerprint: Score(lies=1)}


def test_where_the_target_is_nowhere_nobody_is_called_a_liar() -> None:
    lookup = Lookup(TARGET, SEEDS)
    drive(lookup, lambda node: [target_at("198.51.100.1")])
    assert all(score.lies == 0 for score in lookup.scores.values())


# --- what answers may be -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("teller", "host", "asked"),
    [
        ("203.0.113.1", "192.168.1.1", False),
        ("203.0.113.1", "10.0.0.1", False),
        ("203.0.113.1", "127.0.0.1", False),
        ("203.0.113.1", "::1", False),
        ("203.0.113.1", "::ffff:10.0.0.1", False),
        ("203.0.113.1", "169.254.1.1", False),
        ("203.0.113.1", "fe80::1", False),
        ("203.0.113.1", "fd00::1", False),
        ("203.0.113.1", "localhost", False),
        ("203.0.113.1", "0.0.0.0", False),  # noqa: S104
        ("203.0.113.1", "224.0.0.1", False),
        ("203.0.113.1", "255.255.255.255", False),
        ("203.0.113.1", "127.1", False),
        ("203.0.113.1", "2130706433", False),
        ("203.0.113.1", "0x7f.1", False),
        ("203.0.113.1", "192.168.001.001", False),
        ("203.0.113.1", "example.org", True),
        ("203.0.113.1", "198.51.100.1", True),
        ("192.168.1.1", "192.168.1.2", True),
        ("192.168.1.1", "198.51.100.1", True),
        ("192.168.1.1", "127.0.0.1", False),
        ("127.0.0.1", "127.0.0.2", True),
    ],
)
def test_nobody_on_the_internet_knows_our_network(teller: str, host: str, asked: bool) -> None:
    for node in (node_at(5, host), target_at(host)):
        seed = node_at(2**159, teller)
        lookup = Lookup(TARGET, [seed])
        assert (node in drive(lookup, lambda one: [node] if one == seed else [])) is asked  # noqa: B023


@pytest.mark.parametrize(
    "answer",
    [
        [None],
        [None] * 5000,
        None,
        "text",
        b"bytes",
        7,
        {},
        {"fingerprint": "00"},
        [[]],
        [()],
        [(TARGET,)],
        [(TARGET, None)],
        [(TARGET, ("198.51.100.1", 0))],
        [(TARGET, ("198.51.100.1", 65536))],
        [(TARGET, ("198.51.100.1", "8080"))],
        [(TARGET, ("", 8080))],
        [("00" * 20, ("198.51.100.1", 8080))],
        [Node(OWN, "198.51.100.1", 8080)] * 50,
        iter([1]),
    ],
)
def test_an_answer_that_is_none_changes_nothing(answer: Any) -> None:
    there = target_at("192.0.2.1")
    lookup = Lookup(TARGET, SEEDS, own=OWN)
    first, _ = lookup.queries()
    lookup.answered(first, answer)
    assert lookup.found() == []
    drive(lookup, lambda node: [there] if node == SEEDS[5] else [], there=frozenset([there]))
    assert lookup.proven == there


def test_of_five_thousand_entries_twenty_count() -> None:
    many = [node_at(2**140 + number) for number in range(5000)]
    lookup = Lookup(TARGET, SEEDS[:1], caps=UNCAPPED)
    asked = drive(lookup, lambda node: many)
    assert set(asked) <= {SEEDS[0], *many[:20]}


def test_what_nobody_was_asked_is_not_listened_to() -> None:
    lookup = Lookup(TARGET, SEEDS)
    lookup.answered(node_at(77), [target_at("198.51.100.1")])
    lookup.failed(node_at(78))
    lookup.failed(target_at("198.51.100.1"))
    lookup.proved(node_at(79))
    assert lookup.found() == []
    assert lookup.proven is None
    first, _ = lookup.queries()
    lookup.answered(first, [])
    lookup.answered(first, [target_at("198.51.100.1")])
    assert lookup.found() == []


entries = st.one_of(
    st.none(),
    st.integers(),
    st.text(max_size=5),
    st.builds(
        Node,
        st.integers(0, 40).map(lambda place: Fingerprint(place.to_bytes(20, "big"))),
        st.sampled_from(
            ["198.51.100.1", "198.51.100.2", "203.0.113.9", "10.1.1.1", "name.example", "::1", "x"]
        ),
        st.integers(1, 3),
    ),
    st.builds(
        lambda place, host, port: (Fingerprint(place.to_bytes(20, "big")), (host, port)),
        st.integers(0, 2**160 - 1),
        st.ip_addresses().map(str),
        st.integers(-1, 70000),
    ),
)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), beginnings=st.integers(1, 24))
def test_whatever_is_answered_it_ends_within_its_bounds(data: st.DataObject, beginnings: int) -> None:
    lookup = Lookup(TARGET, SEEDS[:10], friends=SEEDS[10:14], own=OWN, most=60, beginnings=beginnings)
    running: list[tuple[str, Node]] = []
    seen: Counter[Node] = Counter()
    addresses: Counter[tuple[str, int]] = Counter()
    answers = data.draw(
        st.lists(st.one_of(st.none(), st.lists(entries, max_size=25)), min_size=1, max_size=20)
    )
    order = data.draw(st.randoms(use_true_random=False))
    for turn in range(1000):
        if lookup.done:
            break
        turns = [("ask", lookup.queries), ("try", lookup.found)]
        order.shuffle(turns)
        for kind, more in turns:
            for node in more():
                running.append((kind, node))
                seen[node] += 1
                addresses[node.address] += 1
        if lookup.done:
            break
        assert running, "nothing is under way, and it is not done"
        kind, node = running.pop(order.randrange(len(running)))
        answer = answers[turn % len(answers)]
        if kind == "ask" and answer is not None:
            lookup.answered(node, answer)
        elif kind == "try" and answer is not None and turn > 50:
            lookup.proved(node)
        else:
            lookup.failed(node)
    assert lookup.done
    assert set(seen.values()) <= {1}
    assert max(addresses.values()) <= 2
    assert lookup.asked <= 60
    assert all(node.fingerprint != OWN for node in seen)
