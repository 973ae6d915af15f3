"""The contact post is kept true, reaches friends, and feeds their address books (spec/finding.md N13-N19)."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from mau.addressbook import AddressBook
from mau.catalogue import open_index
from mau.config.settings import Config
from mau.contact.document import CONTACT_NAME, NOTHING, ContactFacts, compose_contact
from mau.contact.post import facts_from, feed, feed_all, publish_contact, withdraw
from mau.content.binding import PUBLIC
from mau.errors import InvalidName
from mau.fingerprint import Fingerprint
from mau.openpgp.lifetime import revoked
from mau.publish import publish_document
from mau.reader.news import Newsroom
from mau.reader.open import open_post
from mau.reader.reading import Reading
from tests.publish.world import Someone, World, bound, message

FACTS = ContactFacts((("192.0.2.1", 8880), ("alice.example.org", 1)), (Fingerprint(b"r" * 20),))


def publish(someone: Someone, facts: ContactFacts = FACTS) -> bool:
    return publish_contact(someone.account, someone.keyring, facts)


def audience(someone: Someone) -> object:
    return open_post(someone.account, someone.keyring, someone.fpr, CONTACT_NAME).audience


def fed(reader: Someone, author: Someone) -> tuple[ContactFacts | None, list[tuple[str, int]]]:
    book = AddressBook(reader.account.root)
    try:
        return feed(book, reader.account, reader.keyring, author.fpr), book.addresses(author.fpr)
    finally:
        book.close()


def versions(someone: Someone) -> int:
    return len(someone.account.posts().versions(CONTACT_NAME))


# --- one's own ---------------------------------------------------------------------------------------------


def test_it_is_for_all_friends_and_written_only_when_something_changed(world: World) -> None:
    alice = world.alice
    assert publish(alice)
    assert audience(alice) == world.for_(world.bob, world.carol)
    assert not publish(alice)
    assert versions(alice) == 0
    assert publish(alice, ContactFacts((("192.0.2.2", 8880),)))
    assert not publish(alice, ContactFacts((("192.0.2.2", 8880),)))
    assert versions(alice) == 1


def test_who_became_a_friend_or_is_none_any_more_changes_for_whom_it_is(world: World) -> None:
    alice = world.alice
    assert publish(alice)
    alice.keyring.add(world.mallory.certificate, "mallory")
    assert publish(alice)
    assert audience(alice) == world.for_(world.bob, world.carol, world.mallory)
    alice.keyring.remove(world.mallory.fpr)
    assert publish(alice)
    assert audience(alice) == world.for_(world.bob, world.carol)
    assert not publish(alice)


def test_with_nothing_to_tell_none_is_begun_and_one_that_is_there_is_emptied(world: World) -> None:
    alice = world.alice
    assert not withdraw(alice.account, alice.keyring)
    assert alice.account.posts().entry(CONTACT_NAME) is None
    assert publish(alice)
    world.bob.fetch(alice, CONTACT_NAME)
    assert fed(world.bob, alice)[1] == list(FACTS.addresses)
    assert withdraw(alice.account, alice.keyring)
    assert not withdraw(alice.account, alice.keyring)
    alice.keyring.add(world.mallory.certificate, "mallory")
    assert not withdraw(alice.account, alice.keyring), "a new friend need not be told of nothing"
    world.bob.fetch(alice, CONTACT_NAME)
    assert fed(world.bob, alice) == (NOTHING, [])


def test_without_friends_there_is_nobody_to_tell(world: World) -> None:
    assert not publish(world.mallory)


def test_another_post_of_that_name_is_not_written_over(world: World) -> None:
    alice = world.alice
    publish_document(alice.account, alice.keyring, {"@type": "Recipe"}, CONTACT_NAME, world.for_(world.bob))
    with pytest.raises(InvalidName, match="another post"):
        publish(alice)
    assert versions(alice) == 0


# --- what the settings say ---------------------------------------------------------------------------------


def settings(path: Path, text: str) -> Config:
    path.write_text(text)
    path.chmod(0o600)
    return Config.load(environ={"MAU_CONFIG": str(path)})


def test_the_facts_follow_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    found = [("192.168.1.5", 1), ("192.0.2.5", 1)]
    relay = Fingerprint(b"r" * 20)
    assert facts_from(settings(file, ""), found, [relay]) == ContactFacts((("192.0.2.5", 1),), (relay,))
    assert facts_from(settings(file, "reach.addresses = '10.0.0.1:5'"), found).addresses == (
        ("10.0.0.1", 5),
        ("192.0.2.5", 1),
    )
    assert facts_from(settings(file, "circuit.relay = 'friends'"), found).circuit
    assert facts_from(settings(file, "circuit.relay = 'friends'")) == NOTHING
    both = "discovery.kademlia = true\ndiscovery.announce = true"
    assert facts_from(settings(file, both), found).kademlia
    assert not facts_from(settings(file, "discovery.kademlia = true"), found).kademlia
    assert (
        facts_from(settings(file, "discovery.contact = 'off'"), found, [relay], "https://a.example/")
        == NOTHING
    )


# --- a friend's --------------------------------------------------------------------------------------------


def test_a_friends_book_gets_what_it_says_and_forgets_what_it_does_not_say_any_more(world: World) -> None:
    alice, bob = world.alice, world.bob
    assert fed(bob, alice) == (None, [])
    publish(alice)
    bob.fetch(alice, CONTACT_NAME)
    assert fed(bob, alice) == (FACTS, list(FACTS.addresses))
    book = AddressBook(bob.account.root)
    assert {one.source for one in book.known(alice.fpr)} == {"contact"}
    assert book.route(alice.fpr) == list(FACTS.relays)
    book.proven(alice.fpr, "192.0.2.1", 8880)
    publish(alice, ContactFacts((("192.0.2.3", 8880),)))
    bob.fetch(alice, CONTACT_NAME)
    assert set(feed_all(book, bob.account, bob.keyring)) == {alice.fpr}
    assert book.addresses(alice.fpr) == [("192.0.2.1", 8880), ("192.0.2.3", 8880)]
    assert book.route(alice.fpr) == []
    book.close()


def test_one_is_no_relay_to_oneself(world: World) -> None:
    alice, bob = world.alice, world.bob
    publish(alice, ContactFacts((), (bob.fpr, world.carol.fpr)))
    bob.fetch(alice, CONTACT_NAME)
    fed(bob, alice)
    book = AddressBook(bob.account.root)
    assert book.route(alice.fpr) == [world.carol.fpr]
    book.close()


def test_what_somebody_else_wrote_or_renamed_or_did_not_bind_is_not_believed(world: World) -> None:
    alice, bob, mallory = world.alice, world.bob, world.mallory
    lie = compose_contact(alice.fpr, FACTS)
    forged = bound(alice, CONTACT_NAME, world.for_(bob))
    bob.put(alice, CONTACT_NAME, message(mallory.key, forged, [alice, bob]))
    assert fed(bob, alice) == (None, [])
    publish_document(alice.account, alice.keyring, lie, "other.json.pgp", world.for_(bob))
    bob.fetch(alice, "other.json.pgp", under=CONTACT_NAME)
    assert fed(bob, alice) == (None, [])
    bob.put(alice, CONTACT_NAME, message(alice.key, b'{"@type": "Person"}', [alice, bob]))
    assert fed(bob, alice) == (None, [])
    bob.put(alice, CONTACT_NAME, b"junk")
    assert fed(bob, alice) == (None, [])


def test_a_revoked_key_tells_nothing_any_more(world: World) -> None:
    alice, bob = world.alice, world.bob
    publish(alice)
    bob.fetch(alice, CONTACT_NAME)
    bob.keyring.take_in(revoked(alice.key, "compromised").certificate)
    assert fed(bob, alice) == (None, [])


def names(someone: Someone) -> list[str]:
    """What is shown to somebody, by name."""
    with Reading(someone.account, someone.keyring) as reading:
        reading.refresh()
        return [summary.name for summary in reading.newest()]


# --- it is no post to read ---------------------------------------------------------------------------------


def test_it_is_in_no_timeline_and_no_news_and_can_be_opened(world: World) -> None:
    alice, bob = world.alice, world.bob
    index = open_index(bob.account.root)
    news = Newsroom(bob.account, bob.keyring, index)
    news.begin()
    publish(alice)
    publish_document(alice.account, alice.keyring, {"articleBody": "hi"}, "x.json.pgp", world.for_(bob))
    for name in (CONTACT_NAME, "x.json.pgp"):
        bob.fetch(alice, name)
    assert names(bob) == ["x.json.pgp"]
    assert names(alice) == ["x.json.pgp"]
    assert news.look(alice.fpr, CONTACT_NAME) == []
    assert len(news.look(alice.fpr, "x.json.pgp")) == 1
    opened = open_post(bob.account, bob.keyring, alice.fpr, CONTACT_NAME)
    assert opened.document is not None
    assert opened.document["@type"] == "Person"
    index.close()


def test_a_post_of_another_kind_by_that_name_is_shown(world: World) -> None:
    alice, bob = world.alice, world.bob
    bob.put(alice, CONTACT_NAME, message(alice.key, bound(alice, CONTACT_NAME, PUBLIC), None))
    assert names(bob) == [CONTACT_NAME]


def test_no_stranger_and_no_browser_gets_it(world: World) -> None:
    publish(world.alice)
    held = io.BytesIO((world.alice.place(world.alice) / CONTACT_NAME).read_bytes())
    world.mallory.keyring.add(world.alice.certificate, "alice")
    world.mallory.put(world.alice, CONTACT_NAME, held.getvalue())
    assert fed(world.mallory, world.alice) == (None, [])
    assert audience(world.alice) is not PUBLIC
