"""Drafts: ``NAME.md`` and ``NAME.json`` beside the own posts, which never leave (spec/writing.md P80-P89).

They are plain files for any editor. A text that could not be published is kept beside them as
``NAME.md.gpg``: encrypted for its owner alone and signed, readable by any OpenPGP program.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mau.content.jsonld import MAX_DOCUMENT
from mau.errors import AlreadyRunning, InvalidName, MauError, NoSuchPost, TreeChanged, UsageError
from mau.tree import safe
from mau.tree.names import check_name

if TYPE_CHECKING:
    from mau.account import Account

KEPT: Final = ".gpg"
BASE_NOTATION: Final = "base@mau.invalid"
"""In the signature of a text that was kept: the sha256 of the content which it is a change of."""
_DRAFT: Final = re.compile(r"(?P<stem>.+)\.(?P<form>md|json)(?P<kept>\.gpg)?", re.DOTALL)
_CHANGE: Final = re.compile(r"(.+)\.edit(?:-[0-9]+)?", re.DOTALL)
_MAX_FILE: Final = 2 * MAX_DOCUMENT  # bytes
_MAX_KEPT: Final = 32 << 20  # bytes; a text that is no document may be larger


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft: its file's name, what it is called, its form (md or json), size in bytes, when it changed."""

    file: str
    name: str
    form: str
    kept: bool
    size: int
    mtime: float

    @property
    def change_of(self) -> str:
        """The post that a text which was kept is a change of; "" when it is none of any."""
        match = _CHANGE.fullmatch(self.name) if self.kept else None
        return "" if match is None else match[1]


@dataclass(frozen=True, slots=True)
class DraftText:
    """What a draft holds; `sha256` of the file, and of the content that it is a change of (or "")."""

    text: str
    sha256: str
    base: str = ""


def drafts(account: Account) -> list[Draft]:
    """Every draft, by name."""
    found = []
    try:
        directory = safe.open_dir(_place(account))
    except FileNotFoundError:
        return []
    with safe.closing(directory), os.scandir(directory) as scan:
        for item in scan:
            with contextlib.suppress(FileNotFoundError):
                draft = _draft(item.name, item.stat(follow_symlinks=False))
                if draft is not None:
                    found.append(draft)
    return sorted(found, key=lambda draft: draft.file)


def _draft(file: str, info: os.stat_result) -> Draft | None:
    match = _DRAFT.fullmatch(file)
    if match is None or not stat.S_ISREG(info.st_mode):
        return None
    try:
        check_name(file)
    except InvalidName:
        return None
    return Draft(file, match["stem"], match["form"], bool(match["kept"]), info.st_size, info.st_mtime)


def find_draft(account: Account, word: str) -> Draft:
    """The draft that a word means: its file's name, with or without its ending. NoSuchPost, UsageError."""
    held = drafts(account)
    for same in (
        [one for one in held if one.file == word],
        [one for one in held if word in {one.name, f"{one.name}.{one.form}"}],
    ):
        if len(same) == 1:
            return same[0]
        if same:
            listed = "".join(f"\n{one.file}" for one in same)
            raise UsageError(f"{word!r} can be {len(same)} drafts; write the whole name:{listed}")
    raise NoSuchPost(f"there is no draft {word!r}; `mau drafts` lists them")


def read_draft(account: Account, draft: Draft) -> DraftText:
    """What a draft says; UsageError when it is no text, PostError when a kept one does not open."""
    data = safe.read_bytes(_place(account) / draft.file, _MAX_KEPT if draft.kept else _MAX_FILE)
    sha256 = hashlib.sha256(data).hexdigest()
    base = ""
    if draft.kept:
        from mau.openpgp import open_message

        opened = open_message(data, key=account.key, author=account.certificate)
        data = opened.data or b""
        base = (opened.notations.get(BASE_NOTATION) or ("",))[0]
    try:
        return DraftText(data.decode(), sha256, base)
    except UnicodeDecodeError:
        raise UsageError(f"{draft.file!r} is no text in UTF-8") from None


@contextlib.contextmanager
def locked_draft(account: Account, draft: Draft) -> Iterator[None]:
    """Hold a draft for the length of a ``with`` block, so that nobody else publishes it meanwhile.

    AlreadyRunning when another program does; NoSuchPost when it is gone.
    """
    fd, _ = safe.open_regular(draft_path(account, draft))
    with safe.closing(fd):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(f"another program publishes the draft {draft.file!r} already") from None
        if not os.fstat(fd).st_nlink:
            raise NoSuchPost(f"there is no draft {draft.file!r} any more")
        yield


def write_draft(account: Account, name: str, form: str, text: str) -> Draft:
    """A new plain draft; UsageError when there is one of that name."""
    file = check_name(f"{name}.{form}")
    if any(one.name == name for one in drafts(account)):
        raise UsageError(f"there is a draft {name!r} already; `mau edit {name}` opens it")
    return _written(account, file, text.encode())


def rewrite_draft(account: Account, draft: Draft, before: DraftText, text: str) -> Draft:
    """Another text for a draft, in the form that it has; TreeChanged when its file is not what it was."""
    _check_same(account, draft, before)
    if draft.kept:
        return keep_text(account, draft.name, draft.form, text.encode(), base=before.base, instead=draft)
    return _written(account, draft.file, text.encode())


def kept_of(account: Account, name: str, form: str) -> list[Draft]:
    """The texts that were kept under a name, the one that was kept last first."""
    same = re.compile(rf"{re.escape(name)}(?:-[0-9]+)?")
    found = [one for one in drafts(account) if one.kept and one.form == form and same.fullmatch(one.name)]
    return sorted(found, key=lambda draft: draft.mtime, reverse=True)


def keep_text(
    account: Account, name: str, form: str, data: bytes, *, base: str = "", instead: Draft | None = None
) -> Draft:
    """Keep what could not be published, encrypted for its owner alone, under a name that is free.

    `instead`: a text that was kept before, of which this is what became.
    """
    from mau.openpgp import write_message

    held = {one.name for one in drafts(account)}
    chosen, number = name if instead is None else instead.name, 1
    while instead is None and chosen in held:
        number += 1
        chosen = f"{name}-{number}"
    out = io.BytesIO()
    notations = {BASE_NOTATION: base} if base else {}
    write_message(out, data, key=account.key, recipients=[], notations=notations, for_owner=True)
    return _written(account, check_name(f"{chosen}.{form}{KEPT}"), out.getvalue())


def is_unchanged(account: Account, draft: Draft, read: DraftText) -> bool:
    """Whether the file of a draft is still what was read of it."""
    try:
        _check_same(account, draft, read)
    except (MauError, OSError):
        return False
    return True


def remove_draft(account: Account, draft: Draft, read: DraftText) -> bool:
    """Remove a draft; False when its file was changed since it was read, and stays."""
    if not is_unchanged(account, draft, read):
        return False
    with safe.closing(safe.open_dir(_place(account))) as directory:
        gone = safe.unlink_quietly(draft.file, at=directory)
        safe.sync(directory)
    return gone


def _check_same(account: Account, draft: Draft, read: DraftText) -> None:
    data = safe.read_bytes(_place(account) / draft.file, _MAX_KEPT if draft.kept else _MAX_FILE)
    if hashlib.sha256(data).hexdigest() != read.sha256:
        raise TreeChanged(f"the draft {draft.file!r} was changed meanwhile")


def _written(account: Account, file: str, data: bytes) -> Draft:
    path = _place(account) / file
    safe.write_bytes(path, data, below=account.root.path)
    made = _draft(file, path.lstat())
    if made is None:
        raise InvalidName(f"no draft can be called {file!r}")
    return made


def draft_path(account: Account, draft: Draft) -> Path:
    """Where a draft lies."""
    return _place(account) / draft.file


def _place(account: Account) -> Path:
    return account.root.author_dir(account.fingerprint)
