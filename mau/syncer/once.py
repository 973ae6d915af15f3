"""The syncer: rounds for one account (spec/sync.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from mau.account import Account
from mau.addressbook import AddressBook
from mau.contact.document import CONTACT_NAME
from mau.contact.post import feed
from mau.deletion.held import HeldDeletes
from mau.fingerprint import Fingerprint
from mau.hostport import Address, parse_site
from mau.keyring import Keyring
from mau.syncer.fetching import FetchRound
from mau.syncer.keys import Keys
from mau.syncer.pieces import PieceRound
from mau.syncer.policy import Policy
from mau.syncer.report import Progress, SyncReport
from mau.syncer.round import Round
from mau.syncer.state import State
from mau.syncer.webround import WebRound
from mau.tree.scratch import clear_scratch
from mau.wire.client import Timeouts


class Syncer:
    """Syncs for one account, one author at a time or several at once (one event loop)."""

    def __init__(
        self,
        account: Account,
        keyring: Keyring,
        *,
        progress: Callable[[Progress], None] | None = None,
        timeouts: Timeouts | None = None,
        policy: Policy | None = None,
    ) -> None:
        """``progress`` is called in the event loop, after every file. ``policy``: what is let in; by default
        the limits of `Policy`."""
        self.account = account
        self.keyring = keyring
        self.identity = account.identity()
        self.book = AddressBook(account.root)
        self.state = State(account.root)
        self.keys = Keys(account.root, keyring)
        self.deletes = HeldDeletes(account, keyring)
        self.progress = progress
        self.timeouts = timeouts
        self.policy: Policy | None = policy or Policy()
        clear_scratch(account.root, "syncer")

    def close(self) -> None:
        """Let go of the files."""
        self.book.close()
        self.state.close()
        self.deletes.close()
        self.keys.close()

    async def sync(
        self,
        author: Fingerprint,
        *,
        addresses: Sequence[Address] | None = None,
        via: Fingerprint | None = None,
        site: str | None = None,
        full: bool = False,
    ) -> SyncReport:
        """Bring what ``author`` has for us from his own host, from that of ``via``, or from a ``site``.

        ``addresses``: where to look, else what the book knows; ``site``: an address of the web, instead.
        ``full``: list everything, and judge again what was refused. Whatever a peer or the author's directory
        does ends in the report; a ``site`` that is none is AddressMalformed.
        """
        if site is not None:
            web = WebRound(self, author, parse_site(site), full=full)
            await web.run(())
            return web.report
        round_ = Round(self, author, via or author, full=full)
        where = self.book.addresses(round_.peer) if addresses is None else addresses
        await round_.run(where)
        if CONTACT_NAME in round_.report.fetched:
            await asyncio.to_thread(self._note_contact, author)
        return round_.report

    def _note_contact(self, author: Fingerprint) -> None:
        """Where he says that he is reached goes into the address book (spec/finding.md N10)."""
        book = AddressBook(self.account.root)  # one of this thread
        try:
            feed(book, self.account, self.keyring, author)
        finally:
            book.close()

    async def fetch(
        self,
        author: Fingerprint,
        name: str,
        *,
        addresses: Sequence[Address] | None = None,
        via: Fingerprint | None = None,
    ) -> SyncReport:
        """Bring one post by name (with ``.pgp``), whatever limit keeps it out and whoever removed it here.

        Of one who is not followed it is asked for without a listing, and lies in ``.FPR``.
        """
        followed = author in self.account.root.follows(self.account.fingerprint)
        peer = via or author
        round_: FetchRound | PieceRound = (
            FetchRound(self, author, peer, name)
            if followed
            else PieceRound(self, author, peer, [name], again=True)
        )
        where = self.book.addresses(round_.peer) if addresses is None else addresses
        await round_.run(where)
        return round_.report


async def sync_once(
    account: Account,
    keyring: Keyring,
    author: Fingerprint,
    addresses: Sequence[Address] | None = None,
    *,
    via: Fingerprint | None = None,
    full: bool = False,
    progress: Callable[[Progress], None] | None = None,
    timeouts: Timeouts | None = None,
) -> SyncReport:
    """One sync with everything that it needs; see `Syncer.sync`."""
    syncer = Syncer(account, keyring, progress=progress, timeouts=timeouts)
    try:
        return await syncer.sync(author, addresses=addresses, via=via, full=full)
    finally:
        syncer.close()
