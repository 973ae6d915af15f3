"""The next page is on its way while this one is taken in (spec/sync.md S20)."""

from __future__ import annotations

import asyncio

import pytest

from mau.errors import PeerUnreachable
from mau.syncer.ahead import Ahead
from mau.wire.client import PageReply
from mau.wire.listing import Listing

PAGE = PageReply(Listing([], []), None, False, "next", False)


class Host:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.cancelled: list[str] = []
        self.ready = asyncio.Event()

    async def fetch(self, cursor: str) -> PageReply:
        self.asked.append(cursor)
        try:
            await self.ready.wait()
        except asyncio.CancelledError:
            self.cancelled.append(cursor)
            raise
        if cursor == "gone":
            raise PeerUnreachable("it is away")
        return PAGE


async def test_a_page_that_was_asked_for_ahead_is_asked_for_once() -> None:
    host = Host()
    async with Ahead(host.fetch) as ahead:
        ahead.ask("a")
        ahead.ask("a")
        await asyncio.sleep(0)
        assert host.asked == ["a"]
        host.ready.set()
        assert await ahead.get("a") is PAGE
        assert await ahead.get("b") is PAGE
    assert host.asked == ["a", "b"]
    assert host.cancelled == []


async def test_what_went_wrong_with_it_shows_when_it_is_taken_and_not_before() -> None:
    host = Host()
    host.ready.set()
    async with Ahead(host.fetch) as ahead:
        ahead.ask("gone")
        await asyncio.sleep(0)
        with pytest.raises(PeerUnreachable):
            await ahead.get("gone")
        ahead.ask("gone")
        await asyncio.sleep(0)
    assert host.asked == ["gone", "gone"]


async def test_a_page_that_nobody_takes_any_more_is_let_go_of() -> None:
    host = Host()
    async with Ahead(host.fetch) as ahead:
        ahead.ask("a")
        await asyncio.sleep(0)
    assert host.cancelled == ["a"]
    async with Ahead(host.fetch) as ahead:
        ahead.ask("a")
        await asyncio.sleep(0)
        host.ready.set()
        assert await ahead.get("b") is PAGE
    assert host.asked == ["a", "a", "b"]
