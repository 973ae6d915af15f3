"""The server as everybody runs it: what settings and options say of it, and its life."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from pathlib import Path

    from mau.account import Account
    from mau.circuit.terms import CircuitPolicy
    from mau.config.keys import CircuitRelay, Key, PlainWeb, Relay
    from mau.config.settings import Config
    from mau.fingerprint import Fingerprint
    from mau.hostport import Address
    from mau.keyring import Keyring
    from mau.server.accesslog import AccessLog
    from mau.server.limits import Limits
    from mau.web.host import WebHost


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What is to be served, where and how; all of it checked as far as it can be without doing it."""

    listen: tuple[str, int]
    relay: Relay
    relay_of: Mapping[Fingerprint, Relay]
    limits: Limits
    log: Path | str | None
    metrics: Address | None
    web: str | None
    web_plain: PlainWeb
    web_certificate: Path | None
    web_key: Path | None
    kademlia: bool
    circuits: CircuitPolicy | None


@dataclass(frozen=True, slots=True)
class Listening:
    """Where it is served, once it is."""

    address: str
    web: str | None
    place: Address
    """Host and port, of which HOST is "" where it is every address of this machine."""


def serving(
    config: Config,
    *,
    listen: str | None = None,
    relay: Relay | None = None,
    web_listen: str | None = None,
    web_plain: PlainWeb | None = None,
    web_certificate: str | None = None,
    web_key: str | None = None,
    bytes_per_second: str | None = None,
    access_log: str | None = None,
    metrics: str | None = None,
    circuit_relay: CircuitRelay | None = None,
) -> Serving:
    """What the settings say, and the options of this run where they are given (UsageError, ConfigError)."""
    from mau.config import keys
    from mau.config.file import expand
    from mau.hostport import parse_listen, parse_loopback, parse_web_listen

    web = config.get(keys.WEB_LISTEN, web_listen)
    if web is not None:
        parse_web_listen(web)
    metrics_place = config.said(keys.SERVER_METRICS, metrics)
    log = config.said(keys.SERVER_ACCESS_LOG, access_log)
    return Serving(
        listen=parse_listen(config.get(keys.SERVER_LISTEN, listen)),
        relay=config.get(keys.SERVER_RELAY, relay),
        relay_of=config.relay_of(),
        limits=_limits(config, config.said(keys.SERVER_BYTES_PER_SECOND, bytes_per_second)),
        log=log if log is None or log == "-" else expand(log),
        metrics=None if metrics_place is None else parse_loopback(metrics_place),
        web=web,
        web_plain=config.get(keys.WEB_PLAIN, web_plain),
        web_certificate=_file(config, keys.WEB_CERTIFICATE, web_certificate),
        web_key=_file(config, keys.WEB_KEY, web_key),
        kademlia=config.get(keys.DISCOVERY_KADEMLIA),
        circuits=_circuits(config, circuit_relay),
    )


async def serve(
    account: Account,
    keyring: Keyring,
    wanted: Serving,
    stop: asyncio.Event,
    listening: Callable[[Listening], None],
    said: Callable[[str], None] = lambda words: None,
) -> None:
    """Serve until ``stop``; then let what is being sent arrive. ``listening`` is called once it listens.

    ``said`` gets in words what else is done, some of it with names that the owner gave.
    """
    import asyncio

    from mau.hostport import format_address
    from mau.server.metrics import Metrics
    from mau.server.server import Server

    log = _log(wanted.log)
    server = Server(
        account,
        keyring,
        relay=wanted.relay,
        relay_of=wanted.relay_of,
        limits=wanted.limits,
        access_log=log,
        kademlia=wanted.kademlia,
        circuits=wanted.circuits,
    )
    numbers = Metrics(
        server.gate,
        lambda: server.connections,
        lambda: {
            "mau_circuits": server.circuits.circuits,
            "mau_circuits_registered": len(server.circuits.registered),
        },
    )
    web: WebHost | None = None
    try:
        await server.start(*wanted.listen)
        if wanted.metrics is not None:
            await numbers.start(wanted.metrics)
            said(f"Metrics at http://{format_address(numbers.address)}/metrics")
        if wanted.web is not None:
            from mau.web.host import WebHost

            web = WebHost(
                account,
                server,
                certificate=wanted.web_certificate,
                key=wanted.web_key,
                plain=wanted.web_plain,
            )
            await web.start(wanted.web)
            said(f"Your public posts are shown to browsers at {web.url}")
        for author, one in wanted.relay_of.items():
            said(f"Relay {one} for what {_called(keyring, author)} wrote.")
        if wanted.circuits is not None:
            whom = "your friends" if wanted.circuits.members is None else "those listed in circuit.members"
            said(f"Connections are passed on for {whom}.")
        place = wanted.listen[0], server.address[1]
        listening(Listening(format_address(server.address), None if web is None else web.url, place))
        await stop.wait()
    finally:
        if web is not None:
            await web.stop()
        await numbers.stop()
        await server.stop()
        if log is not None:
            await asyncio.to_thread(log.close)


def _called(keyring: Keyring, author: Fingerprint) -> str:
    person = keyring.person(author)
    return author.hex if person is None else person.label


def _file(config: Config, key: Key[str | None], option: str | None) -> Path | None:
    from mau.config.file import expand

    found = config.get(key, option)
    return None if found is None else expand(found)


def _circuits(config: Config, option: CircuitRelay | None) -> CircuitPolicy | None:
    from mau.circuit.terms import CircuitPolicy, Terms
    from mau.config import keys

    whom = config.get(keys.CIRCUIT_RELAY, option)
    if whom == "off":
        return None
    members = config.get(keys.CIRCUIT_MEMBERS) or ()
    at_once = config.get(keys.CIRCUIT_AT_ONCE)
    terms = Terms(
        bytes=config.get(keys.CIRCUIT_BYTES),
        minutes=config.get(keys.CIRCUIT_MINUTES),
        at_once=at_once,
        circuits=max(at_once, Terms().circuits),
    )
    return CircuitPolicy(frozenset(members) if whom == "listed" else None, terms)


def _limits(config: Config, bytes_per_second: int) -> Limits:
    from mau.config import keys
    from mau.server.limits import limits_of

    return limits_of(
        friend=config.get(keys.SERVER_FRIEND_REQUESTS),
        stranger=config.get(keys.SERVER_STRANGER_REQUESTS),
        anonymous=config.get(keys.SERVER_ANONYMOUS_REQUESTS),
        connections=config.get(keys.SERVER_CONNECTIONS),
        connections_per_address=config.get(keys.SERVER_CONNECTIONS_PER_ADDRESS),
        bytes_per_second=bytes_per_second,
    )


def _log(place: Path | str | None) -> AccessLog | None:
    if place is None:
        return None
    from mau.server.accesslog import AccessLog

    return AccessLog(str(place))
