"""One sync of one author from one peer: reach, list, plan, take in, remember (spec/sync.md)."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from mau.errors import (
    IdentityError,
    MauError,
    NotOffered,
    PeerError,
    PeerMisbehaved,
    PeerUnreachable,
    TreeError,
)
from mau.fingerprint import Fingerprint
from mau.hostport import Address
from mau.syncer.ahead import Ahead
from mau.syncer.intake import Source
from mau.syncer.judge import Judge
from mau.syncer.keys import OUTDATED
from mau.syncer.listing import list_all, refused_entry, since_of, token_of
from mau.syncer.pages import PAGE, Pages
from mau.syncer.reaching import reach
from mau.syncer.report import SyncReport
from mau.syncer.state import Cursor
from mau.syncer.survey import Survey
from mau.syncer.taking import Taking
from mau.syncer.world import World
from mau.wire.client import CursorGone, PageReply, PeerClient
from mau.wire.listing import Item
from mau.wire.targets import PageQuery


@dataclass(frozen=True, slots=True)
class Start:
    """Where a round begins: at a position and, for servers that know none, at a date. None: everything."""

    token: str | None
    since: str | None


EVERYTHING = Start(None, None)


class Round:
    """One sync of one author from one peer."""

    def __init__(
        self,
        world: World,
        author: Fingerprint,
        peer: Fingerprint,
        *,
        full: bool,
        limited: bool = True,
        hidden: bool = False,
        report: SyncReport | None = None,
    ) -> None:
        """``full``: list everything, and judge again what was refused. ``limited``: the policy holds.

        ``hidden``: what comes lies in ``.FPR``, as of one who is not followed.
        """
        self.peer = peer
        self.report = report or SyncReport(peer, author)
        self._world = world
        self._author = author
        self._full = full
        self._state = world.state
        self._taking = Taking(world, author, peer, self.report, full=full, limited=limited, hidden=hidden)

    async def run(self, where: Iterable[Address]) -> None:
        """Do it; whatever goes wrong stands in ``report``."""
        try:
            async with AsyncExitStack() as stack:
                await self._run(stack, where)
        except (PeerError, IdentityError, TreeError) as error:
            self.report.problem = error
        except OSError as error:
            self.report.problem = TreeError(f"{self._taking.posts.path}: {error.strerror}")

    async def _run(self, stack: AsyncExitStack, where: Iterable[Address]) -> None:
        await self._taking.look()
        cursor = self._state.cursor(self.peer, self._author)
        everything = self._full or not self._taking.held
        start = Start(
            token_of(cursor, everything=everything, now=int(time.time())),
            since_of(cursor, everything=everything),
        )
        preparing = asyncio.ensure_future(asyncio.to_thread(self._prepare))
        try:
            client, start, first = await self._reach(stack, where, start)
        finally:
            await preparing
        self._begin(client)
        if self.peer == self._author:
            await self._refresh_key()
        if first.cursor is None:
            await self._take_listing(first, start.since, cursor)
        else:
            await self._take_pages(first, start, cursor)
        await self._take_what_an_old_key_kept_out()

    def _prepare(self) -> None:
        """Have ready whom the author can write to: to find that out first takes 80 ms in a process."""
        certificate = self._world.keyring.certificate(self._author)
        if certificate is not None:
            with contextlib.suppress(MauError):
                _ = certificate.encryption_keyids

    def _begin(self, client: PeerClient, source: Source | None = None) -> None:
        """From now on everything comes from there; files from ``source``, if that is another."""
        self._client = client
        self._taking.begin(source or client, self._judge())

    # --- the author's key ----------------------------------------------------------------------------------

    async def _refresh_key(self, *, trouble: bool = False) -> bool:
        """Ask for a newer copy when it is time to; whether something of it counts now."""
        keys = self._world.keys
        if self.report.site is not None or not keys.due(self._author, self.peer, trouble=trouble):
            return False
        self.report.key = await keys.refresh(self._client, self._author, self.peer)
        return bool(self.report.key.changes)

    async def _take_what_an_old_key_kept_out(self) -> None:
        """Judge once more what the copy of the key held here does not know, should there be a newer one."""
        waiting = {trouble.name for trouble in self.report.deferred if isinstance(trouble.error, OUTDATED)}
        if not waiting or not await self._refresh_key(trouble=True):
            return
        self.report.deferred = [one for one in self.report.deferred if one.name not in waiting]
        pending = self._state.pending(self.peer, self._author)
        cursor = self._state.cursor(self.peer, self._author)
        await self._take_earlier([one for one in pending if one.name in waiting], cursor, all_shown=False)

    # --- reaching ------------------------------------------------------------------------------------------

    async def _reach(
        self, stack: AsyncExitStack, where: Iterable[Address], start: Start
    ) -> tuple[PeerClient, Start, PageReply]:
        """The first address where the peer proves to be and lists."""
        client, address, (begun, first) = await reach(
            self._world, self.peer, where, stack, lambda client: self._first(client, start)
        )
        self.report.address = address
        return client, begun, first

    async def _first(self, client: PeerClient, start: Start) -> tuple[Start, PageReply]:
        try:
            return start, await self._page(client, start.token, start.since)
        except CursorGone:
            return EVERYTHING, await self._page(client, None)

    async def _page(self, client: PeerClient, token: str | None, since: str | None = None) -> PageReply:
        return await client.page(self._author, PageQuery(PAGE, token), since=since)

    # --- a listing in one piece ----------------------------------------------------------------------------

    async def _take_listing(self, first: PageReply, since: str | None, cursor: Cursor) -> None:
        listed = await list_all(self._client, self._author, first, since, cursor, full=self._full)
        self.report.refused += listed.refused
        self.report.beyond_reach += listed.beyond_reach
        wanted = listed.items if since is None else self._with_pending(listed.items)
        errors = await self._taking.take_in(wanted)
        shown = {item.name for item in listed.items}
        if since is None:
            self._taking.deleted.shown(listed.items)
            errors |= await self._taking.all_shown()
        pending = [
            (item, type(errors[item.name]).__name__)
            for item in wanted
            # What is no longer listed and no longer there was deleted meanwhile.
            if item.name in errors and (item.name in shown or not isinstance(errors[item.name], NotOffered))
        ]
        self._state.finish(self.peer, self._author, listed.cursor, pending)

    def _with_pending(self, items: list[Item]) -> list[Item]:
        """What is new, and what an earlier listing showed and is not here yet."""
        new = {item.name for item in items}
        earlier = self._state.pending(self.peer, self._author)
        return items + [item for item in earlier if item.name not in new]

    # --- a listing in pages --------------------------------------------------------------------------------

    async def _take_pages(self, page: PageReply, start: Start, cursor: Cursor) -> None:
        token = start.token
        earlier = {item.name: item for item in self._state.pending(self.peer, self._author)}
        begun = _begun(cursor, token)
        pages = Pages()
        async with (
            Survey(self._client, self._author, page, wanted=self._watched(token)) as survey,
            Ahead(lambda token: self._page(self._client, token)) as ahead,
        ):
            self._taking.intake.beyond = survey.beyond
            while page.cursor is not None:
                items = page.listing.items
                count = len(items) + len(page.listing.refused)
                survey.passed(items)
                if start.token is None:
                    self._taking.deleted.shown(items)
                self.report.refused += [refused_entry(*entry) for entry in page.listing.refused]
                if not pages.is_last(count):
                    ahead.ask(page.cursor)
                names = [item.name for item in items]
                self.report.listed_anew(names)
                before = len(self.report.fetched)
                errors = await self._taking.take_in(items, PageQuery(PAGE, token))
                pending = [(item, type(errors[item.name]).__name__) for item in items if item.name in errors]
                if self._held_back(came=len(self.report.fetched) - before):
                    self._state.advance(self.peer, self._author, replace(begun, token=token), names, pending)
                    break
                begun = replace(begun, token=page.cursor)
                if pages.is_last(count):
                    begun = replace(begun, last_modified=page.last_modified or begun.last_modified)
                self._state.advance(self.peer, self._author, begun, names, pending)
                if self._taking.intake.stopped is not None:
                    break
                pages.refused(len(page.listing.refused))
                for name in names:
                    earlier.pop(name, None)
                if not pages.goes_on(token, count, page.cursor):
                    break
                token = page.cursor
                try:
                    page = await ahead.get(token)
                except CursorGone:
                    self._state.advance(self.peer, self._author, replace(begun, token=None), (), ())
                    raise PeerUnreachable("its listing began anew meanwhile; sync again") from None
        if start.token is None:
            await self._taking.all_shown()
        if isinstance(self._taking.intake.stopped, PeerMisbehaved):
            raise self._taking.intake.stopped
        if self._taking.intake.stopped is not None or self._taking.is_unknown():
            return
        again = list(earlier.values())
        random.shuffle(again)  # three files that get no answer must not always be the first
        await self._take_earlier(again, begun, all_shown=start.token is None)

    async def _take_earlier(self, items: Sequence[Item], cursor: Cursor, *, all_shown: bool) -> None:
        """Try again what earlier rounds left, unless everything was shown and this was not among it."""
        errors = {} if all_shown else await self._taking.take_in(items)
        pending = [
            (item, type(errors[item.name]).__name__)
            for item in items
            if item.name in errors and not isinstance(errors[item.name], NotOffered)
        ]
        if items:
            names = [item.name for item in items]
            self._state.advance(self.peer, self._author, cursor, names, pending)

    def _held_back(self, came: int) -> bool:
        """Whether the position stays where it is: the rest of this page comes best from there.

        When ``came`` is nothing, it may be just these files that get no answer, or a wrong one, for ever.
        """
        stopped = self._taking.intake.stopped
        theirs = isinstance(stopped, PeerUnreachable | PeerMisbehaved) and not came
        return self._taking.is_unknown() or (stopped is not None and not theirs)

    def _watched(self, token: str | None) -> bool:
        return self._world.progress is not None and token is None

    def _judge(self) -> Judge:
        world = self._world
        from_author = self.peer == self._author
        return Judge(
            world.account, world.keyring, self._taking.posts, from_author, deleted=self._taking.deleted
        )


def _begun(cursor: Cursor, token: str | None) -> Cursor:
    """What is to be remembered of a round that goes on from there."""
    if token is not None:
        return replace(cursor, rounds=cursor.rounds + 1)
    # When it is interrupted the next round goes on where it ended: everything is compared all the same.
    return replace(cursor, rounds=0, dates=(), token=None, compared=int(time.time()))
