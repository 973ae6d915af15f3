"""What is let in: sizes of files, quotas of one and of all, free space (spec/sync.md S46, S47). Pure.

What a limit keeps out is deferred, not refused: it comes when there is room again, or when it is asked for by
name. One friend at his limit stops no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mau.config import keys
from mau.config.keys import Received
from mau.errors import KeptOut
from mau.wire.listing import Item

if TYPE_CHECKING:
    from mau.config.settings import Config

_KIB = 1024


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits, in bytes and files; 0 is no limit. And ``received``: what becomes of posts that were deleted.

    ``file``: of one file. ``friend``, ``friend_files``: of what is held of one person, versions and
    beginnings of files included. ``tree``: of what is held of everybody. ``free``: what stays free on the
    disk.
    """

    file: int = 1 << 30
    friend: int = 10 << 30
    friend_files: int = 200_000
    tree: int = 100 << 30
    free: int = 256 << 20
    received: Received = "version"

    @classmethod
    def of(cls, config: Config) -> Policy:
        """The limits of the settings ``sync.*``."""
        return cls(
            file=config.get(keys.SYNC_MAX_FILE),
            friend=config.get(keys.SYNC_QUOTA),
            friend_files=config.get(keys.SYNC_QUOTA_FILES),
            tree=config.get(keys.SYNC_TREE_QUOTA),
            free=config.get(keys.SYNC_FREE),
            received=config.get(keys.DELETE_RECEIVED),
        )


@dataclass(frozen=True, slots=True)
class Usage:
    """What is used now, in bytes and files, and the bytes that are free on the disk."""

    friend: int
    friend_files: int
    tree: int
    free: int

    def plus(self, size: int) -> Usage:
        """With one more file."""
        return replace(
            self,
            friend=self.friend + size,
            friend_files=self.friend_files + 1,
            tree=self.tree + size,
            free=self.free - size,
        )


def admit(
    items: Iterable[Item], usage: Usage, policy: Policy
) -> tuple[list[Item], list[tuple[Item, KeptOut]], Usage]:
    """(what may come, what may not and why, what will be used then). In their order: small ones that still
    fit are not kept out by a large one before them."""
    admitted: list[Item] = []
    kept_out: list[tuple[Item, KeptOut]] = []
    for item in items:
        words = _against(item.size, usage, policy)
        if words is None:
            admitted.append(item)
            usage = usage.plus(item.size)
        else:
            kept_out.append((item, KeptOut(words)))
    return admitted, kept_out, usage


def _against(size: int, usage: Usage, policy: Policy) -> str | None:
    """Which limit speaks against one more file; None when none does."""
    after = usage.plus(size)
    limits: Sequence[tuple[str, int, int, str]] = (
        ("sync.max_file", policy.file, size, "it has"),
        ("sync.quota", policy.friend, after.friend, "with it this person would use"),
        ("sync.tree_quota", policy.tree, after.tree, "with it everybody you follow would use"),
    )
    for setting, limit, used, words in limits:
        if limit and used > limit:
            return f"{words} {_size(used)}, and {setting} is {_size(limit)}; `mau fetch` brings it anyway"
    if policy.friend_files and after.friend_files > policy.friend_files:
        return (
            f"with it this person would have {after.friend_files:,} files and versions here, and "
            f"sync.quota_files is {policy.friend_files:,}; `mau fetch` brings it anyway"
        )
    if policy.free and after.free < policy.free:
        return f"the disk would have {_size(max(after.free, 0))} left, and sync.free is {_size(policy.free)}"
    return None


def _size(count: int) -> str:
    amount = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if amount < _KIB:
            return f"{amount:.0f} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= _KIB
    return f"{amount:.1f} TiB"
