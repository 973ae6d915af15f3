"""What is given out from now on, though its file did not change, takes a new place in the order (M89).

Whoever asks for what changed since his position would pass it over otherwise: a post of which the
DeleteAction is gone, and one that was signed ahead of the clock, whose time has come.
"""

from __future__ import annotations

import logging
import math
import sqlite3
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from mau.acceptance import MAX_AHEAD
from mau.catalogue import open_index
from mau.deletion.document import Delete
from mau.errors import MauError
from mau.fingerprint import Fingerprint

if TYPE_CHECKING:
    from mau.tree.index import Index
    from mau.tree.layout import Root

ALWAYS: Final = math.inf
_log = logging.getLogger("mau.deletion")


def believed_since(signed_at: int, came_ns: int) -> float | None:
    """When a post that was signed ahead of the clock began to count, in unix seconds; None: it always did.

    ``came_ns``: when its file came to be as it is.
    """
    since = signed_at - MAX_AHEAD
    return since if since > came_ns / 10**9 else None


def no_longer_deleted(before: Iterable[Delete], now: Iterable[Delete]) -> frozenset[str]:
    """The posts about which something was said that is not said now."""
    return frozenset(one.target for one in set(before) - set(now))


def renew_place(index: Index, author: Fingerprint, since: Mapping[str, float]) -> None:
    """Have posts come after all that is told already, unless they did so ``since`` then (unix seconds)."""
    found = [(entry, at) for name, at in since.items() if (entry := index.entry(author, name)) is not None]
    entries = [entry for entry, at in found if entry.modified < at]
    if entries:
        index.outdate(author, entries)


def renew_place_in(root: Root, author: Fingerprint, since: Mapping[str, float]) -> None:
    """As `renew_place`, for who has no index. Where it fails, the next whole comparison finds the posts."""
    if not since:
        return
    try:
        with open_index(root) as index:
            renew_place(index, author, since)
    except (MauError, OSError, sqlite3.Error) as error:
        _log.warning("posts of %s may be found late: %s", author.hex, error)
