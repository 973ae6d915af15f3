"""Who the visitors are: the keyring and the blocks, read again when another program changed them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Set

from mau.account import Account
from mau.errors import MauError
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring
from mau.marks.blocks import BlockList
from mau.openpgp import Certificate
from mau.server.visibility import ANONYMOUS, Visitor

_log = logging.getLogger("mau.server")
_CHECK_EVERY = 1.0
"""Seconds between two looks at whether the keyring changed."""


class People:
    """The keyring of the account as it is now, and who visitors are in it. Used from several threads."""

    def __init__(
        self, account: Account, keyring: Keyring, changed: Callable[[Set[Fingerprint]], None]
    ) -> None:
        """``changed`` is called after the keyring was read again, with those whose keys are others now."""
        self._account = account
        self._keyring = keyring
        self._changed = changed
        self._visitors: dict[Fingerprint, Visitor] = {}
        self._given: dict[Fingerprint, Certificate | None] = {}
        self._lock = threading.Lock()
        self._checked = 0.0
        self._complained = False
        self._blocks = BlockList(account)
        self._friends = self._friends_now()
        self.version = 0
        """Counts how often the keyring, or who is refused, became another one."""

    @property
    def keyring(self) -> Keyring:
        """The keyring itself, for those who open posts."""
        return self._keyring

    def is_friend(self, proven: Fingerprint | None) -> bool:
        """Whether that is the owner or a friend, as of the last look at the keyring; never waits."""
        return proven in self._friends

    def _friends_now(self) -> frozenset[Fingerprint]:
        friends = (friend.fingerprint for friend in self._keyring.friends())
        return frozenset((self._account.fingerprint, *friends)) - self._blocks.people

    def refuses(self, proven: Fingerprint | None) -> bool:
        """Whether the owner blocked that person, as of the last look; never waits."""
        return proven in self._blocks.people

    def certificate(self, author: Fingerprint) -> Certificate | None:
        """The key to verify an author's posts with."""
        if author == self._account.fingerprint:
            return self._account.certificate
        with self._lock:
            certificate = self._given[author] = self._keyring.certificate(author)
            return certificate

    def visitor(self, proven: Fingerprint | None) -> Visitor:
        """Who has proven this fingerprint; strangers are told apart from friends here and nowhere else."""
        if proven is None:
            return ANONYMOUS
        with self._lock:
            known = self._visitors.get(proven)
            if known is not None:
                return known
            if self.refuses(proven):
                return Visitor(proven, refused=True)
            keyring = self._keyring
            certificate = keyring.certificate(proven)
            if certificate is None:
                return Visitor(proven)
            keyids = (keyid for keyid in certificate.encryption_keyids if keyring.owner_of(keyid) == proven)
            visitor = Visitor(proven, frozenset(keyids), keyring.is_friend(proven))
            self._visitors[proven] = visitor
            return visitor

    def at_hand(self, proven: Fingerprint | None) -> Visitor | None:
        """As `visitor`, but never waits: None for who was not here yet, and when the keyring is due."""
        if time.monotonic() - self._checked >= _CHECK_EVERY:
            return None
        return ANONYMOUS if proven is None else self._visitors.get(proven)

    def refresh(self) -> None:
        """Read keyring and blocks again when they changed; looks at most once a second. Any thread may."""
        if time.monotonic() - self._checked < _CHECK_EVERY:
            return
        with self._lock:
            if time.monotonic() - self._checked < _CHECK_EVERY:
                return
            if self._blocks.refresh():
                self.version += 1
                self._visitors = {}
                self._friends = self._friends_now()
            try:
                if self._keyring.refresh():
                    self.version += 1
                    self._visitors = {}
                    self._friends = self._friends_now()
                    given, self._given = self._given, {}
                    others = {who for who, key in given.items() if self._keyring.certificate(who) != key}
                    self._changed(others)
                self._complained = False
            except (MauError, OSError) as error:
                # What was read before was believed when it was read, and holds until there is better.
                if not self._complained:
                    _log.warning("the keyring cannot be read again: %s", error)
                self._complained = True
            self._checked = time.monotonic()
