"""`mau up`: everything that goes on by itself, in one process."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from mau.config.keys import DELETE_ON_RM, SERVER_LISTEN
from mau.errors import UsageError
from mau_cli.context import Session
from mau_cli.output import say

if TYPE_CHECKING:
    import asyncio

    from mau.account import Account
    from mau.config.lists import Beginning
    from mau.daemon import Worker
    from mau.finder.served import Served
    from mau.syncer.policy import Policy
    from mau.syncer.report import SyncReport
    from mau_cli.serving import Listening, Serving


@click.command("up")
@click.option(
    "--listen",
    metavar="HOST:PORT",
    help="Where to listen. No HOST is every address of this machine, port 0 any free port. "
    f"[setting {SERVER_LISTEN.name}, default {SERVER_LISTEN.default}]",
)
@click.option("--no-serve", is_flag=True, help="Give nothing out.")
@click.option("--no-sync", is_flag=True, help="Fetch nothing.")
@click.option("--no-find", is_flag=True, help="Look for nobody, and let nobody find you.")
@click.option(
    "--bootstrap",
    metavar="FPR@HOST:PORT",
    multiple=True,
    help="Enter the lookup network there, besides what discovery.bootstrap says.",
)
@click.option("--json", "as_json", is_flag=True, help="Show where it listens as JSON.")
@click.pass_obj
def command(
    session: Session,
    listen: str | None,
    no_serve: bool,
    no_sync: bool,
    no_find: bool,
    bootstrap: tuple[str, ...],
    as_json: bool,
) -> None:
    """Serve your posts, find everybody you follow and fetch theirs, until Ctrl-C or SIGTERM.

    What fails is started again after a while, and the rest goes on; `mau status` shows how it is. How
    it is served is a matter of settings, which `mau config show` lists. Prints one line, ADDRESS FINGERPRINT,
    each time that it begins to listen.
    """
    if no_serve and no_sync and no_find:
        raise UsageError("nothing is left to do")
    import asyncio
    import resource
    import time
    from dataclasses import replace

    from mau.account import Account
    from mau.daemon import Supervisor, only_one, write_status
    from mau.finder.served import Served
    from mau.notify import Notifier
    from mau_cli.finding import beginnings
    from mau_cli.following import asks_friends, policy_of, take_given
    from mau_cli.logs import log_to_stderr
    from mau_cli.serving import serving, told_to_end
    from mau_cli.turns import short_turns

    entering = beginnings(bootstrap)
    wanted = None if no_serve else serving(session, listen=listen)
    if wanted is not None and entering:
        wanted = replace(wanted, kademlia=True)
    policy, asks = policy_of(session), asks_friends(session)
    Account.require(session.root)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the key is in memory for as long as this runs
    with only_one(session.root) as directory:
        account = session.account()
        session.keyring()  # what is wrong with it is said now, and not again and again
        take_given(session)
        log_to_stderr()
        short_turns()

        async def run() -> None:
            stop = told_to_end()
            workers = []
            served = Served()
            if wanted is not None:
                workers.append(_server(account, wanted, served, as_json))
            if not no_find:
                workers.append(_finder(session, account, served, entering))
            if not no_sync:
                workers.append(_syncer(account, policy, asks))
            if session.config.get(DELETE_ON_RM, None):
                workers.append(_removals(account))
            await Supervisor(
                workers,
                report=partial(write_status, directory, time.time()),
                notifier=Notifier.from_environ(),
            ).run(stop)

        asyncio.run(run())


def _finder(session: Session, account: Account, served: Served, entering: tuple[Beginning, ...]) -> Worker:
    import asyncio

    from mau.daemon import Worker

    async def run(stop: asyncio.Event) -> None:
        from mau.keyring import Keyring
        from mau_cli.finding import make_finder

        keyring = await asyncio.to_thread(Keyring.load, account)
        await make_finder(session, account, keyring, served, entering).run(stop)

    return Worker("finder", run)


def _server(account: Account, wanted: Serving, served: Served, as_json: bool) -> Worker:
    """Each start begins with a keyring of its own: what runs beside it may be in the middle of another."""
    import asyncio

    from mau.daemon import Worker

    ready = asyncio.Event()

    async def run(stop: asyncio.Event) -> None:
        from mau.keyring import Keyring
        from mau_cli.serving import announce, serve

        def listening(where: Listening) -> None:
            say("Serving.")
            announce(as_json, account, wanted, where)
            served.tell(where.place)
            ready.set()

        try:
            await serve(account, await asyncio.to_thread(Keyring.load, account), wanted, stop, listening)
        finally:
            served.tell(None)

    return Worker("server", run, ready)


def _syncer(account: Account, policy: Policy, asks: bool) -> Worker:
    import asyncio
    import logging

    from mau.daemon import Worker

    log = logging.getLogger("mau.syncer")

    async def run(stop: asyncio.Event) -> None:
        from mau.keyring import Keyring
        from mau.syncer.worker import Worker as Syncer
        from mau_cli.audience import called

        keyring = await asyncio.to_thread(Keyring.load, account)

        def told(report: SyncReport) -> None:
            counts = (
                (len(report.fetched), "new"),
                (len(report.deleted), "deleted by their author"),
                (len(report.refused), "refused"),
                (len(report.deferred), "deferred"),
                (len(report.failed), "failed"),
            )
            words = ", ".join(f"{count} {word}" for count, word in counts if count)
            if words:
                log.info("%s: %s", called(keyring, report.author), words)

        await Syncer(account, keyring, told=told, policy=policy, relayed=asks).run(stop)

    return Worker("syncer", run)


def _removals(account: Account) -> Worker:
    """What the owner removes by hand is told of (the setting delete.on_rm)."""
    import asyncio
    import logging

    from mau.daemon import Worker

    log = logging.getLogger("mau.deletion")

    async def run(stop: asyncio.Event) -> None:
        from mau.deletion.removals import RemovalsWorker
        from mau.keyring import Keyring

        keyring = await asyncio.to_thread(Keyring.load, account)
        await RemovalsWorker(account, keyring, log.info).run(stop)

    return Worker("removals", run)
