"""Whose files these are, and who else can read or write them."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from mau.config.file import expand
from mau.config.keys import PASSPHRASE_FILE
from mau.config.settings import Config
from mau.doctor.finding import Finding
from mau.errors import MauError
from mau.tree.layout import Root


def examine_permissions(root: Root, config: Config | None) -> list[Finding]:
    """The tree's own places, and the file with the passphrase if the settings name one."""
    found = []
    for path, secret in _places(root):
        with contextlib.suppress(OSError):
            found += judge_permissions(str(path), path.lstat(), os.geteuid(), secret=secret)
    if config is not None:
        with contextlib.suppress(OSError, MauError):
            value = config.get(PASSPHRASE_FILE)
            if value is not None:
                path = expand(value)
                found += judge_permissions(str(path), path.stat(), os.geteuid(), secret=True)
    return found


def judge_permissions(path: str, status: os.stat_result, user: int, *, secret: bool) -> list[Finding]:
    """What is wrong with the owner and mode of one place; `secret`: nobody else may even read it. Pure."""
    found = []
    mode = stat.S_IMODE(status.st_mode)
    if user not in (status.st_uid, 0):
        found.append(
            Finding(
                "permissions",
                f"{path!r} belongs to the user number {status.st_uid}, and you are {user}",
                "you cannot change it, or somebody else can change it under your hands",
                f"sudo chown -R {user} {path!r}, or work as that user",
            )
        )
    if mode & 0o022:
        found.append(
            Finding(
                "permissions",
                f"others on this machine can write to {path!r}",
                "they can remove and replace what lies there",
                f"chmod go= {path!r}; then mau fsck",
            )
        )
    elif secret and mode & 0o055:
        found.append(
            Finding(
                "permissions",
                f"others on this machine can read {path!r}",
                "they see your secret key file (encrypted) and who your friends are, or your passphrase",
                f"chmod go= {path!r}",
            )
        )
    if stat.S_ISDIR(status.st_mode) and mode & 0o700 != 0o700:
        found.append(
            Finding(
                "permissions",
                f"you cannot read, write and enter {path!r}",
                "nothing can be stored or served there",
                f"chmod u+rwx {path!r}",
            )
        )
    return found


def _places(root: Root) -> Iterator[tuple[Path, bool]]:
    yield root.path, False
    yield root.mau, True
    yield root.account_file, True
    for fpr, hidden in root.authors():
        yield (root.hidden_dir(fpr) if hidden else root.author_dir(fpr)), False
