"""Whoever answers a search for routers: only the gateway is believed, and only for itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.finder.ports import ssdp

GATEWAY = "192.168.1.1"
LOCATION = "http://192.168.1.1:5000/rootDesc.xml"


def _answer(location: str = LOCATION, target: str = ssdp.TARGETS[0], first: str = "HTTP/1.1 200 OK") -> bytes:
    lines = [first, "CACHE-CONTROL: max-age=120", f"St: {target}", f"LOCATION: {location}", "EXT:", "", ""]
    return "\r\n".join(lines).encode()


def test_a_search_is_that_of_the_standard() -> None:
    assert ssdp.search(ssdp.TARGETS[0], seconds=2) == (
        b'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 2\r\n'
        b"ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n"
    )


def test_the_gateway_says_where_its_description_is() -> None:
    assert ssdp.read_location(_answer(), GATEWAY, GATEWAY) == LOCATION


@pytest.mark.parametrize(
    "packet",
    [
        _answer("http://192.168.1.77:5000/rootDesc.xml"),
        _answer("http://10.0.0.1/"),
        _answer("https://192.168.1.1/rootDesc.xml"),
        _answer("file:///etc/passwd"),
        _answer("http://192.168.1.1@evil.example/"),
        _answer("http://user@192.168.1.1/"),
        _answer("http://192.168.1.1.evil.example/"),
        _answer("http://192.168.1.1:99999/"),
        _answer("http://192.168.1.1:0/"),
        _answer("http://192.168.1.1/a b"),
        _answer("http://192.168.1.1/" + "a" * 1000),
        _answer("http://[::1"),
        _answer(""),
        _answer(target="upnp:rootdevice"),
        _answer(first="NOTIFY * HTTP/1.1"),
        _answer(first="HTTP/1.1 404 Not Found"),
        _answer() + b"\xff",
        _answer() + b"X: " + b"a" * ssdp.MAX_PACKET,
        b"",
    ],
)
def test_other_places_and_other_things_are_not_believed(packet: bytes) -> None:
    assert ssdp.read_location(packet, GATEWAY, GATEWAY) is None


def test_nobody_else_is_believed_even_for_the_gateway() -> None:
    assert ssdp.read_location(_answer(), "192.168.1.77", GATEWAY) is None


@given(st.binary(max_size=400) | st.text(max_size=200).map(_answer))
def test_whatever_comes_it_leads_to_the_gateway_or_nowhere(packet: bytes) -> None:
    location = ssdp.read_location(packet, GATEWAY, GATEWAY)
    assert location is None or location.startswith(f"http://{GATEWAY}")
