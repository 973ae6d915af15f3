"""`mau restore`: what a backup holds, brought back."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mau.errors import AccountDamaged, PartlyDone
from mau_cli.context import Session
from mau_cli.output import clean, data, emit_json, say
from mau_cli.progress import Line

if TYPE_CHECKING:
    from mau.account import Account
    from mau.backup.archive import Archive
    from mau.backup.report import Outcome, Restored, What

SHOWN = 20
_WORDS: dict[What, str] = {
    "back": "back",
    "newer": "newer than what was held",
    "version": "older, kept as versions",
    "aside": "put beside others of their name",
    "same": "held already",
    "kept": "not taken, for what is held counts",
    "refused": "refused",
}


@click.command("restore", short_help="Bring back what a backup holds.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would become of each file.")
@click.option("--json", "as_json", is_flag=True, help="Print what became of each file as JSON.")
@click.pass_obj
def command(session: Session, file: Path, dry_run: bool, as_json: bool) -> None:
    """Bring back what FILE holds: an archive of `mau backup`, or of `tar` over the directory.

    Into an empty directory, the account comes first; its passphrase is asked for. In a tree that lives,
    nothing newer is replaced: what is older becomes a version. Every file is checked; what does not hold is
    refused and named, and stays in FILE. To do it again does no harm.
    """
    from mau.backup.archive import open_archive
    from mau.backup.report import Restored
    from mau.backup.restoring import restore

    restored = Restored()
    with file.open("rb") as opened:
        archive = open_archive(opened, restored)
        account, fresh = _account(session, archive, dry_run=dry_run)
        try:
            with Line() as line:
                restore(
                    account,
                    archive,
                    restored,
                    passphrase=_passphrase(session),
                    fresh=fresh,
                    dry_run=dry_run,
                    progress=lambda done, total: line.show(f"{done}/{total} files"),
                )
        finally:
            _tell(account, restored, dry_run=dry_run, as_json=as_json)
    refused = restored.count("refused")
    if refused or restored.problems:
        raise PartlyDone(
            f"not everything came back ({refused} files)" if refused else "something is left to do"
        )


def _account(session: Session, archive: Archive, *, dry_run: bool) -> tuple[Account, bool]:
    """The account of the tree, or, where there is none, the one that the archive brings."""
    from mau.backup.restoring import restore_account
    from mau_cli.context import naming_source

    if archive.account is None or os.path.lexists(session.root.account_file):
        try:
            return session.account(), False
        except AccountDamaged as error:
            place = str(session.root.account_file)
            raise AccountDamaged(f"{error}: move {place!r} away, then do this again") from None
    found = session.typed_passphrase()
    with naming_source(found):
        account = restore_account(session.root, archive, found.text, dry_run=dry_run)
    if not dry_run:
        say(f"The account of {clean(account.name)} ({account.fingerprint}) is here now.")
    return account, True


def _passphrase(session: Session) -> str | None:
    """The passphrase if it was needed until now: nobody is asked for it once more."""
    found = vars(session).get("found_passphrase")
    return None if found is None else found.text


def _tell(account: Account, restored: Restored, *, dry_run: bool, as_json: bool) -> None:
    counts = Counter(one.what for one in restored.outcomes)
    if as_json:
        emit_json(
            {
                "account": account.fingerprint,
                "dry_run": dry_run,
                "counts": {what: counts[what] for what in _WORDS},
                "derived": restored.derived,
                "deletes_withdrawn": restored.withdrawn,
                "files": [
                    {"path": one.path, "what": one.what, "words": one.words or None}
                    for one in restored.outcomes
                    if one.what != "same"
                ],
                "problems": restored.problems,
            }
        )
        return
    for what in reversed(_WORDS):
        if what != "same":
            _list([one for one in restored.outcomes if one.what == what], always=dry_run)
    if restored.withdrawn:
        say(f"  {restored.withdrawn} deletes of yours were taken back: what they deleted is published again")
    for words in restored.problems:
        say(f"  {clean(words)}")
    parts = [f"{counts[what]} {words}" for what, words in _WORDS.items() if counts[what]]
    data(("would be: " if dry_run else "") + (", ".join(parts) or "nothing to restore"))


def _list(outcomes: list[Outcome], *, always: bool) -> None:
    shown = [one for one in outcomes if always or one.what in ("refused", "kept", "aside")]
    for one in shown[:SHOWN]:
        say(f"  {one.what}: {clean(one.path)[:200]}" + (f": {clean(one.words)}" if one.words else ""))
    if len(shown) > SHOWN:
        say(f"  {shown[0].what}: {len(shown) - SHOWN} more; --json lists them all")
