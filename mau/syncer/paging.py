"""How to see the whole of a listing that its server cuts (spec/sync.md, "Listings that are cut"). Pure.

One kind of server answers a listing with the hundred oldest files whose time, in whole seconds, is at or
after a date, takes away what is not for the asker only then, and tells no times. So page(T), the answer for
the date T, is all that can be asked, and it has this property: when an item of page(T) also stands in page(U)
for a later date U, then that item's time is U or later, everything from T to U is older than it and stands in
page(T), and so the two pages leave no gap between them. Dates are halved until neighbouring pages overlap, or
are one second apart: then the earlier page lies within one second, and when it is full, what else that second
holds cannot be reached.
"""

from __future__ import annotations

from collections.abc import Generator, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT", bound=Hashable)

# The most items that such a server puts into one answer.
PAGE = 100
# An end to it against a server that makes up new items for every question.
MAX_QUESTIONS = 5_000
# 9999-12-31T23:59:59Z, the last date that HTTP can write.
END_OF_TIME = 253_402_300_799
DAY = 86_400
# Files for others, a hundred of them in a row, hide what comes after them: so one also looks further on, at
# these ages in seconds (up to 8.5 years).
AGES = tuple(2**power for power in range(29))
# The same, more closely: what a hundred files before it cover has to be a quarter of its age.
CLOSE_AGES = tuple(sorted({int(1.25**power) for power in range(88)}))


@dataclass(frozen=True, slots=True)
class Walked(Generic[ItemT]):
    """What was seen. ``crowded``: seconds (Unix time) of which only a page could be seen.

    ``dates`` are worth passing as ``hints`` next time. ``gave_up``: there were more questions than sense.
    """

    items: tuple[ItemT, ...]
    crowded: tuple[int, ...]
    dates: tuple[int, ...]
    gave_up: bool


def walk(
    first: Sequence[ItemT],
    *,
    now: int,
    hints: Sequence[int] = (),
    thorough: bool = False,
    page: int = PAGE,
) -> Generator[int, Sequence[ItemT], Walked[ItemT]]:
    """Yield dates (Unix seconds) to ask for; take the answer to each; return what was seen.

    ``first`` is the answer without a date. ``now`` only says where to look first, ``hints`` are dates that
    were useful before, and ``thorough`` looks closer for what may be hidden. An item is equal to itself in
    another answer and to nothing else.
    """
    walker = _Walker(first, page, hints)
    soon = now + DAY
    yield from walker.ask(soon)
    last = soon
    if walker.pages[soon]:
        yield from walker.ask(END_OF_TIME)
        last = END_OF_TIME
    yield from walker.close_gap(0, soon)
    if last != soon:
        yield from walker.close_gap(soon, last)
    yield from walker.look_on(now, CLOSE_AGES if thorough else AGES)
    return walker.result()


class _Walker(Generic[ItemT]):
    def __init__(self, first: Sequence[ItemT], page: int, hints: Sequence[int]) -> None:
        self.pages: dict[int, Sequence[ItemT]] = {0: first}
        self._sets: dict[int, frozenset[ItemT]] = {0: frozenset(first)}
        self._page = page
        self._hints = sorted({hint for hint in hints if 0 < hint < END_OF_TIME})
        self._crowded: set[int] = set()
        self._questions = 0
        self._gave_up = False

    def ask(self, date: int) -> Generator[int, Sequence[ItemT], None]:
        if date in self.pages:
            return
        if self._questions >= MAX_QUESTIONS:
            self._gave_up = True
            return
        self._questions += 1
        answer = yield date
        self.pages[date] = answer
        self._sets[date] = frozenset(answer)

    def close_gap(self, low: int, high: int) -> Generator[int, Sequence[ItemT], None]:
        gaps = [(low, high)]
        while gaps and not self._gave_up:
            low, high = gaps.pop()
            if not self.pages[low] or self._overlap(low, high):
                continue
            if high - low == 1:
                # Nothing of it a second later: all of it lies in this second.
                if len(self.pages[low]) >= self._page:
                    self._crowded.add(low)
                continue
            middle = self._between(low, high)
            yield from self.ask(middle)
            if middle in self.pages:
                gaps += [(middle, high), (low, middle)]

    def look_on(self, now: int, ages: Sequence[int]) -> Generator[int, Sequence[ItemT], None]:
        """Look at dates after the last item seen: beyond files for others there may be more."""
        for age in reversed(ages):
            date = now - age
            if date <= 0 or date in self.pages:
                continue
            before = max(asked for asked in self.pages if asked < date)
            after = min(asked for asked in self.pages if asked > date)
            if self._overlap(before, after):
                continue
            yield from self.ask(date)
            if self.pages.get(date):
                yield from self.close_gap(date, after)

    def _overlap(self, low: int, high: int) -> bool:
        return not self._sets[low].isdisjoint(self._sets[high])

    def _between(self, low: int, high: int) -> int:
        first, last = 0, len(self._hints)
        while first < last and self._hints[first] <= low:
            first += 1
        while first < last and self._hints[last - 1] >= high:
            last -= 1
        return self._hints[(first + last) // 2] if first < last else (low + high) // 2

    def result(self) -> Walked[ItemT]:
        seen: dict[ItemT, None] = {}
        for date in sorted(self.pages):
            for item in self.pages[date]:
                seen.setdefault(item)
        return Walked(tuple(seen), tuple(sorted(self._crowded)), self._useful_dates(), self._gave_up)

    def _useful_dates(self) -> tuple[int, ...]:
        """The fewest dates whose pages overlap: with these as hints nothing has to be halved next time."""
        asked = sorted(self.pages)
        useful: list[int] = []
        at = 0
        while at < len(asked) - 1:
            step = at + 1
            while step + 1 < len(asked) and self._overlap(asked[at], asked[step + 1]):
                step += 1
            at = step
            if self.pages[asked[at - 1]] or self.pages[asked[at]]:
                useful.append(asked[at])
        return tuple(useful)
