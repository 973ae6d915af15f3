"""`mau doctor`: what is wrong around the tree, in words."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from mau.errors import AccountDamaged, ConfigError, NoAccount, PartlyDone, PassphraseNeeded
from mau_cli.context import Session
from mau_cli.output import clean, data, emit_json, say

if TYPE_CHECKING:
    from mau.account import Account
    from mau.config.settings import Config
    from mau.doctor.finding import Finding
    from mau.tree.layout import Root


@click.command("doctor", short_help="Say what is wrong around the tree, and what to do.")
@click.option("--no-passphrase", is_flag=True, help="Look at what can be looked at without it.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@click.pass_context
def command(context: click.Context, no_passphrase: bool, as_json: bool) -> None:
    """Say what is wrong with clock, permissions, disk, network, keys and system: why it matters, what to do.

    Nobody outside of this machine is asked anything. The exit code is 3 when something is wrong.
    """
    from mau.doctor.examining import examine

    root, config, problem = _settings(context)
    account, damage = (None, None) if no_passphrase or config is None else _account(context.obj)
    examined = examine(root, config, account)
    problem = problem or damage
    if problem is not None:
        examined.findings.insert(0, problem)
    if account is None and not os.path.lexists(root.account_file):
        if root.mau.is_dir() or root.authors():
            examined.findings.insert(0, _lost(root))
        else:
            examined.unchecked = [f"there is no account in {str(root.path)!r}; mau init makes one"]
    if as_json:
        emit_json(
            {
                "findings": [_facts(finding) for finding in examined.findings],
                "unchecked": examined.unchecked,
            }
        )
    else:
        for finding in examined.findings:
            data(f"{clean(finding.subject)}: {clean(finding.what)}", bold=True)
            data(f"  why it matters: {clean(finding.why)}")
            data(f"  what to do: {clean(finding.todo)}")
        for words in examined.unchecked:
            say(f"Not looked at: {clean(words)}")
        if not examined.findings:
            data("nothing that was looked at is wrong" if examined.unchecked else "nothing is wrong")
    if examined.findings:
        count = len(examined.findings)
        raise PartlyDone(f"{count} things are not as they should be" if count > 1 else "one thing is wrong")


def _settings(context: click.Context) -> tuple[Root, Config | None, Finding | None]:
    """The tree and the settings; when those cannot be read, the tree without them, and a finding."""
    from mau.doctor.finding import Finding
    from mau.tree.layout import Root

    session: Session = context.obj
    try:
        return session.root, session.config, None
    except ConfigError as error:
        problem = Finding(
            "settings",
            str(error),
            "no command works until it can be read",
            "mend the file by hand, or move it away; mau config path says where it is to lie",
        )
        return Root.find(context.find_root().params.get("directory")), None, problem


def _account(session: Session) -> tuple[Account | None, Finding | None]:
    """The account when it can be had without more ado; a passphrase that was given must be right."""
    from mau.doctor.finding import Finding

    try:
        return session.account(), None
    except (PassphraseNeeded, NoAccount):
        return None, None
    except AccountDamaged as error:
        why = "without it nothing can be read, signed or served"
        todo = "move it away, then mau restore FILE brings it back from a backup"
        return None, Finding("keys", str(error), why, todo)


def _lost(root: Root) -> Finding:
    """What `mau init` would not bring back: it makes somebody else."""
    from mau.doctor.finding import Finding

    return Finding(
        "keys",
        f"the account file is gone from {str(root.mau)!r}",
        "without it nothing can be read, signed or served, and nobody else has a copy",
        "mau restore FILE brings it back from a backup",
    )


def _facts(finding: Finding) -> dict[str, str]:
    return {
        "subject": finding.subject,
        "what": finding.what,
        "why": finding.why,
        "todo": finding.todo,
    }
