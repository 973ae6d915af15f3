"""The keys to judge an archive with: those of the tree, and those that the archive itself brings.

A key file that the account signed verifies wherever it lies; so it does before it is in the tree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mau.errors import ArchiveDamaged, ProofError
from mau.fingerprint import Fingerprint
from mau.keyring.keyfile import MAX_KEY_FILE, read_key_file

if TYPE_CHECKING:
    from mau.account import Account
    from mau.backup.archive import Archive, Member
    from mau.keyring import Keyring
    from mau.openpgp import Certificate


class Keys:
    """As `Keyring` answers whoever opens posts; what the tree holds counts before what the archive brings."""

    def __init__(self, account: Account, keyring: Keyring, archive: Archive) -> None:
        self._account = account
        self.keyring = keyring
        self._archive = archive
        self._brought: dict[Fingerprint, list[Member]] = {}
        self._read: dict[Fingerprint, Certificate | None] = {}
        for member in archive.keys:
            if member.place.author is not None:
                self._brought.setdefault(member.place.author, []).append(member)

    def certificate(self, fingerprint: Fingerprint) -> Certificate | None:
        """Any key that verifies."""
        held = self.keyring.certificate(fingerprint)
        if held is not None:
            return held
        if fingerprint not in self._read:
            self._read[fingerprint] = self._from_archive(fingerprint)
        return self._read[fingerprint]

    def owner_of(self, keyid: bytes) -> Fingerprint | None:
        """The one person who holds that key id."""
        return self.keyring.owner_of(keyid)

    def _from_archive(self, fingerprint: Fingerprint) -> Certificate | None:
        for member in self._brought.get(fingerprint, ()):
            if member.size > MAX_KEY_FILE:
                continue
            try:
                return read_key_file(self._archive.read(member), self._account.key, fingerprint)
            except (ProofError, ArchiveDamaged):
                continue
        return None
