"""The older contents of one post: whether they are what they are called by (spec/backup.md C7)."""

from __future__ import annotations

import os

from mau.errors import MauError
from mau.fingerprint import Fingerprint
from mau.fsck.finding import Finding, Kind
from mau.fsck.looking import is_twin
from mau.fsck.posts import Opener, check_content, kind_of, unread, words_of
from mau.tree import safe
from mau.tree.names import POST_SUFFIX


def check_versions(
    opener: Opener | None,
    directory: int,
    versions: int,
    path: str,
    author: Fingerprint,
    hidden: bool,
    name: str,
) -> list[Finding]:
    """Everything in ``NAME.pgp.versions``, open as `versions`, in `directory`."""
    found: list[Finding] = []
    with os.scandir(versions) as scan:
        entries = sorted(entry.name for entry in scan)
    for entry in entries:
        place = f"{path}/{entry}"
        try:
            fd, status = safe.open_regular(entry, at=versions)
        except MauError as error:
            if _is_there(versions, entry):
                found.append(Finding("stray", place, str(error)))
            continue
        except OSError as error:
            found.append(unread(place, error))
            continue
        with os.fdopen(fd, "rb") as file:
            if status.st_nlink > 1 and is_twin(directory, name, versions, entry):
                words = "it is the post itself under a second name"
                found.append(Finding("leftover", place, words, author, hidden, name))
                continue
            try:
                sha256, problem = check_content(opener, author, name, file)
            except OSError as error:
                found.append(unread(place, error))
                continue
        stated = entry.removesuffix(POST_SUFFIX)
        if stated != sha256:
            words = f"its sha256 is {sha256[:16]}..., not what it is called by"
            found.append(Finding("version-name", place, words, author, hidden, name))
        elif problem is not None and opener is not None:
            lasting = kind_of(problem, own=False) == "damaged"
            kind: Kind = "older" if lasting else "unproven"
            found.append(Finding(kind, place, f"an older content: {words_of(problem)}", author, hidden, name))
    return found


def _is_there(directory: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
