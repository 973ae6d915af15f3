"""Answers to questions about a listing: all of it, a page, what is new (spec/http.yaml H30-H36, H60-H67)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar, cast

from aiohttp import web

from mau.fingerprint import Fingerprint
from mau.server.answers import Refusal, empty, problem
from mau.server.conditions import failed_condition, http_date, parse_date, quoted
from mau.server.connection import Connection
from mau.server.cursor import Cursors
from mau.server.epochs import Epochs
from mau.server.library import Library, Listed, Part, Renewed
from mau.server.listed import measured, send
from mau.server.standing import Standing
from mau.server.waiting import Waiter, Waiting
from mau.tree.index import clock_at, seconds_of
from mau.wire.paths import PAGE_MOST, page_path
from mau.wire.targets import ListTarget, PageQuery

MOST_WAIT: Final = 300
"""Seconds that a visitor may wait for something new."""
_LOOK_EVERY: Final = 15.0
"""Seconds until a waiting visitor is looked after: he may be gone."""
_TURNS: Final = 61
_TRIES: Final = 5
_T = TypeVar("_T")


@dataclass(slots=True)
class _Composed:
    """One answer, before it is sent. ``tagged``: the visitor knows what was there before, and says so."""

    standing: Standing
    listed: list[Listed]
    tag: str
    length: int
    headers: dict[str, str]
    status: int | None
    body: bytes | None
    tagged: bool

    @property
    def news(self) -> bool:
        """Whether it says something that is new to the visitor: also that now there is nothing."""
        return self.status != 304 and (self.status is not None or self.tagged or bool(self.listed))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: in which order, after which clock, ``backwards`` before it; None is an end."""

    generation: str
    clock: int | None
    backwards: bool


class Listings:
    """Answers for one library. Belongs to one event loop."""

    def __init__(
        self, library: Library, cursors: Cursors, epochs: Epochs, waiting: Waiting, threads: Executor
    ) -> None:
        self._library = library
        self._cursors = cursors
        self._epochs = epochs
        self._waiting = waiting
        self._threads = threads
        # Listings of one author (and a few more) are made one after the other: what one finds out, the
        # next one has.
        self._turns = [asyncio.Lock() for _ in range(_TURNS)]

    async def answer(
        self,
        request: web.BaseRequest,
        target: ListTarget,
        proven: Fingerprint | None,
        conditions: dict[str, str],
    ) -> web.StreamResponse:
        """The listing, or what of it was asked for. Refusal."""
        wait = preferred_wait(request.headers.getall("Prefer", ()))
        with ExitStack() as stack:
            waiter = stack.enter_context(self._waiting.enter(target.author)) if wait else None
            composed = await self._composed(target, proven, conditions, waiter)
            if waiter is not None:
                until = time.monotonic() + wait
                while not composed.news and await self._pause(request, waiter, until):
                    composed = await self._composed(target, proven, conditions, waiter)
                composed.headers["Preference-Applied"] = f"wait={wait}"
        if composed.status == 304:
            return empty(304, composed.headers)
        if composed.status is not None:
            return problem(composed.status, headers=composed.headers)
        return await send(
            request, target.author, composed.listed, composed.body, composed.length, composed.headers
        )

    async def has_any(self, author: Fingerprint, proven: Fingerprint | None) -> bool:
        """Whether the visitor may read anything of the author's."""
        standing = await self.in_thread(lambda: self._library.standing(author, proven))
        return await self._find(standing, lambda: self._library.has_any(standing))

    def place(self, standing: Standing, page: PageQuery) -> Place:
        """Where the page begins; the refusal 410 for a cursor that does not hold. Blocking."""
        generation = self._library.index.generation
        if page.cursor is None:
            return Place(generation, None, page.newest)
        found = self._cursors.open(page.cursor, _bound_to(standing, generation))
        if found is None:
            raise _gone()
        return Place(generation, *found)

    def seal(self, standing: Standing, generation: str, clock: int, *, backwards: bool = False) -> str:
        """The cursor of a position."""
        return self._cursors.seal(clock, _bound_to(standing, generation), backwards=backwards)

    async def in_thread(self, work: Callable[[], _T]) -> _T:
        """Do it where it keeps nobody waiting."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    # --- one answer ----------------------------------------------------------------------------------------

    async def _composed(
        self,
        target: ListTarget,
        proven: Fingerprint | None,
        conditions: dict[str, str],
        waiter: Waiter | None,
    ) -> _Composed:
        if waiter is not None:
            waiter.expect((), removals=True)  # whatever happens while we look is noticed
        standing = await self.in_thread(lambda: self._library.standing(target.author, proven))
        if waiter is not None:
            waiter.readers = frozenset(standing.readers)
            waiter.removals = "If-None-Match" in conditions
        page = target.page
        headers: dict[str, str] = {}
        if page.limit is None and page.cursor is None and not page.newest:
            listed, modified = await self._all(standing, conditions)
        else:
            part = await self._page(standing, page, headers)
            listed = part.listed
            modified = seconds_of(listed[-1].clock) if listed else 0
        body, tag, length = await self.in_thread(lambda: measured(target.author, listed))
        now = int(time.time())
        headers["ETag"] = quoted(tag)
        if modified:
            headers["Last-Modified"] = http_date(min(modified, now))
        status = failed_condition(conditions, tag=tag, modified=min(modified, now), now=now)
        tagged = "If-None-Match" in conditions and page.cursor is None
        return _Composed(standing, listed, tag, length, headers, status, body, tagged)

    async def _all(self, standing: Standing, conditions: Mapping[str, str]) -> tuple[list[Listed], int]:
        """Everything since the date that was asked for, and when the whole was changed last."""
        date = conditions.get("If-Modified-Since")
        since = None
        if date is not None:
            try:
                since = parse_date(date, int(time.time()))
            except ValueError as error:
                raise Refusal(400, "If-Modified-Since is not an HTTP date") from error
            if "If-None-Match" in conditions:
                since = None  # RFC 9110 13.1.3: with both, only the tag counts
        epoch = await self.in_thread(lambda: self._epoch(standing)) if standing.readers else 0
        clock = 0 if since is None or since < epoch else clock_at(since)
        listed = (await self._find(standing, lambda: self._library.listing(standing, clock))).listed
        newest = listed
        if clock and not listed:
            newest = (
                await self._find(standing, lambda: self._library.page(standing, None, 1, newest_first=True))
            ).listed
        return listed, max(seconds_of(newest[-1].clock), epoch) if newest else 0

    def _epoch(self, standing: Standing) -> int:
        changed = self._library.index.changed(standing.shelf.author)[1]
        return self._epochs.since(standing, seconds_of(changed))

    async def _page(self, standing: Standing, page: PageQuery, headers: dict[str, str]) -> Part:
        limit = page.limit or PAGE_MOST

        for _ in range(_TRIES):
            place = await self.in_thread(lambda: self.place(standing, page))
            turn = partial(self._library.page, standing, place.clock, limit, newest_first=place.backwards)
            part = await self._find(standing, turn)
            if part.generation == place.generation:
                headers["Link"] = self._links(standing, place, limit, part)
                return part
            if page.cursor is not None:
                raise _gone()
        raise _busy()

    def _links(self, standing: Standing, place: Place, limit: int, part: Part) -> str:
        if part.listed:
            first, last = part.listed[0].clock, part.listed[-1].clock
        else:
            clock = place.clock or 0
            first, last = (clock, max(clock - 1, 0)) if place.backwards else (clock + 1, clock)
        author = standing.shelf.author

        def link(clock: int, relation: str) -> str:
            cursor = self.seal(standing, place.generation, clock, backwards=relation == "prev")
            return f'<{page_path(author, PageQuery(limit, cursor))}>; rel="{relation}"'

        links = [link(last, "next")]
        if part.older:
            links.append(link(first, "prev"))
        return ", ".join(links)

    async def _find(self, standing: Standing, work: Callable[[], Generator[None, None, _T]]) -> _T:
        """Look for files, in pieces, so that other requests get a thread in between."""
        if not standing.readers:
            return await self._finish(work())
        async with self._turns[hash(standing.shelf.author) % _TURNS]:
            for _ in range(_TRIES):
                try:
                    return await self._finish(work())
                except Renewed:
                    continue
        raise _busy()

    async def _finish(self, work: Generator[None, None, _T]) -> _T:
        done: list[_T] = []

        def step() -> None:
            try:
                next(work)
            except StopIteration as end:
                done.append(end.value)

        while not done:
            await self.in_thread(step)
        return done[0]

    # --- waiting -------------------------------------------------------------------------------------------

    async def _pause(self, request: web.BaseRequest, waiter: Waiter, until: float) -> bool:
        """Wait; whether it is worth looking again."""
        connection = cast(Connection, request.protocol)
        connection.busy -= 1  # nothing of an answer is on its way: it may be cut to make room
        connection.lost = waiter.wake
        try:
            while (left := until - time.monotonic()) > 0:
                if request.transport is None or request.transport.is_closing() or self._waiting.over:
                    return False
                if await waiter.wait(min(left, _LOOK_EVERY)):
                    return request.transport is not None
        finally:
            connection.lost = None
            connection.busy += 1
        return False


def preferred_wait(values: list[str] | tuple[str, ...]) -> int:
    """The seconds of ``Prefer: wait=N`` (RFC 7240 section 4.3), at most MOST_WAIT; 0 when there is none."""
    for preference in ",".join(values).split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        number = value.strip().strip('"')
        if name.strip().lower() == "wait" and number.isascii() and number.isdigit():
            return min(int(number[:9]), MOST_WAIT)
    return 0


def _bound_to(standing: Standing, generation: str) -> bytes:
    return standing.digest + generation.encode()


def _gone() -> Refusal:
    return Refusal(410, "this cursor does not hold any more: ask without one")


def _busy() -> Refusal:
    return Refusal(503, "the index is being made anew", {"Retry-After": "1"})
