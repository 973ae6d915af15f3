"""Serving, finding and fetching while a program runs: the workers of `mau up`, in its event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from mau.config.keys import SYNC_ASK_FRIENDS
from mau.daemon import Supervisor, only_one, workers, write_status
from mau.daemon.serving import Listening, serving
from mau.finder.served import Served
from mau.hostport import Address, parse_address
from mau.syncer.once import Syncer
from mau.syncer.policy import Policy
from mau.syncer.status import StatusBook

if TYPE_CHECKING:
    from mau.account import Account
    from mau.config.settings import Config
    from mau.conversation.thread import Thread
    from mau.fingerprint import Fingerprint
    from mau.keyring import Keyring
    from mau.syncer.report import SyncReport

AT_ONCE = 4
"""People who are asked at the same time."""


class Running:
    """Workers at work."""

    def __init__(self) -> None:
        self.address: str | None = None
        """HOST:PORT where it is served; None when it is not."""


@asynccontextmanager
async def running(
    account: Account, config: Config, *, serve: bool, sync: bool, find: bool, listen: str | None
) -> AsyncIterator[Running]:
    """Run workers until the block ends; begins when the server listens.

    What fails is started again after a while. AlreadyRunning when `mau up`, or another program, does so on
    this tree; ConfigError.
    """
    wanted = serving(config, listen=listen) if serve else None
    given, stop, begun = Running(), asyncio.Event(), asyncio.Event()

    def listening(where: Listening) -> None:
        given.address = where.address
        begun.set()

    with only_one(account.root) as directory:
        await asyncio.to_thread(workers.take_given, account.root, config)
        served, wished = Served(), []
        if wanted is not None:
            wished.append(workers.server_worker(account, wanted, served, listening))
        else:
            begun.set()
        if find:
            wished.append(workers.finder_worker(account, config, served))
        if sync:
            wished.append(workers.syncer_worker(account, config))
        supervisor = Supervisor(wished, report=partial(write_status, directory, time.time()))
        task = asyncio.create_task(supervisor.run(stop), name="mau-workers")
        try:
            await begun.wait()
            yield given
        finally:
            stop.set()
            await asyncio.wait([task])
            task.result()


async def sync(
    account: Account,
    keyring: Keyring,
    config: Config,
    authors: Sequence[Fingerprint],
    addresses: Sequence[str] | None,
    via: Fingerprint | None,
) -> list[SyncReport]:
    """Fetch once what is new from each; what went wrong stands in the reports."""
    at: list[Address] | None = None if addresses is None else [parse_address(one) for one in addresses]
    await asyncio.to_thread(workers.take_given, account.root, config)
    syncer, turns = Syncer(account, keyring, policy=Policy.of(config)), asyncio.Semaphore(AT_ONCE)

    async def one(author: Fingerprint) -> SyncReport:
        async with turns:
            return await syncer.sync(author, addresses=at, via=via)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(author)) for author in authors]
        reports = [task.result() for task in tasks]
        book = StatusBook(account.root)
        try:
            book.note_rounds(syncer.state, reports)
        finally:
            book.close()
        return reports
    finally:
        syncer.close()


async def fetch_pieces(
    account: Account, keyring: Keyring, config: Config, gathered: Callable[[], Thread], seconds: float
) -> None:
    """Ask whoever may have them for the pieces of a thread that are missing, for so long at most."""
    from mau.conversation.missing import fetch_missing

    await asyncio.to_thread(workers.take_given, account.root, config)
    syncer = Syncer(account, keyring, policy=Policy.of(config))
    try:
        asks = config.get(SYNC_ASK_FRIENDS)
        await fetch_missing(syncer, gathered, ask_friends=asks, seconds=seconds)
    finally:
        syncer.close()


async def ask_the_web(account: Account, keyring: Keyring) -> None:
    """Ask what is followed on the web, where half an hour went by since the last time."""
    from mau.content.origin import SOURCES_NAME
    from mau.imports.rounds import ask_once

    if await asyncio.to_thread(account.posts().entry, SOURCES_NAME) is not None:
        await ask_once(account, keyring, asyncio.Event())
