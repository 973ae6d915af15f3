"""How the ports stand is said in words that help: what is, and what to do."""

from __future__ import annotations

import time

from mau.finder.ports import Failure, Gateway, Mapping, Method, PortState, Trial, explain

HOME = Gateway("192.168.1.1", "eth0", "192.168.1.2")
HOME6 = Gateway("fe80::1", "eth0", "2601:7::2")
SILENT = Failure("no answer")
INSIDE = ("192.168.1.2", 8880)


def _mapping(method: Method = "upnp", host: str = "11.22.33.44") -> Mapping:
    return Mapping(method, (host, 8880), INSIDE, time.time() + 3600, "192.168.1.1")


def _state(
    *mappings: Mapping, gateways: tuple[Gateway, ...] = (HOME,), trials: tuple[Trial, ...] = ()
) -> PortState:
    return PortState(8880, True, gateways, mappings, trials)


def test_a_mapping_is_told_with_its_router_and_its_way() -> None:
    assert explain(_state(_mapping())) == "the router 192.168.1.1 maps port 8880 to 11.22.33.44:8880 (UPnP)"
    assert explain(_state(_mapping("natpmp"))).endswith("(NAT-PMP)")


def test_a_router_behind_a_router_is_told_and_what_to_do() -> None:
    assert explain(_state(_mapping(host="100.64.0.9"))) == (
        "the router 192.168.1.1 maps port 8880 to 100.64.0.9:8880 (UPnP), which is no address of the "
        "internet: another router is before it, often the provider's; forward the port there too, "
        "or let a friend pass connections on"
    )


def test_a_silent_router_is_told_and_what_to_do() -> None:
    trials = tuple(Trial("192.168.1.1", method, SILENT) for method in ("pcp", "natpmp", "upnp"))
    assert explain(_state(trials=trials)) == (
        "the router 192.168.1.1 answers neither PCP, NAT-PMP nor UPnP: "
        "forward TCP port 8880 to this machine (192.168.1.2) by hand"
    )
    assert "does not answer UPnP: forward" in explain(_state(trials=trials[2:]))


def test_a_refusal_is_told_apart_from_silence() -> None:
    trials = (
        Trial("192.168.1.1", "pcp", SILENT),
        Trial("192.168.1.1", "upnp", Failure("not authorized", answered=True)),
    )
    assert explain(_state(trials=trials)).startswith(
        "the router 192.168.1.1 maps nothing (UPnP: not authorized): "
    )


def test_each_family_has_its_line() -> None:
    own = Mapping("direct", ("2601:7::2", 8880), ("2601:7::2", 8880), float("inf"))
    trials = (Trial("fe80::1", "pcp", SILENT),)
    assert explain(_state(_mapping(), own, gateways=(HOME, HOME6), trials=trials)).splitlines() == [
        "the router 192.168.1.1 maps port 8880 to 11.22.33.44:8880 (UPnP)",
        "this machine itself has the address [2601:7::2]:8880 of the internet; a firewall may be before it",
        "the router fe80::1 does not answer PCP: "
        "if it has a firewall, let TCP port 8880 in to 2601:7::2 by hand",
    ]
    hole = Mapping("pcp", ("2601:7::2", 8880), ("2601:7::2", 8880), time.time() + 60, "fe80::1")
    assert explain(_state(hole, gateways=(HOME6,))) == (
        "the router fe80::1 lets others in to [2601:7::2]:8880 (PCP)"
    )


def test_what_is_not_known_yet_is_not_said() -> None:
    assert explain(PortState(8880)) == "nobody asked a router for port 8880 yet"
    assert explain(PortState(8880, False, (HOME,))) == "the router 192.168.1.1 is being asked"
    assert (
        explain(PortState(8880, True))
        == "no router is found: this machine is on no network, or does not tell its routes"
    )
