"""What was read: a horizon in time for each author, and what is otherwise (spec/marks.md MK10-MK14).

Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from mau.fingerprint import Fingerprint

Which = tuple[Fingerprint, str]
"""A post: author and name."""

MAX_READ = 1000
"""Read posts that are named one by one."""
MAX_UNREAD = 500
MAX_HORIZONS = 10_000


@dataclass(frozen=True, slots=True, order=True)
class Horizon:
    """Everything signed up to `until` is read; said at `at` (unix seconds, both)."""

    until: int
    at: int


@dataclass(frozen=True, slots=True)
class Mark:
    """One post is read or unread: the content that was signed at `time` and those before it; said at `at`."""

    time: int
    at: int
    read: bool

    @property
    def _order(self) -> tuple[int, int, bool]:
        return self.at, self.time, self.read

    def newer(self, other: Mark | None) -> bool:
        """Whether this one counts, and not the other."""
        return other is None or self._order > other._order


@dataclass(frozen=True, slots=True)
class Reads:
    """What one owner has read. The horizon of None is everybody's; what was said up to `reset` is void."""

    reset: int = 0
    horizons: Mapping[Fingerprint | None, Horizon] = field(default_factory=dict)
    marks: Mapping[Which, Mark] = field(default_factory=dict)

    def is_read(self, author: Fingerprint, name: str, time: int) -> bool:
        """Whether the content of that post that was signed at `time` was read."""
        mark = self.marks.get((author, name))
        if mark is not None and time <= mark.time:
            return mark.read
        return time <= self.until(author)

    def until(self, author: Fingerprint) -> int:
        """Up to when everything of somebody counts as read."""
        return max(self._horizon(author).until, self._horizon(None).until)

    @property
    def latest(self) -> int:
        """The time of the newest word, 0 when there is none."""
        horizons = max((one.at for one in self.horizons.values()), default=0)
        return max(self.reset, horizons, max((one.at for one in self.marks.values()), default=0))

    # --- saying --------------------------------------------------------------------------------------------

    def marked(self, posts: Iterable[tuple[Fingerprint, str, int]], at: int, *, read: bool) -> Reads:
        """With single posts (author, name, time of the signature) read or unread, as said at `at`."""
        marks = dict(self.marks)
        for author, name, time in posts:
            if self.is_read(author, name, time) != read:
                marks[author, name] = Mark(time, at, read)
        return replace(self, marks=marks).tidy(at)

    def all_read(self, until: int, at: int, authors: Iterable[Fingerprint] | None = None) -> Reads:
        """With everything read that was signed up to `until`, of some authors or of everybody."""
        whose = [None] if authors is None else list(authors)
        horizons = dict(self.horizons)
        for author in whose:
            if self._horizon(author).until < until:
                horizons[author] = Horizon(until, at)
        if not any(self._horizon(author).until < until for author in whose) and not any(
            not mark.read and mark.time <= until for mark in self.marks.values()
        ):
            return self
        marks = {
            which: Mark(mark.time, at, read=True)
            if mark.time <= until and (authors is None or which[0] in whose)
            else mark
            for which, mark in self.marks.items()
        }
        return Reads(self.reset, horizons, marks).tidy(at)

    def all_unread(self, at: int) -> Reads:
        """With nothing read."""
        return Reads(reset=max(at, self.reset))

    # --- putting together ----------------------------------------------------------------------------------

    def merged(self, other: Reads) -> Reads:
        """What two files say together: the same in either order, and however often."""
        reset = max(self.reset, other.reset)
        horizons: dict[Fingerprint | None, Horizon] = {}
        for author, horizon in (*self.horizons.items(), *other.horizons.items()):
            if horizon.at > reset:
                horizons[author] = max(horizon, horizons.get(author, horizon))
        marks = dict(self.marks)
        for which, mark in other.marks.items():
            if mark.newer(marks.get(which)):
                marks[which] = mark
        return Reads(reset, horizons, marks).valid()

    def valid(self) -> Reads:
        """Without what was void from the moment that something later was said."""
        horizons = {who: one for who, one in self.horizons.items() if one.at > self.reset and one.until > 0}
        everybody = horizons.get(None, _NOTHING)
        marks = {}
        for which, mark in self.marks.items():
            own = horizons.get(which[0], _NOTHING)
            if mark.at > self.reset and not (_covers(own, mark) or _covers(everybody, mark)):
                marks[which] = mark
        return Reads(self.reset, horizons, marks)

    def tidy(self, at: int, most: int = MAX_READ) -> Reads:
        """Not more than `most` read posts by name: for the oldest ones the horizons of their authors go up.

        So what is older than those counts as read, too. The unread ones are said anew, at `at`.
        """
        kept = self.valid()
        read = [(mark.time, which) for which, mark in kept.marks.items() if mark.read]
        unread = [(mark.at, which) for which, mark in kept.marks.items() if not mark.read]
        marks = dict(kept.marks)
        for _, which in sorted(unread)[: max(len(unread) - MAX_UNREAD, 0)]:
            del marks[which]
        if len(read) <= most:
            return replace(kept, marks=marks)
        up: dict[Fingerprint, int] = defaultdict(int)
        for time, which in sorted(read)[: len(read) - most * 3 // 4]:
            up[which[0]] = max(up[which[0]], min(time, at))  # never into the future
        horizons = dict(kept.horizons)
        for author, until in up.items():
            horizons[author] = Horizon(max(until, kept._horizon(author).until), at)
        for which, mark in marks.items():
            if not mark.read and which[0] in up:
                marks[which] = replace(mark, at=at + 1)
        while len(horizons) > MAX_HORIZONS:
            del horizons[min(horizons, key=lambda who: horizons[who])]
        return Reads(kept.reset, horizons, marks).valid()

    def _horizon(self, author: Fingerprint | None) -> Horizon:
        return self.horizons.get(author, _NOTHING)


_NOTHING = Horizon(0, 0)


def _covers(horizon: Horizon, mark: Mark) -> bool:
    return mark.time <= horizon.until and mark.at <= horizon.at
