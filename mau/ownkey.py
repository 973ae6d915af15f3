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
    """The file, and the public key as it is with what the file adds. Used from several threads."""

    def __init__(self, path: Path, certificate: Certificate) -> None:
        """``certificate``: what was known when the account was opened."""
        self._path = path
        self._certificate = certificate
        self._stamp: _Stamp | None = None
        self._looked = float("-inf")

    def current(self) -> Certificate:
        """The public key as of now, or of half a second ago."""
        now = time.monotonic()
        if now - self._looked >= LOOK_EVERY:
            self._looked = now
            stamp = self._stamp_now()
            if stamp is not None and stamp != self._stamp:
                self._stamp = stamp
                self._certificate = _with(self._certificate, read(self._path))
        return self._certificate

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


def _with(certificate: Certificate, copy: Certificate | None) -> Certificate:
    from mau.openpgp.merging import merge_fetched

    if copy is None or copy == certificate or copy.fingerprint != certificate.fingerprint:
        return certificate
    try:
        merged = merge_fetched(certificate, copy)
    except KeyRefused:
        return certificate
    return merged.reported or merged.certificate
