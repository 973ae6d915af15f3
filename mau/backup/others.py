"""What lies beside the posts: drafts and whatever else a person keeps there (spec/backup.md B27)."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Collection
from contextlib import ExitStack
from typing import Final

from mau.account import Account
from mau.backup.archive import Archive, Member
from mau.backup.report import Restored, require_of_one, words_of
from mau.backup.target import take_free_name
from mau.errors import MauError, NoSuchPost, NotAFile
from mau.fingerprint import Fingerprint
from mau.tree import safe
from mau.tree.names import MAX_BYTES
from mau.tree.staging import hash_fd

_MOST: Final = 1000


def put_beside(
    account: Account,
    archive: Archive,
    member: Member,
    restored: Restored,
    there: Collection[Fingerprint],
    *,
    dry_run: bool,
) -> None:
    """Put one where it was, or beside what has its name now; only where its author's directory is.

    `there`: whose directory is there, or, with `dry_run`, would be.
    """
    author = member.place.author
    assert author is not None  # noqa: S101 - it lies in the directory of one
    root = account.root
    places = [root.author_dir(author), root.hidden_dir(author)]
    directory = next((place for place in places if place.is_dir() and not place.is_symlink()), None)
    if directory is None and dry_run and author in there:
        restored.add(member.path, "back")
        return
    if directory is None:
        restored.add(member.path, "refused", "there is no directory of that author here")
        return
    try:
        with ExitStack() as stack:
            author_fd = stack.enter_context(safe.closing(safe.open_dir(directory)))
            *above, name = member.place.inner
            inner = author_fd
            for part in above:
                opened = _step_down(part, inner, dry_run=dry_run)
                if opened is None:  # it would be made: nothing is held there
                    restored.add(member.path, "back")
                    return
                inner = stack.enter_context(safe.closing(opened))
            _put(archive, member, author_fd, inner, name, restored, dry_run=dry_run)
    except (MauError, OSError) as error:
        require_of_one(error)
        restored.add(member.path, "refused", words_of(error))


def _step_down(part: str, inner: int, *, dry_run: bool) -> int | None:
    if not dry_run:
        return safe.make_dir(part, at=inner)
    try:
        return safe.open_dir(part, at=inner)
    except FileNotFoundError:
        return None


def _put(
    archive: Archive, member: Member, author: int, inner: int, name: str, restored: Restored, *, dry_run: bool
) -> None:
    wanted = None
    for number in range(_MOST):
        target = name if number == 0 else f"{_cut(name)}.{number}"
        try:
            fd, found = safe.open_regular(target, at=inner)
        except NoSuchPost:
            try:
                if not dry_run:
                    _write(archive, member, author, inner, target)
            except FileExistsError:  # somebody was quicker
                continue
            restored.add(
                member.path, "back" if number == 0 else "aside", "" if number == 0 else f"as {target!r}"
            )
            return
        except NotAFile:
            continue
        with safe.closing(fd):
            if found.st_size == member.size:
                wanted = wanted or _sum(archive, member)
                if hash_fd(fd)[0] == wanted:
                    restored.add(member.path, "same")
                    return
    restored.add(member.path, "refused", "too many files are called like it; move some away")


def _cut(name: str) -> str:
    """So much of a name that a number fits behind it."""
    while len(os.fsencode(name)) > MAX_BYTES - 5:
        name = name[:-1]
    return name


def _sum(archive: Archive, member: Member) -> str:
    section = archive.section(member)
    digest = hashlib.sha256()
    while chunk := section.read(safe.CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _write(archive: Archive, member: Member, author: int, inner: int, name: str) -> None:
    fd, temp = safe.create_temp(author)
    file = os.fdopen(fd, "wb")
    with file:
        try:
            shutil.copyfileobj(archive.section(member), file, safe.CHUNK)
            file.flush()
            safe.sync(fd)
            take_free_name(author, temp, name, to=inner)
        except BaseException:
            safe.unlink_quietly(temp, at=author)
            raise
    safe.sync(inner)
