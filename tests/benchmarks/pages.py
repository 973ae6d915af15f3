"""What a follower gets: pages of many files with many friends, everything as an archive, news by waiting.

`run` goes up to ten thousand files, `run_many` measures a hundred thousand.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mau.publish import publish_document
from mau.wire.paths import list_path
from tests.benchmarks.measure import Row
from tests.benchmarks.serve import Process, befriend, hosting, load, pem_of
from tests.benchmarks.world import World, document, furnish

FILES = (100, 1_000, 10_000)
MANY = 100_000
FRIENDS = (1, 10, 100)
LIMIT = 100
WAITING = 500
_SECONDS = 2.0


def run(world: World, _: int) -> list[Row]:
    """Rows: a page, the whole listing, an archive and many who wait, for each number of files and friends."""
    rows = []
    for count in FILES:
        furnish(world, count)
        for friends in FRIENDS if count == FILES[-1] else FRIENDS[:1]:
            befriend(world.alice, friends)
            rows += _listings(world, count, friends)
    return rows + _waiting(world)


def run_many(world: World, _: int) -> list[Row]:
    """Rows: the same for a hundred thousand files and a hundred friends."""
    befriend(world.alice, FRIENDS[-1])
    furnish(world, MANY)
    return _listings(world, MANY, FRIENDS[-1])


def _listings(world: World, count: int, friends: int) -> list[Row]:
    pem = pem_of(world.bob.account, world.place)
    path = list_path(world.alice.account.fingerprint)
    what = f"{count:,} files, {friends} friend{'s' if friends > 1 else ''}"
    with hosting(world.alice) as host:
        started = time.perf_counter()
        walked = _follow(host, pem, path, "walk", limit=1000, seconds=0)
        cold = time.perf_counter() - started
        assert walked["items"] >= count, walked
        page = _follow(host, pem, path, "walk", limit=LIMIT, seconds=_SECONDS)["took"]
        whole = load(host.port, pem, path, "kept_alive")["took"]
        archives = [_follow(host, pem, path, "archive")["seconds"] for _ in range(3)]
        memory, processor = host.memory(), host.cpu()
        load(host.port, pem, path + "?limit=1", "kept_alive", 1, 0.1)
    rate = count / statistics.median(archives)
    aim = count == FILES[-1] and friends == FRIENDS[-1]
    return [
        Row(
            f"a page of {LIMIT} of {what}",
            f"p50 {page['p50'] * 1000:.1f} ms, p95 {page['p95'] * 1000:.1f} ms",
            aim="p50 < 5 ms" if aim else "",
            holds=page["p50"] < 0.005 if aim else None,
        ),
        Row(
            f"  all of it, uncut; first {cold:.1f} s",
            f"p50 {whole['p50'] * 1000:.1f} ms, p95 {whole['p95'] * 1000:.1f} ms",
        ),
        Row(
            f"  as an archive; {memory / 1e6:.0f} MB, {processor:.1f} s of CPU so far",
            f"{rate:,.0f}/s",
            aim=">= 3,000/s" if count >= 1_000 else "",
            holds=rate >= 3_000 if count >= 1_000 else None,
        ),
    ]


def _waiting(world: World) -> list[Row]:
    """Many who wait: what they cost, and how soon each of them is told."""
    alice, bob = world.alice, world.bob
    pem = pem_of(bob.account, world.place)
    path = list_path(alice.account.fingerprint)
    audience = frozenset({bob.account.fingerprint})
    with hosting(alice) as host:
        _follow(host, pem, path, "walk", limit=1000, seconds=0)
        alone = host.memory()
        with _job(host, pem, path, "wait", connections=WAITING) as waiting:
            assert waiting.stdout is not None
            assert waiting.stdout.readline() == "waiting\n"
            time.sleep(2)  # until the last request has come
            spent, began = host.cpu(), time.perf_counter()
            time.sleep(5)
            idle = (host.cpu() - spent) / (time.perf_counter() - began)
            memory = host.memory()
            publish_document(alice.account, alice.keyring, document(-1), "news.json.pgp", audience)
            told = time.time()
            times = sorted(moment - told for moment in json.loads(waiting.stdout.readline())["times"])
    alice.account.posts().remove("news.json.pgp")
    return [
        Row(
            f"{WAITING} who wait for something new",
            f"{memory / 1e6:.0f} MB, {max(memory - alone, 0) / WAITING / 1000:.0f} kB each, {idle:.1%} CPU",
            aim="< 250 MB",
            holds=memory < 250e6,
        ),
        Row(
            "  told after it was posted",
            f"the first after {times[0] * 1000:.0f} ms, half {times[WAITING // 2] * 1000:.0f} ms, "
            f"all {times[-1] * 1000:.0f} ms",
        ),
    ]


@contextlib.contextmanager
def _job(host: Process, pem: Path, path: str, kind: str, **more: Any) -> Iterator[subprocess.Popen[str]]:
    """A follower that has begun (following.py)."""
    job = {"host": "127.0.0.1", "port": host.port, "pem": str(pem), "path": path, "kind": kind, **more}
    words = [sys.executable, "-m", "tests.benchmarks.following"]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.close()
        try:
            yield process
        finally:
            process.kill()


def _follow(host: Process, pem: Path, path: str, kind: str, **more: Any) -> Any:
    with _job(host, pem, path, kind, **more) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
    if not said:
        raise SystemExit(f"{kind} came to nothing")
    return json.loads(said)
