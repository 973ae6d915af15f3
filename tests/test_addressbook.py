"""The address book: what was proven is tried first, and losing the book costs only time."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from mau.addressbook import MAX_PER_PERSON, AddressBook
from mau.fingerprint import Fingerprint
from mau.tree.layout import Root

BOB = Fingerprint(b"b" * 20)
EVE = Fingerprint(b"e" * 20)


@pytest.fixture
def book(tmp_path: Path) -> AddressBook:
    return AddressBook(Root(tmp_path))


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
