"""The whole job through the program as people use it: accounts, friends, posts, a sync over TLS, reading."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 60.0
LISTENING = re.compile(rb"127\.0\.0\.1:(\d+)")


@dataclass
class Person:
    """Somebody at a shell: a directory, a passphrase, a home of one's own."""

    name: str
    place: Path
    fingerprint: str = field(default="", init=False)

    @property
    def root(self) -> Path:
        return self.place / self.name

    @property
    def environment(self) -> dict[str, str]:
        home = self.place / "home" / self.name
        home.mkdir(parents=True, exist_ok=True)
        own = {"HOME": str(home), "MAU_DIR": str(self.root), "MAU_PASSPHRASE": f"{self.name}'s passphrase"}
        return {name: value for name, value in os.environ.items() if not name.startswith("XDG_")} | own

    def mau(self, *words: str, code: int = 0, given: str = "") -> str:
        """Run a command to its end; return its stdout."""
        done = subprocess.run(
            [sys.executable, "-m", "mau_cli.main", *words],
            env=self.environment,
            cwd=self.place,
            input=given,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == code, f"mau {words} ended with {done.returncode}: {done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.mau(*words, "--json"))

    @contextmanager
    def serving(self) -> Iterator[str]:
        """`mau serve` until the end of the block; yields HOST:PORT."""
        with subprocess.Popen(
            [sys.executable, "-m", "mau_cli.main", "serve", "--listen", "127.0.0.1:0"],
            env=self.environment,
            cwd=self.place,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            try:
                yield f"127.0.0.1:{_port(process)}"
                process.send_signal(signal.SIGTERM)
                assert process.wait(PATIENCE) in {0, 130}
            finally:
                process.kill()


def _port(process: subprocess.Popen[bytes]) -> int:
    assert process.stdout is not None
    said, until = b"", time.monotonic() + PATIENCE
    while (found := LISTENING.search(said)) is None or not said.endswith(b"\n"):
        assert time.monotonic() < until, said
        if select.select([process.stdout], [], [], 1)[0]:
            more = os.read(process.stdout.fileno(), 4096)
            assert more, f"the server ended: {said!r}"
            said += more
    return int(found.group(1))


@pytest.fixture
def people(tmp_path: Path) -> tuple[Person, Person, Person]:
    """Alice and Bob, friends of each other; and Carol, whom Alice has no key of."""
    found = Person("alice", tmp_path), Person("bob", tmp_path), Person("carol", tmp_path)
    for one in found:
        one.mau("init", "--name", one.name.title(), "--email", f"{one.name}@example.org")
        one.mau("export", "-o", f"{one.name}.pgp")
        one.fingerprint = one.json("whoami")["fingerprint"]
    alice, bob, carol = found
    alice.mau("friend", "add", "bob.pgp", "--as", "bob", "--yes")
    bob.mau("friend", "add", "alice.pgp", "--as", "alice", "--yes")
    carol.mau("friend", "add", "alice.pgp", "--as", "alice", "--yes")
    alice.mau("group", "add", "tea", "bob")
    return found


def test_posts_travel_from_one_directory_over_tls_into_another_and_are_read(
    people: tuple[Person, Person, Person],
) -> None:
    alice, bob, carol = people
    picture = os.urandom(300_000)
    (alice.place / "picture.bin").write_bytes(picture)
    alice.mau("post", "--to", "bob", "for Bob alone", "--name", "private")
    alice.mau("post", "--to", "@tea", "for the group", "--name", "grouped")
    alice.mau("post", "--public", "for everybody", "--name", "open")
    alice.mau("post", "--me", "-", "--name", "diary", given="for me")
    alice.mau("share", "picture.bin", "--to", "bob", "--name", "picture.bin")
    (alice.root / alice.fingerprint / "draft.txt").write_text("a draft has no .pgp and stays here")

    with alice.serving() as address:
        bob.mau("sync", "alice", "--at", address)
        carol.mau("sync", "alice", "--at", address)
        # The address is remembered, and a second time there is nothing to do.
        held = {path: path.stat().st_mtime_ns for path in bob.root.rglob("*.pgp")}
        bob.mau("sync", "alice")
        assert {path: path.stat().st_mtime_ns for path in bob.root.rglob("*.pgp")} == held

    def texts(one: Person) -> list[str]:
        return [
            line
            for line in ("for Bob alone", "for the group", "for everybody")
            if line in one.mau("timeline")
        ]

    assert texts(bob) == ["for Bob alone", "for the group", "for everybody"]
    assert texts(carol) == ["for everybody"]
    assert "for me" not in bob.mau("timeline")
    assert "for me" in alice.mau("timeline")
    assert "for Bob alone" in bob.mau("open", "alice", "private")
    bob.mau("open", "alice", "picture.bin", "-o", "received.bin")
    assert (bob.place / "received.bin").read_bytes() == picture
    names = {
        path.name for path in (carol.root / alice.fingerprint).iterdir() if not path.name.startswith(".")
    }
    assert len(names) == 1
    assert not list(bob.root.rglob("draft*"))


def test_a_post_written_again_arrives_and_leaves_the_old_one_as_a_version(
    people: tuple[Person, Person, Person],
) -> None:
    alice, bob, _ = people
    alice.mau("post", "--to", "bob", "first words", "--name", "note")
    with alice.serving() as address:
        bob.mau("sync", "alice", "--at", address)
        alice.mau("post", "--to", "bob", "second words", "--name", "note")
        bob.mau("sync", "alice")
    assert "second words" in bob.mau("open", "alice", "note")
    assert len(bob.json("versions", "alice", "note")) >= 1
    (version,) = (bob.root / alice.fingerprint).glob("note*.versions/*.pgp")
    assert "first words" in bob.mau("open", "alice", "note", "--version", version.stem)


def test_whoever_is_no_recipient_is_not_even_told_that_there_is_a_post(
    people: tuple[Person, Person, Person],
) -> None:
    alice, _, carol = people
    alice.mau("post", "--to", "bob", "for Bob alone", "--name", "private")
    with alice.serving() as address:
        carol.mau("sync", "alice", "--at", address)
        curl = ["curl", "--silent", "--insecure", f"https://{address}/p2p/{alice.fingerprint}"]
        listed = subprocess.run(curl, capture_output=True, text=True, check=True).stdout
    assert json.loads(listed) == []
    assert not list((carol.root / alice.fingerprint).glob("*.pgp"))


def test_an_address_where_somebody_else_answers_brings_nothing(people: tuple[Person, Person, Person]) -> None:
    _, bob, carol = people
    carol.mau("post", "--public", "not Alice's", "--name", "hello")
    with carol.serving() as address:
        bob.mau("sync", "alice", "--at", address, code=6)
    assert "not Alice's" not in bob.mau("timeline")


def test_nobody_at_the_address_is_its_own_code(people: tuple[Person, Person, Person]) -> None:
    _, bob, _ = people
    bob.mau("sync", "alice", "--at", "127.0.0.1:1", code=5)
    bob.mau("sync", "alice", code=5)


def test_gpg_opens_the_account_and_the_post_and_sees_a_good_signature(
    people: tuple[Person, Person, Person],
) -> None:
    alice, bob, _ = people
    alice.mau("post", "--to", "bob", "gpg can read this", "--name", "private")
    with alice.serving() as address:
        bob.mau("sync", "alice", "--at", address)
    (post,) = (bob.root / alice.fingerprint).glob("private*.pgp")
    home = tempfile.mkdtemp(prefix="gpg-")  # short: the path of a socket has 107 bytes
    (Path(home) / "gpg-agent.conf").write_text("s2k-count 65536\n")  # else it measures what takes it 100 ms

    def gpg(*words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [
            "gpg",
            "--homedir",
            home,
            "--batch",
            "--trust-model",
            "always",
            "--pinentry-mode",
            "loopback",
        ]
        return subprocess.run([*command, *words], input=given, capture_output=True, check=True)

    try:
        words = bob.environment["MAU_PASSPHRASE"].encode()
        account = gpg(
            "--passphrase-fd", "0", "--decrypt", str(bob.root / ".mau" / "account.pgp"), given=words
        )
        gpg("--import", given=account.stdout)
        gpg("--import", str(alice.place / "alice.pgp"))
        opened = gpg("--status-fd", "2", "--decrypt", str(post))
    finally:
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], capture_output=True, check=False)
        shutil.rmtree(home, ignore_errors=True)
    assert f"VALIDSIG {alice.fingerprint.upper()}".encode() in opened.stderr
    assert json.loads(opened.stdout)["articleBody"] == "gpg can read this"
