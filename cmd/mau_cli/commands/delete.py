"""`mau delete`: a post of one's own, with its versions."""

from __future__ import annotations

import click

from mau.errors import UsageError
from mau_cli.context import Session
from mau_cli.output import say


@click.command("delete")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.pass_obj
def command(session: Session, name: str, yes: bool) -> None:
    """Delete your post NAME (all of its name) and its older versions. There is no way back.

    What others have fetched before stays with them.
    """
    from mau.tree.names import KEYRING_NAME, fold
    from mau_cli.people import suspect_keyring
    from mau_cli.posts import find_post

    meant, _ = find_post(session, suspect_keyring(session), "me", name, exact=True)
    if fold(meant.name) == fold(KEYRING_NAME):
        raise UsageError(f"{KEYRING_NAME} says who your friends are; it is not deleted")
    count = len(meant.directory.versions(meant.name))
    versions = (
        "" if not count else " and its older version" if count == 1 else f" and its {count} older versions"
    )
    if not session.confirm(f"Delete {meant.name}{versions}?", yes=yes):
        say("Nothing was deleted.")
        return
    meant.directory.remove(meant.name)
    say(f"Deleted {meant.name}{versions}.")
