"""The book of invites: what a token is worth, and what the file says to somebody who stole it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mau.account import Account
from mau.errors import UsageError
from mau.fingerprint import Fingerprint
from mau.invite import book as rooms
from mau.invite.book import InviteBook
from mau.invite.facts import Request, hashed
from mau.invite.link import Link
from mau.openpgp import SecretKey
from mau.tree.layout import Root

DAY = 86_400
GUEST = Fingerprint(b"\1" * 20)
OTHER = Fingerprint(b"\2" * 20)


@pytest.fixture(scope="module")
def key() -> SecretKey:
    return SecretKey.generate("Alice", "alice@example.org")


@pytest.fixture
def account(tmp_path: Path, key: SecretKey) -> Account:
    root = Root(tmp_path / "alice")
    root.ensure()
    return Account(root, key)


@pytest.fixture
def book(account: Account) -> Iterator[InviteBook]:
    with closing(InviteBook(account)) as found:
        yield found


def asks(guest: Fingerprint = GUEST, name: str = "Bob") -> Request:
    return Request(b"the key", int(time.time()), "", "", Link(guest, name, (("bob.example.org", 8880),)))


def test_a_token_counts_once_and_the_same_guest_may_ask_again(book: InviteBook) -> None:
    token, invite = book.make(seconds=DAY, note="for Bob")
    assert book.counts(token, GUEST)
    assert book.take(token, GUEST, asks()) == "taken"
    assert book.take(token, GUEST, asks()) == "again"
    assert book.counts(token, GUEST)
    assert not book.counts(token, OTHER)
    assert book.take(token, OTHER, asks(OTHER)) == "gone"
    [(guest, request)] = book.requests()
    assert guest == GUEST
    assert (request.certificate, request.invite, request.note) == (b"the key", invite.id, "for Bob")
    assert request.link == asks().link
    assert book.invites() == []  # used up


def test_one_with_several_uses_is_for_so_many_people(book: InviteBook) -> None:
    token, _ = book.make(seconds=DAY, uses=2)
    assert [book.take(token, one, asks(one)) for one in (GUEST, GUEST, OTHER)] == ["taken", "again", "taken"]
    assert book.take(token, Fingerprint(bytes(20)), asks(Fingerprint(bytes(20)))) == "gone"


def test_other_tokens_count_nothing(book: InviteBook) -> None:
    token, _ = book.make(seconds=DAY)
    for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), token[:-1], "", "é", token.swapcase()):
        assert not book.counts(wrong, GUEST)
        assert book.take(wrong, GUEST, asks()) == "gone"
    assert book.requests() == []


def test_time_ends_it_but_not_for_who_was_taken(book: InviteBook, monkeypatch: pytest.MonkeyPatch) -> None:
    used, _ = book.make(seconds=60)
    unused, _ = book.make(seconds=60)
    assert book.take(used, GUEST, asks()) == "taken"
    later = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later)
    assert book.take(unused, OTHER, asks(OTHER)) == "gone"
    assert book.take(used, GUEST, asks()) == "again"
    assert book.invites() == []
    much_later = time.time() + 8 * DAY
    monkeypatch.setattr(time, "time", lambda: much_later)
    book.make(seconds=60)  # sweeps
    assert book.take(used, GUEST, asks()) == "gone"


def test_an_invite_is_ended_by_its_id(book: InviteBook) -> None:
    first, one = book.make(seconds=DAY)
    second, _ = book.make(seconds=DAY)
    assert [invite.id for invite in book.revoke(one.id)] == [one.id]
    assert book.revoke(one.id) == []
    assert not book.counts(first, GUEST)
    assert book.counts(second, GUEST)
    assert len(book.revoke()) == 1
    assert not book.counts(second, GUEST)


def test_a_word_ends_the_waiting_and_the_token_stays_used(book: InviteBook) -> None:
    token, _ = book.make(seconds=DAY)
    book.take(token, GUEST, asks())
    book.forget(GUEST)
    assert book.requests() == []
    assert book.take(token, GUEST, asks()) == "again"
    assert book.requests() == []  # declined is declined
    assert book.take(token, OTHER, asks(OTHER)) == "gone"


def test_a_friend_uses_the_token_and_waits_for_nothing(book: InviteBook) -> None:
    token, _ = book.make(seconds=DAY)
    assert book.take(token, GUEST, asks(), known=True) == "taken"
    assert book.requests() == []


def test_too_many_do_not_wait_and_their_token_stays_good(
    book: InviteBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "MAX_WAITING", 2)
    token, _ = book.make(seconds=DAY, uses=10)
    guests = [Fingerprint(bytes([number]) * 20) for number in range(3)]
    assert [book.take(token, one, asks(one)) for one in guests] == ["taken", "taken", "full"]
    another, _ = book.make(seconds=DAY)
    assert book.take(another, guests[0], asks(guests[0])) == "taken"  # he waits already
    book.forget(guests[1])
    assert book.take(token, guests[2], asks(guests[2])) == "taken"


def test_too_many_invites_are_refused(book: InviteBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "MAX_INVITES", 2)
    book.make(seconds=DAY)
    book.make(seconds=DAY)
    with pytest.raises(UsageError):
        book.make(seconds=DAY)


def test_a_thief_of_the_file_reads_neither_token_nor_guest(book: InviteBook, account: Account) -> None:
    token, _ = book.make(seconds=DAY, uses=5, note="for my dentist")
    book.take(token, GUEST, asks(name="Bob the dentist"))
    stolen = b"".join(path.read_bytes() for path in (account.root.path / ".peers").iterdir())
    for secret in (token.encode(), b"dentist", b"the key", b"bob.example.org"):
        assert secret not in stolen
    assert hashed(token) in stolen  # and it is no token
    assert not book.counts(hashed(token).hex(), OTHER)


def test_nobody_without_the_key_makes_up_an_invite_or_a_request(
    book: InviteBook, account: Account, tmp_path: Path
) -> None:
    token, _ = book.make(seconds=DAY)
    book.take(token, GUEST, asks())
    stranger = Account(account.root, SecretKey.generate("Mallory", "mallory@example.org"))
    with closing(InviteBook(stranger)) as theirs:
        assert theirs.requests() == []
        assert theirs.invites() == []
        forged, _ = theirs.make(seconds=DAY)
        assert theirs.take(forged, OTHER, asks(OTHER)) == "taken"
    assert [guest for guest, _ in book.requests()] == [GUEST]
    assert not book.counts(forged, OTHER)


def test_without_its_file_there_is_no_invite_and_no_error(book: InviteBook, account: Account) -> None:
    token, _ = book.make(seconds=DAY)
    (account.root.path / ".peers" / "invites.db").unlink()
    assert not book.counts(token, GUEST)
    assert book.requests() == []
