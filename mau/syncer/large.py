"""Bringing one large file: its beginning stays when the rest does not come (spec/sync.md S27-S32)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, BinaryIO, Final, Protocol

from mau.errors import NoRoom, PeerMisbehaved, PostError
from mau.fingerprint import Fingerprint
from mau.syncer.judge import Judge
from mau.syncer.partial import Partial, Partials
from mau.tree.staging import hash_fd
from mau.wire.listing import Item

RESERVE: Final = 64 << 20
"""What must stay free on the disk, in bytes."""

InThread = Callable[[Callable[[], Any]], Awaitable[Any]]


class Source(Protocol):
    """What fetches: `mau.wire.client.PeerClient`."""

    async def resume(
        self, author: Fingerprint, name: str, out: BinaryIO, *, size: int, sha256: str, held: int
    ) -> int: ...


async def bring(source: Source, judge: Judge, item: Item, held: str | None, in_thread: InThread) -> None:
    """Fetch, check and commit one file; ``held`` is the sha256 that it replaces.

    PeerUnreachable when it did not come to its end: what came is kept. PeerMisbehaved when it is not what
    was listed, PostError when it may not be taken; NoRoom; TreeChanged.
    """
    posts = judge.posts
    partials = Partials(posts.root)
    with partials.open(item.sum) as part:
        keep = False
        try:
            _check_room(partials, item, min(part.size, item.size))
            await _complete(source, posts.fpr, item, part, in_thread)
            await in_thread(lambda: judge.check_file(item, part.file, held))

            def commit() -> None:
                with posts.stage() as staged:
                    part.fill(staged)
                    posts.commit(staged, item.name, expect=held)

            await in_thread(commit)
        except (PeerMisbehaved, PostError, NoRoom, OSError):
            raise
        except BaseException:  # the connection, another program, or we were interrupted: it may go on later
            part.file.flush()
            keep = part.size > 0
            raise
        finally:
            if not keep:
                part.drop()


async def _complete(
    source: Source, author: Fingerprint, item: Item, part: Partial, in_thread: InThread
) -> None:
    """Bring the file to its size, and see that it has its sum; begin anew when what was there is wrong."""
    while True:
        start = part.size
        if start > item.size:
            start = 0
        if start < item.size:
            start = await source.resume(
                author, item.name, part.file, size=item.size, sha256=item.sum, held=start
            )
        digest = await in_thread(lambda: _sum(part.file))
        if digest == item.sum:
            return
        part.file.truncate(0)
        if start == 0:
            raise PeerMisbehaved(f"what came has the sha256 {digest}, the listing says {item.sum}")


def _sum(file: BinaryIO) -> str:
    file.flush()
    return hash_fd(file.fileno())[0]


def _check_room(partials: Partials, item: Item, there: int) -> None:
    """NoRoom unless what is missing fits, and beside it the content while that is checked."""
    wanted = 2 * item.size - there + RESERVE
    free = partials.make_room(wanted)
    if free < wanted:
        raise NoRoom(f"it has {item.size:,} bytes, and the disk has {free:,} left")
