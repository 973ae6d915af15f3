"""`mau bookmark`: posts to find again, noted for oneself alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from mau.errors import UsageError
from mau_cli.context import Session
from mau_cli.output import clean, data, emit_json, say

if TYPE_CHECKING:
    from mau.content.address import Address
    from mau.keyring import Keyring
    from mau.reader.reading import Reading
    from mau.reader.summary import Summary


@click.command("bookmark")
@click.argument("ref", required=False)
@click.option("--list", "listed", is_flag=True, help="Show what you noted, the newest first.")
@click.option("--remove", is_flag=True, help="Remove what you noted of REF.")
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@click.pass_obj
def command(session: Session, ref: str | None, listed: bool, remove: bool, as_json: bool) -> None:
    """Note the post REF, to find it again. Nobody else is shown that."""
    if (ref is None) != listed or (listed and remove):
        raise UsageError("which post? Say REF, or --list for those that you noted")
    if ref is None:
        _list(session, as_json=as_json)
    elif remove:
        _remove(session, ref, as_json=as_json)
    else:
        _note(session, ref, as_json=as_json)


def _note(session: Session, ref: str, *, as_json: bool) -> None:
    from mau.conversation.compose import action
    from mau.publish import choose_name, publish_document
    from mau_cli.acting import mine, tell_names
    from mau_cli.deriving import find_original
    from mau_cli.published import tell

    account, keyring = session.account(), session.keyring()
    original = find_original(session, keyring, ref)
    noted = mine(session, keyring, original.reference.address, {"bookmark"})
    if noted:
        say("You noted it before.")
        tell_names(keyring, noted[:1], as_json=as_json)
        return
    now, alone = datetime.now(UTC), frozenset({account.fingerprint})
    document = action(account.fingerprint, "BookmarkAction", original.reference, now)
    name = choose_name(account, alone, suffix=".json", now=now)
    tell(keyring, publish_document(account, keyring, document, name, alone), as_json=as_json)


def _remove(session: Session, ref: str, *, as_json: bool) -> None:
    from mau_cli.acting import mine, tell_names, withdraw
    from mau_cli.posts import resolve_address

    keyring = session.keyring()
    noted = mine(session, keyring, resolve_address(session, keyring, ref), {"bookmark"})
    withdraw(session, keyring, noted)
    if not noted:
        say("You have not noted it.")
    tell_names(keyring, noted, as_json=as_json)


def _list(session: Session, *, as_json: bool) -> None:
    from mau.reader.reading import Reading
    from mau_cli.people import moment, suspect_keyring

    keyring = suspect_keyring(session)
    with Reading(session.account(), keyring) as reading:
        reading.refresh()
        noted = [one for one in reading.newest([keyring.me.fingerprint]) if one.links.act == "bookmark"]
        marks = [
            (one, target.address, _held(reading, target.address))
            for one in noted
            for target in one.links.objects
        ]
    if as_json:
        emit_json(
            [
                {
                    "name": one.name,
                    "noted": moment(one.time),
                    "address": str(address),
                    "held": held is not None,
                }
                for one, address, held in marks
            ]
        )
        return
    for one, address, held in marks:
        data(_words(keyring, one, address, held))
    if not marks:
        say("You have noted nothing.")


def _held(reading: Reading, address: Address) -> Summary | None:
    return None if address.name is None else reading.get(address.author, address.name)


def _words(keyring: Keyring, mark: Summary, address: Address, held: Summary | None) -> str:
    from mau_cli.posts import local_time, ref_words

    ref = ref_words(keyring, address.author, address.name or "")
    text = " ".join((held.words if held is not None else "not held any more").split())
    return f"{local_time(mark.time)}  {clean(ref)}  {clean(text[:80])}"
