"""`mau passphrase`: change the passphrase."""

from __future__ import annotations

from pathlib import Path

import click

from mau.errors import PassphraseError
from mau_cli.closing import close_changed
from mau_cli.context import Session, naming_source
from mau_cli.output import say


@click.command("passphrase")
@click.option(
    "--new-passphrase-file",
    type=click.Path(path_type=Path),
    help="Read the new passphrase from the first line of this file.",
)
@click.pass_obj
def command(session: Session, new_passphrase_file: Path | None) -> None:
    """Change the passphrase.

    The old one is asked for even where the system's keyring remembers it. The key stays the same; a backup
    of the old account file still opens with the old passphrase.
    """
    from mau.account import Account
    from mau.remembered import forget, is_remembered, remember

    root = session.root
    Account.require(root)
    old = session.typed_passphrase()
    with naming_source(old):
        account = Account.open(root, old.text)
    new = session.replacing_passphrase(new_passphrase_file)
    account.change_passphrase(old.text, new)
    say(f"The passphrase of {str(root.path)!r} is changed. Older backups still open with the old one.")
    close_changed(root)
    if is_remembered(root):
        try:
            say(f"{remember(root, account.fingerprint, new)} remembers the new one.")
        except PassphraseError:
            forget(root)
            raise
