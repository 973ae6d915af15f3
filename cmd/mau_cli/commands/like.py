"""`mau like`: that a post pleases me, for its author and who could read it."""

from __future__ import annotations

from typing import Any

import click

from mau_cli.context import Session
from mau_cli.deriving import derived_options


@click.command("like")
@click.argument("ref")
@derived_options
@click.option("--json", "as_json", is_flag=True, help="Show what was stored as JSON.")
@click.pass_obj
def command(session: Session, /, ref: str, as_json: bool, **audience: Any) -> None:
    """Say that you like the post REF.

    It is for its author and those of your friends who can read the post; of a public post, for its author
    alone, unless --to, --friends or --public says more. A dislike that you gave before is withdrawn.
    """
    from mau_cli.acting import give_opinion

    give_opinion(session, ref, "LikeAction", as_json=as_json, **audience)
