"""A handshake at one address: whether somebody is there, as the book notes it (spec/finding.md N5, N6)."""

from __future__ import annotations

from typing import Final

from mau.addressbook import AddressBook
from mau.errors import IdentityError, PeerError
from mau.fingerprint import Fingerprint
from mau.hostport import Address
from mau.wire.client import PeerClient, Timeouts
from mau.wire.identity import Identity

_PATIENCE: Final = Timeouts(connect=5.0, answer=10.0, stall=10.0, busy=0.0)


async def prove(
    book: AddressBook, wanted: Fingerprint, address: Address, identity: Identity | None = None
) -> None:
    """See whether somebody is there; without ``identity`` he learns nothing of us.

    PeerError when nobody answers, IdentityError when somebody else does; all three are noted.
    """
    try:
        async with PeerClient(identity, wanted, *address, timeouts=_PATIENCE) as peer:
            await peer.connect()
    except (PeerError, IdentityError) as error:
        book.failed(wanted, *address, there=error.there)
        raise
    book.proven(wanted, *address)
