"""The workers as `mau up` and programs run them: made of the settings, to be kept up by a `Supervisor`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from mau.daemon.supervisor import Worker

if TYPE_CHECKING:
    from mau.account import Account
    from mau.config.lists import Beginning
    from mau.config.settings import Config
    from mau.daemon.serving import Listening, Serving
    from mau.finder.served import Served
    from mau.finder.worker import Finder
    from mau.keyring import Keyring
    from mau.syncer.report import SyncReport
    from mau.tree.layout import Root


def take_given(root: Root, config: Config) -> None:
    """Have the address book know what the settings say of where people are."""
    from mau.addressbook import AddressBook

    book = AddressBook(root)
    try:
        book.take_given(config.given())
    finally:
        book.close()


def server_worker(
    account: Account,
    wanted: Serving,
    served: Served,
    listening: Callable[[Listening], None],
    said: Callable[[str], None] = lambda words: None,
) -> Worker:
    """Serves. ``served`` is told where, for the finder; ``listening`` too, each time that it begins.

    Each start begins with a keyring of its own: what runs beside it may be in the middle of another.
    """
    ready = asyncio.Event()

    async def run(stop: asyncio.Event) -> None:
        from mau.daemon.serving import serve
        from mau.keyring import Keyring

        def begun(where: Listening) -> None:
            listening(where)
            served.tell(where.place)
            ready.set()

        try:
            await serve(account, await asyncio.to_thread(Keyring.load, account), wanted, stop, begun, said)
        finally:
            served.tell(None)

    return Worker("server", run, ready)


def make_finder(
    account: Account,
    keyring: Keyring,
    config: Config,
    served: Served,
    bootstrap: tuple[Beginning, ...] = (),
) -> Finder:
    """A finder with these settings; ``served``: where our server listens.

    ``bootstrap``: where to enter the lookup network besides what the settings say; that switches it on.
    """
    from dataclasses import replace

    from mau.contact.post import facts_from
    from mau.finder.wants import Wants
    from mau.finder.worker import Finder

    wants = Wants.of(config)
    if bootstrap:
        wants = replace(wants, kademlia=True, bootstrap=(*wants.bootstrap, *bootstrap))
    return Finder(
        account,
        keyring,
        wants,
        served=served,
        facts=partial(facts_from, config),
        given={person: tuple(places) for person, places in config.given().items()},
    )


def finder_worker(
    account: Account, config: Config, served: Served, bootstrap: tuple[Beginning, ...] = ()
) -> Worker:
    """Finds people, and lets them find us; arguments as of `make_finder`."""

    async def run(stop: asyncio.Event) -> None:
        from mau.keyring import Keyring

        keyring = await asyncio.to_thread(Keyring.load, account)
        await make_finder(account, keyring, config, served, bootstrap).run(stop)

    return Worker("finder", run)


def syncer_worker(
    account: Account, config: Config, told: Callable[[Keyring, SyncReport], None] = lambda *_: None
) -> Worker:
    """Follows everybody, and what is followed on the web; ``told`` is called in the event loop with what came
    of each round."""

    async def run(stop: asyncio.Event) -> None:
        from mau.config.keys import SYNC_ASK_FRIENDS
        from mau.imports.rounds import asking
        from mau.keyring import Keyring
        from mau.syncer.policy import Policy
        from mau.syncer.worker import Worker as Syncer

        keyring = await asyncio.to_thread(Keyring.load, account)
        async with asking(account, stop):
            await Syncer(
                account,
                keyring,
                told=partial(told, keyring),
                policy=Policy.of(config),
                relayed=config.get(SYNC_ASK_FRIENDS),
            ).run(stop)

    return Worker("syncer", run)


def removals_worker(account: Account) -> Worker:
    """What the owner removes by hand is told of (the setting delete.on_rm)."""
    log = logging.getLogger("mau.deletion")

    async def run(stop: asyncio.Event) -> None:
        from mau.deletion.removals import RemovalsWorker
        from mau.keyring import Keyring

        keyring = await asyncio.to_thread(Keyring.load, account)
        await RemovalsWorker(account, keyring, log.info).run(stop)

    return Worker("removals", run)
