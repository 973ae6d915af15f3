"""The program as a process, with and without a terminal, and trees with an account to run it in.

Every run here is also a proof: no traceback, and none of the passphrases of these tests in anything that the
process prints or shows of itself to `ps`.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from mau.account import Account
from mau.openpgp import SecretKey
from mau.tree.layout import Root
from tests.publish.world import trees, world

__all__ = ["trees", "world"]

MAU = [sys.executable, "-m", "mau_cli.main"]
# Makes the terminal that it writes to its own, as a login does, before it becomes `mau`.
MAU_WITH_TERMINAL = [
    sys.executable,
    "-c",
    "import fcntl, os, sys, termios; fcntl.ioctl(2, termios.TIOCSCTTY, 0); "
    "os.execv(sys.executable, [sys.executable, '-m', 'mau_cli.main', *sys.argv[1:]])",
]
PASSPHRASE = "Dürre Kühe 77"
NEW_PASSPHRASE = "fette Kühe 88"
IMPORT_PASSPHRASE = "the key's own 99"
SECRETS = (PASSPHRASE, NEW_PASSPHRASE, IMPORT_PASSPHRASE)
PATIENCE = 30.0  # seconds for a process to say what it must


@dataclass(frozen=True)
class Ended:
    """How a process ended: exit code, bytes of stdout, text of stderr (of a terminal, both are in `err`)."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()


def check_silence(*shown: bytes) -> None:
    for one in shown:
        assert b"Traceback" not in one
        for secret in SECRETS:
            assert secret.encode() not in one


@pytest.fixture
def mau(tmp_path: Path) -> Callable[..., Ended]:
    """Runs `mau` without a terminal: ``mau("whoami", passphrase=...)`` in ``tmp_path/tree``."""

    def run(
        *words: str | Path,
        passphrase: str | None = None,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        root: Path | None = None,
    ) -> Ended:
        given = {} if passphrase is None else {"MAU_PASSPHRASE": passphrase}
        done = subprocess.run(
            [*MAU, "--dir", str(root or tmp_path / "tree"), *map(str, words)],
            env={**os.environ, **given, **(env or {})},
            input=stdin,
            capture_output=True,
            start_new_session=True,  # no terminal, not even the one of whoever runs the tests
            timeout=PATIENCE,
            check=False,
        )
        check_silence(done.stdout, done.stderr)
        return Ended(done.returncode, done.stdout, done.stderr.decode())

    return run


@pytest.fixture
def on_terminal(tmp_path: Path) -> Callable[..., Ended]:
    """Runs `mau` on a terminal and types: ``on_terminal("init", typed=[("Your name: ", "Alice"), ...])``."""

    def run(
        *words: str | Path,
        typed: Sequence[tuple[str, str]] = (),
        env: Mapping[str, str] | None = None,
        root: Path | None = None,
        stdin: bytes | None = None,
    ) -> Ended:
        master, slave = os.openpty()

        process = subprocess.Popen(
            [*MAU_WITH_TERMINAL, "--dir", str(root or tmp_path / "tree"), *map(str, words)],
            env={**os.environ, **(env or {})},
            stdin=slave if stdin is None else subprocess.PIPE,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        shown = b""
        try:
            if process.stdin is not None:
                process.stdin.write(stdin or b"")
                process.stdin.close()
            for prompt, answer in typed:
                before = len(shown)
                while not shown[before:].rstrip(b"\r\n").endswith(prompt.encode()):
                    more = _read(master)
                    assert more, f"no {prompt!r} in {shown.decode()!r}"
                    shown += more
                check_silence(*_seen_by_ps(process.pid))
                os.write(master, answer.encode() + b"\n")
            while more := _read(master):
                shown += more
            code = process.wait(PATIENCE)
        finally:
            process.kill()
            process.wait()
            os.close(master)
        check_silence(shown)
        return Ended(code, b"", shown.decode().replace("\r\n", "\n"))

    return run


def _read(master: int) -> bytes:
    """Read what the terminal shows next; b"" when the process let go of it."""
    ready, _, _ = select.select([master], [], [], PATIENCE)
    assert ready, "the process says nothing"
    with suppress(OSError):  # EIO: the other end is closed
        return os.read(master, 65536)
    return b""


def _seen_by_ps(pid: int) -> list[bytes]:
    """The command lines of a process and its children."""
    found = [Path(f"/proc/{pid}/cmdline").read_bytes()]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            with suppress(FileNotFoundError, ProcessLookupError):
                found += _seen_by_ps(int(child))
    return found


@pytest.fixture(scope="session")
def _alices_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("accounts") / "alice"
    Account.create(Root(path), SecretKey.generate("Alice", "alice@example.org"), PASSPHRASE)
    return path


@pytest.fixture
def alice(_alices_tree: Path, tmp_path: Path) -> Account:
    """An account in ``tmp_path/tree``, where `mau` runs."""
    shutil.copytree(_alices_tree, tmp_path / "tree")
    return Account.open(Root(tmp_path / "tree"), PASSPHRASE)


@pytest.fixture
def secret_file(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a passphrase file (0600) with a text and returns its path."""

    def write(text: str) -> Path:
        path = tmp_path / f"secret-{time.monotonic_ns()}"
        path.touch(mode=0o600)
        path.write_text(text)
        return path

    return write


class Gpg:
    """GnuPG with a home of its own, as the other program that must agree with us."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *words: str | Path, passphrase: str = "", stdin: bytes = b"") -> bytes:
        """Run it without questions; return what it prints."""
        options = ["--homedir", str(self.home), "--batch", "--yes", "--pinentry-mode", "loopback"]
        done = subprocess.run(
            ["gpg", *options, "--passphrase", passphrase, *map(str, words)],
            input=stdin,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def facts(self, *words: str | Path, stdin: bytes = b"") -> list[list[str]]:
        """The fields of ``--with-colons``."""
        return [
            line.split(":") for line in self.run("--with-colons", *words, stdin=stdin).decode().splitlines()
        ]


@pytest.fixture
def gpg() -> Iterator[Gpg]:
    home = Path(tempfile.mkdtemp(prefix="gpg"))  # the agent's socket needs a short path
    (home / "gpg-agent.conf").write_text("s2k-count 65536\n")  # else it measures what takes it 100 ms
    yield Gpg(home)
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False, timeout=PATIENCE)
    shutil.rmtree(home, ignore_errors=True)


class Keyrings:
    """Environments in which the system's keyring is one of tests/cli/keyrings, or another backend."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = self.named("keyring_for_tests.FileKeyring")

    def named(self, backend: str) -> dict[str, str]:
        places = [os.environ["PYTHONPATH"], str(Path(__file__).parent / "keyrings")]
        return {
            "PYTHON_KEYRING_BACKEND": backend,
            "TEST_KEYRING": str(self.path),
            "PYTHONPATH": os.pathsep.join(places),
        }

    def entries(self) -> dict[str, str]:
        return dict(json.loads(self.path.read_text())) if self.path.exists() else {}


@pytest.fixture
def keyrings(tmp_path: Path) -> Keyrings:
    return Keyrings(tmp_path / "keyring.json")
