"""The contact post in the tree: one's own kept true, those of others told to the address book.

Blocking, as everything that opens posts (spec/finding.md N13-N19).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mau.addressbook import AddressBook
from mau.config.keys import (
    CIRCUIT_RELAY,
    DISCOVERY_ANNOUNCE,
    DISCOVERY_CONTACT,
    DISCOVERY_KADEMLIA,
    REACH_ADDRESSES,
)
from mau.contact.document import (
    CONTACT_NAME,
    MAX_RELAYS,
    NOTHING,
    ContactFacts,
    compose_contact,
    is_contact,
    read_contact,
    tellable,
)
from mau.content.binding import audience_of
from mau.errors import InvalidName, MauError, NoSuchPost
from mau.marks import blocked
from mau.publish import publish_document, writable
from mau.reader.open import OpenedPost, open_post

if TYPE_CHECKING:
    from mau.account import Account
    from mau.config.settings import Config
    from mau.fingerprint import Fingerprint
    from mau.hostport import Address
    from mau.keyring import Keyring


def facts_from(
    config: Config,
    addresses: Iterable[Address] = (),
    relays: Iterable[Fingerprint] = (),
    page: str | None = None,
) -> ContactFacts:
    """What there is to tell: NOTHING when the settings say that friends are told nothing.

    ``addresses``: where others reached us, of which those of local networks are left out; ``relays``: where
    we are registered; ``page``: where browsers see the public posts.
    """
    if config.get(DISCOVERY_CONTACT) == "off":
        return NOTHING
    stated = config.get(REACH_ADDRESSES)
    told = tellable(addresses, stated or ())
    behind = tuple(dict.fromkeys(relays))[:MAX_RELAYS]
    if not told and not behind and page is None:
        return NOTHING  # what is offered helps nobody who cannot come
    return ContactFacts(
        told,
        behind,
        page,
        config.get(CIRCUIT_RELAY) != "off",
        config.get(DISCOVERY_KADEMLIA) and config.get(DISCOVERY_ANNOUNCE),
    )


def publish_contact(account: Account, keyring: Keyring, facts: ContactFacts) -> bool:
    """Have the contact post tell these facts to all friends; whether it had to be written.

    With nothing to tell, none is begun, and one that is there is written without them. InvalidName when
    another post of one's own has that name; KeyRefused and UsageError as for any post.
    """
    refused = blocked(account)
    friends = [one.fingerprint for one in keyring.friends() if one.fingerprint not in refused]
    audience = writable(keyring, audience_of(account.fingerprint, friends))
    held = _own(account, keyring)
    if held is None:
        if not facts or audience == frozenset({account.fingerprint}):
            return False
    else:
        told = read_contact(account.fingerprint, held.document or {})
        # Nobody is written to only to say that there still is nothing.
        if told == facts and (held.audience == audience or not facts):
            return False
    publish_document(account, keyring, compose_contact(account.fingerprint, facts), CONTACT_NAME, audience)
    return True


def told_so_far(account: Account, keyring: Keyring) -> ContactFacts:
    """What the own contact post tells now; NOTHING where there is none that can be read."""
    try:
        held = _own(account, keyring)
    except (MauError, OSError):
        return NOTHING
    return NOTHING if held is None else read_contact(account.fingerprint, held.document or {})


def withdraw(account: Account, keyring: Keyring) -> bool:
    """Tell friends that there is nothing to tell any more; whether that had to be written."""
    return publish_contact(account, keyring, NOTHING)


def _own(account: Account, keyring: Keyring) -> OpenedPost | None:
    """The own contact post; None when there is none. What is there and does not hold is an error."""
    try:
        found = open_post(account, keyring, account.fingerprint, CONTACT_NAME)
    except NoSuchPost:
        return None
    if not is_contact(CONTACT_NAME, found.document):
        raise InvalidName(
            f"{CONTACT_NAME!r} is the name of the post that tells friends where you are, and yours of that "
            "name is another post; give it another name"
        )
    return found


def feed(book: AddressBook, account: Account, keyring: Keyring, author: Fingerprint) -> ContactFacts | None:
    """Tell the book what the author's contact post says; None when there is none that counts.

    Only a post that holds counts, and only while its author's key is not revoked. What it does not say any
    more is forgotten, unless it was proven.
    """
    certificate = keyring.certificate(author)
    if author == account.fingerprint or certificate is None or certificate.revoked:
        return None
    try:
        post = open_post(account, keyring, author, CONTACT_NAME)
    except (MauError, OSError):
        return None
    if post.document is None or not is_contact(CONTACT_NAME, post.document) or not post.statement.bound:
        return None
    facts = read_contact(author, post.document)
    relays = [relay for relay in facts.relays if relay != account.fingerprint]
    book.told_all(author, facts.addresses, source="contact", relays=relays)
    return facts


def feed_all(book: AddressBook, account: Account, keyring: Keyring) -> dict[Fingerprint, ContactFacts]:
    """As `feed`, for all friends and everybody who is followed; what those say whose post counts."""
    people = {person.fingerprint for person in keyring.friends()}
    people.update(account.root.follows(account.fingerprint))
    found = {author: feed(book, account, keyring, author) for author in sorted(people)}
    return {author: facts for author, facts in found.items() if facts is not None}
