"""Files stored as posts of their own, for the people of the post that they belong to (spec/attachments.md).

They are stored before the post that refers to them: whoever has the post can have them, and whatever fails
half way leaves nothing, or files that no post refers to.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from mau.attachments.formats import CLEANED, HEAD, encoding_of, tells_of_its_making
from mau.attachments.media import Stored, media_object, parts_of
from mau.content.binding import PUBLIC, Audience
from mau.content.posting import slug
from mau.errors import MauError, NotAFile, PictureRefused
from mau.pictures.asking import Picture, clean_picture, measure_picture
from mau.pictures.limits import OWN
from mau.publish import check_filename, choose_name, file_words, publish_file
from mau.tree import safe
from mau.tree.names import random_name

if TYPE_CHECKING:
    from mau.account import Account
    from mau.keyring import Keyring

MEDIA: Final = "media"
THUMBNAIL: Final = "thumbnail"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file to attach: where it is, what it shows in words, and whether it stays byte for byte as it is."""

    path: Path
    alt: str = ""
    keep_metadata: bool = False
    name: str | None = None
    """What it is called in the post; None: what the file is called."""
    below: int | None = None
    """The descriptor of a directory: then `path` is relative to it, and no link on the way is followed."""


def attach(
    account: Account, keyring: Keyring, files: Sequence[Attachment], audience: Audience
) -> list[dict[str, Any]]:
    """Store each file for `audience`; the objects for ``associatedMedia`` in the same order.

    When one of them cannot be stored, none is. PictureRefused for a picture that cannot be rid of what it
    says about its making; what `publish_file` raises. Who then fails to publish the post calls `withdraw`, or
    uses `attached`.
    """
    made: list[dict[str, Any]] = []
    try:
        for file in files:
            made.append(_attach(account, keyring, file, audience))
    except BaseException:
        withdraw(account, made)
        raise
    return made


@contextmanager
def attached(
    account: Account, keyring: Keyring, files: Sequence[Attachment], audience: Audience
) -> Iterator[list[dict[str, Any]]]:
    """As `attach`; what was stored is taken back when the block ends with an error."""
    made = attach(account, keyring, files, audience)
    try:
        yield made
    except BaseException:
        withdraw(account, made)
        raise


def withdraw(account: Account, media: Sequence[Mapping[str, Any]]) -> None:
    """Remove what `attach` stored just now, because no post refers to it after all."""
    parts = parts_of(account.fingerprint, {"associatedMedia": list(media)})
    _remove(account, [part.name for part in parts if part.author == account.fingerprint])


def _attach(account: Account, keyring: Keyring, file: Attachment, audience: Audience) -> dict[str, Any]:
    called = file.path.name if file.name is None else file.name
    with opened_file(file.path, below=file.below) as source:
        encoding = encoding_of(source.read(HEAD))
        source.seek(0)
        if encoding in CLEANED:
            whole, small = _picture(source, called, encoding, keep=file.keep_metadata)
        elif tells_of_its_making(encoding) and not file.keep_metadata:
            raise PictureRefused(
                f"{called!r} is {encoding}: it may say where and when it was made, which we cannot take out. "
                "Convert it, or attach it as it is with --keep-metadata"
            )
        else:
            whole, small = None, None
        made: list[Stored] = []
        try:
            content: BinaryIO = source if whole is None else io.BytesIO(whole.data)
            size = (0, 0) if whole is None else (whole.width, whole.height)
            made.append(_store(account, keyring, content, audience, called, encoding, MEDIA, size))
            if small is not None:
                thumbnail = io.BytesIO(small.data)
                size = (small.width, small.height)
                made.append(
                    _store(account, keyring, thumbnail, audience, "", small.encoding, THUMBNAIL, size)
                )
        except BaseException:
            _remove(account, [one.name for one in made])
            raise
    return media_object(account.fingerprint, made[0], called, file.alt, *made[1:])


def opened_file(path: Path, *, below: int | None = None) -> BinaryIO:
    """A regular file, opened for reading, links to it followed; NotAFile for anything else.

    With `below` as `Attachment.below`: then links are NotAFile, too, and what is missing is NoSuchPost.
    """
    if below is not None:
        return _opened_below(path, below)
    # Not blocking: a pipe that nobody fills would wait for ever.
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise NotAFile(f"{str(path)!r} is no regular file; only such can be attached")
    return os.fdopen(fd, "rb")


def _opened_below(path: Path, below: int) -> BinaryIO:
    """Part by part: whoever can write there may put a link in the place of any of them at any moment."""
    with ExitStack() as held:
        at = below
        for part in path.parts[:-1]:
            at = held.enter_context(safe.closing(safe.open_dir(part, at=at)))
        return os.fdopen(safe.open_regular(path.name, at=at)[0], "rb")


def _picture(
    source: BinaryIO, called: str, encoding: str, *, keep: bool
) -> tuple[Picture | None, Picture | None]:
    """The picture as it is to be stored, and its thumbnail; None for one that is kept, and not decoded."""
    data = source.read(OWN.file + 1)
    source.seek(0)
    try:
        return (measure_picture if keep else clean_picture)(data, encoding)
    except PictureRefused as error:
        if keep:
            return None, None
        raise PictureRefused(
            f"{called!r} cannot be rid of what it may say about its making: {error}. "
            "--keep-metadata attaches it as it is"
        ) from None


def _store(
    account: Account,
    keyring: Keyring,
    source: BinaryIO,
    audience: Audience,
    called: str,
    encoding: str,
    attached_as: str,
    size: tuple[int, int],
) -> Stored:
    name = free_name(account, called, audience)
    filename = check_filename(called)
    done = publish_file(account, keyring, source, name, audience, filename, attached=attached_as)
    return Stored(done.name, done.sha256, encoding, source.tell(), *size)


def free_name(account: Account, called: str, audience: Audience) -> str:
    """A name for an attached file: it tells nothing, or for the public what the file is called.

    Four random letters make it another than the one that its post is given, which is not there yet.
    """
    if audience is not PUBLIC:
        return choose_name(account, audience)
    stem, suffix = file_words(called)
    letters = random_name(datetime.now(UTC)).rpartition("-")[2][:4]
    return choose_name(account, audience, words=f"{slug(stem)[:40]} {letters}", suffix=suffix)


def _remove(account: Account, names: Sequence[str]) -> None:
    posts = account.posts()
    for name in names:
        with suppress(MauError, OSError):
            posts.remove(name)
