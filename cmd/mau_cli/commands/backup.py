"""`mau backup`: the tree in one file that any tar reads."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mau.errors import PartlyDone, UsageError
from mau_cli.context import Session
from mau_cli.output import clean, data, emit_json, say
from mau_cli.progress import Line

if TYPE_CHECKING:
    from mau.backup.report import Taken

SHOWN = 20


@click.command("backup", short_help="Write everything that matters into one file.")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--force", is_flag=True, help="Put it in the place of a file that is there.")
@click.option("--json", "as_json", is_flag=True, help="Print what it holds as JSON.")
@click.pass_obj
def command(session: Session, file: Path, force: bool, as_json: bool) -> None:
    """Write account, keys, posts with their versions and drafts into FILE, a plain tar archive; - is stdout.

    Everything may go on meanwhile, and no passphrase is needed: what is secret is encrypted in the tree.
    Drafts are not; so keep FILE to yourself. `mau restore FILE` brings it back, and so does `tar`.
    """
    from mau.backup.taking import back_up
    from mau.backup.target import archive_file
    from mau_cli.posts import size_words

    with Line() as line:

        def progress(files: int, size: int) -> None:
            line.show(f"{files} files, {size_words(size)}")

        if str(file) == "-":
            if as_json:
                raise UsageError("--json goes to stdout, and so does the archive; say a FILE")
            if sys.stdout.isatty():
                raise UsageError("an archive is nothing for a terminal; say a FILE, or send it somewhere")
            sys.stdout.flush()
            taken = back_up(session.root, sys.stdout.buffer, progress)
        else:
            with archive_file(session.root, file.expanduser(), force=force) as out:
                taken = back_up(session.root, out, progress)
    _tell(file, taken, as_json=as_json)
    if not taken.whole:
        raise PartlyDone("the backup is readable, but does not hold everything")


def _tell(file: Path, taken: Taken, *, as_json: bool) -> None:
    from mau_cli.posts import size_words

    if as_json:
        left_out = [
            {"path": one.path, "reason": one.reason, "expected": one.expected} for one in taken.left_out
        ]
        emit_json({"file": str(file), "files": taken.files, "size": taken.size, "left_out": left_out})
        return
    for one in taken.left_out[:SHOWN]:
        say(f"  left out: {clean(one.path)[:200]}: {clean(one.reason)}")
    if len(taken.left_out) > SHOWN:
        say(f"  left out: {len(taken.left_out) - SHOWN} more; --json lists them all")
    words = f"{taken.files} files, {size_words(taken.size)}"
    if str(file) == "-":
        say(words)
    else:
        data(words)
