"""`mau serve`: let others fetch what they may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mau.config.keys import (
    SERVER_ACCESS_LOG,
    SERVER_ANONYMOUS_REQUESTS,
    SERVER_BYTES_PER_SECOND,
    SERVER_CONNECTIONS,
    SERVER_CONNECTIONS_PER_ADDRESS,
    SERVER_FRIEND_REQUESTS,
    SERVER_LISTEN,
    SERVER_METRICS,
    SERVER_RELAY,
    SERVER_STRANGER_REQUESTS,
    WEB_CERTIFICATE,
    WEB_KEY,
    WEB_LISTEN,
    WEB_PLAIN,
)
from mau_cli.context import Session
from mau_cli.output import data, emit_json, say

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping
    from pathlib import Path

    from mau.config.keys import Key, PlainWeb, Relay
    from mau.config.settings import Config
    from mau.fingerprint import Fingerprint
    from mau.server.accesslog import AccessLog
    from mau.server.limits import Limits
    from mau.web.host import WebHost


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
    as_json: bool,
) -> None:
    """Let friends fetch what is for them, and everybody what is public.

    Prints one line, ADDRESS FINGERPRINT, once it listens; ends at Ctrl-C or SIGTERM, after what is being sent
    has arrived or five seconds have passed. How many connections and requests are taken is said by further
    settings (server.connections and so on), which `mau config show` lists.
    """
    import asyncio

    from mau.hostport import format_address, parse_listen, parse_loopback, parse_web_listen

    host, port = parse_listen(session.config.get(SERVER_LISTEN, listen))
    policy, relay_of = session.config.get(SERVER_RELAY, relay), session.config.relay_of()
    web_where = session.config.get(WEB_LISTEN, web_listen)
    if web_where is not None:
        parse_web_listen(web_where)
    certificate = _file(session, WEB_CERTIFICATE, web_certificate)
    key = _file(session, WEB_KEY, web_key)
    metrics_place = session.config.said(SERVER_METRICS, metrics)
    metrics_where = None if metrics_place is None else parse_loopback(metrics_place)
    log_place = session.config.said(SERVER_ACCESS_LOG, access_log)
    limits = _limits(session.config, session.config.said(SERVER_BYTES_PER_SECOND, bytes_per_second))
    account, keyring = session.account(), session.keyring()

    async def run() -> None:
        from mau.server.metrics import Metrics
        from mau.server.server import Server
        from mau_cli.audience import called

        ended = _told_to_end()
        log = _log(log_place)
        server = Server(account, keyring, relay=policy, relay_of=relay_of, limits=limits, access_log=log)
        numbers = Metrics(server.gate, lambda: server.connections)
        web: WebHost | None = None
        try:
            await server.start(host, port)
            if metrics_where is not None:
                await numbers.start(metrics_where)
                say(f"Metrics at http://{format_address(numbers.address)}/metrics")
            if web_where is not None:
                from mau.web.host import WebHost

                plain = session.config.get(WEB_PLAIN, web_plain)
                web = WebHost(account, server, certificate=certificate, key=key, plain=plain)
                await web.start(web_where)
                say(f"Your public posts are shown to browsers at {web.url}")
            address = format_address(server.address)
            # Words before the address: who reads that may read no further.
            for author, one in relay_of.items():
                say(f"Relay {one} for what {called(keyring, author)} wrote.")
            say("Serving; Ctrl-C ends it.")
            _announce(as_json, address, account.fingerprint, policy, relay_of, web)
            await ended.wait()
        finally:
            if web is not None:
                await web.stop()
            await numbers.stop()
            await server.stop()
            if log is not None:
                await asyncio.to_thread(log.close)

    asyncio.run(run())


def _told_to_end() -> asyncio.Event:
    """From here on a signal ends the server in order, also while it is starting."""
    import asyncio
    import signal

    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    return ended


def _file(session: Session, key: Key[str | None], option: str | None) -> Path | None:
    from mau.config.file import expand

    found = session.config.get(key, option)
    return None if found is None else expand(found)


def _limits(config: Config, bytes_per_second: int) -> Limits:
    from mau.server.limits import limits_of

    return limits_of(
        friend=config.get(SERVER_FRIEND_REQUESTS),
        stranger=config.get(SERVER_STRANGER_REQUESTS),
        anonymous=config.get(SERVER_ANONYMOUS_REQUESTS),
        connections=config.get(SERVER_CONNECTIONS),
        connections_per_address=config.get(SERVER_CONNECTIONS_PER_ADDRESS),
        bytes_per_second=bytes_per_second,
    )


def _log(place: str | None) -> AccessLog | None:
    if place is None:
        return None
    from mau.config.file import expand
    from mau.server.accesslog import AccessLog

    return AccessLog(place if place == "-" else str(expand(place)))


def _announce(
    as_json: bool,
    address: str,
    fingerprint: Fingerprint,
    policy: Relay,
    relay_of: Mapping[Fingerprint, Relay],
    web: WebHost | None,
) -> None:
    """Say where it listens."""
    if as_json:
        emit_json(
            {
                "address": address,
                "fingerprint": fingerprint,
                "relay": policy,
                "relay_of": {author.hex: one for author, one in relay_of.items()},
                "web": None if web is None else web.url,
            }
        )
    else:
        data(f"{address} {fingerprint}")
