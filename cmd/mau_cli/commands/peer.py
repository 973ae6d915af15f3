"""`mau peer`: where people are, as far as is known, and what you know better."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from mau.errors import UsageError
from mau_cli.context import Session
from mau_cli.output import emit_json, say, table

if TYPE_CHECKING:
    from mau.addressbook import AddressBook, KnownAddress
    from mau.fingerprint import Fingerprint
    from mau.hostport import Address
    from mau.keyring import Keyring


@click.group("peer")
def command() -> None:
    """Show where people are, and say so by hand.

    Who is at an address is proven each time anew: a wrong one costs a connection and nothing else.
    """


@command.command("list")
@click.argument("who", required=False)
@click.option("--all", "everybody", is_flag=True, help="Strangers too: nodes of the lookup network.")
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@click.pass_obj
def list_(session: Session, who: str | None, everybody: bool, as_json: bool) -> None:
    """List the addresses of WHO, or of everybody whom you follow or know; the best stand first."""
    from mau.addressbook import AddressBook
    from mau_cli.people import suspect_keyring

    keyring = suspect_keyring(session)
    book = AddressBook(session.root)
    try:
        book.take_given(session.config.given())
        if who is not None:
            people = [_person(keyring, who)]
        else:
            people = _people(session, keyring, book, everybody)
        found = [(one, book.known(one), book.route(one)) for one in people]
    finally:
        book.close()
    found = [one for one in found if one[1] or one[2]]
    if as_json:
        emit_json([_facts(keyring, *one) for one in found])
        return
    rows = [row for person, lines, relays in found for row in _rows(keyring, person, lines, relays)]
    table(rows, ("who", "address", "source", "first proven", "last proven", "failures"))
    if not found:
        say("No address is known." if who is None else "No address of them is known.")


@command.command("add")
@click.argument("who")
@click.argument("address", nargs=-1, required=True, metavar="HOST:PORT...")
@click.pass_obj
def add(session: Session, who: str, address: tuple[str, ...]) -> None:
    """Say that WHO can be reached at HOST:PORT. It is written into the settings, as peer.FPR."""
    from mau.addressbook import AddressBook
    from mau.config.editing import put
    from mau.config.keys import peer_at
    from mau.config.reading import check
    from mau.hostport import format_address, parse_address
    from mau_cli.people import suspect_keyring

    new = [parse_address(one) for one in address]
    keyring = suspect_keyring(session)
    person = _person(keyring, who)
    key, path = peer_at(person), session.config.path
    held = session.config.file.get(key.name, ())
    put(path, key, check(key, ", ".join(map(format_address, dict.fromkeys([*held, *new])))))
    book = AddressBook(session.root)
    try:
        for host, port in new:
            book.told(person, host, port, source="given")
    finally:
        book.close()
    say(f"{_label(keyring, person)}: {', '.join(map(format_address, new))} is set in {str(path)!r}.")
    if key.name in session.config.environment:
        say(f"{key.variable} is set in the environment, and wins over it here.")


@command.command("forget")
@click.argument("who")
@click.argument("address", required=False, metavar="[HOST:PORT]")
@click.pass_obj
def forget(session: Session, who: str, address: str | None) -> None:
    """Strike HOST:PORT, or every address of WHO, in the settings and in the address book.

    Where it was heard, it may be heard again.
    """
    from mau.addressbook import AddressBook
    from mau.hostport import format_address, parse_address
    from mau_cli.people import suspect_keyring

    which = None if address is None else parse_address(address)
    keyring = suspect_keyring(session)
    person = _person(keyring, who)
    book = AddressBook(session.root)
    try:
        known = {(one.host, one.port) for one in book.known(person)}
        by_hand = _forget_given(session, person, which)
        if which is None:
            book.forget(person)
        else:
            book.forget(person, *which)
    finally:
        book.close()
    gone = sorted((known | by_hand) if which is None else {which} & (known | by_hand))
    label = _label(keyring, person)
    if gone:
        say(f"{label}: {', '.join(map(format_address, gone))} is forgotten.")
    else:
        say(f"{label} is known at no such address." if which else f"No address of {label} is known.")


def _forget_given(session: Session, person: Fingerprint, which: Address | None) -> set[Address]:
    """Take what was given by hand out of the settings; what was taken out."""
    from mau.config.editing import put, take
    from mau.config.keys import peer_at

    key, path = peer_at(person), session.config.path
    if key.name in session.config.environment:
        raise UsageError(f"{key.variable} is set in the environment, and says where they are; unset it")
    held = session.config.file.get(key.name, ())
    stays = tuple(one for one in held if which is not None and one != which)
    if stays == held:
        return set()
    if stays:
        put(path, key, stays)
    else:
        take(path, key.name)
    return set(held) - set(stays)


def _person(keyring: Keyring, word: str) -> Fingerprint:
    person = keyring.resolve_fingerprint(word)
    if person == keyring.me.fingerprint:
        raise UsageError("that is you; where you are reached is the setting reach.addresses")
    return person


def _people(session: Session, keyring: Keyring, book: AddressBook, everybody: bool) -> list[Fingerprint]:
    """Whose addresses are shown: by name, strangers last."""
    near = {*session.root.follows(keyring.me.fingerprint), *session.config.given()}
    near |= {person.fingerprint for person in keyring.people()}
    if everybody:
        near |= {line.fingerprint for line in book.known()}
    near.discard(keyring.me.fingerprint)

    def key(one: Fingerprint) -> tuple[bool, str, Fingerprint]:
        person = keyring.person(one)
        name = person.local_name if person else ""
        return not name, name.casefold(), one

    return sorted(near, key=key)


def _label(keyring: Keyring, person: Fingerprint) -> str:
    held = keyring.person(person)
    return held.local_name if held is not None and held.local_name else person.hex


def _rows(
    keyring: Keyring, person: Fingerprint, lines: list[KnownAddress], relays: list[Fingerprint]
) -> list[tuple[str, ...]]:
    from mau.addressbook import format_address, waits
    from mau_cli.people import moment

    label, now = _label(keyring, person), time.time()
    rows: list[tuple[str, ...]] = []
    for line in lines:
        failures = str(line.failures or "")
        if line.fleeting and waits(line.failures, line.last_failed, now):
            failures += ", waits"
        proofs = (moment(line.first_proven) or "never", moment(line.last_proven) or "never")
        rows.append((label, format_address((line.host, line.port)), line.source, *proofs, failures))
    rows += [(label, f"through {_label(keyring, relay)}", "", "", "", "") for relay in relays]
    return rows


def _facts(
    keyring: Keyring, person: Fingerprint, lines: list[KnownAddress], relays: list[Fingerprint]
) -> dict[str, Any]:
    from mau.addressbook import format_address, waits
    from mau_cli.people import moment

    held, now = keyring.person(person), time.time()
    return {
        "fingerprint": person,
        "name": (held.local_name or None) if held is not None else None,
        "addresses": [
            {
                "address": format_address((line.host, line.port)),
                "source": line.source,
                "first_heard": moment(line.first_heard),
                "first_proven": moment(line.first_proven),
                "last_proven": moment(line.last_proven),
                "last_tried": moment(line.last_tried),
                "last_failed": moment(line.last_failed),
                "failures": line.failures,
                "waits": line.fleeting and waits(line.failures, line.last_failed, now),
                "kademlia": moment(line.kad),
            }
            for line in lines
        ],
        "relays": relays,
    }
