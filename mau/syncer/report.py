"""What came of a sync, for a person or a program to read. Values only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mau.errors import MauError
from mau.fingerprint import Fingerprint

if TYPE_CHECKING:
    from mau.syncer.keys import KeyReport


@dataclass(frozen=True, slots=True)
class Trouble:
    """One item that did not come. Name and words may be the peer's: clean them before showing."""

    name: str
    sha256: str
    error: MauError

    @property
    def kind(self) -> str:
        """The name of the error's class: stable, for programs."""
        return type(self.error).__name__

    @property
    def words(self) -> str:
        """What happened, for a person."""
        return str(self.error) or (self.error.__doc__ or "").partition("\n")[0]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sync is: files and bytes, of those that are to be fetched as far as is known by now."""

    author: Fingerprint
    done: int
    total: int
    done_bytes: int
    total_bytes: int


@dataclass(slots=True)
class SyncReport:
    """One author's posts from one peer.

    ``peer``: whose host was asked, ``author``: whose posts; ``address``: (host, port) that was proven, or
    that answered for the ``site`` on the web, when there was one and no peer.
    ``fetched``: names stored. ``deleted``: names taken out of sight, for their author deleted them.
    ``same``: posts that were held before and stayed as they were. ``forgone``:
    items not fetched because they were refused before. ``refused``: bytes or claims not to be believed.
    ``deferred``: tried again next time. ``failed``: the peer's or the disk's fault, tried again next time.
    ``beyond_reach``: in words, what this peer's listing cannot show. ``archive``: why its files came one by
    one, when it sent many at once but not rightly. ``problem``: why there is no listing at all, or not to its
    end.
    """

    peer: Fingerprint
    author: Fingerprint
    address: tuple[str, int] | None = None
    site: str | None = None
    fetched: list[str] = field(default_factory=list)
    fetched_bytes: int = 0
    deleted: list[str] = field(default_factory=list)
    same: int = 0
    forgone: int = 0
    refused: list[Trouble] = field(default_factory=list)
    deferred: list[Trouble] = field(default_factory=list)
    failed: list[Trouble] = field(default_factory=list)
    beyond_reach: list[str] = field(default_factory=list)
    archive: MauError | None = None
    problem: MauError | None = None
    key: KeyReport | None = None
    """What came of asking for the author's key; None when it was not time to."""

    def listed_anew(self, names: Iterable[str]) -> None:
        """These were listed once more, as they are now: what was wrong with what came before is past."""
        anew = frozenset(names)
        self.deferred = [one for one in self.deferred if one.name not in anew]
        self.failed = [one for one in self.failed if one.name not in anew]

    @property
    def unreachable(self) -> str | None:
        """Why the peer could not be asked, in words; None when it was."""
        return None if self.problem is None else str(self.problem)

    @property
    def whole(self) -> bool:
        """Everything that the peer has for us is held now."""
        return self.problem is None and not (
            self.refused or self.deferred or self.failed or self.beyond_reach
        )
