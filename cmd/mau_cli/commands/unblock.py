"""`mau unblock`: the end of a block."""

from __future__ import annotations

import click

from mau_cli.context import Session
from mau_cli.output import clean, say


@click.command("unblock")
@click.argument("who")
@click.pass_obj
def command(session: Session, who: str) -> None:
    """Refuse WHO no longer: who was a friend before is one as before."""
    from mau.marks import subject as subjects
    from mau_cli.audience import called
    from mau_cli.marking import loaded_marks
    from mau_cli.people import suspect_keyring

    keyring = suspect_keyring(session)
    fingerprint = keyring.resolve_fingerprint(who)
    changed = loaded_marks(session).decide("block", subjects.person(fingerprint), on=False)
    name = clean(called(keyring, fingerprint))
    say(f"{name} is not blocked any more." if changed else f"{name} is not blocked.")
