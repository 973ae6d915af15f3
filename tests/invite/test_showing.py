"""Using a link: its places are tried and noted, and the token is shown where the fingerprint was proven."""

from __future__ import annotations

from contextlib import closing

import pytest

from mau.addressbook import AddressBook
from mau.errors import IdentityError, NotOffered
from mau.fingerprint import Fingerprint
from mau.introduction import fetch_key
from mau.invite.book import InviteBook
from mau.invite.link import Link
from mau.invite.showing import note_places, places_of, show_token
from tests.server.conftest import alice, bob, carol, mallory, people, template
from tests.server.test_circuits import FRIENDS, registered
from tests.server.world import Someone, serving

__all__ = ["alice", "bob", "carol", "mallory", "people", "template"]


def invite(of: Someone) -> str:
    with closing(InviteBook(of.account)) as book:
        return book.make(seconds=3600)[0]


def guests(at: Someone) -> dict[Fingerprint, Link]:
    with closing(InviteBook(at.account)) as book:
        return {guest: request.link for guest, request in book.requests()}


async def test_a_guest_comes_in_through_a_circuit_relay(alice: Someone, bob: Someone, carol: Someone) -> None:
    # Bob has no address; Alice, a friend of both, passes on.
    async with serving(alice, circuits=FRIENDS) as relay, serving(bob), registered(bob, relay):
        where = (relay.host, relay.port)
        link = Link(bob.fingerprint, "Bob", (), ((alice.fingerprint, where),), invite(bob))
        found = await fetch_key(carol.account, bob.fingerprint, addresses=places_of(link))
        assert found.certificate.fingerprint == bob.fingerprint
        own = Link(carol.fingerprint, "Carol", (("127.0.0.1", 1), ("8.8.8.8", 2)))
        await show_token(carol.account, link, own, found.address)
    # Nobody knows from where she came, so only what is the same from everywhere is believed.
    assert guests(bob) == {carol.fingerprint: Link(carol.fingerprint, "Carol", (("8.8.8.8", 2),))}
    found.remember(carol.account.root)
    note_places(carol.account.root, link)
    with closing(AddressBook(carol.account.root)) as book:
        assert book.route(bob.fingerprint) == [alice.fingerprint]
        assert book.addresses(alice.fingerprint) == [where]


async def test_a_token_is_shown_to_nobody_but_the_person_of_the_link(
    alice: Someone, bob: Someone, mallory: Someone
) -> None:
    async with serving(mallory) as liar:
        link = Link(alice.fingerprint, "", ((liar.host, liar.port),), (), invite(alice))
        with pytest.raises(IdentityError):
            await show_token(bob.account, link, Link(bob.fingerprint), (liar.host, liar.port))
        assert liar.server.gate.counters.requests.total() == 0
    assert guests(alice) == {}


async def test_a_link_without_a_token_shows_none(alice: Someone, bob: Someone) -> None:
    with pytest.raises(ValueError, match="token"):
        await show_token(bob.account, Link(alice.fingerprint), Link(bob.fingerprint), ("127.0.0.1", 1))


async def test_a_token_of_another_is_not_offered(alice: Someone, mallory: Someone, bob: Someone) -> None:
    async with serving(alice) as host:
        link = Link(alice.fingerprint, "", (), (), invite(bob))
        with pytest.raises(NotOffered):
            await show_token(mallory.account, link, Link(mallory.fingerprint), (host.host, host.port))


def test_what_a_link_says_is_a_hint(alice: Someone, mallory: Someone) -> None:
    relay = Fingerprint(b"\xab" * 20)
    link = Link(mallory.fingerprint, "", (("m.example.org", 1),), ((relay, ("r.example.org", 2)),))
    note_places(alice.account.root, link)
    with closing(AddressBook(alice.account.root)) as book:
        lines = [*book.known(mallory.fingerprint), *book.known(relay)]
        assert [(one.host, one.source, one.last_proven) for one in lines] == [
            ("m.example.org", "told", None),
            ("r.example.org", "told", None),
        ]
        assert book.route(mallory.fingerprint) == [relay]
