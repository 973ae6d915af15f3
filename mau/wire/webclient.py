"""The client to somebody's posts on the web (spec/web.md W50-W54): a listener for browsers, or static files.

Nothing is proven to it about us. What answers is the host that was named, as far as the system's authorities
are right, and no peer: only signatures say whose posts they are.
"""

from __future__ import annotations

import asyncio

from yarl import URL

from mau.errors import AddressMalformed
from mau.fingerprint import Fingerprint
from mau.hostport import parse_site
from mau.wire import paths
from mau.wire.client import MAX_LISTING, ListingReply, PageReply, PeerClient, Timeouts
from mau.wire.listing import parse_listing
from mau.wire.targets import PageQuery
from mau.wire.tls import TLSContext, web_client_context


class WebClient(PeerClient):
    """As `PeerClient`, for the posts of ``author`` below the address ``site``; AddressMalformed."""

    def __init__(self, site: str, author: Fingerprint, *, timeouts: Timeouts | None = None) -> None:
        try:
            url = URL(parse_site(site))
            host, port = url.host or "", url.port or 0
        except ValueError as error:
            raise AddressMalformed(f"not an address of the web: {site!r:.80}") from error
        super().__init__(None, author, host, port, timeouts=timeouts)
        self.address = host, port
        self._site = str(url).removesuffix("/")

    def _target(self) -> tuple[str, TLSContext]:
        return self._site, web_client_context()

    async def listing(self, author: Fingerprint, since: str | None = None) -> ListingReply:
        """What is there of ``author``: always all of it, for files have no memory of dates."""
        body = await self._get(paths.index_path(author), MAX_LISTING)
        listing = await asyncio.to_thread(parse_listing, body, author)
        return ListingReply(listing, None, uncut=True)

    async def page(
        self,
        author: Fingerprint,
        query: PageQuery,
        *,
        since: str | None = None,
        wait: int | None = None,
    ) -> PageReply:
        """All of it: files are not asked for a part of a listing."""
        reply = await self.listing(author)
        return PageReply(reply.listing, None, uncut=True, cursor=None, waited=False)

    async def _get(self, path: str, limit: int) -> bytes:
        async with self._ask(path) as response:
            self._check(response)
            return await self._read(response, limit)
