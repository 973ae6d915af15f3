"""Answers under /kad are read as claims: what is none is passed over (http.yaml H81, H84, H86)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.errors import PeerMisbehaved
from mau.fingerprint import Fingerprint
from mau.hostport import Address, format_address, parse_address
from mau.wire.kad import DialBack, dump_dial_back, dump_nodes, parse_dial_back, parse_nodes

FINGERPRINTS = st.binary(min_size=20, max_size=20).map(Fingerprint)
HOSTS = st.one_of(
    st.ip_addresses().map(str), st.sampled_from(["peer.example", "laptop.local", "a-1.example.org"])
)
# As they are written: an IPv4 address in the clothes of IPv6 is an IPv4 address.
ADDRESSES = st.tuples(HOSTS, st.integers(1, 65535)).map(format_address).map(parse_address)
NODES = st.lists(st.tuples(FINGERPRINTS, ADDRESSES), max_size=20, unique=True)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=20,
)
SOMEBODY = Fingerprint(bytes(range(20)))


@given(NODES)
def test_what_is_written_is_read(nodes: list[tuple[Fingerprint, Address]]) -> None:
    assert parse_nodes(dump_nodes(nodes)) == nodes


@given(JSON)
def test_whatever_comes_is_a_short_list_of_claims_or_one_error(document: Any) -> None:
    try:
        found = parse_nodes(json.dumps(document).encode())
    except PeerMisbehaved:
        assert not isinstance(document, list)
    else:
        assert len(found) <= 20


def test_null_and_nonsense_among_the_entries_are_passed_over() -> None:
    good = {"fingerprint": SOMEBODY.hex, "address": "192.0.2.1:80"}
    entries: list[Any] = [
        None,
        7,
        {},
        {**good, "address": "192.0.2.1"},
        {**good, "address": "192.0.2.1:0"},
        {**good, "address": "evil host:80"},
        {**good, "address": ["192.0.2.1:80"]},
        {**good, "fingerprint": SOMEBODY.hex.upper()},
        {**good, "fingerprint": ""},
        good,
        good,
    ]
    assert parse_nodes(json.dumps(entries).encode()) == [(SOMEBODY, ("192.0.2.1", 80))]
    assert parse_nodes(b"[null]") == parse_nodes(b"null") == parse_nodes(b"[]") == []


def test_of_a_long_answer_only_the_beginning_counts_and_of_an_endless_one_nothing() -> None:
    def entry(number: int) -> dict[str, str]:
        return {"fingerprint": f"{number:040x}", "address": "192.0.2.1:80"}

    assert len(parse_nodes(json.dumps([entry(number) for number in range(100)]).encode())) == 20
    # Nonsense takes the places of claims: twenty entries are looked at, whatever they are.
    assert parse_nodes(json.dumps([None] * 20 + [entry(1)]).encode()) == []
    with pytest.raises(PeerMisbehaved, match="too long"):
        parse_nodes(json.dumps([entry(number) for number in range(5_000)]).encode())
    with pytest.raises(PeerMisbehaved, match="not JSON"):
        parse_nodes(b"[" * 10_000)


@given(ADDRESSES, st.booleans())
def test_how_dialling_back_went_is_read_as_it_was_written(address: Address, reached: bool) -> None:
    assert parse_dial_back(dump_dial_back(DialBack(address, reached))) == DialBack(address, reached)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"address":"192.0.2.1:80"}',
        b'{"address":"x","reached":true}',
        b'{"address":"192.0.2.1:80","reached":1}',
    ],
)
def test_an_answer_that_does_not_say_it_is_none(body: bytes) -> None:
    with pytest.raises(PeerMisbehaved):
        parse_dial_back(body)
