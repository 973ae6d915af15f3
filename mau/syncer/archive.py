"""Bringing the small files of a page at once (spec/sync.md S23-S26).

Nothing that an archive says of itself is believed: an entry counts only as the item of the page whose name,
size and sum it has, and is judged then like a file that came alone. What it does not bring is fetched singly.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Final, Protocol

from mau.errors import PeerMisbehaved, PeerUnreachable
from mau.fingerprint import Fingerprint
from mau.wire.bulk import Body, Event, Head, Tail
from mau.wire.client import CursorGone, NoBulk
from mau.wire.listing import Item
from mau.wire.targets import PageQuery

LEAST: Final = 3
"""Fewer files than that are asked for one by one."""
SLACK: Final = 8 << 20
"""Bytes that an archive may have beyond those of the page: a file may have changed since it was listed."""


class Source(Protocol):
    """What fetches: `mau.wire.client.PeerClient`."""

    def bulk(
        self, author: Fingerprint, query: PageQuery
    ) -> AbstractAsyncContextManager[AsyncIterator[Event]]: ...


def worth_it(wanted: int, listed: int) -> bool:
    """Whether to ask for all of a page at once when so many of its small files are wanted."""
    return wanted >= LEAST and 2 * wanted >= listed


async def bring_many(
    source: Source,
    author: Fingerprint,
    query: PageQuery,
    wanted: MutableMapping[str, Item],
    take: Callable[[Item, bytes], Awaitable[None]],
    budget: int,
) -> bool:
    """Give to ``take`` what comes of ``wanted``, and take it out there; False when the peer has no bulk.

    ``budget``: bytes of all the files that the page has for such a question. An archive that is cut off is
    asked for again from where it ended, as long as something came. A position that the peer does not know
    any more, and silence, leave the rest in ``wanted``. PeerMisbehaved for what does not belong there.
    """
    left = budget + SLACK
    while wanted and query.limit:
        came, last = 0, query.cursor
        try:
            async with source.bulk(author, query) as events:
                async for head, data in _whole(events, wanted):
                    came, last, left = came + 1, head.cursor, left - head.size
                    if left < 0:
                        raise PeerMisbehaved("the archive is far larger than what was listed")
                    if data is not None:
                        await take(wanted.pop(head.name), data)
            return True
        except NoBulk:
            return False
        except CursorGone:
            return True
        except PeerUnreachable:
            if not came:
                return True
        query = replace(query, cursor=last, limit=query.limit - came)
    return True


async def _whole(
    events: AsyncIterator[Event], wanted: MutableMapping[str, Item]
) -> AsyncIterator[tuple[Head, bytes | None]]:
    """Every complete entry, with its content when it is what is wanted."""
    head, content = None, None
    async for event in events:
        match event:
            case Head(name, size, sha256):
                head = event
                item = wanted.get(name)
                asked_for = item is not None and (item.size, item.sum) == (size, sha256)
                content = bytearray() if asked_for else None
            case Body(data) if content is not None:
                content += data
            case Tail() if head is not None:
                # What is not what it says to be is not taken: fetched alone, it gets its own refusal.
                right = content is not None and hashlib.sha256(content).hexdigest() == head.sha256
                yield head, bytes(content) if right and content is not None else None
