"""A home behind a router with a real miniupnpd: who is outside comes in for as long as the port is kept."""

from __future__ import annotations

import json
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.network.igd import start_miniupnpd
from tests.network.netns import Host, Network, Router, Switch
from tests.network.process import Process

KEEPING = Path(__file__).with_name("keeping.py")
LYING = Path(__file__).with_name("lying.py")
PORT = 8880
# What the daemon says when it serves a request.
CHECKED = "PCP request received|public address request|#GetExternalIPAddress"
MAPPED = "PCP MAP: added mapping|port mapping request|AddPortMapping: ext"
REMOVED = "mapping removed|removing redirect"


@dataclass
class Place:
    """A home, its router, and somebody out there."""

    home: Host
    router: Router
    away: Host
    lan: Switch

    def keep(self, *words: str) -> Process:
        return self.home.python(KEEPING, str(PORT), *words)

    def call(self, host: str, port: int, timeout: float = 5.0) -> str:
        """Call from outside; what the home says that the caller's address is."""
        with self.away.call(socket.create_connection, (host, port), timeout) as connection:
            return connection.makefile().read()

    def is_open(self, host: str, port: int) -> bool:
        try:
            return bool(self.call(host, port, timeout=0.5))
        except OSError:
            return False

    def opens(self, host: str, port: int) -> bool:
        """Whether it is open before long."""
        until = time.monotonic() + 15
        while time.monotonic() < until:
            if self.is_open(host, port):
                return True
            time.sleep(0.1)
        return False

    def entries(self) -> str:
        """What miniupnpd wrote into the tables of the router."""
        table = ["nft", "list", "chain", "inet", "filter"]
        return "".join(
            line
            for chain in ("prerouting_miniupnpd", "miniupnpd")
            for line in self.router.run([*table, chain]).text.splitlines(keepends=True)
            if "port" in line
        )


@pytest.fixture
def place(net: Network) -> Place:
    lan, wan = net.switch("192.168.1.0/24"), net.switch("11.22.33.0/24")
    home, away = net.host("home"), net.host("away")
    router = net.router("router", inside=lan, outside=wan)
    home.plug(lan, gateway=True)
    away.plug(wan)
    return Place(home, router, away, lan)


def _mapped(keeper: Process, method: str, timeout: float = 20.0) -> tuple[str, int]:
    """Wait until the keeper tells of a mapping by a method; its external address."""
    found = keeper.expect(rf'\{{"mappings": (\{{.*"{method}".*?\]\}})', timeout)
    host, _, port = json.loads(found[1])[method][0].rpartition(":")
    return host.strip("[]"), int(port)


@pytest.mark.parametrize(
    ("methods", "upnp", "pmp", "answers"),
    [
        (["upnp"], True, False, "upnp"),
        (["natpmp"], False, True, "natpmp"),
        (["pcp"], False, True, "pcp"),
        ([], True, False, "upnp"),
        ([], True, True, "pcp"),
    ],
    ids=["UPnP only", "NAT-PMP only", "PCP only", "any, the router has UPnP", "any, the router has all"],
)
def test_a_server_behind_a_router_is_reached_from_outside_until_it_stops(
    place: Place, methods: list[str], upnp: bool, pmp: bool, answers: str
) -> None:
    daemon = start_miniupnpd(place.router, upnp=upnp, pmp=pmp)
    outside = place.router.wan.addresses[0]
    assert not place.is_open(outside, PORT)
    keeper = place.keep(*methods)
    assert _mapped(keeper, answers) == (outside, PORT)
    assert place.call(outside, PORT) == place.away.addresses[0]
    assert f"{place.home.addresses[0]}:{PORT}" in place.entries()
    assert keeper.stop() == 0
    daemon.expect(REMOVED)
    assert not place.entries()
    assert not place.is_open(outside, PORT)


@pytest.mark.parametrize("method", ["pcp", "natpmp", "upnp"])
def test_a_lease_is_renewed_before_it_ends(place: Place, method: str) -> None:
    daemon = start_miniupnpd(place.router)
    keeper = place.keep("--lease", "8", method)
    outside = _mapped(keeper, method)
    made = time.monotonic()
    # The daemon tells of each request that it serves.
    request = {
        "pcp": r"PCP request received",
        "natpmp": r"port mapping request : \d+->",
        "upnp": r"AddPortMapping: ext",
    }[method]
    for _ in range(3):
        daemon.expect(request)
    assert time.monotonic() - made > 7.5  # the first lease ends
    assert place.opens(*outside)  # a renewal takes the rule away for a moment
    assert place.call(*outside) == place.away.addresses[0]
    assert keeper.stop() == 0
    assert [method in line for line in keeper.out] == [True, False]  # it came once, and went at the end


@pytest.mark.parametrize("method", ["pcp", "natpmp", "upnp"])
def test_a_router_that_was_restarted_maps_anew(place: Place, method: str) -> None:
    daemon = start_miniupnpd(place.router)
    keeper = place.keep("--check", "0.5", method)
    outside = _mapped(keeper, method)
    for _ in range(8 if method == "natpmp" else 1):  # an epoch of two seconds is like any other
        daemon.expect(CHECKED)
    daemon.stop(signal.SIGTERM)
    # It forgets what it mapped, and comes back at another port of HTTP.
    place.router.run(["nft", "flush", "chain", "inet", "filter", "prerouting_miniupnpd"])
    place.router.run(["nft", "flush", "chain", "inet", "filter", "miniupnpd"])
    assert not place.is_open(*outside)
    daemon = start_miniupnpd(place.router, port=5001)
    daemon.expect(MAPPED)
    assert place.opens(*outside)
    assert place.call(*outside) == place.away.addresses[0]
    assert keeper.stop() == 0
    daemon.expect(REMOVED)
    assert not place.entries()


def test_a_new_address_of_the_router_is_told(place: Place) -> None:
    start_miniupnpd(place.router)
    keeper = place.keep("--check", "0.5", "natpmp")
    assert _mapped(keeper, "natpmp") == ("11.22.33.2", PORT)
    place.router.ip("addr", "del", "11.22.33.2/24", "dev", "wan")
    place.router.ip("addr", "add", "11.22.33.99/24", "dev", "wan")
    assert _mapped(keeper, "natpmp") == ("11.22.33.99", PORT)
    assert place.call("11.22.33.99", PORT) == place.away.addresses[0]


def test_a_port_that_another_machine_has_is_left_to_it(place: Place, net: Network) -> None:
    start_miniupnpd(place.router, pmp=False)
    other = net.host("other")
    other.plug(place.lan, gateway=True)
    first = other.python(KEEPING, str(PORT))
    assert _mapped(first, "upnp") == (place.router.wan.addresses[0], PORT)
    keeper = place.keep()
    host, port = _mapped(keeper, "upnp")
    assert port != PORT
    assert place.call(host, PORT) == place.call(host, port) == place.away.addresses[0]
    assert f"{place.home.addresses[0]}:{PORT}" in place.entries()
    assert keeper.stop() == 0
    assert place.call(host, PORT) == place.away.addresses[0]


def test_another_machine_that_says_to_be_the_router_is_asked_for_nothing(place: Place, net: Network) -> None:
    start_miniupnpd(place.router, pmp=False)
    evil = net.host("evil")
    evil.plug(place.lan, gateway=True)
    liar = evil.python(LYING, evil.addresses[0], place.router.lan.addresses[0])
    liar.expect("ready")
    keeper = place.keep()
    assert _mapped(keeper, "upnp") == (place.router.wan.addresses[0], PORT)
    liar.expect("lied")
    assert keeper.stop() == 0
    assert not any("asked" in line for line in liar.lines)


def test_a_router_that_knows_none_of_it_is_told_of_in_words(place: Place) -> None:
    keeper = place.keep()
    first = keeper.expect('"looked": true, "words": "(.*)"')[1]
    assert first == (
        "the router 192.168.1.1 answers neither PCP, NAT-PMP nor UPnP: "
        "forward TCP port 8880 to this machine (192.168.1.2) by hand"
    )
    # Somebody installs one that does, and nobody has to start us again.
    start_miniupnpd(place.router)
    assert place.call(*_mapped(keeper, "pcp")) == place.away.addresses[0]


def test_a_router_that_stands_behind_another_says_that_it_has_no_address_outside(net: Network) -> None:
    lan, provider = net.switch("192.168.1.0/24"), net.switch("100.64.7.0/24")
    home = net.host("home")
    router = net.router("router", inside=lan, outside=provider)
    home.plug(lan, gateway=True)
    start_miniupnpd(router)
    keeper = home.python(KEEPING, str(PORT))
    said = keeper.expect('"looked": true, "words": "(.*)"')[1]
    assert "maps nothing (PCP: no resources, NAT-PMP: network failure, UPnP: has no address outside)" in said


def test_a_laptop_that_comes_to_another_network_asks_there(place: Place, net: Network) -> None:
    start_miniupnpd(place.router)
    keeper = place.keep()
    _mapped(keeper, "pcp")
    place.home.links[0].remove()
    keeper.expect('"mappings": {}')
    cafe, wan = net.switch("10.9.0.0/16"), net.switch("11.22.34.0/24")
    router = net.router("cafe", inside=cafe, outside=wan)
    start_miniupnpd(router, pmp=False)
    place.home.plug(cafe, gateway=True)
    assert _mapped(keeper, "upnp") == ("11.22.34.2", PORT)
    assert keeper.stop() == 0


def test_a_firewall_without_translation_lets_in_what_is_asked_for(net: Network) -> None:
    lan, wan = net.switch("2601:7::/64"), net.switch("2601:1::/64")
    home, away = net.host("home"), net.host("away")
    router = net.router("router", inside=lan, outside=wan)
    # As router advertisements have it: the gateway is known by an address of this one network.
    router.ip("addr", "add", "fe80::1/64", "dev", "lan", "nodad")
    home.plug(lan, gateway="fe80::1")
    away.plug(wan)
    away.ip("route", "add", "2601:7::/64", "via", router.wan.addresses[0])
    daemon = start_miniupnpd(router)
    place = Place(home, router, away, lan)
    assert not place.is_open(home.addresses[0], PORT)
    keeper = place.keep()
    assert _mapped(keeper, "pcp") == (home.addresses[0], PORT)
    assert place.call(home.addresses[0], PORT) == away.addresses[0]
    assert keeper.stop() == 0
    daemon.expect(REMOVED)
    assert not place.is_open(home.addresses[0], PORT)
    assert not place.entries()
