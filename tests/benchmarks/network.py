"""Between two processes: a sync of a thousand posts, and the listing of ten thousand files."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pysequoia

from mau.openpgp import open_message
from mau.publish import publish_document
from mau.wire.client import PeerClient
from tests.benchmarks.measure import MAU, Row, Spent, in_turns, spend
from tests.benchmarks.posts import safe_write
from tests.benchmarks.world import Someone, World, document

POSTS = 1000
FILES = 10_000


@contextlib.contextmanager
def serving(someone: Someone) -> Iterator[tuple[str, int]]:
    """`mau serve` as a process; yields where it listens."""
    with subprocess.Popen(
        [*MAU, "serve", "--listen", "127.0.0.1:0"],
        env=someone.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                found = re.search(rb"127\.0\.0\.1:(\d+)", line)
                if found is not None:
                    yield "127.0.0.1", int(found.group(1))
                    break
            else:
                raise SystemExit("the server did not start")
        finally:
            process.send_signal(signal.SIGTERM)


def sync(world: World, rounds: int) -> list[Row]:
    """Rows: the sync, and what of it is OpenPGP."""
    alice, bob = world.alice, world.bob
    audience = frozenset({bob.account.fingerprint})
    posts = alice.account.posts()
    for entry in posts.entries():
        if not entry.name.startswith("keyring."):
            posts.remove(entry.name)
    for number in range(POSTS):
        publish_document(alice.account, alice.keyring, document(number), f"s{number}.json.pgp", audience)
    messages = [path.read_bytes() for path in posts.path.glob("s*.json.pgp")]
    plain = [json.dumps(document(number)).encode() for number in range(POSTS)]
    signer = alice.tsk.signer()
    bare = [bytes(pysequoia.encrypt(data, [alice.cert, bob.cert], signer, armor=False)) for data in plain]

    untouched = world.place / "bob-before"
    held = bob.account.root.author_dir(alice.account.fingerprint)
    shutil.rmtree(held)
    held.mkdir()
    shutil.copytree(bob.root, untouched)
    yardstick = world.place / "bare-sync"

    def forget() -> None:
        shutil.rmtree(bob.root)
        shutil.copytree(untouched, bob.root)
        shutil.rmtree(yardstick, ignore_errors=True)
        yardstick.mkdir()

    whole: list[Spent] = []
    bare_seconds, own_seconds = [], []
    for _ in range(rounds):
        forget()
        with serving(alice) as (host, port):  # a new process: it knows nothing of the files yet
            words = [*MAU, "sync", "alice", "--at", f"{host}:{port}"]
            whole.append(spend(words, bob.environment, str(world.place / "spent.json")))
        arrived = len(list(held.glob("s*.json.pgp")))
        if arrived != POSTS:
            raise SystemExit(f"{arrived} of {POSTS} posts arrived")
        started = time.perf_counter()
        handle = os.open(yardstick, os.O_RDONLY | os.O_DIRECTORY)
        for number, message in enumerate(bare):
            pysequoia.decrypt(message, decryptor=bob.tsk.decryptor(), store=lambda _: [alice.cert])
            safe_write(yardstick, handle, f"s{number}", message)
        os.close(handle)
        bare_seconds.append(time.perf_counter() - started)
        started = time.perf_counter()
        for message in messages:
            open_message(message, key=bob.account.key, author=alice.account.certificate)
        own_seconds.append(time.perf_counter() - started)

    seconds = [one.wall for one in whole]
    per_second = POSTS / statistics.median(seconds)
    share = statistics.median(own / all_ for own, all_ in zip(own_seconds, seconds, strict=True))
    return [
        Row(
            f"sync of {POSTS:,} posts, two processes, both started anew",
            f"{per_second:,.0f}/s",
            f"{POSTS / statistics.median(bare_seconds):,.0f}/s decrypt + verify + safe write, one process",
            statistics.median(one / all_ for one, all_ in zip(bare_seconds, seconds, strict=True)),
            ">= 500/s",
            per_second >= 500,
        ),
        Row("  of it opening and verifying the messages", f"{share:.0%}"),
        Row("  CPU of the syncing process", f"{statistics.median(one.cpu for one in whole):.2f} s"),
    ]


def listing(world: World, rounds: int) -> list[Row]:
    """Rows: the listing of ten thousand files by a server that knows them not yet, and again."""
    alice, bob = world.alice, world.bob
    audience = frozenset({bob.account.fingerprint})
    posts = alice.account.posts()
    held = len(posts.entries())
    # Written by many hands: only their number counts here, not how long that takes.
    for number in range(FILES - held):
        publish_document(alice.account, alice.keyring, document(number), f"l{number}.json.pgp", audience)
    names = [entry.name for entry in posts.entries()]

    async def fetch(host: str, port: int, times: int) -> tuple[list[float], int]:
        took, count = [], 0
        async with PeerClient(bob.account.identity(), alice.account.fingerprint, host, port) as client:
            for _ in range(times):
                started = time.perf_counter()
                reply = await client.listing(alice.account.fingerprint)
                took.append(time.perf_counter() - started)
                count = len(reply.listing.items)
        return took, count

    cold, warm, bare_cold, bare_warm = [], [], [], []
    count = 0
    for _ in range(rounds):
        with serving(alice) as (host, port):
            took, count = asyncio.run(fetch(host, port, 4))
        cold.append(took[0])
        warm.append(statistics.median(took[1:]))
        started = time.perf_counter()
        for name in names:
            hashlib.sha256((posts.path / name).read_bytes()).hexdigest()
        bare_cold.append(time.perf_counter() - started)
        started = time.perf_counter()
        with os.scandir(posts.path) as scan:
            json.dumps([(item.name, item.stat().st_size, "0" * 64) for item in scan])
        bare_warm.append(time.perf_counter() - started)
    rows = []
    for which, ours, bare, named in (
        ("first time", cold, bare_cold, "read + sha256 of all"),
        ("again", warm, bare_warm, "scandir + stat + json"),
    ):
        rows.append(
            Row(
                f"listing of {count:,} files over TLS, {which}",
                f"{statistics.median(ours) * 1000:,.0f} ms",
                f"{statistics.median(bare) * 1000:,.0f} ms {named}",
                statistics.median(one / own for own, one in zip(ours, bare, strict=True)),
            )
        )
    return rows


def large(world: World) -> list[Row]:
    """Rows: a file of 500 MB shared and opened again, with the peak of memory."""
    size = 500_000_000
    source = world.place / "large.bin"
    with source.open("wb") as out:
        for _ in range(size // 1_000_000):
            out.write(os.urandom(1_000_000))
    alice = world.alice
    report = str(world.place / "spent.json")
    shared = spend(
        [*MAU, "share", str(source), "--to", "bob", "--name", "large.bin"], alice.environment, report
    )
    back = world.place / "back.bin"
    opened = spend([*MAU, "open", "me", "large.bin", "-o", str(back)], alice.environment, report)
    if _sha256(source) != _sha256(back):
        raise SystemExit("the file that came back is another")

    sealed, unsealed = world.place / "bare.pgp", world.place / "bare.bin"

    def bare_seal(_: int) -> None:
        pysequoia.encrypt_file(
            str(source), str(sealed), [alice.cert, world.bob.cert], alice.tsk.signer(), armor=False
        )

    def bare_open(_: int) -> None:
        pysequoia.decrypt_file(
            str(sealed), str(unsealed), decryptor=alice.tsk.decryptor(), store=lambda _: [alice.cert]
        )

    seal, unseal = (statistics.median(took) for took in in_turns(1, bare_seal, bare_open))
    rows = []
    for what, spent, bare, named in (
        ("shared", shared, seal, "encrypt_file"),
        ("opened", opened, unseal, "decrypt_file"),
    ):
        rows.append(
            Row(
                f"500 MB {what}",
                f"{spent.wall:.1f} s, {spent.memory / 1e6:,.0f} MB at most",
                f"{bare:.1f} s {named}",
                bare / spent.wall,
                "70%, < 250 MB",
                bare / spent.wall >= 0.7 and spent.memory < 250e6,
            )
        )
    return rows


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
