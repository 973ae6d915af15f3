"""`mau serve`: let others fetch what they may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mau.config.keys import SERVER_LISTEN, SERVER_RELAY
from mau_cli.context import Session
from mau_cli.output import data, emit_json, say

if TYPE_CHECKING:
    from mau.config.keys import Relay


@click.command("serve")
@click.option(
    "--listen",
    metavar="HOST:PORT",
    help="Where to listen. No HOST is every address of this machine, port 0 any free port. "
    f"[setting {SERVER_LISTEN.name}, default {SERVER_LISTEN.default}]",
)
@click.option(
    "--relay",
    type=click.Choice(["none", "friends", "public"]),
    help="Whom to give what others wrote: nobody; friends of yours who may read it; or to anyone what is "
    "public and says so itself. Settings relay.FPR make exceptions for single authors. "
    f"[setting {SERVER_RELAY.name}, default {SERVER_RELAY.default}]",
)
@click.option("--json", "as_json", is_flag=True, help="Show where it listens as JSON.")
@click.pass_obj
def command(session: Session, listen: str | None, relay: Relay | None, as_json: bool) -> None:
    """Let friends fetch what is for them, and everybody what is public.

    Prints one line, ADDRESS FINGERPRINT, once it listens; ends at Ctrl-C or SIGTERM, after what is being sent
    has arrived or five seconds have passed.
    """
    import asyncio

    from mau.hostport import format_address, parse_listen

    host, port = parse_listen(session.config.get(SERVER_LISTEN, listen))
    policy, relay_of = session.config.get(SERVER_RELAY, relay), session.config.relay_of()
    account, keyring = session.account(), session.keyring()

    async def run() -> None:
        import signal

        from mau.server.server import Server
        from mau_cli.audience import called

        # From here on a signal ends the server in order, also while it is starting.
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, ended.set)
        server = Server(account, keyring, relay=policy, relay_of=relay_of)
        await server.start(host, port)
        try:
            address = format_address(server.address)
            # Words before the address: who reads that may read no further.
            for author, one in relay_of.items():
                say(f"Relay {one} for what {called(keyring, author)} wrote.")
            say("Serving; Ctrl-C ends it.")
            if as_json:
                emit_json(
                    {
                        "address": address,
                        "fingerprint": account.fingerprint,
                        "relay": policy,
                        "relay_of": {author.hex: one for author, one in relay_of.items()},
                    }
                )
            else:
                data(f"{address} {account.fingerprint}")
            await ended.wait()
        finally:
            await server.stop()

    asyncio.run(run())
