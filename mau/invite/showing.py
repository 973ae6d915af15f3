"""Using a link: noting where its person is said to be, and showing the token (spec/finding.md N84-N87)."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from mau.addressbook import AddressBook
from mau.hostport import Address, circuit
from mau.invite.link import Link, format_link
from mau.wire.client import PeerClient, Timeouts

if TYPE_CHECKING:
    from mau.account import Account
    from mau.tree.layout import Root


def places_of(link: Link) -> list[Address]:
    """Where the person of a link may be tried: addresses first, then through circuit relays."""
    return [*link.addresses, *(circuit(relay, at) for relay, at in link.relays)]


def note_places(root: Root, link: Link) -> None:
    """Note what a link says of where somebody is in the address book: as hints, for they are no more."""
    with closing(AddressBook(root)) as book:
        for host, port in link.addresses:
            book.told(link.fingerprint, host, port, source="told")
        for relay, (host, port) in link.relays:
            book.told_route(link.fingerprint, relay, source="told")
            book.told(relay, host, port, source="told")


async def show_token(
    account: Account, link: Link, own: Link, address: Address, *, timeouts: Timeouts | None = None
) -> None:
    """Show the token of ``link`` to whoever gave it, who was just proven at ``address``.

    ``own``: our own link, which tells what we are called and where we are. NotOffered when the token does not
    count (any more); the other errors are those of `PeerClient`.
    """
    if link.token is None:
        raise ValueError("the link has no token")
    host, port = address
    identity = account.identity()
    async with PeerClient(identity, link.fingerprint, host, port, timeouts=timeouts) as client:
        await client.show_invite(link.token, bytes(account.certificate), format_link(own))
