"""HOST:PORT: what is one, and what is not."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.errors import AddressMalformed
from mau.hostport import format_address, parse_address, parse_listen, parse_loopback, scope_of


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("example.org:4433", ("example.org", 4433)),
        ("EXAMPLE.org:1", ("example.org", 1)),
        ("127.0.0.1:65535", ("127.0.0.1", 65535)),
        ("[::1]:80", ("::1", 80)),
        ("[2001:DB8::0001]:80", ("2001:db8::1", 80)),
        (" localhost:7 ", ("localhost", 7)),
        ("[::ffff:192.0.2.1]:80", ("192.0.2.1", 80)),
        ("[fe80::1%eth0.7]:80", ("fe80::1%eth0.7", 80)),
    ],
)
def test_addresses_are_read(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address
    assert parse_address(format_address(address)) == address


@pytest.mark.parametrize(
    "text",
    ["", "host", ":80", "host:", "host:0", "host:65536", "host:-1", "host:٣", "::1:80", "[::1]", "[x]:1",
     "a b:1", "http://x:1", "x/y:1", "user@x:1", "h\x00:1", "-x:1", "host:" + "9" * 5000,
     "host:0065535999", "[fe80::1%\x1b[2J]:1", "[fe80::1%a@b]:1", "[fe80::1%]:1",
     "[fe80::1%interface-too-long]:1", "[2001:db8::1%1]:1", "[::1%lo]:1", "[::ffff:192.0.2.1%1]:1"],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(AddressMalformed):
        parse_address(text)


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        host, port = parse_address(text)
    except AddressMalformed:
        return
    assert host
    assert 0 < port < 65536


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (":8880", ("", 8880)),
        (":0", ("", 0)),
        ("localhost:00", ("localhost", 0)),
        ("[::]:7", ("::", 7)),
        ("127.0.0.1:0", ("127.0.0.1", 0)),
    ],
)
def test_one_can_listen_everywhere_and_on_any_port(text: str, address: tuple[str, int]) -> None:
    assert parse_listen(text) == address


@pytest.mark.parametrize(
    "text", ["", ":", "8880", "localhost", "localhost:", "::1:0", "[]:0", ":-1", ":65536"]
)
def test_one_cannot_listen_elsewhere(text: str) -> None:
    with pytest.raises(AddressMalformed):
        parse_listen(text)


@pytest.mark.parametrize(
    "text", ["0.0.0.0:1", ":9880", "[::]:1", "192.0.2.7:1", "example.org:1", "localhost.example.org:1", "x"]
)
def test_elsewhere_than_on_this_machine_is_refused(text: str) -> None:
    with pytest.raises(AddressMalformed):
        parse_loopback(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("127.0.0.1:1", ("127.0.0.1", 1)),
        ("[::1]:0", ("::1", 0)),
        ("localhost:2", ("127.0.0.1", 2)),
        ("LOCALHOST.:2", ("127.0.0.1", 2)),
    ],
)
def test_this_machine_has_several_names(text: str, place: tuple[str, int]) -> None:
    assert parse_loopback(text) == place


@given(st.text(max_size=40))
def test_whatever_is_an_address_can_be_listened_on(text: str) -> None:
    try:
        found = parse_listen(text)
    except AddressMalformed:
        return
    assert 0 <= found[1] < 65536
    if all(found):
        assert parse_address(text) == found


@pytest.mark.parametrize(
    ("scope", "hosts"),
    [
        ("loopback", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "localhost.", "a.localhost",
                      "::ffff:127.0.0.1"]),
        ("link", ["169.254.1.1", "fe80::1", "fe80::1%eth0", "::ffff:169.254.1.1"]),
        ("private", ["10.0.0.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "fd00::1", "fec0::1",
                     "64:ff9b:1::1", "::ffff:10.0.0.1"]),
        ("global", ["1.1.1.1", "2606:4700::1111", "64:ff9b::1.1.1.1", "2002:101:101::1", "::ffff:1.1.1.1"]),
        ("name", ["example.org", "nas", "7.example.org", "a-1"]),
        # Ways to private networks and to this machine that do not look like that.
        ("nowhere", ["0.0.0.0", "0.1.2.3", "240.0.0.1", "255.255.255.255", "224.0.0.251", "ff02::fb", "::",  # noqa: S104
                     "::127.0.0.1", "::10.0.0.1", "2002:7f00:1::1", "2002:c0a8:101::1", "64:ff9b::10.0.0.1",
                     "64:ff9b::127.0.0.1", "::ffff:0:192.168.1.1", "2001:0:4136:e378:8000:63bf:3f57:fefe",
                     "127.1", "0x7f.1", "0X7F000001", "2130706433", "017700000001", "127.0.0.1.", "a.1"]),
    ],
)  # fmt: skip
def test_how_far_a_host_reaches_is_read_from_its_text(scope: str, hosts: list[str]) -> None:
    assert {host: scope_of(host) for host in hosts} == dict.fromkeys(hosts, scope)


@given(st.ip_addresses(v=4))
def test_an_address_in_another_leads_no_nearer(inner: ipaddress.IPv4Address) -> None:
    number = int(inner)
    for outer in ((0x2002 << 112) | (number << 80) | 1, (0x64FF9B << 96) | number, (0xFFFF << 48) | number):
        assert scope_of(str(ipaddress.IPv6Address(outer))) in (
            ("global",) if scope_of(str(inner)) == "global" else ("nowhere",)
        )
    assert scope_of(str(ipaddress.IPv6Address((0xFFFF << 32) | number))) == scope_of(str(inner))
