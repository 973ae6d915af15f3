"""`mau nearby`: who is in the local network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from mau_cli.context import Session
from mau_cli.output import data, emit_json, say

if TYPE_CHECKING:
    from mau.finder.mdns import Network
    from mau.finder.mdns.nearby import Nearby
    from mau.fingerprint import Fingerprint
    from mau.keyring import Keyring


@click.command("nearby")
@click.option(
    "--seconds",
    type=click.FloatRange(0.5, 600),
    default=3.0,
    show_default=True,
    help="How long to listen.",
)
@click.option(
    "--trust",
    is_flag=True,
    help="Look for people in this network from now on, and let them find you (discovery.networks).",
)
@click.option("--yes", is_flag=True, help="Do not ask before trusting the network.")
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@click.pass_obj
def command(session: Session, seconds: float, trust: bool, yes: bool, as_json: bool) -> None:
    """Show who is in the local network.

    It asks once, in every local network of this machine and whatever the settings say: whoever listens there
    sees that somebody with Mau asks, and not who. Everybody who answers is tried: a name is shown of those
    alone who proved to be somebody you know. Nothing is announced; that is for `mau up`, in the networks
    that you trust.
    """
    import asyncio

    from mau.finder.mdns.interfaces import known_networks
    from mau_cli.people import suspect_keyring

    keyring = suspect_keyring(session)
    networks = known_networks()
    if not networks:
        say("This machine is in no local network.")
    if trust:
        _trust(session, networks, yes=yes)
    found: list[Nearby] = []
    if networks:
        named = ", ".join(network.name or network.interface for network in networks)
        say(f"Asking in {named}; whoever listens there sees that somebody with Mau asks.")
        found = asyncio.run(_look(session, keyring, seconds))
    people = _by_person(keyring, found)
    if as_json:
        emit_json([_facts(keyring, fingerprint, lines) for fingerprint, lines in people])
    else:
        for fingerprint, lines in people:
            _show(keyring, fingerprint, lines)
    if networks and not people:
        say("Nobody answered.")
    _say_standing(session, networks)


async def _look(session: Session, keyring: Keyring, seconds: float) -> list[Nearby]:
    """Those who were heard of. Where people of the keyring proved to be is noted in the address book."""
    from contextlib import aclosing, closing

    from mau.addressbook import AddressBook
    from mau.finder.mdns import Networks
    from mau.finder.mdns.nearby import nearby

    def known(fingerprint: Fingerprint) -> bool:
        return keyring.person(fingerprint) is not None

    found = []
    with closing(AddressBook(session.root)) as book:
        looking = nearby(keyring.me.fingerprint, seconds, networks=Networks.of("everywhere"), wanted=known)
        async with aclosing(looking) as people:
            async for one in people:
                found.append(one)
                if one.proven and known(one.fingerprint):
                    book.proven(one.fingerprint, *one.address, source="mdns")
    return found


def _by_person(keyring: Keyring, found: Iterable[Nearby]) -> list[tuple[Fingerprint, list[Nearby]]]:
    """Whom I know, then strangers, then who is not proven; each with what was heard, the proven first."""
    people: dict[Fingerprint, list[Nearby]] = {}
    for one in found:
        people.setdefault(one.fingerprint, []).append(one)
    for lines in people.values():
        lines.sort(key=lambda one: (not one.proven, one.address))

    def place(entry: tuple[Fingerprint, list[Nearby]]) -> tuple[bool, bool, str, Fingerprint]:
        name = _name(keyring, *entry)
        return not entry[1][0].proven, name is None, (name or "").casefold(), entry[0]

    return sorted(people.items(), key=place)


def _name(keyring: Keyring, fingerprint: Fingerprint, lines: Sequence[Nearby]) -> str | None:
    """What I call somebody who proved to be there; None for strangers and claims."""
    person = keyring.person(fingerprint)
    return person.local_name or None if person is not None and lines[0].proven else None


def _facts(keyring: Keyring, fingerprint: Fingerprint, lines: Sequence[Nearby]) -> dict[str, object]:
    from mau.hostport import format_address

    person = keyring.person(fingerprint) if lines[0].proven else None
    return {
        "fingerprint": fingerprint,
        "words": " ".join(fingerprint.words),
        "proven": lines[0].proven,
        "name": _name(keyring, fingerprint, lines),
        "status": person.status if person is not None else None,
        "addresses": [
            {"address": format_address(one.address), "proven": one.proven, "problem": one.problem or None}
            for one in lines
        ],
    }


def _show(keyring: Keyring, fingerprint: Fingerprint, lines: Sequence[Nearby]) -> None:
    from mau.hostport import format_address

    name = _name(keyring, fingerprint, lines)
    if lines[0].proven:
        where = ", ".join(format_address(one.address) for one in lines if one.proven)
        data(f"{name or 'a stranger'}, {where}", bold=name is not None)
    else:
        where = ", ".join(f"{format_address(one.address)} ({one.problem})" for one in lines)
        data(f"not proven, {where}")
    data(f"    {fingerprint.hex}")
    if name is None:
        data(f"    {' '.join(fingerprint.words)}")


def _trust(session: Session, networks: Sequence[Network], *, yes: bool) -> None:
    from mau.config.editing import put
    from mau.config.file import config_file
    from mau.config.keys import DISCOVERY_MDNS, DISCOVERY_NETWORKS

    trusted = session.config.get(DISCOVERY_NETWORKS) or ()
    mode = session.config.get(DISCOVERY_MDNS)
    path, _ = config_file()
    for network in networks:
        if network.name is None:
            say(f"The network at {network.interface} cannot be told from others: its router is not known.")
            continue
        if network.name in trusted:
            say(f"{network.name} is trusted already.")
        elif session.confirm(
            f"Be found in {network.name} ({network.interface}) whenever this machine is there? Everybody in "
            "it then sees your fingerprint and your address.",
            yes=yes,
        ):
            trusted = (*trusted, network.name)
            put(path, DISCOVERY_NETWORKS, trusted)
            say(f"{network.name} is trusted from now on.")
    if trusted and mode == "off":
        put(path, DISCOVERY_MDNS, "trusted")
        say("discovery.mdns is set to trusted; `mau up` announces you there.")


def _say_standing(session: Session, networks: Sequence[Network]) -> None:
    """Whether others find us here, and what to do about it."""
    from mau.config.keys import DISCOVERY_MDNS, DISCOVERY_NETWORKS
    from mau.config.settings import Config
    from mau.finder.mdns import Networks

    config = Config.load()  # what --trust wrote, too
    mode = config.get(DISCOVERY_MDNS)
    trusted = config.get(DISCOVERY_NETWORKS)
    consent = Networks.of(mode, trusted or ())
    silent = [network for network in networks if not consent.allow(network)]
    if silent and mode == "off":
        say("You are not announced: discovery.mdns is off. `mau nearby --trust` trusts this network.")
    elif silent:
        names = ", ".join(network.name or network.interface for network in silent)
        say(f"You are not announced in {names}: `mau nearby --trust` trusts the networks of this machine.")
