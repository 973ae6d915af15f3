"""Many files in one answer: a tar of what a listing would name (spec/http.yaml H68, H69).

Each entry says where to go on after it, so a transfer that is cut costs the entry that was cut.
"""

from __future__ import annotations

import asyncio
import tarfile
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import closing
from typing import Final

from aiohttp import web

from mau.fingerprint import Fingerprint
from mau.server.answers import COMMON, stream
from mau.server.facts import Changed
from mau.server.files import OpenFile
from mau.server.library import Library, Listed, Renewed
from mau.server.listings import Listings
from mau.server.standing import Standing
from mau.tree.index import seconds_of
from mau.wire.targets import ListTarget, PageQuery

MEDIA_TYPE: Final = "application/x-tar"
SUM_RECORD: Final = "MAU.sha256"
CURSOR_RECORD: Final = "MAU.cursor"
_BLOCK: Final = 512
_END: Final = bytes(2 * _BLOCK)
_LARGEST: Final = 8**11 - 1
"""Bytes that fit into the size field of a header; larger files are fetched by themselves."""
_NAME: Final = 100
_REST: Final = bytes(100) + b"ustar\x0000" + bytes(_BLOCK - 157 - 100 - 8)
_SUM_OF_REST: Final = sum(_REST) + 8 * 32
"""Of the bytes after the kind, and of the sum itself, which counts as spaces."""
_AT_ONCE: Final = 200
_ASK_AGAIN: Final = 0.1
"""Seconds after which it is looked again what is deleted meanwhile."""
_GATHERED: Final = 256 * 1024
"""Bytes that are made at once; a visitor who takes nothing holds this twice."""
_HANDFUL: Final = 128 * 1024
"""Bytes that are encrypted and handed over at once."""


class Bulk:
    """Answers with archives. Belongs to one event loop."""

    def __init__(self, library: Library, listings: Listings, threads: Executor) -> None:
        self._library = library
        self._listings = listings
        self._threads = threads

    async def answer(
        self, request: web.BaseRequest, target: ListTarget, proven: Fingerprint | None
    ) -> web.StreamResponse:
        """The archive of a page, or of all there is. Refusal."""
        standing = await self._listings.in_thread(lambda: self._library.standing(target.author, proven))
        place = await self._listings.in_thread(lambda: self._listings.place(standing, target.page))
        headers = {**COMMON, "Content-Type": MEDIA_TYPE}
        if request.method == "HEAD":
            return web.Response(headers=headers)

        def sealed(clock: int) -> str:
            return self._listings.seal(standing, place.generation, clock)

        entries = self._entries(standing, target.page, place.clock, place.backwards, sealed, place.generation)
        return await stream(request, 200, headers, None, self._gathered(entries))

    async def _gathered(self, entries: Generator[bytes]) -> AsyncGenerator[memoryview]:
        """What is worth to be written at once; the next of it is made while this goes out."""

        def gather() -> bytes:
            pieces: list[bytes] = []
            size = 0
            for piece in entries:
                pieces.append(piece)
                size += len(piece)
                if size >= _GATHERED:
                    break
            return b"".join(pieces)

        loop = asyncio.get_running_loop()
        following = loop.run_in_executor(self._threads, gather)
        try:
            # Not to be cancelled with whoever waits for it: a thread that has begun goes on.
            while piece := await asyncio.shield(following):
                following = loop.run_in_executor(self._threads, gather)
                # Not all at once: it would lie encrypted in our buffers until the other end takes it.
                for at in range(0, len(piece), _HANDFUL):
                    yield memoryview(piece)[at : at + _HANDFUL]
        finally:
            await asyncio.gather(following, return_exceptions=True)
            entries.close()

    def _entries(
        self,
        standing: Standing,
        page: PageQuery,
        clock: int | None,
        backwards: bool,
        sealed: Callable[[int], str],
        generation: str,
    ) -> Generator[bytes]:
        """The bytes of the archive. Changed when what was begun cannot be ended."""
        author, left = standing.shelf.author, page.limit
        last = self._last(standing, generation)
        deletes, asked = self._library.deletes(author), time.monotonic()
        if backwards and left is None:  # all before that position, or all
            last = last if clock is None else min(last, clock - 1)
            clock, backwards = None, False
        while True:
            want = _AT_ONCE if left is None else min(left, _AT_ONCE)
            if backwards and left is not None:
                want = left  # the last ones are found from their end, so all at once
            listed = self._page(standing, clock, want, backwards, generation)
            for one in listed:
                if one.clock > last:  # what changes now may be in the archive already
                    yield _END
                    return
                clock = one.clock
                if one.item.size > min(_LARGEST, _LARGEST if page.most is None else page.most):
                    continue
                if time.monotonic() - asked > _ASK_AGAIN:  # a visitor may take his time
                    deletes, asked = self._library.deletes(author), time.monotonic()
                file = self._library.open(author, one.item.name, standing.visitor.fingerprint, deletes)
                if file is None:
                    self._library.renew(standing, one)
                    continue
                with closing(file):
                    if file.sha256 == one.item.sum:
                        yield from _entry(one, file, sealed(clock))
                    else:
                        self._library.renew(standing, one)
            if left is not None:
                left -= len(listed)
            if len(listed) < want or left == 0 or backwards:
                yield _END
                return

    def _last(self, standing: Standing, generation: str) -> int:
        """The clock of what the author changed last, as far as it shows."""
        if not standing.readers:
            return 0
        self._library.freshness.see_to(standing.shelf.author)
        current, last = self._library.index.changed(standing.shelf.author)
        if current != generation:
            raise Changed
        return last

    def _page(
        self, standing: Standing, clock: int | None, limit: int, backwards: bool, generation: str
    ) -> list[Listed]:
        work = self._library.page(standing, clock, limit, newest_first=backwards)
        while True:
            try:
                next(work)
            except StopIteration as end:
                if end.value.generation != generation:
                    raise Changed from None
                found: list[Listed] = end.value.listed
                return found
            except Renewed as error:
                raise Changed from error


def wants_bulk(values: list[str] | tuple[str, ...]) -> bool:
    """Whether ``Accept`` names the archive (RFC 9110 section 12.5.1); a wildcard does not ask for it."""
    for value in ",".join(values).split(","):
        media, *parameters = (part.strip().lower() for part in value.split(";"))
        if media == MEDIA_TYPE:
            weights = [part.removeprefix("q=") for part in parameters if part.startswith("q=")]
            return not any(weight.strip("0.") == "" for weight in weights)
    return False


def _entry(listed: Listed, file: OpenFile, cursor: str) -> Iterator[bytes]:
    size = file.size
    records = {SUM_RECORD: file.sha256, CURSOR_RECORD: cursor}
    yield tar_head(listed.item.name, size, seconds_of(listed.clock), records)
    for at in range(0, size, _GATHERED):
        yield file.read(at, min(_GATHERED, size - at))
    yield bytes(-size % _BLOCK)


def tar_head(name: str, size: int, mtime: int, records: Mapping[str, str]) -> bytes:
    """What stands before a file in an archive: a pax header with these records, and its own.

    What `tarfile` makes of the same; for ordinary names and ASCII records, in an eighth of its time.
    """
    plain = name.encode()
    if not name.isascii() or len(plain) > _NAME or not 0 <= mtime <= _LARGEST:
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime, info.pax_headers = size, 0o600, mtime, dict(records)
        return info.tobuf(tarfile.PAX_FORMAT)
    body = b"".join(_pax_record(f" {key}={value}\n".encode()) for key, value in records.items())
    extended = _block(b"././@PaxHeader", 0, len(body), 0, b"x")
    return extended + body + bytes(-len(body) % _BLOCK) + _block(plain, 0o600, size, mtime, b"0")


def _pax_record(rest: bytes) -> bytes:
    """``LENGTH KEY=VALUE\\n``, where the length counts its own digits, too."""
    length = len(rest) + len(str(len(rest)))
    if len(str(length)) > len(str(len(rest))):
        length += 1
    return b"%d" % length + rest


def _block(name: bytes, mode: int, size: int, mtime: int, kind: bytes) -> bytes:
    numbers = b"%07o\0%07o\0%07o\0%011o\0%011o\0" % (mode, 0, 0, size, mtime)
    start = name.ljust(_NAME, b"\0") + numbers
    total = sum(start) + sum(kind) + _SUM_OF_REST
    return start + b"%06o\0 " % total + kind + _REST
