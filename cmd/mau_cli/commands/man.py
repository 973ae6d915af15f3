"""`mau man`: the manual, made of the help of this very program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from mau.errors import UsageError
from mau.passphrase import without_passphrase
from mau_cli.output import data, say


@click.command("man")
@click.argument("words", metavar="[TOPIC | COMMAND...]", nargs=-1)
@click.option(
    "--write",
    "directory",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write every page below DIR, in man1 and man7, for man -M DIR or a directory of MANPATH.",
)
@click.pass_context
def command(ctx: click.Context, words: tuple[str, ...], directory: Path | None) -> None:
    """Show the manual page of a command or a topic in man; where there is no terminal, print its source.

    \b
    mau man friend add
    mau man --write ~/.local/share/man
    """
    from mau_cli.manual import pages

    root = ctx.find_root()
    if directory is not None:
        if words:
            raise UsageError("--write writes every page; it stands alone")
        _write(directory, dict(pages(root)))
        return
    name = "-".join(["mau", *words])
    found = {file.rpartition(".")[0]: text for file, text in pages(root)}
    if name not in found:
        raise UsageError(f"there is no page {name!r}; `mau help` lists commands and topics")
    if not sys.stdout.isatty():
        data(found[name].rstrip("\n"))
        return
    try:
        program = ["man", "-l", "-"]  # the system's
        subprocess.run(program, input=found[name].encode(), env=without_passphrase(), check=False)
    except FileNotFoundError:
        raise UsageError("there is no man here; `mau help` shows the same") from None


def _write(directory: Path, found: dict[str, str]) -> None:
    for file, text in found.items():
        place = directory / f"man{file[-1]}"
        place.mkdir(parents=True, exist_ok=True)
        (place / file).write_text(text, encoding="utf-8")
    say(f"Wrote {len(found)} pages.")
