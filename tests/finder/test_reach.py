"""Who is asked where we are reached, and whose word counts."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from mau.addressbook import AddressBook
from mau.finder.pool import Pool
from mau.finder.reach import Reach, vouched
from mau.fingerprint import Fingerprint
from mau.tree.layout import Root

ME, BOB, EVE, MALLORY = (Fingerprint(bytes([number]) * 20) for number in range(4))


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
