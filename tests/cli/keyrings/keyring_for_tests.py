"""Backends of the library `keyring`, chosen with PYTHON_KEYRING_BACKEND: the keyring of these tests.

They are real backends in the library's sense, on a file or failing in the ways that real ones do.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError


class FileKeyring(KeyringBackend):
    """Keeps its entries in the JSON file that TEST_KEYRING names."""

    priority = 1
    name = "test keyring"

    @property
    def _file(self) -> Path:
        return Path(os.environ["TEST_KEYRING"])

    def _entries(self) -> dict[str, str]:
        return dict(json.loads(self._file.read_text())) if self._file.exists() else {}

    def get_password(self, service: str, username: str) -> str | None:
        return self._entries().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._file.write_text(json.dumps({**self._entries(), f"{service}/{username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        entries = self._entries()
        if entries.pop(f"{service}/{username}", None) is None:
            raise PasswordDeleteError("no such entry")
        self._file.write_text(json.dumps(entries))


class LockedKeyring(FileKeyring):
    """The person closed the window that asked for the keyring's own passphrase."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("the user dismissed the prompt")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked("the user dismissed the prompt")


class TalkativeKeyring(FileKeyring):
    """Breaks, and its error repeats what it was given."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise RuntimeError(f"cannot store {password!r} for {username!r}")
