"""`mau undelete`: a deleted post of one's own is there again."""

from __future__ import annotations

import click

from mau.errors import UsageError
from mau_cli.context import Session
from mau_cli.output import data, emit_json, say


@click.command("undelete")
@click.argument("name")
@click.option("--version", metavar="HASH", help="Another content than the last, by its sha256.")
@click.option("--json", "as_json", is_flag=True, help="Show what was stored as JSON.")
@click.pass_obj
def command(session: Session, name: str, version: str | None, as_json: bool) -> None:
    """Bring your deleted post NAME (all of its name) back, and its files, for those who could read it before.

    It is signed anew, so that it counts although it was deleted, and nothing says any more that it was.
    """
    from mau.attachments.owned import bring_back
    from mau.content.address import post_iri
    from mau.deletion.publishing import undelete
    from mau_cli.audience import audience_facts, audience_words, called
    from mau_cli.posts import find_post, find_version

    keyring = session.keyring()
    meant, addressed = find_post(session, keyring, "me", name, exact=True)
    word = version or addressed
    sha256 = None if word is None else find_version(meant, word)
    if word is not None and sha256 is None:
        raise UsageError(
            f"that is what {meant.name} says now; `mau versions me {meant.name}` lists the others"
        )
    done = undelete(session.account(), keyring, meant.name, sha256)
    assert done.published is not None  # noqa: S101 - undelete raises what keeps it from that
    files = bring_back(session.account(), keyring, meant.name)
    me = keyring.me.fingerprint
    say(f"{done.name} is back, for {audience_words(keyring, done.published.audience, me)}.")
    if files:
        say("And so " + ("is the file" if len(files) == 1 else f"are the {len(files)} files") + " of it.")
    if done.left_out:
        names = ", ".join(sorted((called(keyring, one) for one in done.left_out), key=str.casefold))
        say(f"Left out, because nothing can be encrypted for them: {names}.")
    if as_json:
        emit_json(
            {
                "name": done.name,
                "address": post_iri(me, done.name),
                "sha256": meant.directory.sha256(meant.name),
                "audience": audience_facts(done.published.audience),
                "withdrawn": done.withdrawn,
                "left_out": done.left_out,
                "attachments": files,
            }
        )
    else:
        data(done.name)
