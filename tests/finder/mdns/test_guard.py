"""Only datagrams of this network come in, and no more than somebody honest sends."""

from __future__ import annotations

import ipaddress

import pytest

from mau.finder.mdns.budget import Budget, Budgets
from mau.finder.mdns.guard import EVERYBODY, ONE, Guard
from mau.finder.mdns.network import Network

NETWORK = Network("eth0", 2, tuple(map(ipaddress.ip_interface, ("192.168.7.2/16", "fe80::2/64"))))


@pytest.mark.parametrize(
    ("sender", "admitted"),
    [
        (("192.168.7.9", 5353), True),
        (("192.168.7.2", 5353), True),  # this machine itself
        (("::ffff:192.168.7.9", 5353, 0, 0), True),
        (("fe80::9%eth0", 5353, 0, 2), True),
        (("fe80::9", 5353, 0, 3), False),  # by another interface
        (("10.0.0.1", 5353), False),
        (("::ffff:10.0.0.1", 5353, 0, 0), False),
        (("2601:1::1", 5353, 0, 0), False),
        (("nonsense", 5353), False),
    ],
)
def test_who_is_in_the_network_is_heard(sender: tuple[object, ...], admitted: bool) -> None:
    assert Guard(NETWORK).admits(sender, 0.0) is admitted


def test_one_who_floods_is_not_heard_any_more_and_others_are() -> None:
    guard = Guard(NETWORK)
    flood = [guard.admits(("192.168.7.9", 5353), 0.0) for _ in range(5_000)]
    assert sum(flood) == ONE[0]
    assert guard.admits(("192.168.7.8", 5353), 0.0)
    assert guard.admits(("192.168.7.9", 5353), 1.0)


def test_many_who_flood_are_bounded_together() -> None:
    guard = Guard(NETWORK)
    flood = [guard.admits((f"192.168.{at >> 8}.{at & 255}", 5353), 0.0) for at in range(1, 20_000)]
    assert sum(flood) == EVERYBODY[0]


def test_a_budget_fills_with_time_and_not_beyond_its_size() -> None:
    budget = Budget(2, 1)
    assert [budget.take(0), budget.take(0), budget.take(0)] == [True, True, False]
    assert budget.take(1)
    assert [budget.take(100), budget.take(100), budget.take(100)] == [True, True, False]
    assert not budget.take(50)  # a clock that goes back gives nothing


def test_of_those_who_send_the_last_ones_are_remembered() -> None:
    budgets = Budgets(1, 0, 2)
    assert budgets.take("a", 0)
    assert budgets.take("b", 0)
    assert not budgets.take("a", 0)
    assert budgets.take("c", 0)  # b, who was silent for longest, is forgotten
    assert not budgets.take("a", 0)
    assert budgets.take("b", 0)
