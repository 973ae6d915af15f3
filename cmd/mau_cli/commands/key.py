"""`mau key`: show, extend and revoke your own key."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mau.errors import UsageError
from mau_cli.closing import close_changed
from mau_cli.context import Session
from mau_cli.output import emit_json, say, table

if TYPE_CHECKING:
    from mau.openpgp import Certificate
    from mau.openpgp.lifetime import Reason

_MAX_READ = 1 << 20  # bytes of a revocation certificate
_YEARS = re.compile(r"(\d{1,3})y")
_YEAR = 365 * 86_400
_SOON = 30 * 86_400
_LAST_WORDS = "revoke my key"
_REASONS: dict[Reason, str] = {
    "superseded": "another key of yours takes its place",
    "retired": "you use it no longer",
    "compromised": "somebody else may have its secret: nothing that it ever signed is believed any more",
}


@click.group("key")
def command() -> None:
    """Show, extend and revoke your own key."""


# --- show --------------------------------------------------------------------------------------------------


@command.command("show")
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@click.pass_obj
def show(session: Session, as_json: bool) -> None:
    """Show your key: fingerprint, words, user ids, subkeys, what they may do, when they expire."""
    from mau.openpgp.keyparts import key_parts
    from mau_cli.people import moment, worded

    certificate = session.account().certificate
    parts = key_parts(certificate)
    if as_json:
        emit_json(
            {
                "fingerprint": certificate.fingerprint,
                "words": " ".join(certificate.fingerprint.words),
                "user_ids": list(certificate.user_ids),
                "revoked": certificate.revoked,
                "compromised": certificate.compromised,
                "expires": moment(certificate.expires),
                "keys": [
                    {
                        "fingerprint": part.fingerprint,
                        "algorithm": part.algorithm,
                        "created": moment(part.created),
                        "expires": moment(part.expires),
                        "capabilities": list(part.capabilities),
                        "revoked": part.revoked,
                    }
                    for part in parts
                ],
            }
        )
        return
    rows = [("fingerprint", certificate.fingerprint.hex)]
    rows += [("words" if at == 0 else "", line) for at, line in enumerate(worded(certificate.fingerprint))]
    rows += [("user id", user_id) for user_id in certificate.user_ids]
    for at, part in enumerate(parts):
        facts = [part.algorithm, ", ".join(part.capabilities), f"made {moment(part.created)}"]
        facts.append("revoked" if part.revoked else _lifetime(part.expires))
        rows.append(("key" if at == 0 else "subkey", "; ".join(filter(None, facts))))
    table(rows)
    _say_state(certificate)


def _lifetime(expires: int | None) -> str:
    from mau_cli.people import moment

    if expires is None:
        return "does not expire"
    return f"{'expired' if expires <= time.time() else 'expires'} {moment(expires)}"


def _say_state(certificate: Certificate) -> None:
    if certificate.revoked:
        say("This key is revoked: nothing new is signed with it.")
    elif certificate.expires is not None and certificate.expires < time.time() + _SOON:
        gone = certificate.expires <= time.time()
        say(f"It {'has expired' if gone else 'expires soon'}: `mau key extend --for 2y` gives it more time.")


# --- extend ------------------------------------------------------------------------------------------------


@command.command("extend")
@click.option("--for", "length", metavar="TIME", help="From now on: 2y, 90d.")
@click.option("--until", "date", metavar="DATE", help="Until the end of that day (UTC): 2030-12-31.")
@click.option("--never", is_flag=True, help="It does not expire any more.")
@click.pass_obj
def extend(session: Session, length: str | None, date: str | None, never: bool) -> None:
    """Let your key and its subkeys expire later (or sooner); 2 years from now when nothing is said.

    Friends learn of it within minutes of a contact. Nothing else about the key changes.
    """
    from mau.openpgp.lifetime import extended

    if sum((length is not None, date is not None, never)) > 1:
        raise UsageError("say only one of --for, --until, --never")
    until = None if never else _end_of(date) if date else int(time.time()) + _seconds(length or "2y")
    account = session.account()
    changed = account.change_key(session.passphrase(), lambda key: extended(key, until))
    say(
        f"Your key {_lifetime(changed.certificate.expires)}. Friends learn of it within minutes of a contact."
    )
    close_changed(session.root)


def _seconds(text: str) -> int:
    from mau.duration import parse_duration

    years = _YEARS.fullmatch(text.strip().lower())
    return int(years[1]) * _YEAR if years else parse_duration(text)


def _end_of(date: str) -> int:
    try:
        day = datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise UsageError(f"not a date such as 2030-12-31: {date!r:.40}") from None
    return int(day.timestamp()) + 86_399


# --- revoke ------------------------------------------------------------------------------------------------


@command.command("revoke")
@click.option("--reason", type=click.Choice(list(_REASONS)), help="Why; friends see it.")
@click.option(
    "--certificate",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Use the revocation certificate that `mau init` made; needs no passphrase.",
)
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.pass_obj
def revoke(session: Session, reason: Reason | None, certificate: Path | None, yes: bool) -> None:
    """Give up your key for ever. There is no way back, not from a backup either.

    Nothing new is signed with it: no posts, no edits. What you hold stays readable, and the revoked key is
    still served, for that is how friends learn of it.
    """
    if certificate is not None:
        if reason is not None:
            raise UsageError("a revocation certificate states its own reason")
        _revoke_by_certificate(session, certificate, yes=yes)
        return
    from mau.openpgp.lifetime import revoked

    account = session.account()
    reason = reason or _ask_reason(session)
    say(f"Why: {reason}, which means: {_REASONS[reason]}.")
    _ask_twice(session, account.certificate, yes=yes)
    account.change_key(session.passphrase(), lambda key: revoked(key, reason))
    close_changed(session.root)
    _say_revoked()


def _revoke_by_certificate(session: Session, file: Path, *, yes: bool) -> None:
    from mau.account import Account
    from mau.ownkey import read

    with file.open("rb") as stream:
        written = stream.read(_MAX_READ + 1)
    Account.require(session.root)
    own = read(session.root.certificate_file) or session.account().certificate
    Account.check_revocation(own, written)
    _ask_twice(session, own, yes=yes)
    Account.revoke_by_certificate(session.root, own, written)
    _say_revoked()


def _ask_reason(session: Session) -> Reason:
    if not session.interactive:
        raise UsageError("why? Say --reason superseded, retired or compromised")
    for word, meaning in _REASONS.items():
        say(f"  {word}: {meaning}")
    reason: Reason = click.prompt("Why", type=click.Choice(list(_REASONS)), err=True)
    return reason


def _ask_twice(session: Session, certificate: Certificate, *, yes: bool) -> None:
    from mau_cli.people import say_key

    say_key(certificate)
    if not session.confirm("Give up this key for ever?", yes=yes):
        raise click.Abort
    if yes:
        return
    typed = click.prompt(f"There is no way back. Type the words {_LAST_WORDS!r} to go on", err=True)
    if str(typed).strip().lower() != _LAST_WORDS:
        raise click.Abort


def _say_revoked() -> None:
    say("Your key is revoked. Friends learn of it within minutes, as long as you are served")
    say("(`mau serve`); to all others give what `mau export` writes.")
