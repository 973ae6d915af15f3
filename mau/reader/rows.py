"""What stands in the table, and what is asked of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from mau.content.tags import fold_tag
from mau.fingerprint import Fingerprint
from mau.reader.summary import Summary


@dataclass(frozen=True, slots=True)
class Row:
    """One file as the table has it. ``sha256`` and ``stamp`` are those of the content that was judged;
    an empty stamp proves nothing, and an empty sum says that it could not be read. ``note``: the key of what
    is noted of it. ``owners``: what the verdict rests on, as `mau.reader.owners.pack` writes it."""

    author: Fingerprint
    name: str
    sha256: bytes
    stamp: bytes
    hidden: bool
    deleted: bool
    time: int
    note: bytes
    owners: bytes = b""


@dataclass(frozen=True, slots=True)
class Act:
    """Who did what to a post, and when (unix seconds). An answer's ``act`` is ""; ``hidden``: by somebody
    whom the reader does not follow."""

    act: str
    author: Fingerprint
    time: int
    hidden: bool


@dataclass(frozen=True, slots=True)
class State:
    """Up to where the table knows an author: the index's generation and clock, what his two directories
    looked like, and the keys that the verdicts rest on."""

    generation: str = ""
    clock: int = 0
    places: bytes = b""
    keys: bytes = b""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which posts to show. ``since`` and ``until`` in unix seconds, the first included, the second not.

    ``acts``: only posts that do these to others; "" is none of them. ``deleted``: also what its author
    deleted and is still here.
    """

    authors: frozenset[Fingerprint] | None = None
    since: int | None = None
    until: int | None = None
    types: frozenset[str] = frozenset()
    tag: str = ""
    acts: frozenset[str] | None = None
    deleted: bool = False

    def fits(self, summary: Summary) -> bool:
        """Whether a post is one of these; the same as the table says."""
        return (
            not (summary.error or summary.apart or summary.hidden)
            and (self.authors is None or summary.author in self.authors)
            and (self.since is None or summary.time >= self.since)
            and (self.until is None or summary.time < self.until)
            and (not self.types or summary.type in self.types)
            and (not self.tag or fold_tag(self.tag) in summary.tags)
            and (self.acts is None or summary.links.act in self.acts)
            and (self.deleted or not summary.deleted)
        )
