"""`mau demo`: two people meet, in a temporary directory, with nothing but the commands they would type.

Nothing is acted: each command line that is shown runs as a process of its own, the server listens on a real
port of this machine, and what arrives at the other end came over TLS. It needs no network beyond that.
"""

from __future__ import annotations

import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

import mau
import mau_cli
from mau.errors import Interrupted, MauError
from mau_cli.output import data

PASSPHRASE = "demo: nobody keeps a secret here"  # noqa: S105 - of two accounts that are deleted in a minute
SERVER_STARTS_WITHIN = 30.0
SERVER_STOPS_WITHIN = 10.0
COMMAND_ENDS_WITHIN = 60.0


@click.command("demo")
@click.option("--keep", is_flag=True, help="Keep the temporary directory, to look around in it.")
def command(keep: bool) -> None:
    """Let two people meet in a temporary directory: accounts, friends, posts, a sync over TLS.

    Shows each command as a person would type it, and what it answers. Works without a network and leaves
    nothing behind unless --keep is given.
    """
    place = Path(tempfile.mkdtemp(prefix="mau-demo-"))
    try:
        with _end_by_signal():
            _play(place)
        if keep:
            data(f"\nIt is all in {place}; the passphrase of both accounts is {PASSPHRASE!r}.")
    finally:
        if not keep:
            shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _end_by_signal() -> Iterator[None]:
    """Let SIGTERM clean up as Ctrl-C does."""

    def stop(*_: object) -> None:
        raise Interrupted("interrupted")

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _play(place: Path) -> None:
    started = time.monotonic()
    alice, bob = Person("alice", place), Person("bob", place)

    _tell("Alice and Bob each make an account: an OpenPGP key in a directory of their own.")
    data("(The passphrases come from MAU_PASSPHRASE here; otherwise mau asks for them.)")
    alice.mau("init", "--name", "Alice", "--email", "alice@example.org")
    bob.mau("init", "--name", "Bob", "--email", "bob@example.org")

    _tell("They exchange their public keys, and each says what the other is called.")
    alice.mau("export", "-o", "alice.pgp")
    bob.mau("export", "-o", "bob.pgp")
    alice.mau("friend", "add", "bob.pgp", "--as", "bob", "--yes")
    bob.mau("friend", "add", "alice.pgp", "--as", "alice", "--yes")
    alice.mau("group", "add", "tea", "bob")

    _tell("Alice writes: to Bob alone, to a group, to everybody. She shares a file as well.")
    alice.mau("post", "--to", "bob", "The kettle is on.", "--name", "kettle")
    alice.mau("post", "--to", "@tea", "Tea at four, bring cake.", "--name", "tea-at-four")
    alice.mau("post", "--public", "Hello, world!", "--name", "hello")
    (place / "recipe.txt").write_text("Water, leaves, patience.\n", encoding="utf-8")
    alice.mau("share", "--to", "bob", "recipe.txt", "--name", "recipe.txt")

    _tell("Alice serves her directory. Bob fetches what is for him; TLS proves to each who the other is.")
    with alice.serving() as address:
        bob.mau("sync", "alice", "--at", address)
        _tell("Somebody whom nobody knows sees what is public, and nothing else.")
        _stranger(place, address, alice.fingerprint())

    _tell("The server is gone. Bob reads what he holds.")
    bob.mau("timeline")
    bob.mau("open", "alice", "kettle")

    _ask_gpg(place, alice, bob)

    _tell("All of it is files. These are the two directories:")
    for person in (alice, bob):
        data("\n".join(_tree(person.root)))
    _tell(f"That took {time.monotonic() - started:.0f} seconds.")


def _tell(words: str) -> None:
    data(f"\n# {words}", bold=True)


class Person:
    """Somebody with a directory and a shell in it."""

    def __init__(self, name: str, place: Path) -> None:
        self.name = name
        self.root = place / name
        self._place = place
        home = place / "home" / name
        home.mkdir(parents=True)
        self.environment = _environment(home) | {"MAU_DIR": name, "MAU_PASSPHRASE": PASSPHRASE}

    def mau(self, *words: str) -> str:
        """Show a command line, run it, show and return what it says (MauError when it fails)."""
        data(f"{self.name}$ {shlex.join(['mau', *words])}", bold=True)
        done = self._run(words, stderr=subprocess.STDOUT)
        data(_indented(done.stdout))
        if done.returncode:
            raise MauError(f"{shlex.join(['mau', *words])} ended with {done.returncode}; the demo ends here")
        return done.stdout

    def fingerprint(self) -> str:
        """Whose directory it is: the only name in it that is a fingerprint and no friend's."""
        found = re.search(r"\b[0-9a-f]{40}\b", self._run(["whoami"], stderr=subprocess.DEVNULL).stdout)
        if found is None:
            raise MauError("`mau whoami` shows no fingerprint")
        return found.group()

    def _run(self, words: Sequence[str], stderr: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*_MAU, *words],
            cwd=self._place,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            errors="replace",
            timeout=COMMAND_ENDS_WITHIN,
            check=False,
        )

    @contextmanager
    def serving(self) -> Iterator[str]:
        """`mau serve` in a process of its own; yields HOST:PORT, and stops it at the end."""
        words = ["serve", "--listen", "127.0.0.1:0"]
        data(f"{self.name}$ {shlex.join(['mau', *words])} &", bold=True)
        with subprocess.Popen(
            [*_MAU, *words],
            cwd=self._place,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            try:
                said, address = _listening_address(process)
                data(_indented(said))
                yield address
            finally:
                process.terminate()
                try:
                    process.wait(SERVER_STOPS_WITHIN)
                except subprocess.TimeoutExpired:
                    process.kill()


# `python -P`: the directory of the demo is no place to import from.
_MAU = [sys.executable, "-P", "-m", "mau_cli.main"]


def _environment(home: Path) -> dict[str, str]:
    """This environment with a home of its own, so that no configuration of the user plays a part."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAU_", "XDG_", "GNUPG"))
    }
    code = {str(Path(package.__path__[0]).absolute().parent) for package in (mau, mau_cli)}
    return kept | {
        "HOME": str(home),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "PYTHONPATH": os.pathsep.join(sorted(code)),  # what runs now is what the demo shows
    }


def _listening_address(process: subprocess.Popen[bytes]) -> tuple[str, str]:
    """Read what the server says until it names its address."""
    assert process.stdout is not None  # noqa: S101 - PIPE was asked for
    until = time.monotonic() + SERVER_STARTS_WITHIN
    said = b""
    while time.monotonic() < until:
        if not select.select([process.stdout], [], [], 0.2)[0]:
            continue
        some = os.read(process.stdout.fileno(), 4096)
        said += some
        found = re.search(rb"127\.0\.0\.1:\d+", said)
        if found is not None and said.endswith(b"\n"):
            return said.decode(errors="replace"), found.group().decode()
        if not some:
            break
    raise MauError(f"the server did not start: {said.decode(errors='replace')!r}")


def _stranger(place: Path, address: str, fingerprint: str) -> None:
    """Ask as anybody could: with curl, which proves nothing about itself."""
    if shutil.which("curl") is None:
        data("(curl is not installed: this part is left out.)")
        return
    words = ["curl", "--silent", "--show-error", "--insecure", f"https://{address}/p2p/{fingerprint}"]
    _tool(place, words, _environment(place), f"stranger$ {shlex.join(words)}")


def _ask_gpg(place: Path, alice: Person, bob: Person) -> None:
    """Let GnuPG, which knows nothing of Mau, open Bob's account and Alice's post."""
    if shutil.which("gpg") is None:
        data("\n(gpg is not installed: the check by another program is left out.)")
        return
    _tell("GnuPG knows nothing of Mau. It takes Bob's key out of his account, and reads Alice's post:")
    home = place / "gnupg"
    home.mkdir(mode=0o700)
    environment = _environment(place) | {"GNUPGHOME": str(home), "LC_ALL": "C"}
    gpg = ["gpg", "--batch", "--no-tty", "--trust-model", "always"]
    fingerprint = alice.fingerprint()
    post = next((bob.root / fingerprint).glob("kettle*.pgp")).relative_to(place)
    try:
        account = subprocess.run(
            [
                *gpg,
                "--pinentry-mode",
                "loopback",
                "--passphrase-fd",
                "0",
                "--decrypt",
                "bob/.mau/account.pgp",
            ],
            cwd=place,
            env=environment,
            input=PASSPHRASE.encode(),
            capture_output=True,
            check=False,
        )
        shown = "bob$ gpg --decrypt bob/.mau/account.pgp | gpg --import"
        _tool(place, [*gpg, "--import"], environment, shown, given=account.stdout)
        _tool(place, [*gpg, "--import", "alice.pgp"], environment, "bob$ gpg --import alice.pgp")
        shown, must_say = f"bob$ gpg --decrypt {post}", ("Good signature", fingerprint.upper())
        _tool(place, [*gpg, "--decrypt", str(post)], environment, shown, must_say=must_say)
    finally:
        if shutil.which("gpgconf"):
            stop = ["gpgconf", "--kill", "all"]
            subprocess.run(stop, env=environment, check=False, capture_output=True)


def _tool(
    place: Path,
    words: Sequence[str],
    environment: Mapping[str, str],
    shown: str,
    *,
    given: bytes = b"",
    must_say: Sequence[str] = (),
) -> None:
    """Run a program that is not ours; show it and what it says."""
    data(shown, bold=True)
    done = subprocess.run(
        words,
        cwd=place,
        env=environment,
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=COMMAND_ENDS_WITHIN,
        check=False,
    )
    said = done.stdout.decode(errors="replace")
    data(_indented(said))
    if done.returncode or not all(one in said for one in must_say):
        raise MauError(f"{words[0]} does not agree; the demo ends here")


def _indented(said: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in said.rstrip("\n").split("\n"))


def _tree(directory: Path) -> Iterator[str]:
    """Draw a directory; what is derived is only named."""
    yield f"    {directory.name}/"
    derived = []
    for path in sorted(directory.iterdir()):
        if path.name.startswith(".") and path.name != ".mau":
            derived.append(path.name)
            continue
        for one in [path, *sorted(path.rglob("*"))]:
            depth = len(one.relative_to(directory).parts)
            size = "/" if one.is_dir() else f"  ({one.stat().st_size} bytes)"
            yield "    " + "  " * depth + one.name + size
    yield f"      (derived, may be deleted: {' '.join(derived)})"
