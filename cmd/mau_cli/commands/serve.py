"""`mau serve`: let others fetch what they may read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from mau_cli.context import Session
from mau_cli.output import data, emit_json, say

if TYPE_CHECKING:
    from mau.server.visibility import Relay

DEFAULT = ":8880"


@click.command("serve")
@click.option(
    "--listen",
    metavar="HOST:PORT",
    default=DEFAULT,
    show_default=True,
    help="Where to listen. No HOST is every address of this machine, port 0 any free port.",
)
@click.option(
    "--relay",
    type=click.Choice(["none", "friends", "public"]),
    default="friends",
    show_default=True,
    help="Whom to give what others wrote: nobody; friends of yours who may read it; or to anyone what is "
    "public and says so itself.",
)
@click.option("--json", "as_json", is_flag=True, help="Show where it listens as JSON.")
@click.pass_obj
def command(session: Session, listen: str, relay: Relay, as_json: bool) -> None:
    """Let friends fetch what is for them, and everybody what is public.

    Prints one line, ADDRESS FINGERPRINT, once it listens; ends at Ctrl-C or SIGTERM, after what is being sent
    has arrived or five seconds have passed.
    """
    import asyncio

    host, port = _parse(listen)
    account, keyring = session.account(), session.keyring()

    async def run() -> None:
        import signal

        from mau.addressbook import format_address
        from mau.server.server import Server

        # From here on a signal ends the server in order, also while it is starting.
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, ended.set)
        server = Server(account, keyring, relay=relay)
        await server.start(host, port)
        try:
            address = format_address(server.address)
            say("Serving; Ctrl-C ends it.")  # before the address: who reads that may read no further
            if as_json:
                emit_json({"address": address, "fingerprint": account.fingerprint, "relay": relay})
            else:
                data(f"{address} {account.fingerprint}")
            await ended.wait()
        finally:
            await server.stop()

    asyncio.run(run())


def _parse(listen: str) -> tuple[str, int]:
    """As addresses of peers, but the host may be missing and the port may be 0."""
    from mau.addressbook import parse_address

    host, colon, port = listen.strip().rpartition(":")
    any_port = bool(re.fullmatch("0+", port))
    parsed = parse_address(f"{host if host or not colon else 'any'}:{1 if any_port else port}")
    return (parsed[0] if host else ""), (0 if any_port else parsed[1])
