"""`mau timeline`: what everybody I follow and I wrote, in the order that I chose."""

from __future__ import annotations

from typing import Any

import click

from mau_cli.context import Session
from mau_cli.items import item_facts, item_words
from mau_cli.timeline import show_timeline, timeline_options

__all__ = ["command", "item_facts", "item_words"]


@click.command("timeline")
@timeline_options
@click.pass_obj
def command(session: Session, /, **words: Any) -> None:
    """Show the posts of everybody you follow and your own, newest first by the time of their signature.

    Likes are counted at what they are about; what somebody you follow shared is shown with his name. Every
    post is checked; those that do not hold are counted at the end, with the reason. What its author deleted
    and is still here (the setting delete.received) says so.

    --algorithm orders them in another way: chronological, catch-up (what you missed), conversations, or a
    Python file of yours; `mau help algorithms` tells more. --explain says of each post why it stands where
    it stands.
    """
    show_timeline(session, mark=False, **words)
