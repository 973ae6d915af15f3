"""What is said of ourselves, to whom, and what peers' words about our addresses are worth (N50-N53).

That a peer really dials us is tested in networks of their own (tests/network/test_reached.py): loopback is no
address of the internet.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mau.addressbook import AddressBook
from mau.finder.pool import Pool
from mau.finder.ports import Mapping
from mau.finder.reach import Reach, local_address, vouched
from mau.fingerprint import Fingerprint
from mau.hostport import circuit
from mau.tree.layout import Root

ME, FRIEND, BOB, EVE, MALLORY = (Fingerprint(bytes([number]) * 20) for number in range(5))


@pytest.fixture
def book(tmp_path: Path) -> Iterator[AddressBook]:
    with closing(AddressBook(Root(tmp_path))) as found:
        yield found


def _reach(book: AddressBook, port: int | None = 8880, *stated: tuple[str, int]) -> Reach:
    return Reach(ME, book, Pool(None), port=lambda: port, stated=stated, friends=lambda: frozenset({FRIEND}))


def test_who_is_in_our_network_hears_our_address_there_and_the_internet_none(book: AddressBook) -> None:
    reach = _reach(book)
    assert reach.announced(("127.0.0.1", 9)) == ("127.0.0.1", 8880)
    assert reach.announced(("::1", 9)) in (("::1", 8880), None)  # None without IPv6
    assert reach.announced(("11.22.33.44", 9)) is None
    assert reach.announced(("somewhere.example", 9)) is None


def test_without_a_server_nothing_is_announced_and_behind_a_circuit_neither(book: AddressBook) -> None:
    assert _reach(book, None, ("11.22.33.4", 80)).announced(("11.22.33.44", 9)) is None
    through = circuit(FRIEND, ("11.22.33.44", 9))
    assert _reach(book, 8880, ("11.22.33.4", 80)).announced(through) is None


def test_of_several_addresses_the_one_is_said_to_which_the_peer_has_a_way(book: AddressBook) -> None:
    reach = _reach(book, 8880, ("me.example", 1), ("2601:1::7", 6), ("11.22.33.4", 4))
    assert reach.announced(("11.22.33.44", 9)) == ("11.22.33.4", 4)
    assert reach.announced(("2601:9::1", 9)) == ("2601:1::7", 6)
    assert _reach(book, 8880, ("me.example", 1)).announced(("2601:9::1", 9)) == ("me.example", 1)


def test_what_a_router_maps_is_no_address_to_tell_before_anybody_came_in(book: AddressBook) -> None:
    reach = _reach(book)
    place = ("11.22.33.4", 8880)
    reach.mappings = (Mapping("pcp", ("192.168.1.2", 8880), place, time.monotonic() + 60),)
    assert reach.public == ()
    assert reach.announced(("11.22.33.44", 9)) is None


def test_private_addresses_that_the_user_states_are_not_told_to_the_internet(book: AddressBook) -> None:
    assert _reach(book, 8880, ("192.168.1.2", 80)).public == ()


def test_only_who_was_proven_on_the_internet_is_asked(book: AddressBook) -> None:
    reach = _reach(book)
    assert not reach.askable
    book.told(FRIEND, "11.22.33.44", 9, source="kademlia")
    book.proven(FRIEND, "192.168.1.9", 9)
    book.proven(ME, "11.22.33.45", 9)
    assert not reach.askable
    book.proven(FRIEND, "11.22.33.44", 9)
    assert reach.askable
    book.failed(FRIEND, "11.22.33.44", 9)
    assert not reach.askable


def test_where_there_is_no_way_there_is_no_address() -> None:
    assert local_address(("127.0.0.1", 9)) == "127.0.0.1"
    assert local_address(("no host at all", 9)) is None


def test_strangers_learn_who_we_are_only_where_the_lookup_network_may(tmp_path: Path) -> None:
    with closing(AddressBook(Root(tmp_path))) as book:
        friends = frozenset({BOB})
        quiet = Reach(ME, book, Pool(None), port=lambda: 1, friends=lambda: friends)
        told = Reach(ME, book, Pool(None), port=lambda: 1, friends=lambda: friends, strangers=True)
        book.proven(EVE, "198.51.100.1", 1, source="kademlia", kad=True)
        assert (quiet.askable, told.askable) == (False, True)
        book.proven(BOB, "198.51.100.2", 1)
        assert (quiet.askable, told.askable) == (True, True)


def test_a_friend_is_believed_and_strangers_who_are_in_two_networks() -> None:
    friends = frozenset({BOB})
    assert vouched([(BOB, "198.51.100.1")], friends)
    assert not vouched([(EVE, "198.51.100.1")], friends)
    assert not vouched([(EVE, "198.51.100.1"), (MALLORY, "198.51.100.2")], friends)
    assert not vouched([(EVE, "2001:db8:1::1"), (MALLORY, "2001:db8:2::1")], friends)
    assert vouched([(EVE, "198.51.100.1"), (MALLORY, "203.0.113.1")], friends)
    assert vouched([(EVE, "198.51.100.1"), (BOB, "198.51.100.2")], friends)


def test_strangers_are_told_no_name_of_a_local_network(book: AddressBook) -> None:
    stated = [("nas.lan", 1), ("nas", 2), ("192.168.1.2", 3), ("example.org", 4), ("box.local.", 5)]
    reach = Reach(ME, book, Pool(None), port=lambda: 9, stated=stated)
    assert reach.public == (("example.org", 4),)
    assert reach.announced(("198.51.100.1", 1)) == ("example.org", 4)
