"""`mau whoami`: whose account this is."""

from __future__ import annotations

import click

from mau_cli.context import Session
from mau_cli.output import emit_json, table


@click.command("whoami")
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@click.pass_obj
def command(session: Session, as_json: bool) -> None:
    """Show whose account this is.

    It asks for the passphrase: what stands in the open could have been put there by another program, and the
    fingerprint is what friends will trust.
    """
    from mau_cli.describe import account_facts

    facts = account_facts(session.account())
    if as_json:
        emit_json(facts)
    else:
        table(list(facts.items()))
