"""`mau lock`: close the account again, and let the system's keyring forget the passphrase."""

from __future__ import annotations

import os

import click

from mau.errors import AgentError
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
    from mau.agent.place import VARIABLE
    from mau.remembered import forget

    closed, problem = 0, None
    try:
        closed = close(None if everything else session.root)
    except AgentError as error:  # the system's keyring has to forget all the same
        problem = error
    if not everything:
        Account.require(session.root)
    forgotten = forget(session.root)
    if closed > 1:
        say(f"{closed} accounts are closed.")
    elif closed:
        say("The account is closed.")
    if forgotten:
        say("The system's keyring no longer remembers the passphrase.")
    if problem is not None:
        raise problem
    if not closed and not forgotten:
        say("The account was not kept open, and the system's keyring was not remembering the passphrase.")
        if not os.environ.get(VARIABLE):
            say(f"{VARIABLE} is not set here, so an agent of another session of yours was not asked.")
