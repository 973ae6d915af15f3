"""`mau fetch`: one post by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mau.errors import MauError, UsageError
from mau_cli.context import Session
from mau_cli.following import note_fetched, take_given
from mau_cli.output import clean, data, emit_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mau.syncer.report import SyncReport


@click.command("fetch")
@click.argument("who")
@click.argument("name", required=False)
@click.option(
    "--at",
    multiple=True,
    metavar="HOST:PORT",
    help="Where they are; may be repeated. Remembered once proven.",
)
@click.option("--via", metavar="FRIEND", help="From the host of a friend who holds it.")
@click.option("--json", "as_json", is_flag=True, help="Show what came as JSON.")
@click.pass_obj
def command(
    session: Session, who: str, name: str | None, at: Sequence[str], via: str | None, as_json: bool
) -> None:
    """Fetch the post NAME of WHO, although a limit (sync.max_file ...) keeps it out or you removed it here.

    WHO and NAME can be one address. Everything is checked as in a sync. A post of somebody whom you do not
    follow stays out of the timeline; `mau open` opens it.
    """
    import asyncio

    from mau.content.address import location_of
    from mau.hostport import parse_address
    from mau.syncer.once import Syncer
    from mau.tree.names import POST_SUFFIX
    from mau_cli.posts import address_in

    account, keyring = session.account(), session.keyring()
    where = [parse_address(one) for one in at]
    if name is None:
        author, name, _ = address_in(keyring, who)
        if who.startswith("mau:") and (place := location_of(who)) is not None:
            where.append(place)
    else:
        author = keyring.resolve_fingerprint(who)
    if author == account.fingerprint:
        raise UsageError("that is a post of yours")
    peer = None if via is None else keyring.resolve_fingerprint(via)
    full_name = name if name.endswith(POST_SUFFIX) else name + POST_SUFFIX
    addresses = where or None
    take_given(session)

    async def run() -> SyncReport:
        syncer = Syncer(account, keyring)
        try:
            report = await syncer.fetch(author, full_name, addresses=addresses, via=peer)
            note_fetched(session, syncer, author, full_name)
            return report
        finally:
            syncer.close()

    report = asyncio.run(run())
    _raise(report)
    came = full_name in report.fetched
    if as_json:
        emit_json({"author": author.hex, "name": full_name, "fetched": came, "bytes": report.fetched_bytes})
    elif came:
        data(f"{clean(full_name)}: fetched")
    else:
        data(f"{clean(full_name)}: held already")


def _raise(report: SyncReport) -> None:
    """Why it did not come, as the one error that it is."""
    if report.problem is not None:
        raise report.problem
    for trouble in (*report.refused, *report.deferred, *report.failed):
        error: MauError = trouble.error
        raise type(error)(f"{trouble.name!r}: {trouble.words}")
