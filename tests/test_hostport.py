"""HOST:PORT: what is one, and what is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.errors import AddressMalformed
from mau.hostport import format_address, parse_address, parse_listen, parse_loopback


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("example.org:4433", ("example.org", 4433)),
        ("EXAMPLE.org:1", ("example.org", 1)),
        ("127.0.0.1:65535", ("127.0.0.1", 65535)),
        ("[::1]:80", ("::1", 80)),
        ("[2001:DB8::0001]:80", ("2001:db8::1", 80)),
        (" localhost:7 ", ("localhost", 7)),
    ],
)
def test_addresses_are_read(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address
    assert parse_address(format_address(address)) == address


@pytest.mark.parametrize(
    "text",
    ["", "host", ":80", "host:", "host:0", "host:65536", "host:-1", "host:٣", "::1:80", "[::1]", "[x]:1",
     "a b:1", "http://x:1", "x/y:1", "user@x:1", "h\x00:1", "-x:1", "host:" + "9" * 5000,
     "host:0065535999"],
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
