"""A network's name, what belongs to it, and where we may speak."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.finder.mdns.network import MAX_ANNOUNCED, Network, Networks

MAC = "aa:bb:cc:dd:ee:ff"


def network(*addresses: str, router: str | None = MAC) -> Network:
    return Network("eth0", 2, tuple(map(ipaddress.ip_interface, addresses)), router)


@pytest.mark.parametrize(
    ("addresses", "router", "name"),
    [
        (["192.168.1.7/24"], MAC, f"192.168.1.0/24@{MAC}"),
        (["192.168.1.7/24"], "", "192.168.1.0/24"),
        (["192.168.1.7/24"], None, None),
        (["fe80::1/64", "fd00:7::9/64", "192.168.1.7/24"], MAC, f"192.168.1.0/24@{MAC}"),
        (["169.254.3.4/16", "192.168.1.7/24"], MAC, f"192.168.1.0/24@{MAC}"),
        (["fe80::1/64", "fd00:7::9/64"], MAC, f"fd00:7::/64@{MAC}"),
        (["fe80::1/64"], "", "fe80::/64"),
        ([], "", None),
    ],
)
def test_a_network_is_called_by_its_addresses_and_its_router(
    addresses: list[str], router: str | None, name: str | None
) -> None:
    assert network(*addresses, router=router).name == name


@pytest.mark.parametrize(
    "address",
    ["192.168.1.9", "192.168.1.254", "fd00:7::5", "fe80::5", "192.168.1.7"],
)
def test_addresses_of_the_network_can_be_somebody_there(address: str) -> None:
    assert network("192.168.1.7/24", "fd00:7::9/64").holds(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "192.168.1.0",
        "192.168.1.255",
        "192.168.2.9",
        "10.0.0.1",
        "11.22.33.44",
        "127.0.0.1",
        "0.0.0.0",  # noqa: S104 - compared, not bound
        "255.255.255.255",
        "224.0.0.251",
        "169.254.1.1",
        "::1",
        "::",
        "ff02::fb",
        "fd00:8::5",
        "2601:1::5",
        "::ffff:192.168.1.9",
        "64:ff9b::c0a8:109",
    ],
)
def test_no_address_of_elsewhere_of_many_or_of_nobody_is_somebody_there(address: str) -> None:
    assert not network("192.168.1.7/24", "fd00:7::9/64").holds(ipaddress.ip_address(address))


def test_without_ipv6_nobody_is_there_by_a_link_local_address() -> None:
    assert not network("192.168.1.7/24").holds(ipaddress.ip_address("fe80::5"))


@given(st.integers(0, 2**32 - 1), st.integers(0, 32), st.integers(0, 2**32 - 1))
def test_whoever_can_be_there_is_in_the_subnet(own: int, length: int, other: int) -> None:
    interface = ipaddress.ip_interface((own, length))
    address = ipaddress.ip_address(other)
    if network(str(interface)).holds(address):
        assert address in interface.network
        assert not (address.is_multicast or address.is_loopback or address.is_unspecified)


def test_a_link_local_address_is_written_with_its_interface() -> None:
    one = network("fe80::1/64")
    assert one.host(ipaddress.ip_address("fe80::5")) == "fe80::5%eth0"
    assert one.host(ipaddress.ip_address("fe80::5%eth9")) == "fe80::5%eth0"
    assert one.host(ipaddress.ip_address("192.168.1.9")) == "192.168.1.9"


def test_a_few_addresses_are_announced_and_those_of_ipv4_first() -> None:
    many = network(*(f"fd00:7::{number:x}/64" for number in range(1, 20)), "192.168.1.7/24")
    assert len(many.hosts) == MAX_ANNOUNCED
    assert str(many.hosts[0]) == "192.168.1.7"


def test_off_is_nowhere_everywhere_is_everywhere_and_trusted_is_where_the_name_is_the_same() -> None:
    home, cafe = network("192.168.1.7/24"), network("192.168.1.7/24", router="00:00:00:00:00:01")
    unsure = network("192.168.1.7/24", router=None)
    name = f"192.168.1.0/24@{MAC}"
    for one in (home, cafe, unsure):
        assert not Networks().allow(one)
        assert not Networks.of("off", [name]).allow(one)
        assert Networks.of("everywhere").allow(one)
    trusting = Networks.of("trusted", [f" {name.upper()} "])
    assert trusting.allow(home)
    assert not trusting.allow(cafe)
    assert not trusting.allow(unsure)
    assert not Networks.of("trusted", ["192.168.1.0/24"]).allow(home)  # a network without a router is another


def test_a_router_is_asked_for_only_where_that_decides() -> None:
    unsure = network("192.168.1.7/24", router=None)
    name = f"192.168.1.0/24@{MAC}"
    assert Networks.of("trusted", [name]).nearly(unsure)
    assert not Networks.of("trusted", [f"10.0.0.0/8@{MAC}"]).nearly(unsure)
    assert not Networks.of("trusted", [name]).nearly(network("192.168.1.7/24"))
    assert not Networks.of("everywhere", [name]).nearly(unsure)
    assert not Networks.of("off", [name]).nearly(unsure)
