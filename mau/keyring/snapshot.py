"""The keyring at one moment: what the statement says and which key files bear it out (spec/keyring.md K3)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mau.errors import KeyMalformed, ProofError
from mau.fingerprint import Fingerprint
from mau.keyring.differences import Difference, reported_sha256
from mau.keyring.keyfile import read_key_file
from mau.keyring.person import Person, Status
from mau.keyring.statement import FRIENDS, KNOWN, Entry, Statement

if TYPE_CHECKING:
    from mau.keyring.store import Store
    from mau.openpgp import Certificate, SecretKey


@dataclass(frozen=True, slots=True)
class Seen:
    """A key file: the sha256 of its bytes in hex, and the key in it (binary) or why it counts for nothing."""

    sha256: str
    key: bytes | None = field(default=None, repr=False)
    reason: str = ""


class Snapshot:
    """What was on the disk when it was made, and what follows from it.

    Key files are opened only when asked about. One whose sha256 stands in the statement was checked when it
    was stated; it is not opened again, which is what keeps a hundred friends quick.
    """

    def __init__(self, store: Store, key: SecretKey) -> None:
        self._store = store
        self._key = key
        # What makes `stamp` differ is looked at before what it stands for, so that no change goes unnoticed.
        self.stamp = store.stamp()
        self.held = store.read()
        self.statement = Statement(self.held.statement.counter) if self.held.problem else self.held.statement
        self.files: dict[tuple[Fingerprint, str], Path] = store.key_files()
        self._seen: dict[tuple[Fingerprint, str], Seen] = {}
        self._people: dict[Fingerprint, Person | None] = {}
        self.places: dict[Fingerprint, frozenset[str]] = {}
        """The confirmed places of everybody who has one: in the statement, with a key file of mine there."""
        for entry in self.statement.entries.values():
            places = frozenset(place for place in entry.places if self._borne_out(entry, place))
            if places:
                self.places[entry.fingerprint] = places

    def _borne_out(self, entry: Entry, place: str) -> bool:
        at = (entry.fingerprint, place)
        return at in self.files and self.seen(*at).key is not None

    def seen(self, fingerprint: Fingerprint, place: str) -> Seen:
        """The key file at a place; without a sha256 when there is none."""
        at = (fingerprint, place)
        if at not in self._seen:
            self._seen[at] = self._look(fingerprint, place)
        return self._seen[at]

    def _look(self, fingerprint: Fingerprint, place: str) -> Seen:
        path = self.files.get((fingerprint, place))
        data = None if path is None else self._store.read_key_file(path)
        if data is None:
            return Seen("", reason="it cannot be read")
        sha256 = hashlib.sha256(data).hexdigest()
        entry = self.statement.entries.get(fingerprint)
        if entry is not None and entry.places.get(place) == sha256:
            return Seen(sha256, entry.key)
        try:
            return Seen(sha256, bytes(read_key_file(data, self._key, fingerprint)))
        except ProofError as error:
            return Seen(sha256, reason=str(error))

    # --- who is who -----------------------------------------------------------------------------------------

    def is_friend(self, fingerprint: Fingerprint) -> bool:
        """Confirmed anywhere else than among the known keys."""
        return any(place != KNOWN for place in self.places.get(fingerprint, ()))

    def person(self, fingerprint: Fingerprint) -> Person | None:
        """Whoever has a key file that counts, at least for verifying; None for others and for the owner."""
        if fingerprint not in self._people:
            self._people[fingerprint] = self._make_person(fingerprint)
        return self._people[fingerprint]

    def _make_person(self, fingerprint: Fingerprint) -> Person | None:
        entry = self.statement.entries.get(fingerprint)
        places = self.places.get(fingerprint)
        if entry is None or places is None:
            keys = (self.seen(*at).key for at in self.files if at[0] == fingerprint)
            key = next((key for key in keys if key is not None), None)
            certificate = self.certificate(key, fingerprint) if key is not None else None
            return Person(fingerprint, "", certificate, (), "unconfirmed") if certificate else None
        certificate = self.certificate(entry.key, fingerprint)
        groups = tuple(sorted(places - {FRIENDS, KNOWN}))
        status: Status = "friend" if self.is_friend(fingerprint) else "known"
        if certificate is None:
            return None
        reported = self.reported(fingerprint)
        return Person(fingerprint, entry.local_name, certificate, groups, status, reported)

    def reported(self, fingerprint: Fingerprint) -> Certificate | None:
        """The key with what was reported of it and not confirmed; None when nothing was."""
        entry = self.statement.entries.get(fingerprint)
        return self.certificate(entry.reported, fingerprint) if entry and entry.reported else None

    def confirmed(self) -> list[Person]:
        """Friends and known keys, by local name."""
        found = [person for fingerprint in self.places if (person := self.person(fingerprint))]
        return sorted(found, key=lambda person: (person.local_name.casefold(), person.fingerprint))

    def unconfirmed(self) -> list[Person]:
        """Whoever has key files of mine but no confirmed place, by fingerprint."""
        others = sorted({fingerprint for fingerprint, _ in self.files} - self.places.keys())
        return [person for fingerprint in others if (person := self.person(fingerprint))]

    @staticmethod
    def certificate(key: bytes, fingerprint: Fingerprint) -> Certificate | None:
        """A key that was read before; None should the OpenPGP library have come to refuse it."""
        from mau.openpgp import Certificate

        try:
            certificate = Certificate.trusted(key)
        except KeyMalformed:
            return None
        return certificate if certificate.fingerprint == fingerprint else None

    # --- where the two disagree -----------------------------------------------------------------------------

    def differences(self) -> list[Difference]:
        """All of them, by person and place. Opens every key file that is not as stated."""
        entries = self.statement.entries
        places = set(self.files) | {(e.fingerprint, place) for e in entries.values() for place in e.places}
        found = (self._difference(entries.get(at[0]), *at) for at in sorted(places))
        return [difference for difference in found if difference is not None] + self._reported()

    def _reported(self) -> list[Difference]:
        """News of keys that wait for a word."""
        found = []
        for entry in self.statement.entries.values():
            person = self.person(entry.fingerprint) if entry.reported else None
            if person is not None and person.reported is not None and (news := person.news):
                sha256 = reported_sha256(person.reported)
                found.append(
                    Difference("reported", entry.fingerprint, "", entry.local_name, sha256, "; ".join(news))
                )
        return found

    def _difference(self, entry: Entry | None, fingerprint: Fingerprint, place: str) -> Difference | None:
        name = entry.local_name if entry else ""
        stated = entry is not None and place in entry.places
        if (fingerprint, place) not in self.files:
            return Difference("vanished", fingerprint, place, name)
        seen = self.seen(fingerprint, place)
        if seen.key is None:
            return Difference("foreign", fingerprint, place, name, seen.sha256, seen.reason)
        if not stated:
            return Difference("unconfirmed", fingerprint, place, name, seen.sha256)
        if entry is not None and seen.key != entry.key:
            return Difference("changed", fingerprint, place, name, seen.sha256)
        return None
