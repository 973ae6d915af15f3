"""From a post of Alice's to the file in Bob's tree, with `mau up` on both sides of one machine."""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
import time
from collections.abc import Iterator

from mau.addressbook import AddressBook
from mau.publish import publish_document
from tests.benchmarks.measure import MAU, Row
from tests.benchmarks.world import Someone, World, document

_PATIENCE = 30.0
_PAUSE = 0.3  # seconds between two posts: each arrives on its own
_P50, _P95 = 0.150, 1.0


def run(world: World, rounds: int) -> list[Row]:
    """p50 and p95 of at least 100 posts, against the aims."""
    alice, bob = world.alice, world.bob
    took = []
    with _up(alice) as address:
        with contextlib.closing(AddressBook(bob.account.root)) as book:
            book.proven(alice.account.fingerprint, *address)
        with _up(bob):
            for number in range(max(rounds * 5, 100)):
                took.append(_deliver(alice, bob, number))
                time.sleep(_PAUSE)
    took = sorted(took[1:])  # the first waits until Bob has found Alice
    p50, p95 = statistics.median(took), took[int(len(took) * 0.95)]
    return [
        _row("post to delivery, mau up on both sides, p50", p50, _P50),
        _row("post to delivery, mau up on both sides, p95", p95, _P95),
    ]


def _row(what: str, seconds: float, aim: float) -> Row:
    return Row(what, f"{seconds * 1000:.0f} ms", aim=f"< {aim * 1000:.0f} ms", holds=seconds < aim)


def _deliver(alice: Someone, bob: Someone, number: int) -> float:
    """Seconds from the moment when the post lies in Alice's tree."""
    both = frozenset({alice.account.fingerprint, bob.account.fingerprint})
    name = f"delivery-{number}.json.pgp"
    publish_document(alice.account, alice.keyring, document(number), name, both)
    started = time.perf_counter()
    place = bob.account.root.author_dir(alice.account.fingerprint) / name
    while not place.exists():
        if time.perf_counter() - started > _PATIENCE:
            raise SystemExit(f"{name} does not arrive")
        time.sleep(0.002)
    return time.perf_counter() - started


@contextlib.contextmanager
def _up(someone: Someone) -> Iterator[tuple[str, int]]:
    """`mau up` as a process; yields where it listens."""
    with subprocess.Popen(
        [*MAU, "up", "--listen", "127.0.0.1:0"],
        env=someone.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=None if os.environ.get("MAU_DEBUG") else subprocess.DEVNULL,
    ) as process:
        try:
            assert process.stdout is not None
            host, _, port = process.stdout.readline().decode().split()[0].rpartition(":")
            yield host, int(port)
        finally:
            process.send_signal(signal.SIGTERM)
