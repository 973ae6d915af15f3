"""`mau up`: everything that goes on by itself, in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mau.config.keys import DELETE_ON_RM, SERVER_LISTEN
from mau.errors import UsageError
from mau_cli.context import Session
from mau_cli.output import say

if TYPE_CHECKING:
    from mau.daemon.serving import Listening
    from mau.keyring import Keyring
    from mau.syncer.report import SyncReport


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
    from functools import partial

    from mau.account import Account
    from mau.daemon import Supervisor, only_one, workers, write_status
    from mau.daemon.serving import serving
    from mau.finder.served import Served
    from mau.notify import Notifier
    from mau_cli.finding import beginnings
    from mau_cli.logs import log_to_stderr
    from mau_cli.serving import announce, told_to_end
    from mau_cli.turns import short_turns

    entering = beginnings(bootstrap)
    wanted = None if no_serve else serving(session.config, listen=listen)
    if wanted is not None and entering:
        wanted = replace(wanted, kademlia=True)
    Account.require(session.root)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the key is in memory for as long as this runs
    with only_one(session.root) as directory:
        account = session.account()
        session.keyring()  # what is wrong with it is said now, and not again and again
        workers.take_given(session.root, session.config)
        log_to_stderr()
        short_turns()

        async def run() -> None:
            stop = told_to_end()
            wished = []
            served = Served()
            if wanted is not None:

                def listening(where: Listening) -> None:
                    say("Serving.")
                    announce(as_json, account, wanted, where)

                wished.append(workers.server_worker(account, wanted, served, listening, say))
            if not no_find:
                wished.append(workers.finder_worker(account, session.config, served, entering))
            if not no_sync:
                wished.append(workers.syncer_worker(account, session.config, _told))
            if session.config.get(DELETE_ON_RM):
                wished.append(workers.removals_worker(account))
            await Supervisor(
                wished,
                report=partial(write_status, directory, time.time()),
                notifier=Notifier.from_environ(),
            ).run(stop)

        asyncio.run(run())


def _told(keyring: Keyring, report: SyncReport) -> None:
    import logging

    from mau_cli.audience import called

    counts = (
        (len(report.fetched), "new"),
        (len(report.deleted), "deleted by their author"),
        (len(report.refused), "refused"),
        (len(report.deferred), "deferred"),
        (len(report.failed), "failed"),
    )
    words = ", ".join(f"{count} {word}" for count, word in counts if count)
    if words:
        logging.getLogger("mau.syncer").info("%s: %s", called(keyring, report.author), words)
