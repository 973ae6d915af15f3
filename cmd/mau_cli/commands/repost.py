"""`mau repost`: a reference to somebody's post, for others to find it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from mau_cli.context import Session
from mau_cli.deriving import derived_options
from mau_cli.output import clean, say

if TYPE_CHECKING:
    from mau.config.keys import Relay
    from mau.content.binding import Audience
    from mau.keyring import Keyring
    from mau_cli.deriving import Original


@click.command("repost")
@click.argument("ref")
@click.option("--comment", metavar="TEXT", help="What you say to it.")
@derived_options
@click.option("--name", metavar="NAME", help="The name to post under; a held post of that name is replaced.")
@click.option("--json", "as_json", is_flag=True, help="Show what was stored as JSON.")
@click.pass_obj
def command(
    session: Session, /, ref: str, comment: str | None, name: str | None, as_json: bool, **audience: Any
) -> None:
    """Pass on where the post REF is, and which content of it you saw; not the post itself.

    Who may not read the post learns that it is there, and nothing of what it says. Who may fetches it from
    its author, or from you where the setting server.relay lets you pass it on.
    """
    from mau.conversation.compose import action
    from mau.publish import choose_name, publish_document
    from mau_cli.deriving import choose_derived, find_original
    from mau_cli.published import tell

    account, keyring = session.account(), session.keyring()
    original = find_original(session, keyring, ref)
    whom = choose_derived(session, original, **audience)
    now = datetime.now(UTC)
    document = action(account.fingerprint, "ShareAction", original.reference, now, text=comment or "")
    words = comment or f"shared {original.meant.name.partition('.')[0]}"
    chosen = choose_name(account, whom, given=name, words=words, suffix=".json", now=now)
    done = publish_document(account, keyring, document, chosen, whom)
    tell(keyring, done, as_json=as_json)
    _say_who_can_fetch_it(session, keyring, original, whom)


def _say_who_can_fetch_it(session: Session, keyring: Keyring, original: Original, whom: Audience) -> None:
    """What the settings mean for those who read of it and want to have it."""
    from mau.config.keys import SERVER_RELAY, relay_of
    from mau.content.binding import Public
    from mau_cli.audience import called

    author = original.post.author
    if author == keyring.me.fingerprint:
        say("Who may read it fetches it from you.")
        return
    of_author: Relay | None = session.config.get(relay_of(author))
    general: Relay = session.config.get(SERVER_RELAY)
    relay = of_author or general
    who = clean(called(keyring, author))
    if relay == "none":
        say(f"Only {who} gives it out; server.relay = none: you pass on nothing of others.")
    elif relay == "public" and isinstance(original.readers, Public):
        say(f"You give it to everybody who asks, as {who} does.")
    else:
        say(f"You give it to friends of yours who may read it (server.relay = {relay}); others ask {who}.")
        if isinstance(whom, Public):
            say("Strangers who read of it here can have it from its author only.")
