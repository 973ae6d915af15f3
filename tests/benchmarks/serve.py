"""What a server gives a friend: requests and handshakes per second, and a large file.

The visitor (load.py), the server (host.py) and the yardsticks (bare.py) are processes of their own.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import load_der_x509_certificate

from mau.account import Account
from mau.openpgp import SecretKey
from mau.publish import publish_file
from mau.wire.identity import self_signed
from mau.wire.paths import file_path, list_path
from tests.benchmarks.measure import Row
from tests.benchmarks.world import Someone, World, furnish, post_name

CONNECTIONS = (1, 4, 50)
AIMS = {1: 1_900.0, 4: 3_800.0}
"""Requests per second of the Go reference on the machine that the aims were set on, with one friend."""
FRIENDS = 100
SECONDS = 2.0
LARGE = 500_000_000
SLOW = 50
ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Process:
    """One that listens, and what it has used."""

    port: int
    pid: int

    def cpu(self) -> float:
        """Seconds of CPU so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> int:
        """Resident bytes."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def listening(words: list[str], environment: dict[str, str]) -> Iterator[Process]:
    """A module of this package as a process that says its port, and ends with its stdin."""
    with subprocess.Popen(
        [sys.executable, "-m", *words], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Process(int(process.stdout.readline()), process.pid)
        finally:
            process.stdin.close()


def hosting(someone: Someone) -> contextlib.AbstractContextManager[Process]:
    """The server of somebody, without limits."""
    return listening(["tests.benchmarks.host"], someone.environment)


def load(
    port: int, pem: Path, path: str | list[str], kind: str, connections: int = 1, seconds: float = SECONDS
) -> Any:
    """What a visitor of that kind measured (load.py)."""
    job = {
        "host": "127.0.0.1",
        "port": port,
        "pem": str(pem),
        "path": path,
        "kind": kind,
        "connections": connections,
        "seconds": seconds,
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.load"],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{kind} {path}:\n{done.stderr}")
    return json.loads(done.stdout)


def pem_of(account: Account, place: Path) -> Path:
    """The certificate and the key of somebody's identity, as programs read them that know nothing of Mau."""
    identity = account.identity()
    certificate = load_der_x509_certificate(self_signed(identity)).public_bytes(Encoding.PEM)
    key = identity.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = place / f"{account.fingerprint}.pem"
    path.touch(mode=0o600)
    path.write_bytes(certificate + key)
    return path


def run(world: World, rounds: int) -> list[Row]:
    """Rows: requests per second on kept-alive connections, handshakes per second, MB/s of a large file."""
    alice, bob = world.alice, world.bob
    rounds = max(3, rounds // 3)
    audience = frozenset({bob.account.fingerprint})
    # As a file of 1 KiB lies in the tree: encrypted for two.
    publish_file(alice.account, alice.keyring, io.BytesIO(os.urandom(500)), "small.pgp", audience)
    path = file_path(alice.account.fingerprint, "small.pgp")
    size = (alice.account.posts().path / "small.pgp").stat().st_size
    pem, own_pem = pem_of(bob.account, world.place), pem_of(alice.account, world.place)
    answer = world.place / "answer"
    answer.write_bytes(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode() + bytes(size))

    with listening(["tests.benchmarks.bare", str(own_pem), "answers", str(answer)], dict(os.environ)) as bare:
        rows = _requests(alice, bare, pem, path, rounds, f"{size:,} bytes, 1 friend")
        rows.append(_each_once(world, pem))
        befriend(alice, FRIENDS)
        rows += _requests(alice, bare, pem, path, rounds, f"{size:,} bytes, {FRIENDS} friends")
    return rows + _large(world, pem, own_pem, rounds)


def befriend(someone: Someone, count: int) -> None:
    """Add friends of whom nothing else is known, until there are so many."""
    for number in range(len(someone.keyring.friends()), count):
        key = SecretKey.generate(f"friend {number}", f"friend{number}@example.org")
        someone.keyring.add(key.certificate, f"friend{number}")


def _requests(alice: Someone, bare: Process, pem: Path, path: str, rounds: int, what: str) -> list[Row]:
    rows = []
    jobs: list[tuple[str, str, int]] = [
        (f"GET of {what}, {count} kept alive", "kept_alive", count) for count in CONNECTIONS
    ]
    jobs.append((f"GET of {what}, a new connection each", "anew", 1))
    with hosting(alice) as host:
        load(host.port, pem, path, "kept_alive", 1, 0.5)
        for words, kind, connections in jobs:
            ours, theirs = [], []
            for _ in range(rounds):
                ours.append(load(host.port, pem, path, kind, connections))
                theirs.append(load(bare.port, pem, path, kind, connections))
            rates, bare_rates = ([one["count"] / one["seconds"] for one in found] for found in (ours, theirs))
            rate = statistics.median(rates)
            p50, p95 = (statistics.median(one["took"][which] for one in ours) for which in ("p50", "p95"))
            aim = AIMS.get(connections) if kind == "kept_alive" else None
            rows.append(
                Row(
                    words,
                    f"{rate:,.0f}/s, p50 {p50 * 1000:.2f} ms, p95 {p95 * 1000:.2f} ms",
                    f"{statistics.median(bare_rates):,.0f}/s asyncio + ssl, nothing behind",
                    statistics.median(own / bare for own, bare in zip(rates, bare_rates, strict=True)),
                    f">= {aim:,.0f}/s" if aim else "",
                    rate >= aim if aim else None,
                )
            )
    return rows


def _each_once(world: World, pem: Path) -> Row:
    """What nobody has asked for before, as in a first sync from a server that knows its files."""
    author = world.alice.account.fingerprint
    furnish(world, ONCE)
    paths = [file_path(author, post_name(number)) for number in range(ONCE)]
    with hosting(world.alice) as host:
        load(host.port, pem, list_path(author), "kept_alive", 1, 0.1)
        done = load(host.port, pem, paths, "once_each")
    return Row(f"  {ONCE:,} files once each, 1 kept alive", f"{done['count'] / done['seconds']:,.0f}/s")


def _large(world: World, pem: Path, own_pem: Path, rounds: int) -> list[Row]:
    """A file of 500 MB beside a loop that only reads and sends."""
    alice, bob = world.alice, world.bob

    class Noise(io.RawIOBase):
        left = LARGE

        def readable(self) -> bool:
            return True

        def readinto(self, room: Any) -> int:
            count = min(len(room), self.left)
            room[:count] = os.urandom(count)
            self.left -= count
            return count

    audience = frozenset({bob.account.fingerprint})
    publish_file(alice.account, alice.keyring, io.BufferedReader(Noise()), "large.pgp", audience)
    lies = alice.account.posts().path / "large.pgp"
    path = file_path(alice.account.fingerprint, "large.pgp")
    ours, theirs = [], []
    with (
        listening(["tests.benchmarks.bare", str(own_pem), "body", str(lies)], dict(os.environ)) as bare,
        hosting(alice) as host,
    ):
        started = time.perf_counter()
        load(host.port, pem, path, "body")
        first = time.perf_counter() - started
        before = host.memory()
        for _ in range(rounds):
            for port, found in ((host.port, ours), (bare.port, theirs)):
                done = load(port, pem, path, "body")
                found.append(done["count"] / done["seconds"] / 1e6)
        grown = host.memory() - before
        held = _held_by_slow_readers(host, pem, path)
    against = statistics.median(own / bare for own, bare in zip(ours, theirs, strict=True))
    alice.account.posts().remove("large.pgp")
    return [
        Row(
            f"a file of {LARGE // 1_000_000} MB, first time {first:.1f} s",
            f"{statistics.median(ours):,.0f} MB/s, {max(grown, 0) / 1e6:.0f} MB more memory",
            f"{statistics.median(theirs):,.0f} MB/s a loop of read and send",
            against,
            "80%",
            against >= 0.8,
        ),
        Row(
            f"  {SLOW} friends who take nothing of it",
            f"{held / 1e6:.0f} MB more memory, {held / SLOW / 1e3:.0f} kB each",
            aim="< 100 MB",
            holds=held < 100e6,
        ),
    ]


def _held_by_slow_readers(host: Process, pem: Path, path: str) -> int:
    """The most memory that the server took more while nobody read its answers, in bytes."""
    before = most = host.memory()
    with ThreadPoolExecutor(1) as thread:
        readers = thread.submit(load, host.port, pem, path, "slow", SLOW, 3.0)
        while not readers.done():
            most = max(most, host.memory())
            time.sleep(0.05)
        readers.result()
    return most - before
