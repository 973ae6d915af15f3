"""Who syncs with a friend knows from then on where that friend says to be (spec/finding.md N10-N16)."""

from __future__ import annotations

from mau.addressbook import AddressBook
from mau.contact.document import CONTACT_NAME, NOTHING, ContactFacts
from mau.contact.post import publish_contact
from mau.fingerprint import Fingerprint
from tests.syncer.peers import Person, serving

RELAY = Fingerprint(bytes(range(20)))


def sources(of: Person, about: Person) -> dict[tuple[str, int], str]:
    book = AddressBook(of.account.root)
    try:
        return {(one.host, one.port): one.source for one in book.known(about.fpr)}
    finally:
        book.close()


def relays(of: Person, about: Person) -> list[Fingerprint]:
    book = AddressBook(of.account.root)
    try:
        return book.route(about.fpr)
    finally:
        book.close()


async def test_what_a_friend_tells_of_himself_is_in_the_book_after_a_sync(alice: Person, bob: Person) -> None:
    facts = ContactFacts((("198.51.100.7", 8880), ("alice.example.org", 443)), (RELAY,))
    assert publish_contact(alice.account, alice.keyring, facts)
    async with serving(alice) as address:
        report = await bob.sync(alice, address)
        assert CONTACT_NAME in report.fetched
        held = sources(bob, alice)
        assert held[("198.51.100.7", 8880)] == held[("alice.example.org", 443)] == "contact"
        assert relays(bob, alice) == [RELAY]

        assert publish_contact(alice.account, alice.keyring, NOTHING)
        await bob.sync(alice, address)
        # Only where he was proven to be is left.
        assert list(sources(bob, alice)) == [address]
        assert relays(bob, alice) == []


async def test_a_relay_is_not_believed_to_be_where_another_is(
    alice: Person, bob: Person, carol: Person
) -> None:
    alice.post(CONTACT_NAME, "not a person at all", bob, carol)
    async with serving(alice) as address:
        await bob.sync(alice, address)
        assert list(sources(bob, alice)) == [address]
