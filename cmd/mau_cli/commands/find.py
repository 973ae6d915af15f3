"""`mau find`: where somebody is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mau.errors import MauError, PeerNotFound, UsageError
from mau_cli.context import Session
from mau_cli.output import clean, data, emit_json_line, say

if TYPE_CHECKING:
    from mau.addressbook import Source
    from mau.finder.search import Finding
    from mau.fingerprint import Fingerprint
    from mau.hostport import Address
    from mau.keyring import Keyring


@click.command("find", short_help="Find out where somebody is.")
@click.argument("who", required=False, metavar="WHO|FPR|DOMAIN")
@click.option("--all", "everywhere", is_flag=True, help="Go on after the first place where WHO proves to be.")
@click.option("--watch", is_flag=True, help="Go on until Ctrl-C: keep known where everybody you follow is.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for everything that happens.")
@click.pass_obj
def command(session: Session, who: str | None, everywhere: bool, watch: bool, as_json: bool) -> None:
    """Ask every source where WHO is, and show what each says and what is proven, as it comes.

    WHO is a friend or somebody known, a fingerprint, or a domain whose DNS records name somebody. The local
    network and the lookup network are asked where the settings discovery.mdns and discovery.kademlia allow
    it. Prints the address of each place where WHO proved to be; exit status 5 when there is none.
    """
    if watch:
        if who is not None or everywhere:
            raise UsageError("--watch is for everybody; it stands alone")
        _watch(session)
        return
    if who is None:
        raise UsageError("WHO is to be found? Or --watch for everybody")
    import asyncio

    from mau.config.keys import DISCOVERY_KADEMLIA
    from mau.hostport import format_address
    from mau_cli.finding import seek
    from mau_cli.following import take_given
    from mau_cli.people import suspect_keyring

    account, keyring = session.account(), suspect_keyring(session)
    take_given(session)

    async def run() -> list[Address]:
        wanted, others = await _whom(session, keyring, who)
        if wanted == account.fingerprint:
            raise UsageError("that is you")
        return await seek(session, wanted, others, everywhere=everywhere, said=said)

    def said(finding: Finding) -> None:
        if as_json:
            emit_json_line(_facts(finding))
            return
        say(_words(finding))
        if finding.outcome == "proven" and finding.address is not None:
            data(format_address(finding.address))

    if not asyncio.run(run()):
        hint = "" if session.config.get(DISCOVERY_KADEMLIA) else "; discovery.kademlia is off"
        raise PeerNotFound(f"they proved to be nowhere{hint}")


async def _whom(
    session: Session, keyring: Keyring, who: str
) -> tuple[Fingerprint, list[tuple[Source, Address]]]:
    """Who is meant, and where DNS says that they are."""
    from mau.config.keys import DISCOVERY_DNS
    from mau.errors import InvalidFingerprint
    from mau.fingerprint import Fingerprint

    try:
        return Fingerprint.parse_loose(who), []
    except InvalidFingerprint:
        pass
    try:
        return keyring.resolve(who).fingerprint, []
    except MauError:
        if "." not in who or "@" in who:
            raise
    if not session.config.get(DISCOVERY_DNS):
        raise UsageError(f"{clean(who)!r} is nobody you know, and discovery.dns is off") from None
    from mau.finder.dns import lookup_domain

    answer = await lookup_domain(who)
    say(f"{answer.domain} names {answer.fingerprint}; nothing proves that but what you know of the domain.")
    return answer.fingerprint, [("dns", address) for address in answer.addresses]


def _words(finding: Finding) -> str:
    from mau.hostport import format_address

    where = "" if finding.address is None else f" {clean(format_address(finding.address))}"
    words = f": {clean(finding.words)}" if finding.words else ""
    match finding.outcome:
        case "asked":
            return f"{finding.source}: asked"
        case "heard":
            return f"{finding.source}: says{where}"
        case "nothing":
            return f"{finding.source}: knows nothing{words}"
    return f"{finding.source}:{where} {finding.outcome}{words}"


def _facts(finding: Finding) -> dict[str, Any]:
    from mau.hostport import format_address

    return {
        "source": finding.source,
        "outcome": finding.outcome,
        "address": None if finding.address is None else format_address(finding.address),
        "words": finding.words,
    }


def _watch(session: Session) -> None:
    import asyncio
    import socket

    from mau.config.keys import SERVER_LISTEN
    from mau.daemon.workers import make_finder
    from mau.finder.served import Served
    from mau.hostport import parse_listen
    from mau_cli.logs import log_to_stderr
    from mau_cli.serving import told_to_end

    account, keyring = session.account(), session.keyring()
    host, port = parse_listen(session.config.get(SERVER_LISTEN))
    log_to_stderr()

    def where() -> Address | None:
        """Where `mau serve` listens beside us, if it does."""
        if not port:
            return None
        try:
            with socket.create_connection((host or "localhost", port), timeout=0.5):
                return host, port
        except OSError:
            return None

    async def run() -> None:
        stop = told_to_end()
        say("Finding; Ctrl-C ends it.")
        served = Served()

        async def look() -> None:
            while True:
                served.tell(await asyncio.to_thread(where))
                await asyncio.sleep(10)

        looking = asyncio.create_task(look())
        try:
            await make_finder(account, keyring, session.config, served).run(stop)
        finally:
            looking.cancel()

    asyncio.run(run())
