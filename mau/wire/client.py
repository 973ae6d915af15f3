"""The HTTP client to one peer (spec/http.yaml): listings and their pages, files, versions, keys.

How requests are made, and which errors there are, says `mau.wire.transport`.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final

import aiohttp

from mau.errors import NotOffered, PeerMisbehaved, PeerUnreachable
from mau.fingerprint import Fingerprint
from mau.wire import paths
from mau.wire.bulk import Event, TarReader
from mau.wire.invite import KEY_TYPE, LINK_HEADER
from mau.wire.kad import MAX_ANSWER, DialBack, Node, parse_dial_back, parse_nodes
from mau.wire.links import next_cursor
from mau.wire.listing import Listing, parse_listing
from mau.wire.targets import PageQuery
from mau.wire.transport import AT_ONCE, OK, Timeouts, Transport

__all__ = ["CursorGone", "ListingReply", "NoBulk", "PageReply", "PeerClient", "Timeouts"]

MAX_LISTING: Final = 64 * 1024 * 1024
"""Bytes of a listing that are read: some 300,000 files."""
MAX_ITEM: Final = 4096
"""Bytes of one item of a page: a name twice, at six bytes a character where it is written so."""
MAX_KEY: Final = 1024 * 1024
"""Bytes of a key that are read."""
TAR: Final = "application/x-tar"


class CursorGone(Exception):
    """The peer does not know that position any more: begin without one, and compare everything."""


class NoBulk(Exception):
    """The peer does not send files in bulk."""


@dataclass(frozen=True, slots=True)
class ListingReply:
    """A listing, and its Last-Modified word for word: the next request sends it back.

    ``uncut``: it came with a tag or a date, as only a whole one does (spec/sync.md S33).
    """

    listing: Listing
    last_modified: str | None
    uncut: bool


@dataclass(frozen=True, slots=True)
class PageReply(ListingReply):
    """An answer to the question for a page.

    ``cursor``: the position after its last item, to go on from now or later. None: this peer knows no pages,
    and what came is a listing. ``waited``: the peer says that it honours the wish to wait.
    """

    cursor: str | None
    waited: bool


class PeerClient(Transport):
    """What can be asked of the peer ``expected``; use it as an async context manager."""

    async def connect(self) -> None:
        """Prove that the peer is there. Any answer will do; the connection is kept for what comes next."""
        async with self._ask("/") as response:
            await self._read(response, AT_ONCE)

    # --- listings ------------------------------------------------------------------------------------------

    async def listing(self, author: Fingerprint, since: str | None = None) -> ListingReply:
        """What the peer has of ``author`` for us; ``since`` is a Last-Modified that it sent before."""
        async with self._ask(paths.list_path(author), _since(since)) as response:
            self._check(response)
            return await self._listing(response, author, MAX_LISTING)

    async def page(
        self,
        author: Fingerprint,
        query: PageQuery,
        *,
        since: str | None = None,
        wait: int | None = None,
    ) -> PageReply:
        """A part of the listing of ``author``; ``query`` has a limit.

        A peer that knows no pages reads ``since`` and answers a listing; one that does ignores it. With
        ``wait``, it is asked to answer when there is something, or after so many seconds. CursorGone when it
        does not know the position ``query.cursor``; PeerMisbehaved when a page has more items than its limit.
        """
        limit = query.limit or paths.PAGE_MOST
        headers = _since(since)
        if wait is not None:
            headers["Prefer"] = f"wait={wait}"
        async with self._ask(paths.page_path(author, query), headers, wait=wait or 0) as response:
            if response.status == 410 and query.cursor is not None:
                raise CursorGone
            self._check(response)
            cursor = next_cursor(response.headers.getall("Link", ()), author)
            most = MAX_LISTING if cursor is None else limit * MAX_ITEM + AT_ONCE
            reply = await self._listing(response, author, most)
        count = len(reply.listing.items) + len(reply.listing.refused)
        if cursor is not None and count > limit:
            raise PeerMisbehaved(f"a page of {limit:,} items has {count:,}")
        waited = wait is not None and _prefers(response, wait)
        return PageReply(reply.listing, reply.last_modified, reply.uncut, cursor, waited)

    async def _listing(
        self, response: aiohttp.ClientResponse, author: Fingerprint, limit: int
    ) -> ListingReply:
        body = await self._read(response, limit)
        last_modified = response.headers.get("Last-Modified")
        uncut = last_modified is not None or "ETag" in response.headers
        if len(body) > AT_ONCE:
            listing = await asyncio.to_thread(parse_listing, body, author)
        else:
            listing = parse_listing(body, author)
        return ListingReply(listing, last_modified, uncut)

    # --- files ---------------------------------------------------------------------------------------------

    async def fetch(
        self, author: Fingerprint, name: str, out: BinaryIO, *, size: int | None, limit: int
    ) -> str:
        """Write the file ``name`` of ``author`` to ``out``; return the SHA-256 (hex) of what was written.

        PeerMisbehaved when it has not exactly ``size`` bytes (None: not known), or more than ``limit``.
        """
        return await self._fetch(paths.file_path(author, name), out, size, limit)

    async def fetch_version(
        self,
        author: Fingerprint,
        name: str,
        sha256: str,
        out: BinaryIO,
        *,
        limit: int,
        size: int | None = None,
    ) -> str:
        """As ``fetch``, for one content of the file; its ``size`` need not be known."""
        return await self._fetch(paths.version_path(author, name, sha256), out, size, limit)

    async def resume(
        self, author: Fingerprint, name: str, out: BinaryIO, *, size: int, sha256: str, held: int
    ) -> int:
        """Write what is missing of a file to ``out``, of which the first ``held`` bytes are there.

        Returns from where on it was written: ``held``, or 0 when the peer sends all of it anew, because it
        has other content by now or knows no ranges. The content is not judged here. PeerMisbehaved when
        another part came than the one that was asked for, or another number of bytes.
        """
        headers = {"Range": f"bytes={held}-", "If-Range": f'"{sha256}"'} if held else {}
        allowed = OK | {206} if held else OK
        async with self._ask(paths.file_path(author, name), headers) as response:
            self._check(response, allowed)
            start = 0
            if response.status == 206:
                _check_range(response, held, size, sha256)
                start = held
            if response.content_length not in (None, size - start):
                raise PeerMisbehaved(
                    f"it sends {response.content_length:,} bytes instead of {size - start:,}"
                )
            out.truncate(start)
            out.seek(start)
            at = start
            async for piece in self._pieces(response):
                at += len(piece)
                if at > size:
                    raise PeerMisbehaved(f"it sends more than {size:,} bytes")
                out.write(piece)
        if at != size:
            raise PeerMisbehaved(f"it sent {at:,} bytes instead of {size:,}")
        return start

    async def _fetch(self, path: str, out: BinaryIO, size: int | None, limit: int) -> str:
        async with self._ask(path) as response:
            self._check(response)
            announced = response.content_length
            expected = announced if size is None else size
            if announced is not None and announced != expected:
                raise PeerMisbehaved(f"it sends {announced:,} bytes instead of {size:,}")
            most = limit if expected is None else min(limit, expected)
            if expected is not None and expected > limit:
                raise PeerMisbehaved(f"the file has {expected:,} bytes, more than {limit:,}")
            if announced is not None and announced <= AT_ONCE:
                content = await self._whole(response)
                out.write(content)
                return hashlib.sha256(content).hexdigest()
            digest = hashlib.sha256()
            came = 0
            async for piece in self._pieces(response):
                came += len(piece)
                if came > most:
                    raise PeerMisbehaved(f"it sends more than {most:,} bytes")
                digest.update(piece)
                out.write(piece)
        if expected is not None and came != expected:
            raise PeerMisbehaved(f"it sent {came:,} bytes instead of {expected:,}")
        return digest.hexdigest()

    @asynccontextmanager
    async def bulk(self, author: Fingerprint, query: PageQuery) -> AsyncIterator[AsyncIterator[Event]]:
        """The files of a page as one archive; ``query`` has a limit, and with ``most`` one for each file.

        Yields what `mau.wire.bulk` reads, as it comes; it ends with its End. NoBulk when the peer knows no
        bulk, CursorGone as of `page`, PeerMisbehaved for what does not belong in it, PeerUnreachable when it
        is cut off: the ``cursor`` of the last whole entry says where to go on.
        """
        if query.limit is None or query.most is None:
            raise ValueError("an archive needs limits")
        headers = {"Accept": f"{TAR}, application/json;q=0.1"}
        async with self._ask(paths.page_path(author, query), headers) as response:
            if response.status == 410 and query.cursor is not None:
                raise CursorGone
            if response.status == 406 or (response.status == 200 and response.content_type != TAR):
                raise NoBulk
            self._check(response)
            reader = TarReader(largest=query.most, most=query.limit)
            async with aclosing(self._events(response, reader)) as events:
                yield events

    async def _events(
        self, response: aiohttp.ClientResponse, reader: TarReader
    ) -> AsyncGenerator[Event, None]:
        async for piece in self._pieces(response):
            for event in reader.feed(piece):
                yield event
        if not reader.ended:
            raise PeerUnreachable("the archive was cut off")

    # --- keys ----------------------------------------------------------------------------------------------

    async def key(self, owner: Fingerprint, *, limit: int = MAX_KEY) -> bytes:
        """What the peer gives as the key of ``owner``: at most ``limit`` bytes, armored, and not yet judged.

        PeerMisbehaved when it gives none, or more.
        """
        async with self._ask(paths.key_path(owner)) as response:
            self._check(response)
            return await self._read(response, limit)

    async def newer_key(self, owner: Fingerprint, have: str | None) -> bytes | None:
        """As ``key``; None when it is still the answer whose sha256 (hex) we ``have`` (http.yaml H73)."""
        headers = {} if have is None else {"If-None-Match": f'"{have}"'}
        async with self._ask(paths.key_path(owner), headers) as response:
            if have is not None and response.status == 304:
                return None
            self._check(response)
            return await self._read(response, MAX_KEY)

    # --- peers ---------------------------------------------------------------------------------------------

    async def ping(self) -> None:
        """Ask whether it takes part in finding peers; NotOffered when it does not."""
        async with self._ask(paths.ping_path()) as response:
            self._check(response)
            await self._read(response, MAX_ANSWER)

    async def find_peer(self, wanted: Fingerprint) -> list[Node]:
        """The peers nearest to ``wanted`` that it knows: claims, at most 20 (spec/kademlia.md)."""
        async with self._ask(paths.peers_path(wanted)) as response:
            self._check(response)
            return parse_nodes(await self._read(response, MAX_ANSWER))

    async def dial_back(self, port: int) -> DialBack:
        """Let it dial our ``port`` at the address that it sees us at; NotOffered when it does not do that."""
        async with self._ask(paths.dial_back_path(port)) as response:
            self._check(response)
            return parse_dial_back(await self._read(response, MAX_ANSWER))

    # --- invites -------------------------------------------------------------------------------------------

    async def show_invite(self, token: str, certificate: bytes, link: str | None = None) -> None:
        """Show the token of an invite, and leave our certificate with whoever made it (http.yaml H90).

        ``link``: our own, which says what we are called and where we are. NotOffered when the token does not
        count (any more), or the peer knows no invites.
        """
        headers = {"Content-Type": KEY_TYPE} | ({} if link is None else {LINK_HEADER: link})
        async with self._ask(paths.invite_path(token), headers, body=certificate) as response:
            if response.status in (404, 405):
                raise NotOffered("the invite does not count (any more)")
            self._check(response, {204})


def _since(date: str | None) -> dict[str, str]:
    return {} if date is None else {"If-Modified-Since": date}


def _prefers(response: aiohttp.ClientResponse, wait: int) -> bool:
    """Whether the peer says that it waits as it was asked to (RFC 7240 section 3)."""
    applied = ",".join(response.headers.getall("Preference-Applied", ()))
    return f"wait={wait}" in {one.strip().lower() for one in applied.split(",")}


def _check_range(response: aiohttp.ClientResponse, start: int, size: int, sha256: str) -> None:
    """PeerMisbehaved unless exactly the rest of that content comes (RFC 9110 sections 14.4 and 15.3.7)."""
    given = response.headers.get("Content-Range", "")
    if not re.fullmatch(rf"bytes {start}-{size - 1}/({size}|\*)", given, re.IGNORECASE):
        raise PeerMisbehaved("it sends another part of the file than the one that was asked for")
    if response.headers.get("ETag", f'"{sha256}"') != f'"{sha256}"':
        raise PeerMisbehaved("it sends a part of another content than the one that was asked for")
