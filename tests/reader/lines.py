"""The timeline of somebody, as tests ask for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mau.marks import Marks
from mau.reader.algorithms.loading import find
from mau.reader.reading import Choice, Reading
from mau.reader.timeline import Ask, Line, Timeline
from tests.publish.world import Someone


def shown(
    someone: Someone,
    algorithm: str = "chronological",
    *,
    limit: int | None = None,
    choice: Choice | None = None,
    unread: bool = False,
    muted: bool = False,
) -> tuple[list[Line], Counter[str]]:
    """The lines, deleted ones too, and what was left out."""
    ask = Ask(choice or Choice(deleted=True), limit, unread=unread, muted=muted)
    with Reading(someone.account, someone.keyring) as reading:
        reading.refresh()
        timeline = Timeline(reading, someone.keyring, Marks.load(someone.account))
        return timeline.lines(ask, find(algorithm, someone.account.root)), reading.left_out


def texts(lines: Sequence[Line]) -> list[str]:
    """What they say."""
    return [line.summary.words for line in lines]
