"""The address book: what was proven is tried first, and losing the book costs only time."""

from __future__ import annotations

import dataclasses
import sqlite3
import time
from pathlib import Path

import pytest

from mau.addressbook import MAX_PER_PERSON, MAX_ROUTES, AddressBook, KnownAddress, Source
from mau.fingerprint import Fingerprint
from mau.tree.layout import Root

BOB = Fingerprint(b"b" * 20)
EVE = Fingerprint(b"e" * 20)


class Clock:
    """The clock of the machine, which the test sets."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time", lambda: clock.now)
    return clock


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


# --- hints -------------------------------------------------------------------------------------------------


def test_a_hint_comes_after_what_was_proven_and_before_what_failed(book: AddressBook) -> None:
    book.proven(BOB, "failed", 1)
    book.failed(BOB, "failed", 1)
    book.told(BOB, "stranger", 1, source="kademlia")
    book.told(BOB, "own-word", 1, source="contact")
    book.proven(BOB, "proven", 1)
    assert book.addresses(BOB) == [("proven", 1), ("own-word", 1), ("stranger", 1), ("failed", 1)]
    book.close()


def test_a_hint_for_what_is_known_changes_the_source_and_only_to_a_better_one(book: AddressBook) -> None:
    book.told(BOB, "HOST", 1, source="mdns")
    book.failed(BOB, "host", 1)
    before = book.known(BOB)
    assert book.told(BOB, "host", 1, source="kademlia")
    assert book.known(BOB) == before
    assert book.told(BOB, "host", 1, source="contact")
    assert book.known(BOB) == [dataclasses.replace(before[0], source="contact")]
    book.close()


@pytest.mark.parametrize("host", ["", "a b", "[::1]", "-x", "ho/st", "x" * 300, "::1::"])
def test_what_is_no_address_is_left_out(book: AddressBook, host: str) -> None:
    assert not book.told(BOB, host, 1, source="kademlia")
    assert not book.told(BOB, "host", 65536, source="kademlia")
    assert book.known() == []
    book.close()


def test_one_address_has_one_line_however_it_is_written(book: AddressBook) -> None:
    book.told(BOB, "2001:DB8:0::1", 1, source="dns")
    book.proven(BOB, "2001:db8::1", 1)
    book.failed(BOB, "2001:0db8::1", 1)
    (known,) = book.known(BOB)
    assert (known.host, known.failures, known.source) == ("2001:db8::1", 1, "dns")
    book.forget(BOB, "2001:db8:0:0::1", 1)
    assert book.known() == []
    book.close()


def test_a_hint_that_fails_waits_and_a_proven_address_is_tried_all_the_same(
    book: AddressBook, clock: Clock
) -> None:
    book.told(BOB, "hint", 1, source="contact")
    book.told(BOB, "by-hand", 1, source="given")
    book.proven(BOB, "proven", 1)
    for _ in range(3):
        assert len(book.addresses(BOB)) == 3
        for host in ("hint", "by-hand", "proven"):
            book.failed(BOB, host, 1)
    assert book.addresses(BOB) == [("proven", 1), ("by-hand", 1)]
    clock.now += 8 * 60
    assert ("hint", 1) in book.addresses(BOB)
    book.failed(BOB, "hint", 1)
    clock.now += 15 * 60
    assert ("hint", 1) not in book.addresses(BOB)
    clock.now += 60
    assert ("hint", 1) in book.addresses(BOB)
    book.close()


def test_many_fingerprints_said_to_be_at_one_place_cost_it_three_connections_and_then_one_a_day(
    book: AddressBook, clock: Clock
) -> None:
    crowd = [Fingerprint(bytes([0, number]) * 10) for number in range(100)]
    book.proven(EVE, "victim", 80)
    for one in crowd:
        book.told(one, "victim", 80, source="kademlia")
    connections = 0
    for _ in range(7 * 24 * 4):
        for one in crowd:
            for host, port in book.addresses(one):
                book.failed(one, host, port)
                connections += 1
        clock.now += 15 * 60
    assert connections <= 3 + 8 + 7
    assert not book.worth_trying("victim", 80)
    assert book.addresses(EVE) == [("victim", 80)]
    book.proven(crowd[0], "victim", 80)
    assert book.worth_trying("victim", 80)
    book.close()


def test_what_one_source_says_now_replaces_what_it_said(book: AddressBook) -> None:
    book.told_all(BOB, [("one", 1), ("two", 2), ("no address", 3)], source="contact", relays=[EVE, BOB])
    book.proven(BOB, "two", 2)
    book.told(BOB, "four", 4, source="kademlia")
    book.told_all(BOB, [("three", 3)], source="contact")
    assert book.addresses(BOB) == [("two", 2), ("three", 3), ("four", 4)]
    assert book.route(BOB) == []
    book.close()


def test_what_was_given_by_hand_is_what_the_settings_say(book: AddressBook) -> None:
    book.told(BOB, "hint", 1, source="contact")
    book.take_given({BOB: [("hand", 1), ("hint", 1)], EVE: [("other", 1)]})
    assert [(one.host, one.source) for one in book.known(BOB)] == [("hand", "given"), ("hint", "given")]
    book.proven(BOB, "hand", 1)
    stamp = book.stamp()
    book.take_given({BOB: [("hand", 1), ("hint", 1)], EVE: [("other", 1)]})
    assert book.stamp() == stamp, "nothing was written"
    book.take_given({})
    assert [(one.host, one.source) for one in book.known()] == [("hand", "told")]
    book.close()


def test_forgetting_a_person_leaves_nothing(book: AddressBook) -> None:
    book.proven(BOB, "one", 1)
    book.told(BOB, "two", 2, source="mdns")
    book.told_route(BOB, EVE, source="contact")
    book.forget(BOB)
    assert book.known(BOB) == []
    assert book.route(BOB) == []
    book.close()


def test_nodes_of_kademlia_are_those_that_took_part_lately(book: AddressBook, clock: Clock) -> None:
    book.proven(BOB, "old", 1, kad=True)
    clock.now += 100
    book.proven(EVE, "new", 1, kad=True)
    book.proven(BOB, "no-node", 1)
    book.told(BOB, "hint", 1, source="kademlia")
    since = int(clock.now) - 50
    assert [(one.host, one.kad) for one in book.kad_nodes(since)] == [("new", int(clock.now))]
    book.proven(BOB, "old", 1)  # he is there, and may have left the lookup network
    assert {one.host for one in book.kad_nodes(since)} == {"new"}
    book.proven(BOB, "old", 1, kad=True)
    assert {one.host for one in book.kad_nodes(since)} == {"old", "new"}
    clock.now -= 86_400
    assert book.kad_nodes(since - 86_400) == []
    book.proven(BOB, "old", 1, kad=True)
    assert {one.host for one in book.kad_nodes(since - 86_400)} == {"old"}
    book.close()


@pytest.mark.parametrize("source", ["given", "contact", "told", "mdns", "dns"])
def test_where_only_friends_were_told_to_look_is_no_node_before_its_owner_asks_from_there(
    book: AddressBook, source: Source
) -> None:
    book.told(BOB, "host", 1, source=source)
    book.proven(BOB, "host", 1, source="kademlia", kad=True)
    assert book.kad_nodes(0) == []
    book.proven(BOB, "host", 1, source="asked", kad=True)
    assert [one.host for one in book.kad_nodes(0)] == ["host"]
    # From then on strangers know, whoever is told the same.
    book.proven(BOB, "host", 1, source="kademlia", kad=True)
    assert [one.host for one in book.kad_nodes(0)] == ["host"]
    book.close()


def test_liars_do_not_hide_who_was_met_where_they_say_that_others_are(book: AddressBook) -> None:
    others = [Fingerprint(bytes([number]) * 20) for number in range(100)]
    book.told(BOB, "host", 1, source="kademlia")
    for one in others:
        book.failed(one, "host", 1, there=BOB)
    assert book.worth_trying("host", 1, BOB)
    assert book.addresses(BOB) == [("host", 1)]
    assert not book.worth_trying("host", 1)
    assert not book.worth_trying("host", 1, EVE)
    for _ in range(3):
        book.failed(BOB, "host", 1)  # by now nobody is there
    assert not book.worth_trying("host", 1, BOB)
    assert book.addresses(BOB) == []
    book.close()


def test_a_book_that_did_not_note_who_was_met_keeps_what_it_holds(book: AddressBook, tmp_path: Path) -> None:
    book.proven(BOB, "host", 1)
    for _ in range(3):
        book.failed(EVE, "other", 1)
    book.close()
    connection = sqlite3.connect(tmp_path / ".peers" / "addresses.db")
    connection.executescript("ALTER TABLE place DROP COLUMN there; PRAGMA user_version = 2")
    connection.close()
    assert book.addresses(BOB) == [("host", 1)]
    assert not book.worth_trying("other", 1)
    book.failed(EVE, "other", 1, there=BOB)
    assert book.worth_trying("other", 1, BOB)
    book.close()


# --- routes ------------------------------------------------------------------------------------------------


def test_the_relay_that_worked_comes_first_and_hints_do_not_push_it_out(book: AddressBook) -> None:
    relays = [Fingerprint(bytes([number]) * 20) for number in range(3 * MAX_ROUTES)]
    book.told_route(BOB, BOB, source="contact")
    book.told_route(BOB, relays[0], source="kademlia")
    book.told_route(BOB, relays[1], source="contact")
    book.told_route(BOB, relays[1], source="kademlia")
    assert book.route(BOB) == [relays[1], relays[0]]
    book.route_proven(BOB, relays[0])
    assert book.route(BOB) == [relays[0], relays[1]]
    book.route_failed(BOB, relays[0])
    for relay in relays[2:]:
        book.told_route(BOB, relay, source="contact")
    assert len(book.route(BOB)) == MAX_ROUTES
    assert book.route(BOB)[-1] == relays[0]
    book.close()


# --- an older book -----------------------------------------------------------------------------------------


def test_what_an_older_book_held_as_proven_is_still_there(tmp_path: Path) -> None:
    (tmp_path / ".peers").mkdir()
    connection = sqlite3.connect(tmp_path / ".peers" / "addresses.db")
    connection.executescript(
        "CREATE TABLE address (fingerprint BLOB NOT NULL, host TEXT NOT NULL, port INTEGER NOT NULL,"
        " source TEXT NOT NULL, first_proven INTEGER NOT NULL, last_proven INTEGER NOT NULL,"
        " last_failed INTEGER, failures INTEGER NOT NULL DEFAULT 0,"
        " PRIMARY KEY (fingerprint, host, port)) WITHOUT ROWID; PRAGMA user_version = 1"
    )
    connection.execute("INSERT INTO address VALUES (?, 'host', 8880, 'told', 5, 7, 9, 2)", (BOB.raw,))
    connection.commit()
    connection.close()
    book = AddressBook(Root(tmp_path))
    assert book.known() == [KnownAddress(BOB, "host", 8880, "told", 5, 5, 7, 9, 9, 2)]
    book.proven(BOB, "host", 8880)
    assert book.known()[0].failures == 0
    book.close()


def test_an_older_book_that_is_no_such_book_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / ".peers").mkdir()
    connection = sqlite3.connect(tmp_path / ".peers" / "addresses.db")
    connection.executescript("CREATE TABLE address (word TEXT); PRAGMA user_version = 1")
    connection.close()
    book = AddressBook(Root(tmp_path))
    book.proven(BOB, "host", 1)
    assert book.addresses(BOB) == [("host", 1)]
    book.close()
