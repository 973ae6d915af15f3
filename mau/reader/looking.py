"""What one file of the tree is to me: opened, judged and told in short (spec/reading.md). Blocking."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mau.contact.document import is_contact
from mau.content.binding import states_by_notation
from mau.content.origin import is_sources
from mau.deletion.document import Delete, is_delete, read_delete
from mau.errors import FromTheFuture, MauError, NoSuchPost, PostError
from mau.marks.names import NAMES as OWN_MARKS
from mau.marks.names import is_marks
from mau.reader.open import OpenedPost, open_source
from mau.reader.owners import Asking, Owners
from mau.reader.summary import Summary, summarise
from mau.tree.names import KEYRING_NAME
from mau.tree.posts import AuthorDir

if TYPE_CHECKING:
    from typing import Any

    from mau.account import Account
    from mau.fingerprint import Fingerprint
    from mau.reader.open import Keys

MAX_OPENED: Final = 16 << 20
"""Files larger than this (bytes) are told with their file's time, and checked only when they are opened."""


@dataclass(frozen=True, slots=True)
class Looked:
    """`summary` says what it is, also of what does not hold (`Summary.error`). `post` is None for those, and
    for a file too large to be opened for a list. `delete`: what it deletes, when it is a DeleteAction.

    `again`: when it is to be judged again, in unix seconds; 0 when the verdict holds for that content and
    these keys. `lasts`: False when it says nothing of the content, but that it could not be read. `owners`:
    whose the key ids are that the verdict rests on.
    """

    summary: Summary
    post: OpenedPost | None = None
    delete: Delete | None = None
    again: int = 0
    lasts: bool = True
    owners: Owners = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one file: `looked`, or it is `gone`; neither: it cannot be read."""

    looked: Looked | None
    gone: bool = False


def look(account: Account, keyring: Keys, directory: AuthorDir, name: str, sha256: str = "") -> Looked:
    """Open a file and say what it is. NoSuchPost, NotAFile and OSError when it cannot be read.

    `sha256`: what the index says of it; taken for a file that is too large to be opened for a list.
    """
    entry = directory.entry(name)
    if entry is None:
        raise NoSuchPost(f"there is no {name!r}")
    author = directory.fpr
    if entry.size > MAX_OPENED:
        time = entry.mtime_ns // 1_000_000_000
        sha256 = sha256 or directory.sha256(name)
        return Looked(Summary(author, name, sha256, entry.size, time, checked=False, hidden=directory.hidden))
    with directory.open(name) as file:
        source = file.read(entry.size + 1)  # what grew meanwhile is refused as cut off, and whole next time
    return look_at(account, keyring, author, name, source, hidden=directory.hidden)


def look_at(
    account: Account, keyring: Keys, author: Fingerprint, name: str, source: bytes, *, hidden: bool = False
) -> Looked:
    """As `look`, for bytes that were read."""
    sha256 = hashlib.sha256(source).hexdigest()
    keys = Asking(keyring)
    if author == account.fingerprint and name in OWN_MARKS:  # whatever became of it: no post is missing
        return Looked(Summary(author, name, sha256, len(source), 0, apart="marks", hidden=hidden))

    def failed(error: MauError) -> Looked:
        again = max(math.ceil(error.until), 1) if isinstance(error, FromTheFuture) else 0
        summary = Summary(author, name, sha256, len(source), 0, error=type(error).__name__, hidden=hidden)
        return Looked(summary, again=again, lasts=isinstance(error, PostError), owners=keys.asked)

    try:
        post = open_source(account, keys, author, name, source, held=True)
        delete = None
        if not states_by_notation(post.opened.notations):  # else it is a file that its author passed on
            delete = read_delete(author, post.statement, post.signed_at, post.document)
    except MauError as error:
        return failed(error)
    apart = "attachment" if post.attached else apart_of(account.fingerprint, author, name, post.document)
    summary = summarise(account.fingerprint, post, sha256, len(source), apart=apart, hidden=hidden)
    return Looked(summary, post, delete, owners=keys.asked)


def apart_of(me: Fingerprint, author: Fingerprint, name: str, document: dict[str, Any] | None) -> str:
    """What a file is when it is no post to show (`Summary.apart`); else ""."""
    if author == me and name == KEYRING_NAME:
        return "keyring"
    if author == me and is_marks(name, document):
        return "marks"
    if author == me and is_sources(name, document):
        return "sources"
    if is_delete(document):
        return "delete"
    if is_contact(name, document):
        return "contact"
    if is_marks(name, document):
        return "marks"
    return ""
