"""Whom the owner refuses, for programs that run: looked at again when the file changes (spec/marks.md)."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from mau.marks.decisions import Decisions
from mau.marks.marks import decisions_file
from mau.marks.store import MarksFile

if TYPE_CHECKING:
    from mau.account import Account
    from mau.fingerprint import Fingerprint

_log = logging.getLogger("mau.marks")


class BlockList:
    """The blocks as of the last look. Never an error: what does not hold is logged and passed over."""

    def __init__(self, account: Account) -> None:
        self._file: MarksFile[Decisions] = decisions_file(account)
        self._stamp: object = None
        self._decisions = Decisions()
        self.people: frozenset[Fingerprint] = frozenset()
        """Who is refused."""
        self.refresh()

    def refresh(self) -> bool:
        """Look again, which is cheap while nothing changed; whether others are refused now than before."""
        stamp = self._file.stamp()  # before what it stands for: no change goes unnoticed
        if stamp != self._stamp:
            held = self._file.read()
            for warning in held.warnings:
                _log.warning("%s", warning)
            self._decisions, self._stamp = held.value, stamp
        before, self.people = self.people, self._decisions.blocked(int(time.time()))
        return self.people != before
