"""The directories of one author, looked at without reading a file: whether anything changed (RU2-RU4)."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Mapping

from mau.fingerprint import Fingerprint
from mau.tree.index import is_settled, stamp_of
from mau.tree.layout import Root
from mau.tree.names import is_post_name


def look_of(root: Root, author: Fingerprint) -> bytes:
    """What tells that nothing came, went or was renamed; empty when another change may leave the same."""
    now, said = time.time_ns(), b""
    for _, path in _paths(root, author):
        try:
            info = os.lstat(path)
        except OSError:
            said += b"-"
            continue
        if not is_settled(info, now):
            return b""
        said += stamp_of(info)
    return said


def stamp(root: Root, author: Fingerprint, name: str, *, hidden: bool) -> bytes:
    """The stamp of one file; empty when there is none."""
    path = _paths(root, author)[hidden][1]
    try:
        return stamp_of(os.lstat(f"{path}/{name}"))
    except OSError:
        return b""


def differing(root: Root, author: Fingerprint, known: Mapping[str, tuple[bytes, bool]]) -> list[str]:
    """Names whose files are not those that are known, as (stamp, hidden); those that are gone, too."""
    found: dict[str, None] = {}
    seen: set[str] = set()
    for hidden, path in _paths(root, author):
        with contextlib.suppress(OSError):  # there is no such directory, or it goes while we look
            directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                for name in os.listdir(directory):  # noqa: PTH208 - a descriptor
                    before = known.get(name)
                    if name in seen or (before is None and not is_post_name(name)):
                        continue  # one that is not hidden counts before the same name hidden
                    info = os.stat(name, dir_fd=directory, follow_symlinks=False)
                    if not stat.S_ISREG(info.st_mode):
                        continue
                    seen.add(name)
                    if before != (stamp_of(info), hidden):
                        found[name] = None
            finally:
                os.close(directory)
    return [*found, *(name for name in known if name not in seen)]


def _paths(root: Root, author: Fingerprint) -> tuple[tuple[bool, str], tuple[bool, str]]:
    return (False, str(root.author_dir(author))), (True, str(root.hidden_dir(author)))
