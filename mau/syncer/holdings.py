"""What is held of one author while a round runs: looked at once, kept in step with what is taken in."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from mau.errors import TreeError
from mau.syncer.plan import Holding
from mau.syncer.sums import Stamp, Sums, stamp_of
from mau.tree.names import fold
from mau.tree.posts import AuthorDir, Entry
from mau.wire.listing import Item

REMOVED_AT_ONCE: Final = 10
"""More than so many posts that are gone at once were lost, not removed: they are fetched again."""


@dataclass(frozen=True, slots=True)
class ByHand:
    """What was done to held posts since the last round, other than by us (spec/sync.md S49-S51).

    ``removed``: (name, sha256), few enough to have been meant. ``lost``: the same, of too many.
    ``damaged``: what is held under these names is another content now.
    """

    removed: tuple[tuple[str, str], ...]
    lost: tuple[tuple[str, str], ...]
    damaged: tuple[str, ...]


class Holdings:
    """The posts of one directory. Blocking: reads files whose sums are not known."""

    def __init__(self, posts: AuthorDir, sums: dict[str, tuple[Stamp, str]]) -> None:
        self._posts = posts
        self._sums = Sums(posts, sums)
        self._entries: dict[str, Entry | None] = {entry.name: entry for entry in posts.entries()}
        self._folded = {fold(name): name for name in self._entries}

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def came(self, names: Iterable[str]) -> int:
        """Note that these are held now, with content that is new; how many were held at first."""
        replaced = 0
        for name in names:
            replaced += self._entries.get(name) is not None
            self._entries[name] = None
            self._folded.setdefault(fold(name), name)
        return replaced

    def left(self, names: Iterable[str]) -> None:
        """Note that these are not held any more."""
        for name in names:
            self._entries.pop(name, None)
            if self._folded.get(fold(name)) == name:
                del self._folded[fold(name)]

    def by_hand(self) -> ByHand:
        """Compare what is there with what was known at the end of the last round; reads what changed."""
        known = self._sums.known
        gone = tuple((name, known[name][1]) for name in known if name not in self._entries)
        meant = bool(self._entries) and len(gone) <= REMOVED_AT_ONCE
        damaged: list[str] = []
        for name, entry in self._entries.items():
            before = known.get(name)
            if entry is None or before is None or before[0] == stamp_of(entry):
                continue
            with suppress(TreeError, OSError):
                if self._sums.of(entry) != before[1]:
                    damaged.append(name)
        return ByHand(gone if meant else (), () if meant else gone, tuple(damaged))

    def learned(self) -> dict[str, tuple[Stamp, str]]:
        """Sums that had to be read since this was last asked."""
        learned, self._sums.learned = self._sums.learned, {}
        return learned

    def holding(self, forgone: Collection[tuple[str, str]]) -> Holding:
        """What a plan needs; ``forgone``: (name, sha256) of what is not wanted again."""
        return Holding(
            names=self._entries.keys(),
            folded=self._folded,
            is_held=self._is_held,
            is_version=self._is_version,
            is_forgone=lambda item: (item.name, item.sum) in forgone,
        )

    def _is_held(self, item: Item) -> bool:
        # What changed since it was looked at is fetched, and the commit says what is wrong with it.
        with suppress(TreeError):
            entry = self._entries[item.name] or self._posts.entry(item.name)
            return entry is not None and entry.size == item.size and self._sums.of(entry) == item.sum
        return False

    def _is_version(self, item: Item) -> bool:
        with suppress(TreeError):
            return any(version.sha256 == item.sum for version in self._posts.versions(item.name))
        return False


def arrived(items: Iterable[Item]) -> dict[str, tuple[Stamp, str]]:
    """Sums of what was just stored, to be remembered: when it is gone or another one later, that is noticed.

    Its stamp is not known yet, so it is read once more before the sum is believed.
    """
    return {item.name: ((0, 0, item.size, 0, 0), item.sum) for item in items}
