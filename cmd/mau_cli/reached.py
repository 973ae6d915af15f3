"""Where this machine can be reached, as far as its settings and its networks say: for links and invites."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mau.hostport import Address
    from mau.invite.link import Link, Via
    from mau.openpgp import Certificate
    from mau_cli.context import Session

How = Literal["given", "found", "local"]
WORDS: dict[How, str] = {
    "given": "",
    "found": "found out",
    "local": "only in the local network",
}


@dataclass(frozen=True, slots=True)
class Place:
    """One address, and what it is known by: said by hand, found out, or that of a local network."""

    address: Address
    how: How


def own_places(session: Session, at: Iterable[str] = (), *, local: bool = True) -> list[Place]:
    """The addresses to tell, the best first and each once; AddressMalformed.

    ``at``: said in this run; then there are the setting reach.addresses, where the finder that runs knows to
    be reached, and, with ``local``, the addresses of this machine in its networks at the port of the server.
    """
    from mau.config.keys import REACH_ADDRESSES
    from mau.finder.status import read_status
    from mau.hostport import parse_address
    from mau.invite.link import MAX_ADDRESSES

    finder = read_status(session.root)

    found = [Place(parse_address(one), "given") for one in at]
    found += [Place(one, "given") for one in session.config.get(REACH_ADDRESSES) or ()]
    found += [Place(parse_address(one), "found") for one in (finder.reached if finder else ())]
    found += _of_networks(session, finder.port if finder else None)
    once: dict[Address, Place] = {}
    for place in found:
        if local or place.how != "local":
            once.setdefault(place.address, place)
    return list(once.values())[:MAX_ADDRESSES]


def own_relays(session: Session) -> tuple[Via, ...]:
    """The circuit relays where the finder that runs has us registered, each where it proved to be last."""
    from contextlib import closing

    from mau.addressbook import AddressBook
    from mau.finder.status import read_status
    from mau.fingerprint import Fingerprint
    from mau.hostport import circuit_of
    from mau.invite.link import MAX_RELAYS

    finder = read_status(session.root)
    found: list[Via] = []
    with closing(AddressBook(session.root)) as book:
        for relay in map(Fingerprint.parse, finder.relays if finder else ()):
            places = (one for one in book.addresses(relay) if circuit_of(one[0]) is None)
            found += [(relay, one) for one in places][:1]
    return tuple(found[:MAX_RELAYS])


def own_link(session: Session, certificate: Certificate, name: str | None, places: Iterable[Place]) -> Link:
    """One's own link without a token; ``name`` None: what the key says."""
    from mau.invite.link import MAX_NAME, Link, clean_name

    said = clean_name(certificate.name if name is None else name)[:MAX_NAME].strip()
    addresses = tuple(place.address for place in places)
    return Link(certificate.fingerprint, said, addresses, own_relays(session))


def _of_networks(session: Session, running: int | None) -> Iterator[Place]:
    from mau.config.keys import SERVER_LISTEN
    from mau.finder.mdns.interfaces import current_networks
    from mau.hostport import parse_listen, scope_of

    host, port = parse_listen(session.config.get(SERVER_LISTEN))
    port = running or port
    if port == 0:  # another one each time, and nobody said which one now
        return
    if host and host not in ("0.0.0.0", "::"):  # noqa: S104 - what others wrote
        hosts = [host]
    else:
        try:
            hosts = [str(one) for network in current_networks() for one in network.hosts]
        except OSError:
            hosts = []
    # What is the same everywhere first, and IPv4 before IPv6, as Network has them.
    yield from (Place((one, port), "found") for one in hosts if scope_of(one) in ("global", "name"))
    yield from (Place((one, port), "local") for one in hosts if scope_of(one) == "private")
