"""Taking in what one source lists of one author: plan, fetch, judge, store, remember (spec/sync.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from mau.deletion.obeying import Obeyed
from mau.errors import MauError, PostError, Renamed, UnknownAuthor
from mau.fingerprint import Fingerprint
from mau.syncer.admission import Admission
from mau.syncer.deleted import DeletedPosts
from mau.syncer.holdings import Holdings, arrived
from mau.syncer.intake import Intake, Source
from mau.syncer.judge import Judge
from mau.syncer.large import RESERVE
from mau.syncer.partial import Partials
from mau.syncer.plan import make_plan
from mau.syncer.policy import Policy
from mau.syncer.report import SyncReport, Trouble
from mau.syncer.world import World
from mau.tree.posts import AuthorDir
from mau.wire.listing import Item
from mau.wire.targets import PageQuery


class Taking:
    """What one round takes in; what came of it stands in ``report``. First `look` and `begin`."""

    held: Holdings
    """What is held, once it was looked at."""
    intake: Intake
    """What fetches, once it is known where from."""

    def __init__(
        self,
        world: World,
        author: Fingerprint,
        source: Fingerprint,
        report: SyncReport,
        *,
        full: bool,
        limited: bool,
        hidden: bool = False,
    ) -> None:
        """``source``: whose word it is. ``full``: judge again what was refused. ``limited``: limits hold.

        ``hidden``: into ``.FPR``.
        """
        self._world = world
        self._author = author
        self._source = source
        self._report = report
        self._full = full
        self._from_author = source == author
        self._state = world.state
        self.posts = AuthorDir(world.account.root, author, hidden)
        self._remembered = 0
        received = (world.policy or Policy()).received
        self.deleted = DeletedPosts(
            world.account, world.keyring, world.deletes, author, received, from_author=self._from_author
        )
        self._admission = Admission(
            world.account.root, author, world.state, world.policy if limited else None
        )

    async def look(self) -> None:
        """See what is held, and what was done to it by hand: posts that were removed stay away; what is
        damaged or lost comes again, if not in this round, for its peer is away, then in the next one."""
        await asyncio.to_thread(self._tidy)
        sums = self._state.sums(self._author)
        self.held = await asyncio.to_thread(Holdings, self.posts, sums)
        by_hand = await asyncio.to_thread(self.held.by_hand)
        if by_hand.lost or by_hand.damaged:
            # First: what is noted below is not noticed again, should this round be cut off.
            self._state.compare_again(self._author)
        self._state.remove(self._author, by_hand.removed, for_good=True)
        self._state.remove(self._author, by_hand.lost, for_good=False)
        self._state.learn_sums(self._author, self.held.learned())
        await asyncio.to_thread(self.deleted.load)

    def _tidy(self) -> None:
        self.posts.recover()
        partials = Partials(self.posts.root)
        partials.clear()
        partials.make_room(RESERVE)

    def begin(self, source: Source, judge: Judge) -> None:
        """From now on everything comes from there, and is judged so."""
        self._report.same = len(self.held)
        self.intake = Intake(source, judge, self.held.__contains__, self._report, self._world.progress)

    async def take_in(self, wanted: Sequence[Item], page: PageQuery | None = None) -> dict[str, MauError]:
        """Plan, fetch, judge, store, remember what was refused; by name, why something is still wanted."""
        forgone = self._state.removed(self._author) | self.deleted.forgone()
        if not self._full:
            forgone |= self._state.refused(self._source, self._author)
        holding = self.held.holding(forgone)
        from_author = self._from_author
        plan = await asyncio.to_thread(make_plan, wanted, holding, from_author=from_author)
        self._state.learn_sums(self._author, self.held.learned())
        self._report.forgone += plan.forgone
        self._report.refused += plan.refused
        self._report.deferred += plan.deferred
        errors: dict[str, MauError] = {trouble.name: trouble.error for trouble in plan.deferred}
        fetch, kept_out = await self._admission.admit(plan.fetch)
        self._report.deferred += kept_out
        errors |= {trouble.name: trouble.error for trouble in kept_out}
        before = len(self._report.fetched)
        if fetch and not from_author:
            # What comes from anybody else gives way to what the author's host lists, though not as new.
            self._state.compare_again(self._author, at=self._author)
        try:
            if self.is_unknown():
                self._defer_all(fetch, errors)
            else:
                await self.intake.run(fetch, page, wanted)
                errors |= {item.name: error for item, error in self.intake.pending}
        finally:
            self._remember_refused()
            came = set(self._report.fetched[before:])
            self._report.same -= self.held.came(came)
            self._state.learn_sums(self._author, arrived(item for item in fetch if item.name in came))
            self._obeyed(await asyncio.to_thread(self.deleted.came, came))
        return errors

    async def all_shown(self) -> dict[str, MauError]:
        """After a whole listing: what the author took back comes again, and what is deleted goes."""
        taken_back, again = await asyncio.to_thread(self.deleted.all_shown)
        self._out_of_sight(taken_back)
        errors = await self.take_in(again) if again else {}
        self._obeyed(await asyncio.to_thread(self.deleted.obey))
        return errors

    def _obeyed(self, obeyed: Iterable[Obeyed]) -> None:
        names = [one.name for one in obeyed if one.sha256 is not None]
        self._report.same -= sum(name in self.held and name not in self._report.fetched for name in names)
        self._out_of_sight(names)
        self._report.deleted += names

    def _out_of_sight(self, names: Sequence[str]) -> None:
        """Note that these are not held any more: nobody removed them by hand."""
        self.held.left(names)
        self._state.remove(self._author, [(name, "") for name in names], for_good=False)

    def is_unknown(self) -> bool:
        """Whether no key of the author is held: then nothing can be judged."""
        return self._world.keyring.certificate(self._author) is None

    def _defer_all(self, items: Iterable[Item], errors: dict[str, MauError]) -> None:
        error = UnknownAuthor(
            "the key of its author is not held here: `mau friend add` fetches it (--at, --via); then sync"
        )
        for item in items:
            errors[item.name] = error
            self._report.deferred.append(Trouble(item.name, item.sum, error))

    def _remember_refused(self) -> None:
        for_ever, from_here = [], []
        for trouble in self._report.refused[self._remembered :]:
            if isinstance(trouble.error, PostError) and trouble.error.lasting == "refused":
                for_ever.append(trouble)
            elif isinstance(trouble.error, Renamed):
                from_here.append(trouble)
        self._remembered = len(self._report.refused)
        self._state.refuse(self._author, for_ever)
        self._state.refuse(self._author, from_here, source=self._source)
