"""The listing of ten thousand files, by a server that does not know them yet and by one that does."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import statistics
import time

import pysequoia

from mau.publish import publish_document
from mau.wire.client import PeerClient
from tests.benchmarks.measure import Row
from tests.benchmarks.serving import serving
from tests.benchmarks.world import World, document

FILES = 10_000


def run(world: World, rounds: int) -> list[Row]:
    """Rows: the listing of ten thousand files by a server that knows them not yet, and again."""
    alice, bob = world.alice, world.bob
    audience = frozenset({bob.account.fingerprint})
    posts = alice.account.posts()
    held = len(posts.entries())
    # Written by many hands: only their number counts here, not how long that takes.
    for number in range(FILES - held + 1):  # one is the keyring, for Alice alone
        publish_document(alice.account, alice.keyring, document(number), f"l{number}.json.pgp", audience)
    names = [entry.name for entry in posts.entries()]
    plain = [json.dumps(document(number)).encode() for number in range(100)]
    certs, signer = [alice.cert, bob.cert], alice.tsk.signer()
    messages = [bytes(pysequoia.encrypt(data, certs, signer, armor=False)) for data in plain]

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
    for _ in range(max(3, rounds // 3)):
        with serving(alice) as (host, port):
            took, count = asyncio.run(fetch(host, port, 4))
        cold.append(took[0])
        warm.append(statistics.median(took[1:]))
        started = time.perf_counter()
        for number, name in enumerate(names):
            hashlib.sha256((posts.path / name).read_bytes()).hexdigest()
            message = messages[number % len(messages)]
            pysequoia.decrypt(message, decryptor=alice.tsk.decryptor(), store=lambda _: [alice.cert])
        bare_cold.append(time.perf_counter() - started)
        started = time.perf_counter()
        with os.scandir(posts.path) as scan:
            json.dumps([(item.name, item.stat().st_size, "0" * 64) for item in scan])
        bare_warm.append(time.perf_counter() - started)
    rows = []
    for which, ours, bare, named in (
        ("first time", cold, bare_cold, "read + sha256 + decrypt + verify"),
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
