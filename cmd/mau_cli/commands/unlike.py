"""`mau unlike`: taking a like or a dislike back."""

from __future__ import annotations

import click

from mau_cli.context import Session
from mau_cli.output import say


@click.command("unlike")
@click.argument("ref")
@click.option("--json", "as_json", is_flag=True, help="Show what was withdrawn as JSON.")
@click.pass_obj
def command(session: Session, ref: str, as_json: bool) -> None:
    """Withdraw what you said of the post REF with `mau like` or `mau dislike`.

    It is deleted, and those who could read it are told. The post itself need not be held any more.
    """
    from mau_cli.acting import OPINIONS, mine, tell_names, withdraw
    from mau_cli.posts import resolve_address

    keyring = session.keyring()
    given = mine(session, keyring, resolve_address(session, keyring, ref), OPINIONS)
    withdraw(session, keyring, given)
    if not given:
        say("You said nothing of it.")
    tell_names(keyring, given, as_json=as_json)
