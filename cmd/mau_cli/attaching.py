"""``--attach``, ``--alt`` and ``--keep-metadata``: the same on every command that writes a post.

A command puts `attach_options` above its function, gets ``attaching: Attaching``, and publishes within
`attached_media`, so that what was stored goes again when the post does not come to be:

    with attached_media(session, attaching, audience) as media:
        publish_document(account, keyring, with_media(document, media), name, audience)
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mau.errors import UsageError

if TYPE_CHECKING:
    from mau.attachments import Attachment
    from mau.content.binding import Audience
    from mau_cli.context import Session


@dataclass(frozen=True, slots=True)
class Attaching:
    """What the options said."""

    files: tuple[Path, ...] = ()
    alts: tuple[str, ...] = ()
    keep_metadata: bool = False
    any_size: bool = False

    def __bool__(self) -> bool:
        return bool(self.files)


def attach_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--attach``, ``--alt``, ``--keep-metadata``, ``--any-size``; the function gets ``attaching=``."""

    @functools.wraps(command)
    def with_attaching(
        *args: Any,
        attach: tuple[Path, ...],
        alt: tuple[str, ...],
        keep_metadata: bool,
        any_size: bool,
        **options: Any,
    ) -> Any:
        return command(*args, attaching=Attaching(attach, alt, keep_metadata, any_size), **options)

    options = (
        click.option(
            "--attach",
            multiple=True,
            metavar="FILE",
            type=click.Path(path_type=Path),
            help="A file that belongs to it; can be repeated.",
        ),
        click.option(
            "--alt",
            multiple=True,
            metavar="TEXT",
            help="What the picture shows, in words: for the first --attach, then for the second, and so on.",
        ),
        click.option(
            "--keep-metadata", is_flag=True, help="Attach pictures as they are, with place, time and camera."
        ),
        click.option("--any-size", is_flag=True, help="Ask nothing about large files."),
    )
    made: Callable[..., Any] = with_attaching
    for option in reversed(options):
        made = option(made)
    return made


def attach_media(session: Session, words: Attaching, audience: Audience) -> list[dict[str, Any]]:
    """Store the files that the options name; the objects for ``associatedMedia``.

    `attached_media` is the better one: it takes them back when the post is not published.
    """
    from mau.attachments import attach

    return attach(session.account(), session.keyring(), _chosen(session, words), audience) if words else []


@contextmanager
def attached_media(session: Session, words: Attaching, audience: Audience) -> Iterator[list[dict[str, Any]]]:
    """As `attach_media`; what was stored is removed again when the block ends with an error."""
    from mau.attachments import withdraw

    media = attach_media(session, words, audience)
    try:
        yield media
    except BaseException:
        if media:
            withdraw(session.account(), media)
        raise


def _chosen(session: Session, words: Attaching) -> list[Attachment]:
    from mau.attachments import Attachment

    if len(words.alts) > len(words.files):
        raise UsageError("there are more --alt than --attach; each --alt belongs to one file")
    alts = (*words.alts, *[""] * (len(words.files) - len(words.alts)))
    return [Attachment(path, alt, words.keep_metadata) for path, alt in zip(words.files, alts, strict=True)]
