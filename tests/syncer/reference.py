"""What design section 5 promises to somebody who follows an author, as small as it can be said. Pure.

A tree is a mapping of names to sha256. Of the bytes nothing is known here but what their author signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

MAX_AHEAD = 1800
Named = tuple[str, str]
"""A content under a name: (name, sha256)."""


@dataclass(frozen=True)
class Signed:
    """What an author signed: under which name, when, for whom ("bob", "carol"), and what it deletes."""

    name: str
    sha256: str
    time: int
    readers: frozenset[str]
    deletes: str | None = None
    deleted_sums: frozenset[str] = frozenset()

    @property
    def named(self) -> Named:
        return self.name, self.sha256


@dataclass
class Reference:
    """All that the author ever signed, and what one follower had of it."""

    reader: str
    signed: dict[Named, Signed] = field(default_factory=dict)
    had: set[Named] = field(default_factory=set)
    """What was held and must still be there, as a post or as a version."""
    removed: set[Named] = field(default_factory=set)
    """What he removed by hand, with what nobody may bring again."""
    garbage: set[Named] = field(default_factory=set)
    """What he wrote over a post by hand."""

    def good(self, tree: Mapping[str, str]) -> list[Signed]:
        """What of a tree holds, under its own name, and is for this reader."""
        found = [self.signed.get(named) for named in tree.items()]
        return [one for one in found if one is not None and self.reader in one.readers]

    def deleted(self, one: Signed, tree: Mapping[str, str]) -> bool:
        """Whether a DeleteAction in that tree deletes a content: by its sum, or because it is not older."""
        if one.deletes is not None:
            return False
        return any(
            delete.deletes == one.name and (one.sha256 in delete.deleted_sums or one.time <= delete.time)
            for delete in self.good(tree)
        )

    def listed(self, authors_tree: Mapping[str, str]) -> dict[str, str]:
        """What the author's own host has for the reader."""
        return {
            one.name: one.sha256 for one in self.good(authors_tree) if not self.deleted(one, authors_tree)
        }

    def due(self, authors_tree: Mapping[str, str], now: int) -> dict[str, str]:
        """What the reader holds of it, once everything is quiet: but for the future, and what he removed."""
        return {
            name: sha256
            for name, sha256 in self.listed(authors_tree).items()
            if self.signed[name, sha256].time <= now + MAX_AHEAD and (name, sha256) not in self.removed
        }

    def gone(self, authors_tree: Mapping[str, str], held: Mapping[str, str]) -> set[str]:
        """Names under which nothing of what is held stays, once everything is quiet: its author deleted it.

        What was signed later than the delete stays, even when the author holds nothing good of that name now.
        """
        return {one.name for one in self.good(held) if self.deleted(one, authors_tree)}

    def check_step(
        self, before: Mapping[str, str], after: Mapping[str, str], versions: Set[Named], *, relayed: bool
    ) -> None:
        """One sync led from one tree of the reader's to another; ``versions``: what is filed afterwards."""
        there = set(after.items()) | set(versions)
        assert self.had <= there, ("lost", self.had - there)
        for named in after.items() - before.items():
            one = self.signed.get(named)
            assert one is not None, ("nobody signed it so", named)
            assert self.reader in one.readers, ("not for him", named)
            assert named not in self.removed, ("removed by hand", named)
            assert not self.deleted(one, after), ("deleted", named)
            if relayed:
                self._check_relayed(one, before)
        self.had |= set(after.items())

    def _check_relayed(self, one: Signed, before: Mapping[str, str]) -> None:
        """What a relay brought is newer than what was held, and was never held before."""
        assert one.named not in self.had, ("rolled back", one.named)
        assert not self.deleted(one, before), ("resurrected", one.named)
        if one.name in before:
            held = self.signed.get((one.name, before[one.name]))
            assert held is not None, ("in the place of what does not open", one.named)
            assert one.time > held.time, ("older", one.named)

    def taken_away(self, named: Iterable[Named]) -> None:
        """Somebody destroyed the only copy by hand: it cannot be kept."""
        self.had -= set(named)
