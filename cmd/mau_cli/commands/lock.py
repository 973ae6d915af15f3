"""`mau lock`: close the account again, and let the system's keyring forget the passphrase."""

from __future__ import annotations

import click

from mau_cli.context import Session
from mau_cli.output import say


@click.command("lock")
@click.option("--all", "everything", is_flag=True, help="Close the accounts of all other directories, too.")
@click.pass_obj
def command(session: Session, everything: bool) -> None:
    """Close the account again: neither the agent nor the system's keyring opens it any more.

    What is running (`mau serve`, `mau up`) goes on: it has the key already.
    """
    from mau.account import Account
    from mau.agent.client import forget as close
    from mau.remembered import forget

    closed = close(None if everything else session.root)
    if not everything:
        Account.require(session.root)
    forgotten = forget(session.root)
    if closed > 1:
        say(f"{closed} accounts are closed.")
    elif closed:
        say("The account is closed.")
    if forgotten:
        say("The system's keyring no longer remembers the passphrase.")
    if not closed and not forgotten:
        say("The account was not kept open, and the system's keyring was not remembering the passphrase.")
