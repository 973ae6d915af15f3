"""`mau fsck`: everything in the tree, looked at and mended."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from mau.errors import AccountDamaged, MauError, NoAccount, PartlyDone, PassphraseNeeded
from mau_cli.context import Session
from mau_cli.output import clean, data, emit_json, say, table
from mau_cli.progress import Line

if TYPE_CHECKING:
    from mau.account import Account
    from mau.fsck.checking import Checked
    from mau.fsck.finding import Finding, Kind
    from mau.tree.index import Index

SHOWN = 20


@click.command("fsck", short_help="Check every file, and mend what can be mended.")
@click.option("--repair", is_flag=True, help="Ask for each kind of damage whether to mend it.")
@click.option("--yes", is_flag=True, help="With --repair: mend all of it without asking.")
@click.option("--no-passphrase", is_flag=True, help="Check what can be checked without it.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@click.pass_obj
def command(session: Session, repair: bool, yes: bool, no_passphrase: bool, as_json: bool) -> None:
    """Check every file's name, structure, signature and sum, and what lies about; nothing is deleted.

    Without the passphrase, only what needs none. The exit code is 3 when something was found and is so still.
    """
    from mau.fsck.checking import check

    account, damage, why = (None, None, "") if no_passphrase else _account(session)
    with _index(session) as index, Line() as line:
        checked = check(
            session.root,
            account,
            index=index,
            progress=lambda done, total: line.show(f"{done}/{total} files"),
        )
    if damage is not None:
        checked.findings.insert(0, damage)
    if why:
        checked.unchecked.append(why)
    if index is None:
        checked.unchecked.append("the sums of the index: it cannot be opened")
    mended: dict[Finding, str] = {}
    if not as_json:
        _tell(checked)
    if repair:
        mended = _mend(session, account, checked, yes=yes)
    if as_json:
        emit_json(_as_json(checked, mended))
    left = len(checked.findings) - len(mended)
    if left:
        raise PartlyDone(f"{left} findings" if left > 1 else "1 finding")


def _account(session: Session) -> tuple[Account | None, Finding | None, str]:
    """The account when it can be had; else a finding, or why not. One that was given must be right."""
    from mau.fsck.finding import Finding

    try:
        return session.account(), None, ""
    except AccountDamaged as error:
        path = str(session.root.account_file.relative_to(session.root.path))
        return None, Finding("account", path, str(error)), ""
    except PassphraseNeeded as error:
        return None, None, str(error)
    except NoAccount:  # a tree without one is a finding, and what is none is said by the check
        return None, None, ""


@contextlib.contextmanager
def _index(session: Session) -> Iterator[Index | None]:
    import sqlite3

    from mau.catalogue import open_index

    if not session.root.mau.is_dir():  # nothing is made where no tree is
        yield None
        return
    try:
        opened = open_index(session.root)
    except (OSError, sqlite3.Error):
        yield None
        return
    try:
        yield opened
    finally:
        opened.close()


def _tell(checked: Checked) -> None:
    from mau.fsck.finding import KINDS, counted

    for kind in counted(checked.findings):
        say(f"{KINDS[kind].title[:1].upper()}{KINDS[kind].title[1:]}:", bold=True)
        found = [finding for finding in checked.findings if finding.kind == kind]
        for finding in found[:SHOWN]:
            say(f"  {clean(finding.path)[:200]}: {clean(finding.words)}")
        if len(found) > SHOWN:
            say(f"  and {len(found) - SHOWN} more; --json lists them all")
        say(f"  -> {KINDS[kind].advice}")
    for words in checked.unchecked:
        say(f"Not checked: {clean(words)}")
    counts = counted(checked.findings)
    table([(kind, count) for kind, count in counts.items()], ("kind", "found"))
    if not counts:
        data(f"{checked.posts} files checked, nothing found")


def _mend(session: Session, account: Account | None, checked: Checked, *, yes: bool) -> dict[Finding, str]:
    """Ask once for each kind, then mend; what was done about which."""
    from mau.fsck.finding import KINDS, counted
    from mau.fsck.posts import Opener
    from mau.fsck.repairing import repair
    from mau.keyring import Keyring

    done: dict[Finding, str] = {}
    opener = None if account is None else Opener(account, Keyring.load(account, suspect=True))
    with _index(session) as index:
        for kind, count in counted(checked.findings).items():
            question = KINDS[kind].repair
            if not question or not session.confirm(f"{count} x {kind}: {question}", yes=yes):
                continue
            for finding in _of(checked, kind):
                try:
                    words = repair(session.root, finding, opener, index)
                except (MauError, OSError) as error:
                    say(f"  not mended: {clean(finding.path)[:200]}: {clean(str(error))}")
                    continue
                done[finding] = words
                say(f"  mended: {clean(finding.path)[:200]}: {clean(words)}")
    return done


def _of(checked: Checked, kind: Kind) -> list[Finding]:
    return [finding for finding in checked.findings if finding.kind == kind]


def _as_json(checked: Checked, mended: dict[Finding, str]) -> dict[str, object]:
    from mau.fsck.finding import KINDS, counted

    return {
        "files": checked.posts,
        "counts": counted(checked.findings),
        "unchecked": checked.unchecked,
        "findings": [
            {
                "kind": finding.kind,
                "path": finding.path,
                "words": finding.words,
                "advice": KINDS[finding.kind].advice,
                "mended": mended.get(finding),
            }
            for finding in checked.findings
        ],
    }
