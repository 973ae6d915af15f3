"""What is followed on the web is asked again while `mau up` or `mau sync --watch` runs (IM7, IM52)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Final

from mau.awaiting import first_of
from mau.content.origin import SOURCES_NAME
from mau.errors import MauError
from mau.imports.looking import Look, Refreshed, attempt, settled
from mau.imports.sources import Asked, Source, Sources
from mau.imports.storing import Store
from mau.keyring import Keyring

if TYPE_CHECKING:
    from mau.account import Account

PAUSE: Final = 60.0
"""Seconds between two looks at what is due."""
_log = logging.getLogger("mau.web")


@asynccontextmanager
async def asking(account: Account, stop: asyncio.Event) -> AsyncIterator[None]:
    """Ask each source when its time has come, for the length of the block or until ``stop`` is set."""
    task = asyncio.create_task(keep_asking(account, stop))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def keep_asking(account: Account, stop: asyncio.Event) -> None:
    """Ask each source when its time has come, one after the other, until ``stop`` is set.

    With a keyring of its own: what runs beside it may be in the middle of another.
    """
    while not stop.is_set():
        try:
            if await asyncio.to_thread(account.posts().entry, SOURCES_NAME) is not None:
                await ask_once(account, await asyncio.to_thread(Keyring.load, account), stop)
        except (MauError, OSError) as error:  # the disk is full, the clock is wrong: it may be better later
            _log.warning("what is followed on the web: %s", error)
        await first_of(PAUSE, stop)


async def ask_once(account: Account, keyring: Keyring, stop: asyncio.Event) -> None:
    """Ask those whose time has come."""
    for source, asked in await asyncio.to_thread(_due, account, keyring):
        if stop.is_set():
            return
        seen = await attempt(source, asked)
        done = await asyncio.to_thread(_settle, account, keyring, source, asked, seen)
        if done.problem:
            _log.warning("%s: %s", source.url, done.problem)
        elif done.report.new or done.report.changed:
            count = len(done.report.new) + len(done.report.changed)
            _log.info("%s: %d new", source.name or source.url, count)


# A thread goes on when whoever waits for it is cancelled: so each opens what it needs, and closes it.


def _due(account: Account, keyring: Keyring) -> list[tuple[Source, Asked]]:
    with closing(Sources(account, keyring)) as sources:
        return sources.waiting(due=True)


def _settle(
    account: Account, keyring: Keyring, source: Source, asked: Asked, seen: Look | MauError
) -> Refreshed:
    with closing(Sources(account, keyring)) as sources:
        return settled(sources, Store(account, keyring), source, asked, seen)
