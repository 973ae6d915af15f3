"""This machine's time beside the times of files and signatures. No time is asked from anywhere."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mau.acceptance import MAX_AHEAD
from mau.doctor.finding import Finding, span
from mau.errors import MauError
from mau.tree.layout import Root

if TYPE_CHECKING:
    from mau.account import Account
    from mau.keyring import Keyring

WRITTEN: Final = 1_750_000_000
"""The summer of 2025, when this program was not yet written: no clock that is right says less."""
TOLERATED: Final = 5 * 60
"""Seconds that a time may lie ahead: clocks that are set over the network are moved by less."""
_LOOKED_AT: Final = 50

_SET = "set the clock, and have it kept right: timedatectl set-ntp true"


def judge_clock(now: float, changed: float, signed: float) -> list[Finding]:
    """What is wrong with the time `now`; all in unix seconds. Pure.

    `changed`: the latest moment at which the system noted a change of a file, which nobody can set by hand.
    `signed`: the latest signature of one's own that is held. 0: there is none.
    """
    if now < WRITTEN:
        return [
            Finding(
                "clock",
                "this machine's clock says a time before Mau was written",
                "what you sign bears that time, so others take it for older than it is; and what others "
                "signed seems to come from the future, and is put off",
                _SET,
            )
        ]
    found = []
    if changed > now + TOLERATED:
        found.append(
            Finding(
                "clock",
                f"the tree was changed {span(changed - now)} ahead of this machine's clock: it was set back",
                "what is changed now seems older than what was changed before",
                _SET,
            )
        )
    if signed > now + MAX_AHEAD:
        found.append(
            Finding(
                "clock",
                f"a post of yours is signed {span(signed - now)} ahead of this machine's clock",
                "friends put it off until its time has come, unless their clocks are wrong as well",
                f"{_SET}; then write the post again",
            )
        )
    return found


def examine_clock(root: Root, account: Account | None, keyring: Keyring | None, now: float) -> list[Finding]:
    """Look at the times in a tree."""
    return judge_clock(now, _last_change(root), _last_signature(account, keyring))


def _last_change(root: Root) -> float:
    latest = 0.0
    for path in _some(root):
        with contextlib.suppress(OSError):
            latest = max(latest, path.lstat().st_ctime)
    return latest


def _some(root: Root) -> Iterable[Path]:
    yield root.path
    yield root.account_file
    for fpr, hidden in root.authors():
        yield root.hidden_dir(fpr) if hidden else root.author_dir(fpr)
    with contextlib.suppress(OSError), os.scandir(root.path) as entries:
        yield from [Path(entry.path) for entry in entries]


def _last_signature(account: Account | None, keyring: Keyring | None) -> float:
    """Of the own posts that were stored last."""
    if account is None or keyring is None:
        return 0
    from mau.reader.open import open_post

    latest = 0.0
    newest = sorted(account.posts().entries(), key=lambda entry: entry.mtime_ns, reverse=True)
    for entry in newest[:_LOOKED_AT]:
        if entry.size > 1 << 20:
            continue
        with contextlib.suppress(MauError, OSError):
            opened = open_post(account, keyring, account.fingerprint, entry.name, anyway=True)
            latest = max(latest, opened.signed_at)
    return latest
