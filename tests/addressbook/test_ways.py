"""Ways through circuit relays: behind the addresses, and what becomes of them says nothing of addresses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mau.addressbook import AddressBook
from mau.addressbook.ways import MAX_THROUGH_RELAYS
from mau.fingerprint import Fingerprint
from mau.hostport import circuit
from mau.tree.layout import Root

BOB = Fingerprint(b"b" * 20)
RELAY = Fingerprint(b"r" * 20)
OTHER = Fingerprint(b"o" * 20)
THERE = ("relay.example.org", 1)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[AddressBook]:
    with closing(AddressBook(Root(tmp_path))) as book:
        yield book


def test_ways_through_relays_come_after_every_address(book: AddressBook) -> None:
    book.told_route(BOB, RELAY, source="contact")
    assert book.addresses(BOB) == []  # nobody knows where the relay is
    book.proven(RELAY, *THERE)
    assert book.addresses(BOB) == [circuit(RELAY, THERE)]
    book.told(BOB, "1.2.3.4", 5, source="kademlia")
    assert book.addresses(BOB) == [("1.2.3.4", 5), circuit(RELAY, THERE)]


def test_a_relay_is_reached_at_its_own_addresses_only(book: AddressBook) -> None:
    book.told_route(BOB, RELAY, source="contact")
    book.told_route(RELAY, OTHER, source="contact")
    book.proven(OTHER, *THERE)
    assert book.addresses(RELAY) == [circuit(OTHER, THERE)]
    assert book.addresses(BOB) == []


def test_there_are_few_of_them_and_each_relay_has_two_at_most(book: AddressBook) -> None:
    for number in range(6):
        relay = Fingerprint(bytes([number]) * 20)
        book.told_route(BOB, relay, source="contact")
        for port in (1, 2, 3):
            book.proven(relay, f"host{number}.example.org", port)
    found = book.addresses(BOB)
    assert len(found) == MAX_THROUGH_RELAYS
    assert len({host.partition("@")[0] for host, _ in found}) == 2


def test_what_works_or_fails_counts_for_the_way_alone(book: AddressBook) -> None:
    book.proven(RELAY, *THERE)
    book.told_route(BOB, RELAY, source="contact")
    way = circuit(RELAY, THERE)
    before = book.known()
    for _ in range(3):
        book.failed(BOB, *way)
    assert book.addresses(BOB) == []  # it waits
    assert book.route(BOB) == [RELAY]
    assert book.known() == before  # the relay was there, and Bob is nowhere
    assert book.addresses(RELAY) == [THERE]
    assert book.worth_trying(*THERE)
    book.proven(BOB, *way)
    assert book.addresses(BOB) == [way]
    assert book.known() == before
    assert book.kad_nodes(0) == []


def test_a_way_that_works_comes_before_one_that_failed(book: AddressBook) -> None:
    for relay in (RELAY, OTHER):
        book.proven(relay, *THERE)
        book.told_route(BOB, relay, source="contact")
    first, second = book.addresses(BOB)
    book.failed(BOB, *first)
    assert book.addresses(BOB) == [second, first]
    book.proven(BOB, *first)
    book.failed(BOB, *second)
    assert book.addresses(BOB) == [first, second]


def test_nobody_tells_of_one_as_an_address(book: AddressBook) -> None:
    assert not book.told(BOB, *circuit(RELAY, THERE), source="kademlia")
    book.told_all(BOB, [circuit(RELAY, THERE)], source="contact")
    book.take_given({BOB: []})
    assert book.known(BOB) == []
