"""A lookup network of real nodes: all enter by one, and everybody finds everybody by fingerprint alone."""

from __future__ import annotations

import signal

import pytest

from tests.network.lookup import enter, look
from tests.network.netns import Network
from tests.network.people import Person

LAN = "10.0.0.0/24"


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("count", "subnet"),
    [(6, LAN), (4, "fd00:9::/64"), pytest.param(20, LAN, marks=pytest.mark.slow)],
    ids=["6 hosts", "4 hosts, IPv6 only", "20 hosts"],
)
def test_all_who_enter_by_one_find_each_other_also_when_that_one_is_gone(
    net: Network, count: int, subnet: str
) -> None:
    entered = enter(net, count, subnet)
    _all_find_all(entered.people)
    last, one = entered.people[-1], entered.people[1]
    asked = one.host.mau("find", last.fpr.hex, "--json")
    assert '"proven"' in asked.text
    assert last.host.addresses[0] in asked.text
    entered.processes[0].kill()
    others = entered.people[1:]
    _all_find_all(others)
    # Who knows nothing but one who was not the first finds them as well.
    place = f"{others[0].fpr.hex}@{entered.gate.partition('@')[2]}".replace(
        entered.people[0].host.addresses[0], others[0].host.addresses[0]
    )
    found, _ = look(others[1], others[2:], fresh=place)
    assert [line["who"] for line in found if line["at"] is None] == []
    for process in entered.processes[1:]:
        process.send(signal.SIGTERM)
    assert {process.wait() for process in entered.processes[1:]} == {0}


def _all_find_all(people: list[Person]) -> None:
    for one in people:
        found, _ = look(one, [other for other in people if other is not one])
        assert [line["who"] for line in found if line["at"] is None] == [], one
