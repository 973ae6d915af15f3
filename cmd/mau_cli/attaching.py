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
from mau_cli.output import say

if TYPE_CHECKING:
    from mau.attachments import Attachment
    from mau.content.binding import Audience
    from mau_cli.context import Session

LARGE = 10 << 20
VERY_LARGE = 100 << 20
FETCHED = 1 << 30
"""Bytes: of all files of a post, from when it is said; of one, from when it is asked about; and what others
fetch by themselves when they set nothing else (sync.max_file)."""


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

    files = _chosen(session, words)
    return attach(session.account(), session.keyring(), files, audience) if files else []


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
    """The files with their words, after everything was asked: nothing is stored before."""
    from mau.attachments import Attachment

    if len(words.alts) > len(words.files):
        raise UsageError("there are more --alt than --attach; each --alt belongs to one file")
    looked = [_look(path) for path in words.files]
    _check_sizes(session, looked, any_size=words.any_size)
    for one in looked:
        _warn(one, kept=words.keep_metadata)
    alts = [*words.alts, *(_asked_alt(session, one) for one in looked[len(words.alts) :])]
    return [Attachment(one.path, alt, words.keep_metadata) for one, alt in zip(looked, alts, strict=True)]


@dataclass(frozen=True, slots=True)
class _Looked:
    """A file that was looked at: its media type by content, its size in bytes."""

    path: Path
    encoding: str
    size: int


def _look(path: Path) -> _Looked:
    from mau.attachments.formats import HEAD, encoding_of
    from mau.attachments.storing import opened_file

    with opened_file(path) as file:
        return _Looked(path, encoding_of(file.read(HEAD)), path.stat().st_size)


def _check_sizes(session: Session, files: list[_Looked], *, any_size: bool) -> None:
    """Say what is large, and ask about what is very large. UsageError when nobody can be asked."""
    from mau_cli.posts import size_words

    total = sum(one.size for one in files)
    if total > LARGE:
        say(f"{size_words(total)} are attached; everybody who follows you fetches them.")
    for one in files:
        if one.size <= VERY_LARGE or any_size:
            continue
        named = f"{one.path.name!r} has {size_words(one.size)}"
        if one.size > FETCHED:
            named += f", and what has more than {size_words(FETCHED)} is not fetched by itself"
        if not session.interactive:
            raise UsageError(f"{named}; --any-size attaches it")
        if not session.confirm(f"{named}. Attach it?"):
            raise click.Abort


def _warn(one: _Looked, *, kept: bool) -> None:
    from mau.attachments.formats import CLEANED, may_tell, tells_of_its_making

    if kept and (one.encoding in CLEANED or tells_of_its_making(one.encoding)):
        say(f"{one.path.name!r} keeps what it may say about its making: place, time, camera.")
    elif may_tell(one.encoding):
        say(f"{one.path.name!r} is attached as it is; such files can name who made them, and when.")


def _asked_alt(session: Session, one: _Looked) -> str:
    """What a picture shows, in the words of who sits there; "" for no words."""
    from mau_cli.output import clean

    if not session.interactive or not one.encoding.startswith("image/"):
        return ""
    question = f"What does {clean(one.path.name)!r} show, for those who cannot see it? (Enter: no words)"
    return str(click.prompt(question, default="", show_default=False, err=True)).strip()
