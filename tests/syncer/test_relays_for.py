"""Whom to ask when an author is away: friends who answered, and nobody of whom was only heard."""

from __future__ import annotations

from mau.addressbook import KnownAddress
from mau.fingerprint import Fingerprint
from mau.syncer.relays import relays_for

AWAY, *FRIENDS = (Fingerprint(bytes([number]) * 20) for number in range(6))


def line(friend: Fingerprint, proven: int | None, failures: int = 0) -> KnownAddress:
    return KnownAddress(friend, "host", 1, "contact", 1, proven, proven, None, proven, failures)


def test_friends_who_answered_last_are_asked_first_and_all_in_turn() -> None:
    book = [line(friend, 10 + number) for number, friend in enumerate(FRIENDS)]
    newest = FRIENDS[::-1]
    assert relays_for(AWAY, FRIENDS, book, 0) == newest[:3]
    assert relays_for(AWAY, FRIENDS, book, 1) == [*newest[3:], newest[0]]


def test_hints_failures_strangers_and_the_author_are_no_relays() -> None:
    book = [line(FRIENDS[0], None), line(FRIENDS[1], 5, failures=1), line(AWAY, 9), line(FRIENDS[2], 3)]
    assert relays_for(AWAY, [AWAY, *FRIENDS[:2]], book, 0) == []
    assert relays_for(AWAY, FRIENDS, book, 0) == [FRIENDS[2]]
