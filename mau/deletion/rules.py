"""Which contents the DeleteActions of an author delete (spec/messages.md M76-M82). Pure.

A delete only ever adds to what is deleted, and only a later signature ends it: whatever the order in which
posts, deletes and replays arrive, and from whomever, the end is the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Iterator

from mau.acceptance import Piece
from mau.deletion.document import Delete
from mau.errors import Deleted


class Deletes:
    """What the DeleteActions of one author say together. A value: it never changes."""

    __slots__ = ("_by_name", "_by_target")

    def __init__(self, deletes: Iterable[Delete] = ()) -> None:
        by_target: dict[str, list[Delete]] = defaultdict(list)
        self._by_name: dict[str, Delete] = {}
        for one in deletes:  # of a name in the shown and the hidden directory, the first counts
            self._by_name.setdefault(one.name, one)
        for one in self._by_name.values():
            by_target[one.target].append(one)
        self._by_target = {
            target: tuple(sorted(found, key=lambda one: (one.signed_at, one.name), reverse=True))
            for target, found in by_target.items()
        }

    def __iter__(self) -> Iterator[Delete]:
        yield from self._by_name.values()

    def __bool__(self) -> bool:
        return bool(self._by_name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Deletes) and self._by_name == other._by_name

    def __hash__(self) -> int:
        return hash(frozenset(self))

    def named(self, name: str) -> Delete | None:
        """The DeleteAction that is called so."""
        return self._by_name.get(name)

    @property
    def targets(self) -> Collection[str]:
        """The names of the posts that they are about."""
        return self._by_target.keys()

    def of(self, name: str) -> tuple[Delete, ...]:
        """Those about the post `name`, signed last first."""
        return self._by_target.get(name, ())

    def until(self, name: str) -> int:
        """What is signed later than that (unix seconds) is not deleted; 0 when nothing is."""
        found = self.of(name)
        return found[0].signed_at if found else 0

    def deleting(self, name: str, sha256: str, signed_at: int | None = None) -> Delete | None:
        """The DeleteAction that deletes this content of `name`: it names it, or was signed no earlier.

        `signed_at` None: the time of its signature is not known (yet), so only the sum decides.
        """
        for one in self.of(name):
            if sha256 in one.sha256s or (signed_at is not None and signed_at <= one.signed_at):
                return one
        return None

    def is_deleted(self, name: str, sha256: str, signed_at: int | None = None) -> bool:
        """Whether this content of `name` is deleted; see `deleting`."""
        return self.deleting(name, sha256, signed_at) is not None


NO_DELETES = Deletes()


def binding(deletes: Deletes, *, from_author: bool, listed: Container[str] | None = None) -> Deletes:
    """Those that bind what a source offers.

    From anybody else (`from_author` False) all that are held. The author's own proven host is bound by those
    that it lists still: `listed` are the names in its whole listing, None when only a part of it is known.
    """
    if not from_author or listed is None:
        return deletes
    return Deletes(one for one in deletes if one.name in listed)


def check_deleted(piece: Piece, deletes: Deletes) -> None:
    """Deleted when a piece that `check_piece` let pass is deleted by one of those that are `binding`."""
    found = deletes.deleting(piece.name, piece.sha256, piece.signed_at)
    if found is not None:
        raise Deleted(f"its author deleted {piece.name!r} ({found.name!r} says so)")


def withdrawn(deletes: Deletes, listed: Container[str]) -> list[Delete]:
    """Those that their author took back: his own host lists the post, and the DeleteAction no longer.

    `listed`: the names in the *whole* listing that the author's own proven host gave.
    """
    return [one for one in deletes if one.name not in listed and one.target in listed]
