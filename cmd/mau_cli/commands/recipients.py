"""`mau recipients`: who can read a post, and for whom its author meant it."""

from __future__ import annotations

import click

from mau.errors import PostError
from mau_cli.context import Session
from mau_cli.output import emit_json, say, table


@click.command("recipients")
@click.argument("who")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@click.pass_obj
def command(session: Session, who: str, name: str | None, as_json: bool) -> None:
    """Show who can read the post NAME of WHO; WHO and NAME can be one address.

    Who can read it stands in the open in the file. For whom it was meant is what its author signed: it is
    shown when the post opens for you.
    """
    from mau.openpgp import Kind, read_head
    from mau_cli.audience import audience_facts, audience_words, keyid_facts
    from mau_cli.people import suspect_keyring
    from mau_cli.posts import find_post, opened

    keyring = suspect_keyring(session)
    meant, _ = find_post(session, keyring, who, name)
    with meant.directory.open(meant.name) as file:
        head = read_head(file)
    readers = [keyid_facts(keyring, keyid) for keyid in head.recipients]
    audience, problem = None, None
    try:
        with opened(session, keyring, meant) as (post, _):
            audience = post.audience
    except PostError as error:
        problem = error
    if as_json:
        emit_json(
            {
                "kind": head.kind.name.lower(),
                "recipients": readers,
                "audience": audience_facts(audience),
                "problem": None if problem is None else str(problem),
            }
        )
        return
    table([(one["name"] or "?", one["fingerprint"] or "unknown key", one["keyid"]) for one in readers])
    if head.kind is Kind.SIGNED:
        say("Everybody can read it: it is signed, not encrypted.")
    elif head.kind is Kind.OTHER:
        say("It is no message.")
    if problem is not None:
        say(f"For whom it was meant is not to be had: {problem}.")
    elif audience is None:
        say("Its author did not state for whom it is.")
    else:
        say(f"It was written for {audience_words(keyring, audience, meant.author)}.")
