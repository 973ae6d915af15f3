"""One change of the keyring, in an order by which a crash makes nobody a recipient (spec/keyring.md K7)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from mau.errors import UsageError
from mau.fingerprint import Fingerprint
from mau.keyring.keyfile import key_file
from mau.keyring.names import check_local_name, name_key
from mau.keyring.snapshot import Snapshot
from mau.keyring.statement import Entry

if TYPE_CHECKING:
    from mau.keyring.store import Store
    from mau.openpgp import Certificate, SecretKey


class Change:
    """Made inside the store's lock, on a snapshot that was read inside it.

    First the key files that are to count, then the statement that makes them count; what is taken away leaves
    the statement first. Whatever is cut off in between leaves a key file that counts for nothing.
    """

    def __init__(self, store: Store, key: SecretKey, snapshot: Snapshot) -> None:
        self._store = store
        self._key = key
        self._snapshot = snapshot
        self.entries: dict[Fingerprint, Entry] = dict(snapshot.statement.entries)
        self._to_remove: list[tuple[Fingerprint, str]] = []
        self._groups_to_remove: list[str] = []

    def check_name(self, name: str, fingerprint: Fingerprint) -> str:
        """The local name if it may be one and nobody else has it; else UsageError.

        Who has a name may keep it, though it could not be given any more.
        """
        held = self.entries.get(fingerprint)
        if held is None or held.local_name != name:
            name = check_local_name(name)
        for entry in self.entries.values():
            if entry.fingerprint != fingerprint and name_key(entry.local_name) == name_key(name):
                raise UsageError(
                    f"the local name {name!r} is taken by {entry.fingerprint} ({entry.local_name!r}); "
                    "choose another one with --as"
                )
        return name

    def put(
        self,
        certificate: Certificate,
        local_name: str,
        places: Collection[str],
        *,
        reported: Certificate | None = None,
        leave: Collection[str] = (),
    ) -> None:
        """State a person with exactly these places, and write those key files that are not as stated.

        ``reported``: what waits to be confirmed, as far as it is not in the certificate. At the places in
        ``leave`` file and statement stay as they are.
        """
        fingerprint, key = certificate.fingerprint, bytes(certificate)
        from mau.openpgp.merging import merge_fetched

        local_name = self.check_name(local_name, fingerprint)
        fresh = b""
        stated = {}
        for place in sorted(places):
            if place in leave:
                stated[place] = self.entries[fingerprint].places[place]
                continue
            seen = self._snapshot.seen(fingerprint, place)
            if seen.key == key:
                stated[place] = seen.sha256
                continue
            fresh = fresh or key_file(certificate, self._key)
            self._store.write_key_file(fingerprint, place, fresh)
            stated[place] = hashlib.sha256(fresh).hexdigest()
        waiting = b""
        if reported is not None:
            rest = merge_fetched(certificate, reported).reported
            waiting = b"" if rest is None else bytes(rest)
        self.entries[fingerprint] = Entry(fingerprint, local_name, key, stated, waiting)

    def place(self, certificate: Certificate, place: str) -> None:
        """Write a key file and state nothing of it."""
        self._store.write_key_file(certificate.fingerprint, place, key_file(certificate, self._key))

    def drop(self, fingerprint: Fingerprint) -> None:
        """Take somebody out of the statement."""
        self.entries.pop(fingerprint, None)

    def remove_files(self, at: Iterable[tuple[Fingerprint, str]]) -> None:
        """Remove key files, once the statement is written."""
        self._to_remove.extend(at)

    def remove_group(self, group: str) -> None:
        """Remove a group's directory if nothing is left in it, once the key files are removed."""
        self._groups_to_remove.append(group)

    def commit(self) -> None:
        """Write the statement when it says something new, then remove what is no longer stated."""
        held = self._snapshot.held
        if held.problem or self.entries != dict(self._snapshot.statement.entries):
            self._store.write(self._snapshot.statement.changed(self.entries.values(), above=held.seen), held)
        for at in self._to_remove:
            with suppress(KeyError):
                self._store.remove_key_file(self._snapshot.files[at])
        for group in self._groups_to_remove:
            self._store.remove_group(group)
