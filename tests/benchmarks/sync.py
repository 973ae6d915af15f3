"""A sync of a thousand posts between two processes."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pysequoia

from mau.openpgp import open_message
from mau.publish import publish_document
from tests.benchmarks.measure import MAU, Row, Spent, spend
from tests.benchmarks.posts import safe_write
from tests.benchmarks.serving import serving
from tests.benchmarks.world import World, document

POSTS = 1000


def run(world: World, rounds: int) -> list[Row]:
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
    # Out of the way, not deleted: to make files right after many were deleted costs ext4 half as much again.
    past = world.place / "past"
    past.mkdir(exist_ok=True)
    yardstick = world.place / "bare-sync"
    yardstick.mkdir(exist_ok=True)
    held.rename(past / "held")
    held.mkdir()
    shutil.copytree(bob.root, untouched)

    def forget() -> None:
        bob.root.rename(past / f"bob-{time.monotonic_ns()}")
        shutil.copytree(untouched, bob.root)
        yardstick.rename(past / f"bare-{time.monotonic_ns()}")
        yardstick.mkdir()

    author = alice.account.fingerprint.hex

    def itself(host: str, port: int) -> tuple[float, float]:
        forget()
        words = [sys.executable, "-m", "tests.benchmarks.syncing", author, host, str(port)]
        done = subprocess.run(words, env=bob.environment, capture_output=True, text=True, check=True)
        _check(held)
        wall, cpu = json.loads(done.stdout)
        return wall, cpu

    anew: list[tuple[float, float]] = []
    running: list[tuple[float, float]] = []
    whole: list[Spent] = []
    bare_seconds, own_seconds, verified_seconds = [], [], []
    for _ in range(max(3, rounds // 3)):
        with serving(alice) as (host, port):
            anew.append(itself(host, port))  # the server knows nothing of the files yet
            running.append(itself(host, port))
            forget()
            words = [*MAU, "sync", "alice", "--at", f"{host}:{port}"]
            whole.append(spend(words, bob.environment, str(world.place / "spent.json")))
            _check(held)
        started = time.perf_counter()
        handle = os.open(yardstick, os.O_RDONLY | os.O_DIRECTORY)
        for number, message in enumerate(bare):
            pysequoia.decrypt(message, decryptor=bob.tsk.decryptor(), store=lambda _: [alice.cert])
            safe_write(yardstick, handle, f"s{number}", message)
        os.close(handle)
        bare_seconds.append(time.perf_counter() - started)
        started, cpu = time.perf_counter(), time.process_time()
        for message in messages:
            open_message(message, key=bob.account.key, author=alice.account.certificate)
        own_seconds.append(time.process_time() - cpu)
        verified_seconds.append(time.perf_counter() - started)

    seconds = [wall for wall, _ in running]
    per_second = POSTS / statistics.median(seconds)
    of_wall = statistics.median(own / wall for own, (wall, _) in zip(own_seconds, running, strict=True))
    of_cpu = statistics.median(own / cpu for own, (_, cpu) in zip(own_seconds, running, strict=True))
    against = statistics.median(one / all_ for one, all_ in zip(verified_seconds, seconds, strict=True))
    return [
        Row(
            f"sync of {POSTS:,} posts between two processes",
            f"{per_second:,.0f}/s",
            f"{POSTS / statistics.median(verified_seconds):,.0f}/s verifying the same files alone",
            against,
            ">= 1,000/s, 50%",
            per_second >= 1000 and against >= 0.5,
        ),
        Row(
            "  against the same done by hand",
            f"{per_second:,.0f}/s",
            f"{POSTS / statistics.median(bare_seconds):,.0f}/s decrypt + verify + safe write",
            statistics.median(one / all_ for one, all_ in zip(bare_seconds, seconds, strict=True)),
        ),
        Row("  of it cryptography of the posts", f"{of_wall:.0%}, {of_cpu:.0%} of the CPU"),
        Row("  CPU of who syncs, for each post", f"{statistics.median(cpu for _, cpu in running):.2f} ms"),
        Row("  from a server started anew", f"{POSTS / statistics.median(wall for wall, _ in anew):,.0f}/s"),
        Row(
            "  with the start of `mau sync`", f"{POSTS / statistics.median(one.wall for one in whole):,.0f}/s"
        ),
    ]


def _check(held: Path) -> None:
    arrived = len(list(held.glob("s*.json.pgp")))
    if arrived != POSTS:
        raise SystemExit(f"{arrived} of {POSTS} posts arrived")
