"""A file that somebody wrote becomes a post, once (spec/writing.md P85-P89).

Between the choice of a name and the file's removal a program can be killed. So the name is noted beside the
file first, as ``.FILE.publishing``; with that note, the same file never becomes two posts.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mau.attachments import with_media
from mau.content.binding import Audience
from mau.content.kinds import KINDS
from mau.errors import InvalidName, MauError, NoSuchPost, NotAFile, PageMalformed
from mau.publish import Published, choose_name
from mau.tree import safe
from mau.tree.names import check_post_name
from mau.writing.composing import FORMS, Form, Written, read_written, stamped, title_words
from mau.writing.revising import publish_any

if TYPE_CHECKING:
    from mau.account import Account
    from mau.keyring import Keyring

KIND: Final = KINDS["SocialMediaPosting"]
"""What a page is that names no type."""
_NOTE: Final = ".publishing"
_MAX_NOTE: Final = 4096  # bytes


@dataclass(frozen=True, slots=True)
class Source:
    """A text to publish, and the file that it stands in; `sha256` of the file."""

    path: Path
    text: str
    form: Form
    sha256: str

    @classmethod
    def of(cls, path: Path, data: bytes) -> Source:
        """The text of a file ``NAME.md`` or ``NAME.json``. PageMalformed for another name, or no text."""
        form = next((one for one in FORMS if path.name.endswith(f".{one}")), None)
        if form is None:
            raise PageMalformed("a page is called NAME.md, a document NAME.json; `mau share` takes any file")
        try:
            return cls(path, data.decode(), form, hashlib.sha256(data).hexdigest())
        except UnicodeDecodeError:
            raise PageMalformed("that is no text in UTF-8; `mau share` takes any file") from None

    def read(self, account: Account, refer: Callable[[str], str] | None = None) -> Written:
        """What it says; PageMalformed, and what `refer` raises (`read_written`)."""
        return read_written(self.text, self.form, account.fingerprint, KIND, refer=refer)


def publish_source(
    account: Account,
    keyring: Keyring,
    source: Source,
    written: Written,
    audience: Audience,
    now: datetime,
    *,
    name: str | None = None,
    words: str = "",
    once: bool = True,
    attaching: Callable[[Audience], AbstractContextManager[Sequence[dict[str, Any]]]] | None = None,
) -> Published | None:
    """Publish what was `written` in a file; None when that was done before, and only the file was left.

    `name`: the one to publish under; else the one that the page says, else one is chosen, of `words` when it
    is public. `attaching` stores what belongs to it. `once` notes the name; then `forget` takes the note away
    when the file is gone.
    """
    given = name or written.name or None
    noted = noted_name(source.path) if once and given is None else None
    if noted is not None and noted.sha256 == source.sha256 and account.posts().entry(noted.name):
        return None
    chosen = noted.name if noted is not None else ""
    if not chosen:
        words = words or title_words(written.document)
        chosen = choose_name(account, audience, given=given, words=words, suffix=".json", now=now)
    if once and given is None:
        note(source, chosen)
    document = stamped(written.document, account.fingerprint, now)
    try:
        with attaching(audience) if attaching else contextlib.nullcontext(()) as media:
            return publish_any(account, keyring, with_media(document, list(media)), chosen, audience)
    except BaseException:
        with contextlib.suppress(MauError, OSError):
            if once and account.posts().entry(chosen) is None:
                forget(source.path)
        raise


# --- the note ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Noted:
    """The name that was chosen for a file, and the sha256 of what it held then."""

    name: str
    sha256: str


def note(source: Source, name: str) -> None:
    """Note, durably, under which name a file is published."""
    data = json.dumps({"name": name, "sha256": source.sha256}).encode()
    safe.write_bytes(_note_path(source.path), data)


def noted_name(path: Path) -> Noted | None:
    """What is noted of a file; None when nothing is, or nothing that could be."""
    try:
        found = json.loads(safe.read_bytes(_note_path(path), _MAX_NOTE))
        if found.keys() != {"name", "sha256"}:
            return None
        return Noted(check_post_name(str(found["name"])), str(found["sha256"]))
    except (NoSuchPost, NotAFile, InvalidName, ValueError, AttributeError):
        return None


def put_away(path: Path) -> None:
    """Remove a file that was published, and what was noted of it, in one step.

    Were the note left alone for a moment, another file of that name could become another content of the post.
    """
    with _directory(path) as directory:
        gone = _note_path(path).name
        os.rename(path.name, gone, src_dir_fd=directory, dst_dir_fd=directory)
        safe.unlink_quietly(gone, at=directory)
        safe.sync(directory)


def noted_files(directory: Path) -> list[str]:
    """The names of the files of which something is noted, whether they are there or not."""
    return [
        name.removeprefix(".").removesuffix(_NOTE)
        for name in (path.name for path in directory.iterdir())
        if name.startswith(".") and name.endswith(_NOTE) and len(name) > len(_NOTE) + 1
    ]


def forget(path: Path) -> None:
    """The file is gone, or was not published: nothing is noted of it any more."""
    with _directory(path) as directory:
        if safe.unlink_quietly(_note_path(path).name, at=directory):
            safe.sync(directory)


@contextlib.contextmanager
def _directory(path: Path) -> Iterator[int]:
    with safe.closing(safe.open_dir(path.parent)) as directory:
        yield directory


def _note_path(path: Path) -> Path:
    return path.with_name(f".{path.name}{_NOTE}")
