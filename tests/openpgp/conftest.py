"""People with keys, and GnuPG beside us as the second opinion."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from mau.openpgp import Certificate, SecretKey, write_message

YESTERDAY = int(time.time()) - 86_400
VECTORS = Path(__file__).parent.parent / "vectors"


@pytest.fixture(scope="session")
def alice() -> SecretKey:
    return SecretKey.generate("Alice", "alice@example.org", created=YESTERDAY)


@pytest.fixture(scope="session")
def bob() -> SecretKey:
    return SecretKey.generate("Bob", "bob@example.org", created=YESTERDAY)


@pytest.fixture(scope="session")
def mallory() -> SecretKey:
    return SecretKey.generate("Mallory", "mallory@example.org", created=YESTERDAY)


def message(
    data: bytes,
    key: SecretKey,
    recipients: Sequence[Certificate] | None,
    notations: Mapping[str, str] | None = None,
    created: int | None = None,
) -> bytes:
    """One message in memory."""
    out = io.BytesIO()
    write_message(out, data, key=key, recipients=recipients, notations=notations or {}, created=created)
    return out.getvalue()


class Gpg:
    """GnuPG with a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *words: str, data: bytes = b"", ok: bool = True) -> subprocess.CompletedProcess[bytes]:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--yes", "--trust-model", "always",
                   "--pinentry-mode", "loopback", "--passphrase", "", *words]  # fmt: skip
        done = subprocess.run(command, input=data, capture_output=True, timeout=60, check=False)
        if ok and done.returncode:
            raise AssertionError(done.stderr.decode())
        return done

    def import_secret(self, key: SecretKey) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "key"
            path.write_bytes(key._data)
            self.run("--import", str(path))

    def make(self, name: str, *words: str, passphrase: str = "") -> str:
        """A new key; its fingerprint in lower case."""
        self.run("--passphrase", passphrase, "--quick-gen-key", f"{name} <{name}@example.org>", *words)
        return self.fingerprint(name)

    def fingerprint(self, name: str) -> str:
        listing = self.run("--with-colons", "--list-keys", name).stdout.decode()
        return next(line for line in listing.splitlines() if line.startswith("fpr")).split(":")[9].lower()

    def public(self, name: str) -> Certificate:
        return Certificate.parse(self.run("--export", name).stdout)

    def secret(self, name: str, passphrase: str = "") -> bytes:
        return self.run("--passphrase", passphrase, "--export-secret-keys", name).stdout


@pytest.fixture
def gpg() -> Iterator[Gpg]:
    # The agent's socket must have a short path.
    home = Path(tempfile.mkdtemp(prefix="gpg"))
    home.chmod(0o700)
    # Else its agent measures how many rounds take it 100 ms, and then takes as many for each key.
    (home / "gpg-agent.conf").write_text("s2k-count 65536\n")
    person = Gpg(home)
    person.run("--trust-model", "pgp", "--check-trustdb")
    yield person
    environment = {**os.environ, "GNUPGHOME": str(home)}
    subprocess.run(["gpgconf", "--kill", "all"], env=environment, check=False, timeout=30)
    shutil.rmtree(home, ignore_errors=True)
