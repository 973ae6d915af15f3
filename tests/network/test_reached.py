"""Somebody behind a router that maps ports: a friend outside looks, is told, and comes in from nothing."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest

from mau.addressbook import AddressBook
from mau.hostport import format_address
from tests.network.igd import start_miniupnpd
from tests.network.netns import Network
from tests.network.people import Person, friends, served, until

PORT = 8880


@pytest.mark.parametrize("kind", ["UPnP", "PCP", "PCP and IPv6 only"])
def test_a_friend_looks_whether_the_open_port_leads_to_us_and_learns_where_we_are(
    net: Network, kind: str
) -> None:
    v6 = kind == "PCP and IPv6 only"
    lan = net.switch("2601:7::/64" if v6 else "192.168.1.0/24")
    wan = net.switch("2601:1::/64" if v6 else "11.22.33.0/24")
    home, away = Person(net.host("home"), "reach.router = true"), Person(net.host("away"))
    router = net.router("router", inside=lan, outside=wan)
    if v6:
        router.ip("addr", "add", "fe80::1/64", "dev", "lan", "nodad")
        home.host.plug(lan, gateway="fe80::1")
        away.host.plug(wan)
        away.host.ip("route", "add", "2601:7::/64", "via", router.wan.addresses[0])
    else:
        home.host.plug(lan, gateway=True)
        away.host.plug(wan)
    daemon = start_miniupnpd(router, pmp=kind != "UPnP")
    friends([home, away])
    home.post("first", away)
    place = (home.host.addresses[0] if v6 else router.wan.addresses[0], PORT)
    outside = format_address(place)

    there = away.begin("--listen", f":{PORT}")
    served(there)
    with contextlib.closing(AddressBook(home.account.root)) as book:
        book.told(away.fpr, away.host.addresses[0], PORT, source="told")
    here = home.begin("--listen", f":{PORT}")
    served(here)

    took = until(lambda: outside in _reached(home), "the friend reached us at the router")
    print(f"confirmed {took:.1f} s after serving")
    took = until(lambda: away.has(home, "contact"), "the friend is told")
    print(f"told {took:.1f} s after that")
    assert away.has(home, "first")
    said = home.host.mau("status")
    assert outside in said.text + said.err

    # The friend has forgotten everything but what lies in the tree.
    began = time.monotonic()
    assert there.stop() == 0, there.lines
    print(f"stopped in {time.monotonic() - began:.1f} s")
    for file in (away.host.tree / ".peers").glob("addresses.db*"):
        file.unlink()
    home.post("second", away)
    there = away.begin("--listen", f":{PORT}")
    took = until(lambda: away.has(home, "second"), "the friend comes in from nothing")
    print(f"from nothing in {took:.1f} s")
    until(lambda: away.proven(home), "and notes where")
    assert {(one.host, one.port) for one in away.proven(home)} == {place}

    began = time.monotonic()
    assert here.stop(timeout=10) == 0, here.lines
    print(f"stopped in {time.monotonic() - began:.1f} s")
    daemon.expect("mapping removed|removing redirect")
    assert there.stop(timeout=10) == 0, there.lines


@pytest.mark.parametrize("subnet", ["11.22.33.0/24", "2601:1::/64"], ids=["IPv4", "IPv6"])
def test_a_machine_of_the_internet_needs_no_router_to_be_told_of(net: Network, subnet: str) -> None:
    wan = net.switch(subnet)
    home, away = Person(net.host("home")), Person(net.host("away"))
    for one in (home, away):
        one.host.plug(wan)
    friends([home, away])
    there = away.up("--no-sync")
    with contextlib.closing(AddressBook(home.account.root)) as book:
        book.told(away.fpr, away.host.addresses[0], PORT, source="told")
    here = home.up()
    until(lambda: _reached(home) == [format_address((home.host.addresses[0], PORT))], "the friend comes")
    assert (here.stop(), there.stop()) == (0, 0)


def test_who_is_behind_a_router_that_maps_nothing_is_told_what_to_do(net: Network) -> None:
    lan, wan = net.switch("192.168.1.0/24"), net.switch("11.22.33.0/24")
    home, away = Person(net.host("home"), "reach.router = true"), Person(net.host("away"))
    net.router("router", inside=lan, outside=wan)
    home.host.plug(lan, gateway=True)
    away.host.plug(wan)
    friends([home, away])
    there = away.up("--no-sync")
    with contextlib.closing(AddressBook(home.account.root)) as book:
        book.told(away.fpr, away.host.addresses[0], PORT, source="told")
    here = home.up()
    until(lambda: _status(home).get("asked"), "the friend has looked")
    until(lambda: "192.168.1.2" in _status(home)["router"], "the router was asked")
    said = home.host.mau("status")
    assert "Not reached from the internet" in said.text + said.err
    assert "forward TCP port 8880 to this machine (192.168.1.2)" in said.text + said.err
    assert _reached(home) == []
    assert (here.stop(), there.stop()) == (0, 0)


def _status(one: Person) -> dict[str, Any]:
    """What its finder says of itself."""
    try:
        said: dict[str, Any] = json.loads((one.host.tree / ".finder" / "status.json").read_text())
    except (OSError, ValueError):
        return {}
    return said


def _reached(one: Person) -> list[str]:
    """Where its finder says that it is reached."""
    return [place["address"] for place in _status(one).get("places", []) if place["confirmed"] is not None]
