"""`mau versions`: what a post was before."""

from __future__ import annotations

import click

from mau_cli.context import Session
from mau_cli.output import emit_json, say, table


@click.command("versions")
@click.argument("who")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@click.pass_obj
def command(session: Session, who: str, name: str | None, as_json: bool) -> None:
    """List the older contents of the post NAME of WHO, oldest first.

    WHO and NAME can be one address. `mau open WHO NAME --version HASH` opens one; its first digits suffice.
    """
    from mau_cli.people import moment, suspect_keyring
    from mau_cli.posts import find_post, local_time, size_words

    meant, _ = find_post(session, suspect_keyring(session), who, name)
    versions = meant.directory.versions(meant.name)
    if as_json:
        emit_json(
            [
                {
                    "sha256": version.sha256,
                    "size": version.size,
                    "mtime": moment(version.mtime_ns // 1_000_000_000),
                }
                for version in versions
            ]
        )
        return
    table(
        [(one.sha256, size_words(one.size), local_time(one.mtime_ns / 1e9)) for one in versions],
        ("version", "size", "stored"),
    )
    if not versions:
        say(f"{meant.name} has no older versions.")
