"""Asking a peer what it has, until nothing more is to be learned (spec/sync.md S2, S15-S17, S33-S37)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from typing import Protocol

from mau.errors import PeerMisbehaved
from mau.fingerprint import Fingerprint
from mau.syncer.paging import Walked, walk
from mau.syncer.plan import merge_listings
from mau.syncer.report import Trouble
from mau.syncer.state import Cursor
from mau.wire.client import ListingReply
from mau.wire.listing import Item

# A server goes by the time that stands in a file, and a file can come into its tree later than that: so much
# further back is asked, in seconds, and after so many rounds everything.
OVERLAP = 600
FULL_EVERY = 20
# Where a position says exactly what is new, rounds can be many and mostly empty: not more often than this is
# everything compared, in seconds.
FULL_AFTER = 86_400


class Lister(Protocol):
    """What asks: `mau.wire.client.PeerClient`."""

    async def listing(self, author: Fingerprint, since: str | None = None) -> ListingReply: ...


@dataclass(frozen=True, slots=True)
class Listed:
    """``items``: everything learned; ``refused``: entries that are none; ``beyond_reach``: in words, what
    cannot be learned. ``cursor``: where to begin next time, once all of it is dealt with."""

    items: list[Item]
    refused: list[Trouble]
    beyond_reach: list[str]
    cursor: Cursor


def since_of(cursor: Cursor, *, everything: bool) -> str | None:
    """The date to ask from, in HTTP's words: a little before the server's own last one. None: everything."""
    if everything or cursor.last_modified is None or cursor.rounds >= FULL_EVERY:
        return None
    try:
        seconds = int(parsedate_to_datetime(cursor.last_modified).timestamp()) - OVERLAP
    except (ValueError, OverflowError, OSError):
        return None
    return http_date(seconds) if seconds > 0 else None


def token_of(cursor: Cursor, *, everything: bool, now: int) -> str | None:
    """The position to go on from. None: from the beginning, because it is time to compare everything."""
    due = cursor.rounds >= FULL_EVERY and not 0 <= now - cursor.compared < FULL_AFTER
    return None if everything or due else cursor.token


async def list_all(
    lister: Lister,
    author: Fingerprint,
    first: ListingReply,
    since: str | None,
    cursor: Cursor,
    *,
    full: bool = False,
) -> Listed:
    """Complete ``first``, the answer to ``since``.

    A server that gives its listing a tag or a date never cuts it. Any other may, and is asked on; most
    thoroughly at the first contact, and when ``full`` says so.
    """
    refused = [refused_entry(*entry) for entry in first.listing.refused]
    if first.uncut:
        rounds = 0 if since is None else cursor.rounds + 1
        # Nothing to show is no news about dates.
        modified = first.last_modified or (cursor.last_modified if since is not None else None)
        return Listed(first.listing.items, refused, [], Cursor(modified, rounds))
    steps = walk(
        first.listing.items, now=int(time.time()), hints=cursor.dates, thorough=full or not cursor.dates
    )
    known = {trouble.name for trouble in refused}
    try:
        date = next(steps)
        while True:
            reply = await lister.listing(author, http_date(date))
            more = [refused_entry(*entry) for entry in reply.listing.refused]
            refused += [trouble for trouble in more if trouble.name not in known]
            known |= {trouble.name for trouble in more}
            date = steps.send(reply.listing.items)
    except StopIteration as end:
        walked: Walked[Item] = end.value
    # Where two answers differ about a name, the file was replaced in between; whichever is fetched, its sum
    # tells, and the next sync heals it.
    items = merge_listings([walked.items])
    return Listed(items, refused, _beyond_reach(walked), Cursor(None, 0, walked.dates[-500:]))


def http_date(seconds: int) -> str:
    """RFC 9110's date of a Unix time."""
    return formatdate(seconds, usegmt=True)


def _beyond_reach(walked: Walked[Item]) -> list[str]:
    words = [
        f"this peer shows at most a hundred files of one second, and {http_date(second)} has that many: "
        "if there are more, it cannot show them"
        for second in walked.crowded
    ]
    if walked.gave_up:
        words.append("this peer's listing did not come to an end; the rest was left")
    return words


def refused_entry(name: str, reason: str) -> Trouble:
    """The trouble that an entry of a listing is which is none."""
    return Trouble(name, "", PeerMisbehaved(f"not in a form that a listing may have: {reason}"))
