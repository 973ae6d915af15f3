"""How much is held of one: posts, versions, evidence, beginnings of files (spec/sync.md S46). Blocking."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Collection
from pathlib import Path

from mau.fingerprint import Fingerprint
from mau.syncer.evidence import evidence_of
from mau.tree.layout import Root


def measure(root: Root, author: Fingerprint, begun: Collection[str] = ()) -> tuple[int, int]:
    """(bytes, files) of one person's directories, with what lies below them, and of the evidence against him.

    ``begun``: sha256 of his files of which a beginning may lie here. Links are not followed.
    """
    total = count = 0
    state = root.state_dir("syncer")
    for sha256 in begun:
        with contextlib.suppress(OSError):
            total += (state / f"{sha256}.part").lstat().st_size
            count += 1
    waiting: list[Path] = [root.author_dir(author), root.hidden_dir(author), evidence_of(root, author)]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    found = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(found.st_mode):
                        waiting.append(Path(entry.path))
                    elif stat.S_ISREG(found.st_mode):
                        total += found.st_size
                        count += 1
    return total, count


def free_space(root: Root) -> int:
    """Bytes that are free for us where the tree lies."""
    return shutil.disk_usage(root.path).free
