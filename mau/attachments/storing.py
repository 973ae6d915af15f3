"""Files stored as posts of their own, for the people of the post that they belong to (spec/attachments.md).

They are stored before the post that refers to them: whoever has the post can have them, and whatever fails
half way leaves nothing, or files that no post refers to.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from mau.attachments.formats import HEAD, encoding_of, tells_of_its_making
from mau.attachments.media import Stored, media_object, parts_of
from mau.content.binding import PUBLIC, Audience
from mau.errors import MauError, NotAFile, PictureRefused
from mau.publish import check_filename, choose_name, file_words, publish_file

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
    posts = account.posts()
    for part in parts_of(account.fingerprint, {"associatedMedia": list(media)}):
        if part.address.author == account.fingerprint and part.address.name is not None:
            with suppress(MauError, OSError):
                posts.remove(part.address.name)


def _attach(account: Account, keyring: Keyring, file: Attachment, audience: Audience) -> dict[str, Any]:
    called = file.path.name if file.name is None else file.name
    with file.path.open("rb") as source:
        found = os.fstat(source.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise NotAFile(f"{str(file.path)!r} is no regular file; only such can be attached")
        encoding = encoding_of(source.read(HEAD))
        source.seek(0)
        if not file.keep_metadata and (encoding.startswith("image/") or tells_of_its_making(encoding)):
            raise PictureRefused(
                f"{called!r} may say where and when it was made; --keep-metadata attaches it so"
            )
        stored = _store(account, keyring, source, audience, called, encoding, MEDIA)
    return media_object(account.fingerprint, stored, called, file.alt)


def _store(
    account: Account,
    keyring: Keyring,
    source: BinaryIO,
    audience: Audience,
    called: str,
    encoding: str,
    attached_as: str,
    size: tuple[int, int] = (0, 0),
) -> Stored:
    words, suffix = file_words(called) if audience is PUBLIC else ("", "")
    name = choose_name(account, audience, words=words, suffix=suffix)
    filename = check_filename(called)
    done = publish_file(account, keyring, source, name, audience, filename, attached=attached_as)
    return Stored(done.name, done.sha256, encoding, source.tell(), *size)
