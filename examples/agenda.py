"""An agenda: what friends plan, as a calendar that any program for calendars subscribes to.

    python examples/agenda.py > ~/public_html/agenda.ics

Shows the timeline as a stream of documents: each Event (`mau new Event`) whose time can be read becomes an
entry (iCalendar, RFC 5545). Its author stands in it, so that two parties on one evening are told apart.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import mau


async def run(words: argparse.Namespace) -> None:
    """Print the calendar."""
    async with mau.open_account(words.dir) as me:
        found = [post async for post in me.timeline() if post.type == "Event"]
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//mau//agenda//EN"]
    for post in found:
        lines += entry(post)
    for line in [*lines, "END:VCALENDAR"]:
        sys.stdout.buffer.write(folded(line))


def entry(post: mau.Post) -> Iterator[str]:
    """The lines of one event; none when it does not say when it begins."""
    document = post.document or {}
    begin, end = when(document.get("startDate")), when(document.get("endDate"))
    if begin is None:
        return
    place = document.get("location")
    yield "BEGIN:VEVENT"
    yield f"UID:{post.address}"
    yield f"DTSTAMP:{post.time:%Y%m%dT%H%M%SZ}"
    yield f"DTSTART:{begin:%Y%m%dT%H%M%SZ}"
    yield f"DTEND:{end or begin + timedelta(hours=1):%Y%m%dT%H%M%SZ}"
    yield f"SUMMARY:{escaped(f'{post.title} ({post.author_name})')}"
    if post.text:
        yield f"DESCRIPTION:{escaped(post.text)}"
    if isinstance(place, dict):
        place = place.get("name")
    if isinstance(place, str):
        yield f"LOCATION:{escaped(place)}"
    yield "END:VEVENT"


def when(stated: object) -> datetime | None:
    """A time as documents state it, in UTC; without a zone it is local time."""
    try:
        return datetime.fromisoformat(stated).astimezone(UTC) if isinstance(stated, str) else None
    except (ValueError, OverflowError):
        return None


def escaped(text: str) -> str:
    """A text as a value (RFC 5545, 3.3.11)."""
    for sign in ("\\", ";", ","):
        text = text.replace(sign, f"\\{sign}")
    return "".join(one if one.isprintable() else "\\n" if one == "\n" else " " for one in text)


def folded(line: str) -> bytes:
    """A line in pieces of at most 75 bytes (RFC 5545, 3.1), none of which cuts a character."""
    pieces, piece = [], b""
    for one in line:
        if len(piece) + len(one.encode()) > 74:
            pieces.append(piece)
            piece = b""
        piece += one.encode()
    return b"\r\n ".join([*pieces, piece]) + b"\r\n"


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--dir", help="the tree, else as `mau` finds it")
    asyncio.run(run(options.parse_args()))
