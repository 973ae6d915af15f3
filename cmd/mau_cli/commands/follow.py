"""`mau follow`: fetch and show somebody's posts from now on."""

from __future__ import annotations

import click

from mau.errors import UsageError
from mau_cli.context import Session
from mau_cli.output import say


@click.command("follow")
@click.argument("who", nargs=-1, required=True)
@click.pass_obj
def command(session: Session, who: tuple[str, ...]) -> None:
    """Follow the posts of WHO: a friend, a known key, or the whole fingerprint of anybody.

    WHO can be a page or a feed on the web, too: https://... What it holds is copied for you alone, now and
    with each `mau sync`.
    """
    from mau_cli.people import suspect_keyring
    from mau_cli.webfollowing import follow_web, is_web

    for url in filter(is_web, who):
        follow_web(session, url)
    who = tuple(word for word in who if not is_web(word))
    if not who:
        return
    keyring = suspect_keyring(session)
    fingerprints = [keyring.resolve_fingerprint(word) for word in who]
    if keyring.me.fingerprint in fingerprints:
        raise UsageError("that is you; your own posts are always shown")
    for fingerprint in fingerprints:
        session.root.follow(fingerprint)
        person = keyring.person(fingerprint)
        say(f"You follow {person.label if person else fingerprint}.")
        if person is None:
            say("  No key is held to check their posts with; `mau friend add --known KEYFILE` takes one.")
