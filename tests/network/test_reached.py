"""Somebody behind a router that maps ports: a friend outside looks, is told, and comes in from nothing."""

from __future__ import annotations

import contextlib
import json
import time

import pytest

from mau.addressbook import AddressBook
from tests.network.igd import start_miniupnpd
from tests.network.netns import Network
from tests.network.people import Person, friends, served, until

PORT = 8880


@pytest.mark.parametrize("pmp", [False, True], ids=["UPnP", "PCP"])
def test_a_friend_looks_whether_the_mapped_port_leads_to_us_and_learns_where_we_are(
    net: Network, pmp: bool
) -> None:
    lan, wan = net.switch("192.168.1.0/24"), net.switch("11.22.33.0/24")
    home, away = Person(net.host("home"), "reach.router = true"), Person(net.host("away"))
    router = net.router("router", inside=lan, outside=wan)
    home.host.plug(lan, gateway=True)
    away.host.plug(wan)
    daemon = start_miniupnpd(router, pmp=pmp)
    friends([home, away])
    home.post("first", away)
    outside = f"{router.wan.addresses[0]}:{PORT}"

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
    assert {(one.host, one.port) for one in away.proven(home)} == {(router.wan.addresses[0], PORT)}

    began = time.monotonic()
    assert here.stop(timeout=10) == 0, here.lines
    print(f"stopped in {time.monotonic() - began:.1f} s")
    daemon.expect("mapping removed|removing redirect")
    assert there.stop(timeout=10) == 0, there.lines


def _reached(one: Person) -> list[str]:
    """Where its finder says that it is reached."""
    try:
        places = json.loads((one.host.tree / ".finder" / "status.json").read_text())["places"]
    except (OSError, ValueError):
        return []
    return [place["address"] for place in places if place["confirmed"] is not None]
