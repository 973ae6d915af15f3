"""`mau export-site`: the public posts as static files."""

from __future__ import annotations

from pathlib import Path

import click

from mau.errors import UsageError
from mau_cli.context import Session
from mau_cli.output import data, emit_json, say


@click.command("export-site", short_help="Write your public posts as a web site.")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
@click.pass_obj
def command(session: Session, directory: Path, as_json: bool) -> None:
    """Write your public posts into DIRECTORY: pages, a feed, and the files for those who follow with Mau.

    Any web server can show them; friends follow with `mau sync WHO --at https://...`. Call it again after you
    posted: what is no longer public is removed, and nothing that it did not write.
    """
    root = session.root.path.resolve()
    if root in (directory.resolve(), *directory.resolve().parents):
        raise UsageError("that would lie inside your tree; say a directory elsewhere")

    from mau.web.shelf import Shelf, library_for
    from mau.web.site import export_site

    account = session.account()
    with library_for(account, session.keyring()) as library:
        done = export_site(Shelf(account, library), directory)
    if as_json:
        emit_json(
            {
                "posts": done.posts,
                "written": done.written,
                "same": done.same,
                "removed": done.removed,
                "kept": done.kept,
            }
        )
        return
    for path in done.kept:
        say(f"  left alone, since it was changed: {path}")
    data(
        f"{done.posts} public posts: {len(done.written)} files written, {done.same} as they were, "
        f"{len(done.removed)} removed"
    )
