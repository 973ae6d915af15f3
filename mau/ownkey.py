"""The account's public key beside the locked account, for programs that run (spec/keyring.md K12).

Extending or revoking the key changes the account file, which opens with the passphrase only. A server that
runs since yesterday must serve the new copy all the same, and so must somebody who lost the passphrase and
has nothing but the revocation certificate. So the public key lies in a file of its own. Any program of the
user's can write there, and none needs to be believed: only what the key itself signed is read out of it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mau.errors import KeyRefused, TreeError
from mau.tree import safe

if TYPE_CHECKING:
    from pathlib import Path

    from mau.openpgp import Certificate
    from mau.tree.layout import Root

LOOK_EVERY = 0.5
"""Seconds between two looks at whether the file changed."""
_MAX_FILE = 1 << 20
_Stamp = tuple[int, int, int, int]


class PublicCopy:
    """The file, looked at again and again. Used from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: _Stamp | None = None
        self._looked = float("-inf")

    def news(self) -> Certificate | None:
        """What lies there, when that changed since it was last asked; looks at most every half second."""
        now = time.monotonic()
        if now - self._looked < LOOK_EVERY:
            return None
        self._looked = now
        stamp = self._stamp_now()
        if stamp is None or stamp == self._stamp:
            return None
        self._stamp = stamp
        return read(self._path)

    def _stamp_now(self) -> _Stamp | None:
        try:
            found = self._path.lstat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def read(path: Path) -> Certificate | None:
    """The copy that lies there; None when there is none that can be read."""
    from mau.openpgp import Certificate

    try:
        return Certificate.parse(safe.read_bytes(path, _MAX_FILE))
    except (TreeError, OSError, KeyRefused):
        return None


def write(root: Root, certificate: Certificate) -> None:
    """Put the public key where running programs look."""
    root.state_dir("account")
    safe.write_bytes(root.certificate_file, bytes(certificate), below=root.path)
