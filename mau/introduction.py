"""The key of somebody who was named by fingerprint, from himself or from a friend (spec/keyring.md K10).

Where a key comes from proves nothing, and need not: the fingerprint that was asked for is made of the key.
What matters is that whoever asks got the fingerprint from somewhere he trusts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mau.addressbook import AddressBook
from mau.errors import (
    IdentityError,
    KeyRefused,
    MauError,
    PeerError,
    PeerMisbehaved,
    PeerNotFound,
    SecretKeyOffered,
)
from mau.fingerprint import Fingerprint
from mau.hostport import Address, circuit_of, format_address
from mau.openpgp import Certificate
from mau.wire.client import PeerClient, Timeouts

if TYPE_CHECKING:
    from mau.account import Account
    from mau.tree.layout import Root


@dataclass(frozen=True, slots=True)
class Introduction:
    """A key with the fingerprint that was asked for, and the proven address of the ``peer`` who gave it."""

    certificate: Certificate
    peer: Fingerprint
    address: Address

    def remember(self, root: Root) -> None:
        """Note the address in the address book."""
        book = AddressBook(root)
        try:
            book.proven(self.peer, *self.address)
        finally:
            book.close()


async def fetch_key(
    account: Account,
    wanted: Fingerprint,
    *,
    via: Fingerprint | None = None,
    addresses: Sequence[Address] | None = None,
    timeouts: Timeouts | None = None,
) -> Introduction:
    """Ask ``wanted`` himself, as a stranger, for his key; or ``via``, or through a circuit, as who we are.

    ``addresses``: where to find the one who is asked, else what the address book knows. Nothing is stored;
    the errors are PeerNotFound, PeerUnreachable, PeerMisbehaved, IdentityError and KeyRefused.
    """
    peer = wanted if via is None else via
    # Everybody gets the owner's key, so nobody needs to know who asks. What others wrote is for friends.
    as_stranger = peer == wanted
    book = AddressBook(account.root)
    problem: MauError | None = None
    try:
        for host, port in book.addresses(peer) if addresses is None else addresses:
            identity = None if as_stranger and circuit_of(host) is None else account.identity()
            try:
                async with PeerClient(identity, peer, host, port, timeouts=timeouts) as client:
                    certificate = judge_key(await client.key(wanted), wanted)
            except (PeerError, IdentityError, KeyRefused) as error:
                if not isinstance(error, PeerMisbehaved | KeyRefused):
                    book.failed(peer, host, port, there=error.there)
                # That a proof failed says more than a silence.
                if problem is None or error.exit_code > problem.exit_code:
                    problem = type(error)(f"{format_address((host, port))}: {error}")
                continue
            return Introduction(certificate, peer, (host, port))
    finally:
        book.close()
    raise problem or PeerNotFound("no address is known; say --at HOST:PORT")


def judge_key(data: bytes, wanted: Fingerprint) -> Certificate:
    """What a peer gave as somebody's key; PeerMisbehaved when it is none, KeyRefused when it is another's."""
    try:
        certificate = Certificate.parse(data)
    except SecretKeyOffered:
        raise
    except KeyRefused as error:
        raise PeerMisbehaved(f"what it gave is not the key: {error}") from error
    if certificate.fingerprint != wanted:
        raise KeyRefused(f"the key that it gave is another one: {certificate.fingerprint}")
    return certificate
