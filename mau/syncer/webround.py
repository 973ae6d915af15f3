"""One sync of one author from the web, where nobody proves who he is (spec/web.md W50-W54)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import replace

from mau.errors import PeerError
from mau.fingerprint import Fingerprint
from mau.hostport import Address
from mau.syncer.judge import Judge
from mau.syncer.report import SyncReport
from mau.syncer.round import Round, Start
from mau.syncer.world import World
from mau.wire.client import PageReply, PeerClient
from mau.wire.webclient import WebClient


class WebRound(Round):
    """As `Round`, from a ``site``."""

    def __init__(self, world: World, author: Fingerprint, site: str, *, full: bool) -> None:
        # What is remembered of a site stands where it would for a peer, under a name that nobody can have.
        source = Fingerprint(hashlib.sha256(f"web {site}".encode()).digest()[:20])
        super().__init__(world, author, source, full=full, report=SyncReport(author, author, site=site))
        self._site = site

    async def _reach(
        self, stack: AsyncExitStack, where: Iterable[Address], start: Start
    ) -> tuple[PeerClient, Start, PageReply]:
        client = WebClient(self._site, self._author, timeouts=self._world.timeouts)
        await stack.enter_async_context(client)
        try:
            first = await self._page(client, None)
        except PeerError as error:
            raise type(error)(f"{self._site}: {error}") from error
        self.report.address = client.address
        return client, start, first

    def _judge(self) -> Judge:
        world = self._world
        web = Judge(world.account, world.keyring, self._taking.posts, from_author=False, public_only=True)
        return replace(web, deleted=self._taking.deleted)
