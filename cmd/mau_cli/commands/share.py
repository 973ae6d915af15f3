"""`mau share`: a file as it is, with its name and audience in the signature."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

import click

from mau.errors import NotAFile
from mau_cli.audience import audience_options, choose_audience
from mau_cli.context import Session
from mau_cli.output import say


@click.command("share")
@click.argument("file", type=click.Path(path_type=Path))
@audience_options
@click.option("--name", metavar="NAME", help="The name to post under; a held post of that name is replaced.")
@click.option("--json", "as_json", is_flag=True, help="Show what was stored as JSON.")
@click.pass_obj
def command(
    session: Session,
    file: Path,
    to: tuple[str, ...],
    friends: bool,
    me: bool,
    public: bool,
    name: str | None,
    as_json: bool,
) -> None:
    """Post FILE as it is, every byte of it: a picture with place, time and camera (`mau post --attach` takes
    them out).

    For whom is always said: --to, --friends, --me or --public. Otherwise the setting
    post.audience says it, or it asks, on a terminal. What the file is called travels inside; only a public
    post shows it in its name.
    """
    from mau.content.binding import PUBLIC
    from mau.publish import check_filename, choose_name, file_words, publish_file
    from mau_cli.published import tell

    with file.open("rb") as source:
        # A pipe ends (`<(tar ...)`); /dev/zero ends when the disk is full.
        kind = stat.S_IFMT(os.fstat(source.fileno()).st_mode)
        if kind not in (stat.S_IFREG, stat.S_IFIFO):
            raise NotAFile(f"{str(file)!r} is a device, not a file")
        _warn(source, file.name)
        audience = choose_audience(session, to=to, friends=friends, me=me, public=public)
        account, keyring = session.account(), session.keyring()
        words, suffix = file_words(file.name) if audience is PUBLIC else ("", "")
        chosen = choose_name(account, audience, given=name, words=words, suffix=suffix)
        filename = check_filename(file.name)
        done = publish_file(account, keyring, source, chosen, audience, filename)
    tell(keyring, done, as_json=as_json)


def _warn(source: BinaryIO, name: str) -> None:
    """Say of pictures and films what goes with them; a pipe is not looked into."""
    from mau.attachments.formats import CLEANED, HEAD, encoding_of, tells_of_its_making

    if not source.seekable():
        return
    encoding = encoding_of(source.read(HEAD))
    source.seek(0)
    if encoding in CLEANED:
        say(f"{name!r} keeps what it may say about its making; `mau post --attach` would take that out.")
    elif tells_of_its_making(encoding):
        say(f"{name!r} keeps what it may say about its making: place, time, camera.")
