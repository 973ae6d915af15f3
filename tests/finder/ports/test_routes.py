"""The kernel's tables of routes and addresses are read as proc(5) has them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.finder.ports.routes import (
    OwnAddress,
    Route,
    default_route,
    default_route_v6,
    global_addresses_v6,
    is_public,
)

HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
V4 = HEAD + (
    "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0   \n"
    "eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0   \n"
    "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0   \n"
    "tun0\t00000000\t00000000\t0001\t0\t0\t50\t00000000\t0\t0\t0   \n"
    "eth1\t00000000\t010300C0\t0002\t0\t0\t10\t00000000\t0\t0\t0   \n"
)
ZERO = "0" * 32
V6 = (
    f"{ZERO} 00 {ZERO} 00 fe80000000000000000000000000000a 00000400 00000001 00000000 00000003 wlan0\n"
    f"{ZERO} 00 {ZERO} 00 fe80000000000000000000000000000b 00000100 00000001 00000000 00000003 eth0\n"
    f"fe80000000000000 40 {ZERO} 00 {ZERO} 00000100 00000001 00000000 00000001 eth0\n"
    f"{ZERO} 00 {ZERO} 00 {ZERO} ffffffff 00000001 00000000 00200200 lo\n"
)
ADDRESSES = (
    "00000000000000000000000000000001 01 80 10 80       lo\n"
    "2601000700000000000000000000abcd 02 40 00 01     eth0\n"
    "26010007000000000000000000000002 02 40 00 80     eth0\n"
    "26010007000000000000000000000003 02 40 00 40     eth0\n"
    "26010007000000000000000000000004 02 40 00 a0     eth0\n"
    "fd000007000000000000000000000002 02 40 00 80     eth0\n"
    "fe8000000000000000fc00fffe000001 02 40 20 80     eth0\n"
)


def test_the_gateway_is_that_of_the_default_route_with_the_lowest_metric() -> None:
    assert default_route(V4, byteorder="little") == Route("192.0.2.1", "eth0", 100)
    assert default_route(V4.replace("010200C0", "C0000201"), byteorder="big") == Route(
        "192.0.2.1", "eth0", 100
    )
    assert default_route_v6(V6) == Route("fe80::b", "eth0", 256)


def test_without_a_default_route_there_is_no_gateway() -> None:
    assert default_route(HEAD) is None
    assert default_route("") is None
    assert default_route_v6("") is None
    assert default_route_v6("\n".join(V6.splitlines()[2:])) is None


def test_addresses_that_stay_come_before_those_of_a_day() -> None:
    assert global_addresses_v6(ADDRESSES) == [OwnAddress("2601:7::2", "eth0")]
    temporary = "\n".join(line for line in ADDRESSES.splitlines() if "0002 02 40 00 80" not in line)
    assert global_addresses_v6(temporary) == [OwnAddress("2601:7::abcd", "eth0")]


@given(st.text(max_size=300))
def test_what_cannot_be_read_is_not_there(text: str) -> None:
    assert default_route(HEAD + text) is None
    assert default_route_v6(text) is None
    assert global_addresses_v6(text) == []


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("11.22.33.44", True),
        ("2601:7::2", True),
        ("10.0.0.1", False),
        ("192.168.1.1", False),
        ("172.20.0.1", False),
        ("100.64.0.1", False),  # RFC 6598
        ("169.254.1.1", False),
        ("127.0.0.1", False),
        ("0.0.0.0", False),  # noqa: S104
        ("224.0.0.1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::1", False),
        ("example.org", False),
        ("", False),
    ],
)
def test_an_address_of_the_internet_is_told_from_others(host: str, public: bool) -> None:
    assert is_public(host) is public
