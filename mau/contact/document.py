"""What a contact post looks like, and what one that came says (spec/finding.md N10-N16). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from mau.content.address import located_iri, location_of, person_iri, resolve_iri
from mau.errors import AddressMalformed
from mau.fingerprint import Fingerprint
from mau.hostport import Address, is_far, scope_of

CONTACT_NAME: Final = "contact.json.pgp"
MAX_ADDRESSES: Final = 8
MAX_RELAYS: Final = 4
_MAX_POINTS: Final = 64
"""Contact points that are looked at."""
_MAX_URL: Final = 500

_SCHEMA = ("", "schema:", "http://schema.org/", "https://schema.org/")
_PERSON = frozenset(prefix + "Person" for prefix in _SCHEMA)
_RELAY = "relay"
_ADDRESS = "address"
_IDENTIFIER = "openpgp4fpr:"
_CIRCUIT = "circuit-relay"
_KADEMLIA = "kademlia"


@dataclass(frozen=True, slots=True)
class ContactFacts:
    """What a contact post tells: addresses and circuit ``relays``, the best first; a ``page`` on the web.

    ``circuit``: friends may be reached through this person; ``kademlia``: a node of the lookup network.
    """

    addresses: tuple[Address, ...] = ()
    relays: tuple[Fingerprint, ...] = ()
    page: str | None = None
    circuit: bool = False
    kademlia: bool = False

    def __bool__(self) -> bool:
        """Whether there is anything to tell."""
        return self != NOTHING


NOTHING: Final = ContactFacts()


def is_contact(name: str, document: dict[str, Any] | None) -> bool:
    """Whether a post is a contact post, which is not shown among the posts."""
    if name != CONTACT_NAME or document is None:
        return False
    stated = document.get("@type", document.get("type"))
    types = stated if isinstance(stated, list) else [stated]
    return any(isinstance(one, str) and one in _PERSON for one in types)


def tellable(found: Iterable[Address], stated: Iterable[Address] = ()) -> tuple[Address, ...]:
    """The addresses to tell friends: first those ``stated`` by hand, as they are, then those found.

    Of the latter only what is the same from everywhere: none of a local network and no name of one.
    """
    far = (address for address in found if is_far(address[0]))
    return tuple(dict.fromkeys([*stated, *far]))[:MAX_ADDRESSES]


# --- writing -----------------------------------------------------------------------------------------------


def compose_contact(author: Fingerprint, facts: ContactFacts) -> dict[str, Any]:
    """The document; `bind_document` adds what it is called and for whom."""
    points = [
        {"@type": "ContactPoint", "contactType": _ADDRESS, "url": located_iri(author, address)}
        for address in facts.addresses[:MAX_ADDRESSES]
    ]
    points += [
        {"@type": "ContactPoint", "contactType": _RELAY, "url": person_iri(relay)}
        for relay in facts.relays[:MAX_RELAYS]
    ]
    offers = [word for word, offered in ((_CIRCUIT, facts.circuit), (_KADEMLIA, facts.kademlia)) if offered]
    document: dict[str, Any] = {"@type": "Person", "identifier": _IDENTIFIER + author.hex}
    if points:
        document["contactPoint"] = points
    if facts.page is not None:
        document["url"] = facts.page
    if offers:
        document["makesOffer"] = [
            {"@type": "Offer", "itemOffered": {"@type": "Service", "serviceType": word}} for word in offers
        ]
    return document


# --- reading -----------------------------------------------------------------------------------------------


def read_contact(author: Fingerprint, document: dict[str, Any]) -> ContactFacts:
    """What a contact post of ``author`` tells.

    What is not understood, what is too much and what is about others is left out.
    """
    if not _is_about(author, document.get("identifier")):
        return NOTHING
    addresses: dict[Address, None] = {}
    relays: dict[Fingerprint, None] = {}
    page: str | None = None
    for kind, url in _urls(document):
        if url.lower().startswith(("https://", "http://")):
            page = page or (url if kind is None else None)
        elif kind == _RELAY:
            relay = _whom(author, url)
            if relay is not None and relay != author:
                relays[relay] = None
        elif (address := _where(author, url)) is not None:
            addresses[address] = None
    offers = set(islice(_services(document.get("makesOffer")), _MAX_POINTS))
    return ContactFacts(
        tuple(islice(addresses, MAX_ADDRESSES)),
        tuple(islice(relays, MAX_RELAYS)),
        page,
        _CIRCUIT in offers,
        _KADEMLIA in offers,
    )


def _is_about(author: Fingerprint, stated: object) -> bool:
    """Whether no other fingerprint is stated: a Person may have identifiers of other kinds."""
    found = [
        one.lower() for one in _listed(stated) if isinstance(one, str) and one.lower().startswith(_IDENTIFIER)
    ]
    return not found or _IDENTIFIER + author.hex in found


def _urls(document: dict[str, Any]) -> Iterator[tuple[str | None, str]]:
    """Each address with the type of its contact point; None for the person's own."""
    for point in islice(_listed(document.get("contactPoint")), _MAX_POINTS):
        if isinstance(point, dict):
            kind = point.get("contactType")
            for url in islice(_listed(point.get("url")), _MAX_POINTS):
                if (text := _iri(url)) is not None:
                    yield (kind if isinstance(kind, str) else ""), text
    for url in islice(_listed(document.get("url")), _MAX_POINTS):
        if (text := _iri(url)) is not None:
            yield None, text


def _iri(value: object) -> str | None:
    if isinstance(value, dict):
        value = value.get("@id", value.get("id"))
    return value if isinstance(value, str) and len(value) <= _MAX_URL and value.isprintable() else None


def _whom(author: Fingerprint, url: str) -> Fingerprint | None:
    """The person whom an address names."""
    try:
        found = resolve_iri(url, author)
    except AddressMalformed:
        return None
    return found.author if found is not None and found.name is None else None


def _where(author: Fingerprint, url: str) -> Address | None:
    """Where an address says that its person, the author, is; nothing that is only this machine or link."""
    if _whom(author, url) != author:
        return None
    try:
        found = location_of(url)
    except AddressMalformed:
        return None
    if found is None or scope_of(found[0]) not in ("global", "private", "name"):
        return None
    return found


def _services(stated: object) -> Iterator[str]:
    for offer in islice(_listed(stated), _MAX_POINTS):
        offered = offer.get("itemOffered") if isinstance(offer, dict) else None
        for one in islice(_listed(offered), _MAX_POINTS):
            kind = one.get("serviceType") if isinstance(one, dict) else None
            if isinstance(kind, str):
                yield kind


def _listed(value: object) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
