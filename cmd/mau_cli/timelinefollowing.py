"""`mau timeline --follow`: what is there, oldest of it first, and then what comes, until Ctrl-C."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mau.errors import MauError
from mau_cli.output import say
from mau_cli.pager import Page

if TYPE_CHECKING:
    from collections.abc import Callable

    from mau.fingerprint import Fingerprint
    from mau.marks import Marks
    from mau.reader.algorithms import Algorithm
    from mau.reader.reading import Reading
    from mau.reader.summary import Summary
    from mau.reader.timeline import Ask, Line, Timeline
    from mau_cli.timeline import _Showing

_PIECE = 0.5  # seconds between two looks whether it is to end


def follow(
    show: _Showing,
    reading: Reading,
    renewed: Callable[[], Timeline],
    ask: Ask,
    algorithm: Algorithm,
    marks: Marks | None,
) -> None:
    """Show lines until a signal ends it; ``marks``: what is shown is marked as read there.

    ``renewed``: the timeline with the keyring and the marks as they are then.
    """
    asyncio.run(_follow(show, reading, renewed, ask, algorithm, marks))


async def _follow(
    show: _Showing,
    reading: Reading,
    renewed: Callable[[], Timeline],
    ask: Ask,
    algorithm: Algorithm,
    marks: Marks | None,
) -> None:
    from mau_cli.serving import told_to_end

    ended, changed, loop = told_to_end(), asyncio.Event(), asyncio.get_running_loop()

    def tell(_author: Fingerprint, _hidden: bool, _name: str | None) -> None:
        loop.call_soon_threadsafe(changed.set)

    def look() -> tuple[Timeline, list[Line]]:
        came: list[Summary] = []
        timeline = renewed()
        reading.refresh(lambda _, summary: came.append(summary))
        lines = [timeline.line(summary, ask) for summary in came]
        return timeline, sorted((line for line in lines if line is not None), key=lambda line: line.time)

    def show_all(timeline: Timeline, lines: list[Line]) -> None:
        for line, post in show.unmuted(iter(lines), None if ask.muted else timeline.marks):
            show.one(line, post, Page())
        if marks is not None and lines:
            try:
                marks.mark_read(line.summary for line in lines)
            except (MauError, OSError) as error:
                say(f"Warning: it could not be marked as read: {error}.")

    index = reading.index
    with index.subscribe(tell), index.watch() as watch:
        # In pieces: a tree that cannot be read is never ready, and the thread would outlive the end.
        while not ended.is_set() and not await asyncio.to_thread(watch.wait_ready, _PIECE):
            pass
        if ended.is_set():
            return
        await asyncio.to_thread(reading.refresh)
        timeline = renewed()
        lines = await asyncio.to_thread(timeline.lines, ask, algorithm)
        show_all(timeline, lines[::-1])
        say("Following; Ctrl-C ends it.")
        end = asyncio.create_task(ended.wait())
        try:
            while not ended.is_set():
                news = asyncio.create_task(changed.wait())
                await asyncio.wait([news, end], return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
                if changed.is_set():
                    changed.clear()
                    show_all(*await asyncio.to_thread(look))
        finally:
            end.cancel()
