"""One line of the address book: which is tried first, and which gives way (spec/finding.md N2-N6). Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, get_args

from mau.fingerprint import Fingerprint

Source = Literal["given", "contact", "told", "mdns", "dns", "asked", "kademlia"]
"""Who said that somebody is there: *given* by hand in the settings; the person's own *contact* post; *told*
with ``--at`` or an invite; *mdns*, *dns* and *kademlia* as they answered; *asked*: he asked us from there."""

SOURCES: Final[tuple[Source, ...]] = get_args(Source)
"""From the one whose hints are tried first to the last."""

MAX_PER_PERSON: Final = 16
"""Lines of one person."""
MAX_PER_SOURCE: Final = 8
"""Of those, hints of one source. As many may be given by hand, and those always stay."""
MAX_STRANGERS: Final = 5_000
"""Hints for people who are neither friends nor followed; as many lines that they proved."""
MAX_ROUTES: Final = 8
"""Circuit relays of one person."""

_PATIENCE: Final = 3
_LONGEST_WAIT: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class KnownAddress:
    """One line of the book: times in Unix seconds of this machine's clock, failures since the last proof.

    ``kad``: when it last took part in Kademlia there.
    """

    fingerprint: Fingerprint
    host: str
    port: int
    source: Source
    first_heard: int
    first_proven: int | None
    last_proven: int | None
    last_failed: int | None
    last_tried: int | None
    failures: int
    kad: int | None = None

    @property
    def fleeting(self) -> bool:
        """Whether it is only a hint, which nobody proved and the user did not give."""
        return self.last_proven is None and self.source != "given"


def rank(source: str) -> int:
    """The place of a source among all; what a later release wrote comes last."""
    return SOURCES.index(source) if source in SOURCES else len(SOURCES)


def waits(failures: int, last_failed: int | None, now: float) -> bool:
    """Whether it is too early to try again: after three failures 8 minutes, then twice as long, to a day."""
    if failures < _PATIENCE or last_failed is None:
        return False
    wait = min(60 << min(failures, 20), _LONGEST_WAIT)
    # What failed later than now failed before the clock was set back: nobody knows how long ago.
    return 0 <= now - last_failed < wait


def best_first(lines: Iterable[KnownAddress], now: float) -> list[KnownAddress]:
    """Lines of one person in the order in which they are worth trying.

    What was proven and did not fail since, the latest proof first; hints by their source, the latest heard
    first; what failed, the fewest times first; and what waits.
    """

    def key(line: KnownAddress) -> tuple[int, int, int, int, str, int]:
        proven = line.last_proven or 0
        if not line.failures:
            if line.last_proven is not None:
                return 0, -proven, 0, 0, line.host, line.port
            return 1, rank(line.source), -line.first_heard, 0, line.host, line.port
        group = 3 if waits(line.failures, line.last_failed, now) else 2
        return group, -proven, line.failures, rank(line.source), line.host, line.port

    return sorted(lines, key=key)


def surplus(lines: Iterable[KnownAddress]) -> list[KnownAddress]:
    """Which lines of one person give way: hints before anything that was proven, and never the given ones."""
    held = sorted(lines, key=_worth)
    of_source: Counter[str] = Counter()
    stays: list[KnownAddress] = []
    gone: list[KnownAddress] = []
    for line in held:
        if line.fleeting:
            of_source[line.source] += 1
        full = len(stays) >= MAX_PER_PERSON or of_source[line.source] > MAX_PER_SOURCE
        (gone if full and line.source != "given" else stays).append(line)
    return gone


def _worth(line: KnownAddress) -> tuple[int, int, int, int, int, str, int]:
    if line.source == "given":
        kind = 0
    else:
        kind = 1 if line.last_proven is not None else 2
    proven = line.last_proven or 0
    by_source = rank(line.source) if kind == 2 else 0
    return kind, int(line.failures > 0), -proven, by_source, -line.first_heard, line.host, line.port
