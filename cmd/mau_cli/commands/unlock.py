"""`mau unlock`: keep the account open for a while, or let the system's keyring remember the passphrase."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mau.errors import TreeChanged, UsageError
from mau_cli.context import Session, naming_source
from mau_cli.output import emit_json, say, table

if TYPE_CHECKING:
    from mau.account import Account

_DEFAULT = "8h"


@click.command("unlock")
@click.option(
    "--for",
    "length",
    metavar="TIME",
    help=f"Keep the account open for so long: 30m, 8h, 2d. [default: {_DEFAULT}]",
)
@click.option("--remember", is_flag=True, help="Let the system's keyring remember the passphrase.")
@click.option("--check", is_flag=True, help="Only check the passphrase.")
@click.option("--status", is_flag=True, help="Show which accounts are open, and for how long.")
@click.option("--json", "as_json", is_flag=True, help="With --status: as JSON.")
@click.pass_obj
def command(
    session: Session, length: str | None, remember: bool, check: bool, status: bool, as_json: bool
) -> None:
    """Keep the account open, so that no command asks for the passphrase.

    An agent, a process of its own, holds the unlocked key in memory for 8 hours, or as long as --for says,
    until `mau lock`, or until you log out. Every program that runs as you can get the key from it meanwhile.

    With --remember the system's keyring gives the passphrase instead, until `mau lock`.
    """
    if (remember or length is not None) + check + status > 1:
        raise UsageError("--status and --check go with nothing else")
    if status:
        _show(as_json)
        return
    from mau.agent.process import MAX_SECONDS
    from mau.duration import duration_words, parse_duration
    from mau_cli.describe import who

    seconds = parse_duration(length or _DEFAULT)
    if seconds > MAX_SECONDS:
        raise UsageError(f"an account is kept open for {duration_words(MAX_SECONDS)} at most")
    account, passphrase, digest = _opened(session)
    if check:
        say(f"The passphrase opens the account of {who(account)}.")
        return
    if remember:
        from mau.remembered import remember as put

        keyring = put(session.root, account.fingerprint, passphrase)
        say(f"{keyring} remembers the passphrase of {who(account)} until `mau lock`.")
    if length is not None or not remember:
        _keep(account, digest, seconds)


def _opened(session: Session) -> tuple[Account, str, str]:
    """The account, its passphrase, and the digest of the account file that it opened."""
    from mau.account import Account
    from mau.agent.client import account_digest

    Account.require(session.root)
    found = session.typed_passphrase()
    digest = account_digest(session.root)
    with naming_source(found):
        account = Account.open(session.root, found.text)
    if account_digest(session.root) != digest:
        raise TreeChanged("the account file was changed meanwhile; try again")
    return account, found.text, digest


def _keep(account: Account, digest: str, seconds: int) -> None:
    from mau.agent.client import keep_open
    from mau.duration import duration_words
    from mau_cli.describe import who

    kept = keep_open(account, digest, seconds)
    say(f"The account of {who(account)} is open for {duration_words(seconds)}; `mau lock` closes it.")
    if not kept.locked:
        say("The system keeps no memory out of its swap space for it: the key may be written to the disk.")


def _show(as_json: bool) -> None:
    from mau.agent.client import kept
    from mau.duration import duration_words

    found = kept()
    if as_json:
        emit_json(
            [
                {
                    "fingerprint": one.fingerprint,
                    "dir": str(one.tree),
                    "seconds": one.seconds,
                    "in_locked_memory": one.locked,
                }
                for one in found
            ]
        )
        return
    if not found:
        say("No account is kept open.")
    table(
        [(one.fingerprint, duration_words(one.seconds), one.tree) for one in found],
        ("fingerprint", "open for", "directory"),
    )
