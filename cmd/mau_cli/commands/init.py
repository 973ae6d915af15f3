"""`mau init`: make an account, or take over a key from GnuPG as one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mau.errors import PassphraseNeeded, UsageError, WrongPassphrase
from mau_cli.context import Session, ask_secret
from mau_cli.discovering import ask_ways, read_ways, switch_on
from mau_cli.output import data, emit_json, say

if TYPE_CHECKING:
    from mau.account import Account
    from mau.openpgp import SecretKey

# The room that reads keys says precisely what is too large; this only bounds what is read.
_MAX_READ = 16 * 1024 * 1024


@click.command("init")
@click.option("--name", help="Your name, as friends will see it.")
@click.option("--email", help="Your e-mail address; nothing is sent there.")
@click.option("--rsa", is_flag=True, help="Make an RSA key of 4096 bits instead of an Ed25519 key.")
@click.option(
    "--import",
    "keyfile",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    metavar="KEYFILE",
    help="Take over a secret key that GnuPG exported (- reads it from standard input).",
)
@click.option(
    "--import-passphrase-file",
    type=click.Path(path_type=Path),
    help="Read the passphrase of that key from the first line of this file.",
)
@click.option(
    "--discover",
    callback=read_ways,
    metavar="WAYS",
    help="How to find friends: lan, lookup, router, or several of them with commas; none asks nothing.",
)
@click.option("--json", "as_json", is_flag=True, help="Say what was made as JSON.")
@click.pass_obj
def command(
    session: Session,
    name: str | None,
    email: str | None,
    rsa: bool,
    keyfile: Path | None,
    import_passphrase_file: Path | None,
    discover: tuple[str, ...] | None,
    as_json: bool,
) -> None:
    """Make an account.

    The secret key is locked with a passphrase that nobody can reset. The fingerprint of the new account goes
    to standard output. A revocation certificate is made too: keep it apart from this machine.

    On a terminal it asks how friends are to be found, unless --discover says it; elsewhere nothing is
    announced or looked up until the settings say so.
    """
    if keyfile is not None and (name is not None or email is not None or rsa):
        raise click.UsageError("--import brings name, e-mail address and key with it.")
    if keyfile is None and import_passphrase_file is not None:
        raise click.UsageError("--import-passphrase-file goes with --import.")

    from mau.account import Account

    Account.require_none(session.root)
    if keyfile is not None:
        key = _imported(session, keyfile, import_passphrase_file)
        passphrase = session.new_passphrase()
    else:
        from mau.userid import check_email, check_name

        name = _asked(session, "--name", "Your name", name, check_name)
        email = _asked(session, "--email", "Your e-mail address", email, check_email)
        passphrase = session.new_passphrase()
        key = _generated(name, email, rsa)
    _tell(Account.create(session.root, key, passphrase), as_json)
    switch_on(session, ask_ways(session) if discover is None else discover)


def _tell(account: Account, as_json: bool) -> None:
    from mau_cli.describe import account_facts, who

    if as_json:
        emit_json({**account_facts(account), "revocation_certificate": str(account.revocation_file)})
    else:
        say(f"This is now the account of {who(account)}, in {str(account.root.path)!r}. Its fingerprint:")
        data(account.fingerprint.hex)
    say(
        f"Its revocation certificate is in {str(account.revocation_file)!r}:\n"
        f"print it, or move it to a disk apart from this machine. Nobody can reset the passphrase,\n"
        f"and nobody else has a copy of the account."
    )


def _generated(name: str, email: str, rsa: bool) -> SecretKey:
    from mau.openpgp import SecretKey

    if rsa:
        say("Making two RSA keys of 4096 bits; that takes some seconds.")
    return SecretKey.generate(name, email, rsa=rsa)


def _imported(session: Session, keyfile: Path, passphrase_file: Path | None) -> SecretKey:
    from mau.openpgp import SecretKey

    content = _read(keyfile)
    if passphrase_file is not None:
        from mau.passphrase import read_passphrase_file

        try:
            return SecretKey.import_key(content, read_passphrase_file(passphrase_file, warn=say))
        except WrongPassphrase:
            raise WrongPassphrase(
                f"the passphrase in the file {str(passphrase_file)!r} does not open the key to import"
            ) from None
    try:
        return SecretKey.import_key(content, None)
    except WrongPassphrase:
        if not session.can_ask_secret:
            raise PassphraseNeeded(
                "the key to import has a passphrase of its own: use --import-passphrase-file"
            ) from None
    return SecretKey.import_key(content, ask_secret("Passphrase of the key to import"))


def _read(keyfile: Path) -> bytes:
    if str(keyfile) == "-":
        return sys.stdin.buffer.read(_MAX_READ)
    with keyfile.open("rb") as stream:
        return stream.read(_MAX_READ)


def _asked(session: Session, option: str, words: str, given: str | None, check: Callable[[str], str]) -> str:
    """Take what was given, or ask until it fits."""
    if given is not None:
        return check(given)
    if not session.interactive:
        raise UsageError(f"{option} is needed: there is no terminal to ask on")

    def proven(text: str) -> str:
        try:
            return check(text)
        except UsageError as error:
            raise click.UsageError(str(error)) from None

    return str(click.prompt(words, value_proc=proven, err=True))
