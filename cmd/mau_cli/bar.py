"""The line on the terminal that says how far a sync is, how fast it goes, and how long it will take."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mau_cli.progress import Line

if TYPE_CHECKING:
    from mau.fingerprint import Fingerprint
    from mau.syncer.report import Progress

WIDTH = 20
WINDOW = 10.0
"""Seconds over which a rate is measured: what went before says nothing of what comes."""


class Bar:
    """Sums up what is being synced at the same time."""

    def __init__(self) -> None:
        self._line = Line()
        self._states: dict[Fingerprint, Progress] = {}
        self._past: deque[tuple[float, int, int]] = deque()

    def __enter__(self) -> Self:
        self._line.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.__exit__(kind, error, trace)

    @property
    def update(self) -> Callable[[Progress], None] | None:
        """What is to be told; None when nobody looks."""
        return self._update if self._line.shown else None

    def _update(self, progress: Progress) -> None:
        self._states[progress.author] = progress
        now = time.monotonic()
        if self._past and now - self._past[-1][0] < 0.1:
            return
        done, total, some, all_bytes = (
            sum(getattr(state, word) for state in self._states.values())
            for word in ("done", "total", "done_bytes", "total_bytes")
        )
        self._past.append((now, done, some))
        while now - self._past[0][0] > WINDOW:
            self._past.popleft()
        then, done_then, some_then = self._past[0]
        self._line.show(words(done, total, some, all_bytes, now - then, done - done_then, some - some_then))


def words(done: int, total: int, some: int, all_bytes: int, seconds: float, files: int, size: int) -> str:
    """The line: what is done of what there is, and what came in the last ``seconds``."""
    filled = WIDTH * done // total if total else WIDTH
    bar = "#" * filled + "-" * (WIDTH - filled)
    line = f"[{bar}] {done:,}/{total:,} files, {some >> 10:,}/{all_bytes >> 10:,} KiB"
    if seconds < 1 or not files:
        return line
    line += f", {files / seconds:,.0f}/s, {size / seconds / 1024:,.0f} KiB/s"
    # Small files take their time by number, large ones by bytes: the longer of the two estimates is told.
    left = max((total - done) * seconds / files, (all_bytes - some) * seconds / size if size else 0)
    return f"{line}, {_time(left)} left" if done < total else line


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
