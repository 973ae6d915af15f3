"""One sync: reach the peer, list, plan, take in, remember (spec/sync.md S1-S15)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress

from mau.account import Account
from mau.addressbook import AddressBook
from mau.errors import (
    IdentityError,
    MauError,
    PeerError,
    PeerMisbehaved,
    PeerNotFound,
    PostError,
    Renamed,
    TreeError,
    UnknownAuthor,
)
from mau.fingerprint import Fingerprint
from mau.hostport import Address, format_address, parse_site
from mau.keyring import Keyring
from mau.syncer.intake import Intake
from mau.syncer.judge import Judge
from mau.syncer.listing import Listed, list_all, since_of
from mau.syncer.plan import Holding, Plan, make_plan
from mau.syncer.report import Progress, SyncReport, Trouble
from mau.syncer.state import State
from mau.syncer.sums import Sums
from mau.tree.posts import AuthorDir, Entry
from mau.tree.scratch import clear_scratch
from mau.wire.client import ListingReply, PeerClient, Timeouts
from mau.wire.paths import Item
from mau.wire.webclient import WebClient


class Syncer:
    """Syncs for one account, one author at a time or several at once (one event loop)."""

    def __init__(
        self,
        account: Account,
        keyring: Keyring,
        *,
        progress: Callable[[Progress], None] | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        """``progress`` is called in the event loop, after every file."""
        self.account = account
        self.keyring = keyring
        self.identity = account.identity()
        self.book = AddressBook(account.root)
        self.state = State(account.root)
        self.progress = progress
        self.timeouts = timeouts
        clear_scratch(account.root, "syncer")

    def close(self) -> None:
        """Let go of the files."""
        self.book.close()
        self.state.close()

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
            web = _WebRound(self, author, parse_site(site), full=full)
            await web.run(())
            return web.report
        round_ = _Round(self, author, via or author, full=full)
        where = self.book.addresses(round_.peer) if addresses is None else addresses
        await round_.run(where)
        return round_.report


class _Round:
    """One sync of one author from one peer."""

    def __init__(self, syncer: Syncer, author: Fingerprint, peer: Fingerprint, *, full: bool) -> None:
        self.peer = peer
        self.report = SyncReport(peer, author)
        self._syncer = syncer
        self._author = author
        self._full = full
        self._state = syncer.state
        self._posts = AuthorDir(syncer.account.root, author)

    async def run(self, where: Iterable[Address]) -> None:
        try:
            async with AsyncExitStack() as stack:
                await self._run(stack, where)
        except (PeerError, IdentityError, TreeError) as error:
            self.report.problem = error
        except OSError as error:
            self.report.problem = TreeError(f"{self._posts.path}: {error.strerror}")

    async def _run(self, stack: AsyncExitStack, where: Iterable[Address]) -> None:
        await asyncio.to_thread(self._posts.recover)
        held = {entry.name: entry for entry in await asyncio.to_thread(self._posts.entries)}
        cursor = self._state.cursor(self.peer, self._author)
        since = since_of(cursor, everything=self._full or not held)
        client, first = await self._reach(stack, where, since)
        listed = await list_all(client, self._author, first, since, cursor, full=self._full)
        self.report.refused += listed.refused
        self.report.beyond_reach += listed.beyond_reach
        wanted = listed.items if since is None else self._with_pending(listed.items)
        await self._take_in(client, wanted, held, listed)

    async def _reach(
        self, stack: AsyncExitStack, where: Iterable[Address], since: str | None
    ) -> tuple[PeerClient, ListingReply]:
        """The first address where the peer proves to be and lists; otherwise the error that tells most."""
        book = self._syncer.book
        problem: PeerError | IdentityError | None = None
        for host, port in where:
            async with AsyncExitStack() as trial:
                client = PeerClient(
                    self._syncer.identity, self.peer, host, port, timeouts=self._syncer.timeouts
                )
                try:
                    await trial.enter_async_context(client)
                    first = await client.listing(self._author, since)
                except (PeerError, IdentityError) as error:
                    if not isinstance(error, PeerMisbehaved):
                        book.failed(self.peer, host, port)
                    if not isinstance(problem, IdentityError):
                        problem = type(error)(f"{format_address((host, port))}: {error}")
                    continue
                book.proven(self.peer, host, port)
                self.report.address = (host, port)
                await stack.enter_async_context(trial.pop_all())
                return client, first
        raise problem or PeerNotFound("no address is known; say --at HOST:PORT once, it will be remembered")

    def _with_pending(self, items: list[Item]) -> list[Item]:
        """What is new, and what an earlier listing showed and is not here yet."""
        new = {item.name for item in items}
        pending = self._state.pending(self.peer, self._author)
        return items + [item for item in pending if item.name not in new]

    async def _take_in(
        self, client: PeerClient, wanted: Sequence[Item], held: Mapping[str, Entry], listed: Listed
    ) -> None:
        sums = Sums(self._posts, self._state.sums(self._author))
        plan = await asyncio.to_thread(self._plan, wanted, held, sums, self._forgone())
        self._state.learn_sums(self._author, sums.learned)
        self.report.same, self.report.forgone = plan.same, plan.forgone
        self.report.refused += plan.refused
        self.report.deferred += plan.deferred
        errors: dict[str, MauError] = {trouble.name: trouble.error for trouble in plan.deferred}
        try:
            if self._syncer.keyring.certificate(self._author) is None:
                self._defer_all(plan.fetch, errors)
            else:
                errors |= await self._fetch(client, plan.fetch, held)
        finally:
            self._remember_refused()
        shown = {item.name for item in listed.items}
        pending = [
            (item, type(errors[item.name]).__name__)
            for item in wanted
            # What is no longer listed and no longer there was deleted meanwhile.
            if item.name in errors and (item.name in shown or not _is_gone(errors[item.name]))
        ]
        self._state.finish(self.peer, self._author, listed.cursor, pending)

    def _forgone(self) -> Collection[tuple[str, str]]:
        return () if self._full else self._state.refused(self.peer, self._author)

    def _plan(
        self,
        wanted: Iterable[Item],
        held: Mapping[str, Entry],
        sums: Sums,
        forgone: Collection[tuple[str, str]],
    ) -> Plan:
        def is_held(item: Item) -> bool:
            # What changed since it was looked at is fetched, and the commit says what is wrong with it.
            with suppress(TreeError):
                return held[item.name].size == item.size and sums.of(held[item.name]) == item.sum
            return False

        def is_version(item: Item) -> bool:
            with suppress(TreeError):
                return any(version.sha256 == item.sum for version in self._posts.versions(item.name))
            return False

        holding = Holding(
            names=held,
            is_held=is_held,
            is_version=is_version,
            is_forgone=lambda item: (item.name, item.sum) in forgone,
        )
        return make_plan(wanted, holding, from_author=self.peer == self._author)

    def _defer_all(self, items: Iterable[Item], errors: dict[str, MauError]) -> None:
        error = UnknownAuthor(
            "the key of its author is not held here: `mau friend add` fetches it (--at, --via); then sync"
        )
        for item in items:
            errors[item.name] = error
            self.report.deferred.append(Trouble(item.name, item.sum, error))

    async def _fetch(
        self, client: PeerClient, items: Iterable[Item], held: Collection[str]
    ) -> dict[str, MauError]:
        intake = Intake(client, self._judge(), held.__contains__, self.report, self._syncer.progress)
        await intake.run(items)
        return {item.name: error for item, error in intake.pending}

    def _judge(self) -> Judge:
        syncer = self._syncer
        return Judge(syncer.account, syncer.keyring, self._posts, self.peer == self._author)

    def _remember_refused(self) -> None:
        for_ever, from_here = [], []
        for trouble in self.report.refused:
            if isinstance(trouble.error, PostError) and trouble.error.lasting == "refused":
                for_ever.append(trouble)
            elif isinstance(trouble.error, Renamed):
                from_here.append(trouble)
        self._state.refuse(self._author, for_ever)
        self._state.refuse(self._author, from_here, source=self.peer)


class _WebRound(_Round):
    """One sync of one author from the web, where nobody proves who he is (spec/web.md W50-W54)."""

    def __init__(self, syncer: Syncer, author: Fingerprint, site: str, *, full: bool) -> None:
        # What is remembered of a site stands where it would for a peer, under a name that nobody can have.
        source = Fingerprint(hashlib.sha256(f"web {site}".encode()).digest()[:20])
        super().__init__(syncer, author, source, full=full)
        self.report = SyncReport(author, author, site=site)
        self._site = site

    async def _reach(
        self, stack: AsyncExitStack, where: Iterable[Address], since: str | None
    ) -> tuple[PeerClient, ListingReply]:
        client = WebClient(self._site, self._author, timeouts=self._syncer.timeouts)
        await stack.enter_async_context(client)
        try:
            first = await client.listing(self._author)
        except PeerError as error:
            raise type(error)(f"{self._site}: {error}") from error
        self.report.address = client.address
        return client, first

    def _judge(self) -> Judge:
        syncer = self._syncer
        return Judge(syncer.account, syncer.keyring, self._posts, from_author=False, public_only=True)


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


def _is_gone(error: MauError) -> bool:
    return isinstance(error, PeerMisbehaved)
