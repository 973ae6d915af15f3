"""`mau lock`: let the system's keyring forget the passphrase."""

from __future__ import annotations

import click

from mau_cli.context import Session
from mau_cli.output import say


@click.command("lock")
@click.pass_obj
def command(session: Session) -> None:
    """Let the system's keyring forget the passphrase."""
    from mau.account import Account
    from mau.remembered import forget

    Account.require(session.root)
    if forget(session.root):
        say("The system's keyring no longer remembers the passphrase.")
    else:
        say("The system's keyring was not remembering the passphrase.")
