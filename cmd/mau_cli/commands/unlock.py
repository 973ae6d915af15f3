"""`mau unlock`: check the passphrase, or let the system's keyring remember it."""

from __future__ import annotations

import click

from mau_cli.context import Session, naming_source
from mau_cli.output import say


@click.command("unlock")
@click.option("--remember", "keep", is_flag=True, help="Let the system's keyring remember the passphrase.")
@click.pass_obj
def command(session: Session, keep: bool) -> None:
    """Check the passphrase, or let the system's keyring remember it.

    With --remember no command asks for the passphrase any more while you are logged in, until `mau lock`.
    """
    from mau.account import Account
    from mau_cli.describe import who

    root = session.root
    Account.require(root)
    found = session.typed_passphrase()
    with naming_source(found):
        account = Account.open(root, found.text)
    if not keep:
        say(f"The passphrase opens the account of {who(account)}. It is not remembered: say --remember.")
        return

    from mau.remembered import remember

    keyring = remember(root, account.fingerprint, found.text)
    say(f"{keyring} remembers the passphrase of {who(account)} until `mau lock`.")
