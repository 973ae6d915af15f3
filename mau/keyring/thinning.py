"""Which older keyring statements are kept (spec/keyring.md K7.6). Pure.

Every change of the keyring files the statement that it replaces as a version, and each of them holds the keys
of everybody: a hundred additions leave two megabytes. They are read by nobody but a person who mends
something by hand, who needs the last few and some way back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mau.tree.versions import VersionEntry

NEWEST = 10
"""So many of the newest are kept, and of those before them the last of each month (UTC)."""


def superfluous(versions: Iterable[VersionEntry]) -> list[str]:
    """The sha256 of those that may go, oldest first; the time of each is when it was written."""
    in_order = sorted(versions, key=lambda version: (version.mtime_ns, version.sha256))
    older = in_order[: max(len(in_order) - NEWEST, 0)]
    last_of_month = {_month(version.mtime_ns): version.sha256 for version in older}
    kept = set(last_of_month.values())
    return [version.sha256 for version in older if version.sha256 not in kept]


def _month(mtime_ns: int) -> tuple[int, int]:
    try:
        moment = datetime.fromtimestamp(mtime_ns // 1_000_000_000, UTC)
    except (ValueError, OverflowError, OSError):
        return 0, 0
    return moment.year, moment.month
