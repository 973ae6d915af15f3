"""`mau read`: the timeline, and what it showed is read from then on."""

from __future__ import annotations

from typing import Any

import click

from mau_cli.context import Session
from mau_cli.timeline import show_timeline, timeline_options


@click.command("read")
@timeline_options
@click.pass_obj
def command(session: Session, /, **words: Any) -> None:
    """Show the timeline as `mau timeline` does, and mark as read what it showed.

    \b
    mau read --unread --algorithm catch-up

    shows what you missed, and the next time what came since.
    """
    show_timeline(session, mark=True, **words)
