"""`mau follows`: whose posts are fetched and shown."""

from __future__ import annotations

import click

from mau_cli.context import Session
from mau_cli.output import emit_json, say, table


@click.command("follows")
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@click.pass_obj
def command(session: Session, as_json: bool) -> None:
    """List whom you follow, and what on the web."""
    from mau_cli.people import suspect_keyring
    from mau_cli.webfollowing import sources_of

    keyring = suspect_keyring(session)
    people = [(fpr, keyring.person(fpr)) for fpr in session.root.follows(keyring.me.fingerprint)]
    people.sort(
        key=lambda one: (
            not (one[1] and one[1].local_name),
            one[1].label.casefold() if one[1] else "",
            one[0],
        )
    )
    sources = sources_of(session)
    if as_json:
        emit_json(
            [
                {
                    "fingerprint": fingerprint,
                    "name": (person.local_name or None) if person else None,
                    "status": person.status if person else None,
                }
                for fingerprint, person in people
            ]
            + [{"url": one.url, "name": one.name or None, "status": "web"} for one in sources]
        )
        return
    rows = [
        (person.local_name if person else "", fpr, person.status if person else "no key")
        for fpr, person in people
    ]
    table([*rows, *((one.name, one.url, "web") for one in sources)], ("name", "fingerprint", "status"))
    if not people and not sources:
        say("You follow nobody; `mau follow WHO` does.")
