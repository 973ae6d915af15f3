"""Mutes, blocks and pinned tags: what holds for each subject, the newest word wins (spec/marks.md MK20).

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from mau.fingerprint import Fingerprint
from mau.marks.subject import Subject

Deed = Literal["mute", "block", "pin"]
Key = tuple[Deed, Subject]

MAX_DECISIONS = 4000
"""That hold; of more, the newest."""
MAX_REVOKED = 500
"""That were taken back and are remembered, so that an older file does not bring them back."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One word of the owner. `at`, `until`: unix seconds; until None = for good; not `on`: taken back."""

    deed: Deed
    subject: Subject
    at: int
    on: bool = True
    until: int | None = None

    @property
    def key(self) -> Key:
        """What there is one word about."""
        return self.deed, self.subject

    @property
    def _order(self) -> tuple[int, bool, int]:
        # Of two words of one moment the one that takes back, then the shorter one: any order that is the
        # same everywhere will do.
        return self.at, not self.on, -(self.until if self.until is not None else 1 << 60)

    def holds(self, now: int) -> bool:
        """Whether it counts at that time."""
        return self.on and (self.until is None or now < self.until)

    def newer(self, other: Decision | None) -> bool:
        """Whether this one counts, and not the other."""
        return other is None or self._order > other._order


@dataclass(frozen=True, slots=True)
class Decisions:
    """All of them, one for each key."""

    held: Mapping[Key, Decision] = field(default_factory=dict)

    @classmethod
    def of(cls, decisions: Iterable[Decision]) -> Decisions:
        """The newest word about each; what is too much of them is left out."""
        found: dict[Key, Decision] = {}
        for decision in decisions:
            if decision.newer(found.get(decision.key)):
                found[decision.key] = decision
        newest = sorted(found.values(), key=lambda one: (one.at, one.subject), reverse=True)
        on = [one for one in newest if one.on][:MAX_DECISIONS]
        off = [one for one in newest if not one.on][:MAX_REVOKED]
        return cls({one.key: one for one in (*on, *off)})

    def merged(self, other: Decisions) -> Decisions:
        """What two files say together: the same in either order, and however often."""
        return Decisions.of((*self.held.values(), *other.held.values()))

    def without_ended(self, now: int) -> Decisions:
        """Without those whose time is over: they mean nothing in any copy."""
        return Decisions.of(one for one in self.held.values() if not one.on or one.holds(now))

    def holding(self, deed: Deed, now: int) -> Iterator[Decision]:
        """Those of one kind that count now."""
        return (one for one in self.held.values() if one.deed == deed and one.holds(now))

    def blocked(self, now: int) -> frozenset[Fingerprint]:
        """Who is blocked."""
        return frozenset(one.subject.fingerprint for one in self.holding("block", now))

    @property
    def latest(self) -> int:
        """The time of the newest word, 0 when there is none."""
        return max((one.at for one in self.held.values()), default=0)
