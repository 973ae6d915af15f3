"""A follower of 50 friends with 100,000 posts in all: what a pass costs that brings no news.

The friends' servers run in this process, the follower in one of its own (`passing.py`). The posts are signed
once and lie in both trees from the beginning, so that the first pass has to compare but not to fetch.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from mau.account import Account
from mau.addressbook import AddressBook
from mau.content.binding import PUBLIC, bind_document
from mau.keyring import Keyring
from mau.openpgp import SecretKey, write_message
from mau.server.server import Server
from mau.tree.layout import Root
from tests.benchmarks.host import UNLIMITED
from tests.benchmarks.measure import Row
from tests.benchmarks.world import World

FRIENDS = int(os.environ.get("MAU_FRIENDS", "50"))
POSTS = int(os.environ.get("MAU_POSTS", "100000"))
_CPU = 2.0
_MEMORY = 200_000_000


def run(world: World, rounds: int) -> list[Row]:
    """CPU and memory of a pass without news, against the aims; and of the first one, which compares all."""
    friends = [_friend(world, number, POSTS // FRIENDS) for number in range(FRIENDS)]
    with _serving(friends) as addresses:
        with contextlib.closing(AddressBook(world.bob.account.root)) as book:
            for friend, address in zip(friends, addresses, strict=True):
                book.proven(friend.fingerprint, *address)
        first = _pass(world)
        # What changed lately is read once more before its sum is believed.
        time.sleep(3)
        _pass(world)
        later = sorted((_pass(world) for _ in range(max(rounds // 3, 1))), key=lambda one: float(one["cpu"]))
    quiet = later[len(later) // 2]
    what = f"{FRIENDS} friends, {POSTS:,} posts"
    memory = max(one["memory"] for one in later)
    return [
        Row(f"{what}: first comparison, CPU", f"{first['cpu']:.1f} s", f"{first['wall']:.1f} s wall clock"),
        Row(
            f"{what}: a pass without news, CPU",
            f"{quiet['cpu']:.2f} s",
            f"{quiet['wall']:.2f} s wall clock",
            aim=f"< {_CPU:.0f} s",
            holds=quiet["cpu"] < _CPU,
        ),
        Row(
            f"{what}: a pass without news, memory",
            f"{memory / 1e6:.0f} MB",
            aim=f"< {_MEMORY / 1e6:.0f} MB",
            holds=memory < _MEMORY,
        ),
    ]


def _friend(world: World, number: int, posts: int) -> Account:
    """Somebody whom Bob follows, and his posts in both trees."""
    account = Account(
        Root(world.place / f"friend-{number}"),
        SecretKey.generate(f"friend {number}", f"friend{number}@example.org"),
    )
    own = account.root.author_dir(account.fingerprint)
    own.mkdir(mode=0o700, parents=True)
    Keyring.load(account).add(world.bob.account.certificate, "bob")
    world.bob.keyring.add(account.certificate, f"friend{number}")
    world.bob.account.root.follow(account.fingerprint)
    held = world.bob.account.root.author_dir(account.fingerprint)
    for one in range(posts):
        name = f"{one:05}.json.pgp"
        document = {"@context": "https://schema.org", "articleBody": f"post {one}"}
        out = BytesIO()
        data = json.dumps(bind_document(document, account.fingerprint, name, PUBLIC)).encode()
        write_message(out, data, key=account.key, recipients=None)
        for place in (own, held):
            (place / name).write_bytes(out.getvalue())
    return account


@contextlib.contextmanager
def _serving(friends: list[Account]) -> Iterator[list[tuple[str, int]]]:
    """All of their servers, in a thread; where each listens."""
    addresses: list[tuple[str, int]] = []
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    end = asyncio.Event()

    async def serve() -> None:
        servers = [Server(one, Keyring.load(one), limits=UNLIMITED) for one in friends]
        for server in servers:
            await server.start("127.0.0.1", 0)
            addresses.append(server.address)
        ready.set()
        await end.wait()
        for server in servers:
            await server.stop(0)

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        while not ready.wait(1):
            assert thread.is_alive()
        yield addresses
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()


def _pass(world: World) -> dict[str, Any]:
    """One pass over everybody in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.passing", str(FRIENDS)],
        env=world.bob.environment,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result
