"""Whom to ask when an author is away: friends whose hosts were reached lately (spec/sync.md S53). Pure.

A relay can keep back and nothing else: what it brings is judged as from anybody but the author. To ask
somebody is to tell him whom we follow, so only friends are asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from mau.addressbook import KnownAddress
from mau.fingerprint import Fingerprint

EVERY: Final = 900.0
"""Seconds between two times that friends are asked for the posts of one who is away."""
AT_ONCE: Final = 3
AWAY_AFTER: Final = 2
"""Rounds in a row that did not reach the author, until friends are asked."""


def relays_for(
    author: Fingerprint, friends: Collection[Fingerprint], book: Iterable[KnownAddress], turn: int
) -> list[Fingerprint]:
    """At most AT_ONCE friends, other than the author, who answered when they were asked last.

    ``turn`` counts how often this was asked: each time others come first, so all of them have their turn.
    """
    reached: dict[Fingerprint, int] = {}
    for known in book:
        if known.last_proven is None or known.failures or known.fingerprint == author:
            continue
        if known.fingerprint in friends:
            reached[known.fingerprint] = max(reached.get(known.fingerprint, 0), known.last_proven)
    found = sorted(reached, key=lambda friend: (-reached[friend], friend))
    start = turn * AT_ONCE % len(found) if found else 0
    return (found[start:] + found[:start])[:AT_ONCE]
