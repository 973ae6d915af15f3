"""Who the visitors are: the keyring, read again when another program changed it."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable

from mau.account import Account
from mau.errors import MauError
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring
from mau.openpgp import Certificate
from mau.server.visibility import ANONYMOUS, Visitor
from mau.tree.names import KEYRING_NAME

_log = logging.getLogger("mau.server")
_CHECK_EVERY = 1.0
"""Seconds between two looks at whether the key files changed."""

_Mark = tuple[tuple[str, int, int, int], ...]


class People:
    """The keyring of the account as it is now, and who visitors are in it. Used from several threads."""

    def __init__(self, account: Account, keyring: Keyring, changed: Callable[[], None]) -> None:
        """``changed`` is called after the keyring was read again."""
        self._account = account
        self._keyring = keyring
        self._changed = changed
        self._visitors: dict[Fingerprint, Visitor] = {}
        self._lock = threading.Lock()
        self._mark = self._look()
        self._checked = time.monotonic()

    def certificate(self, author: Fingerprint) -> Certificate | None:
        """The key to verify an author's posts with."""
        if author == self._account.fingerprint:
            return self._account.certificate
        return self._keyring.certificate(author)

    def visitor(self, fingerprint: Fingerprint | None) -> Visitor:
        """Who has proven this fingerprint; strangers are told apart from friends here and nowhere else."""
        if fingerprint is None:
            return ANONYMOUS
        known = self._visitors.get(fingerprint)
        if known is not None:
            return known
        keyring = self._keyring
        certificate = self.certificate(fingerprint)
        if certificate is None:
            return Visitor(fingerprint)
        keyids = frozenset(
            keyid for keyid in certificate.encryption_keyids if keyring.owner_of(keyid) == fingerprint
        )
        visitor = Visitor(fingerprint, keyids, keyring.is_friend(fingerprint))
        if keyring is self._keyring:
            self._visitors[fingerprint] = visitor
        return visitor

    def refresh(self) -> None:
        """Read the keyring again when its files are not those that were read; looks at most once a second."""
        if time.monotonic() - self._checked < _CHECK_EVERY or not self._lock.acquire(blocking=False):
            return
        try:
            mark = self._look()
            if mark != self._mark:
                try:
                    self._keyring = Keyring.load(self._account)
                except (MauError, OSError) as error:
                    # Half of a change, perhaps; what was read before still holds until it can be read.
                    _log.warning("the keyring cannot be read: %s", type(error).__name__)
                else:
                    self._mark = mark
                    self._visitors = {}
                    self._changed()
            self._checked = time.monotonic()
        finally:
            self._lock.release()

    def _look(self) -> _Mark:
        root = self._account.root
        own = root.author_dir(self._account.fingerprint) / KEYRING_NAME
        marks = []
        for path in (own, *(path for _, _, path in root.key_files())):
            with contextlib.suppress(OSError):
                status = path.lstat()
                marks.append((str(path), status.st_ino, status.st_size, status.st_mtime_ns))
        return tuple(marks)
