"""The address book: what was proven is tried first, and losing the book costs only time."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.addressbook import MAX_PER_PERSON, AddressBook, format_address, parse_address
from mau.errors import AddressMalformed
from mau.fingerprint import Fingerprint
from mau.tree.layout import Root

BOB = Fingerprint(b"b" * 20)
EVE = Fingerprint(b"e" * 20)


@pytest.fixture
def book(tmp_path: Path) -> AddressBook:
    return AddressBook(Root(tmp_path))


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
     "a b:1", "http://x:1", "x/y:1", "user@x:1", "h\x00:1", "-x:1", "host:" + "9" * 5000],
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


def test_the_last_proven_address_comes_first(book: AddressBook) -> None:
    book.proven(BOB, "one", 1)
    book.proven(BOB, "two", 2)
    book.proven(EVE, "three", 3)
    assert set(book.addresses(BOB)) == {("one", 1), ("two", 2)}
    book.failed(BOB, "two", 2)
    assert book.addresses(BOB) == [("one", 1), ("two", 2)]
    book.failed(BOB, "one", 1)
    book.failed(BOB, "one", 1)
    book.proven(BOB, "two", 2)
    assert book.addresses(BOB) == [("two", 2), ("one", 1)]
    assert book.known(BOB)[1].failures == 2
    assert book.known(BOB)[1].last_failed is not None
    book.close()


def test_what_was_never_proven_is_not_noted(book: AddressBook) -> None:
    book.failed(BOB, "nowhere", 1)
    assert book.addresses(BOB) == []
    book.close()


def test_an_address_may_belong_to_two_people(book: AddressBook) -> None:
    book.proven(BOB, "host", 1)
    book.proven(EVE, "host", 1)
    assert book.addresses(BOB) == book.addresses(EVE) == [("host", 1)]
    book.forget(BOB, "host", 1)
    assert book.addresses(BOB) == []
    assert {known.fingerprint for known in book.known()} == {EVE}
    book.close()


def test_one_person_cannot_fill_the_book(book: AddressBook) -> None:
    for port in range(1, 3 * MAX_PER_PERSON):
        book.proven(BOB, "host", port)
    assert len(book.addresses(BOB)) == MAX_PER_PERSON
    book.close()


def test_deleting_or_damaging_it_costs_the_addresses_only(book: AddressBook, tmp_path: Path) -> None:
    book.proven(BOB, "host", 1)
    file = tmp_path / ".peers" / "addresses.db"
    file.write_bytes(b"\0" * 4096)
    assert book.addresses(BOB) == []
    book.proven(BOB, "host", 2)
    assert book.addresses(BOB) == [("host", 2)]
    file.unlink()
    assert book.addresses(BOB) == []
    book.close()


def test_it_is_plain_sqlite(book: AddressBook, tmp_path: Path) -> None:
    book.proven(BOB, "host", 1, source="mdns")
    connection = sqlite3.connect(tmp_path / ".peers" / "addresses.db")
    row = connection.execute("SELECT fingerprint, host, port, source FROM address").fetchone()
    connection.close()
    assert row == (BOB.raw, "host", 1, "mdns")
    book.close()
