"""`mau serve`: let others fetch what they may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mau.config.keys import (
    CIRCUIT_RELAY,
    SERVER_ACCESS_LOG,
    SERVER_BYTES_PER_SECOND,
    SERVER_LISTEN,
    SERVER_METRICS,
    SERVER_RELAY,
    WEB_CERTIFICATE,
    WEB_KEY,
    WEB_LISTEN,
    WEB_PLAIN,
)
from mau_cli.context import Session
from mau_cli.output import say

if TYPE_CHECKING:
    from mau.config.keys import CircuitRelay, PlainWeb, Relay
    from mau.daemon.serving import Listening


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
@click.option(
    "--web-listen",
    "--web",
    metavar="HOST:PORT",
    help="Show your public posts to browsers there; http://HOST:PORT is without TLS. "
    f"[setting {WEB_LISTEN.name}, off by default]",
)
@click.option(
    "--web-plain",
    type=click.Choice(["loopback", "anywhere"]),
    help="Where http:// may listen: anywhere is for a proxy on another machine that does TLS. "
    f"[setting {WEB_PLAIN.name}, default {WEB_PLAIN.default}]",
)
@click.option(
    "--web-certificate",
    metavar="FILE",
    help="The certificate for browsers, in PEM; one is made otherwise, which they warn of. "
    f"[setting {WEB_CERTIFICATE.name}]",
)
@click.option("--web-key", metavar="FILE", help=f"Its private key, in PEM. [setting {WEB_KEY.name}]")
@click.option(
    "--bytes-per-second",
    metavar="N",
    help="The most that one visitor is sent; 0 is no limit. "
    f"[setting {SERVER_BYTES_PER_SECOND.name}, default {SERVER_BYTES_PER_SECOND.default}]",
)
@click.option(
    "--access-log",
    metavar="FILE",
    help="Append a line of JSON for each request to FILE; - is standard output. "
    f"[setting {SERVER_ACCESS_LOG.name}, off by default]",
)
@click.option(
    "--metrics",
    metavar="HOST:PORT",
    help="Answer /healthz and /metrics (Prometheus) there, on this machine only. "
    f"[setting {SERVER_METRICS.name}, off by default]",
)
@click.option(
    "--circuit-relay",
    type=click.Choice(["off", "friends", "listed"]),
    help="For whom to pass connections on that no router lets in: nobody, friends, or those listed in the "
    f"setting circuit.members. [setting {CIRCUIT_RELAY.name}, default {CIRCUIT_RELAY.default}]",
)
@click.option("--json", "as_json", is_flag=True, help="Show where it listens as JSON.")
@click.pass_obj
def command(
    session: Session,
    listen: str | None,
    relay: Relay | None,
    web_listen: str | None,
    web_plain: PlainWeb | None,
    web_certificate: str | None,
    web_key: str | None,
    bytes_per_second: str | None,
    access_log: str | None,
    metrics: str | None,
    circuit_relay: CircuitRelay | None,
    as_json: bool,
) -> None:
    """Let friends fetch what is for them, and everybody what is public.

    Prints one line, ADDRESS FINGERPRINT, once it listens; ends at Ctrl-C or SIGTERM, after what is being sent
    has arrived or five seconds have passed. How many connections and requests are taken is said by further
    settings (server.connections and so on), which `mau config show` lists.
    """
    import asyncio

    from mau.daemon.serving import serve, serving
    from mau_cli.serving import announce, told_to_end

    wanted = serving(
        session.config,
        listen=listen,
        relay=relay,
        web_listen=web_listen,
        web_plain=web_plain,
        web_certificate=web_certificate,
        web_key=web_key,
        bytes_per_second=bytes_per_second,
        access_log=access_log,
        metrics=metrics,
        circuit_relay=circuit_relay,
    )
    account, keyring = session.account(), session.keyring()

    def listening(where: Listening) -> None:
        # Words before the address: who reads that may read no further.
        say("Serving; Ctrl-C ends it.")
        announce(as_json, account, wanted, where)

    async def run() -> None:
        await serve(account, keyring, wanted, told_to_end(), listening, say)

    asyncio.run(run())
