"""`mau sync` killed at any moment: whole posts, nothing lost, `mau fsck` clean, and the next run finishes.

Real processes, a real server, SIGKILL from outside at seeded moments between the first connection and the
end, in each of the three things that a sync does: a first fetch of many, new versions of what is held, and a
large download.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mau.account import Account
from mau.content.binding import PUBLIC
from mau.keyring import Keyring
from mau.openpgp import SecretKey
from mau.publish import publish_file
from mau.server.limits import Limits, Rate
from mau.server.server import Server
from mau.tree.layout import Root
from tests.syncer.peers import Person
from tests.syncer.test_killed import PASSPHRASE, start_sync

MANY = 150
FILM = 20_000_000
PLENTY = Rate(1e9, 1e9)
UNLIMITED = Limits(friend=PLENTY, everyone=PLENTY, handshakes=PLENTY)
Named = tuple[str, str]


@pytest.fixture
def bob(tmp_path: Path, keys: dict[str, SecretKey], alice: Person) -> Person:
    """Bob with an account that a process can open."""
    account = Account.create(Root(tmp_path / "bob"), keys["bob"], PASSPHRASE)
    bob = Person(account, Keyring.load(account))
    bob.knows(alice, "alice")
    return bob


class Proof:
    """Alice's server, Bob's processes, and what Bob must never lose."""

    def __init__(self, alice: Person, bob: Person, server: Server, seed: str) -> None:
        self.alice, self.bob, self.server = alice, bob, server
        self.seeded = random.Random(seed)
        self.signed: set[Named] = set()
        self.had: set[Named] = set()
        self.lasts = 0.0
        self.struck = 0
        self.finished = True

    def publish(self, name: str, data: bytes) -> None:
        source = io.BytesIO(data)
        done = publish_file(self.alice.account, self.alice.keyring, source, name, PUBLIC)
        self.signed.add((name, done.sha256))

    async def sync(self, after: float | None = None) -> float:
        """One process, killed ``after`` so many seconds of being connected; for how long it was."""
        process = await start_sync(self.bob, self.server.address)
        while not self.server.connections and process.returncode is None:  # noqa: ASYNC110 - told by nobody
            await asyncio.sleep(0.001)
        began = time.monotonic()
        talking = asyncio.create_task(process.communicate())
        try:
            async with asyncio.timeout(60 if after is None else after):
                await asyncio.shield(talking)
        except TimeoutError:
            # Popen would first ask whether it has ended, and take that answer from who waits for it.
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        _, words = await talking
        assert process.returncode in (0, -signal.SIGKILL), words
        self.finished = process.returncode == 0
        self.struck += not self.finished
        return time.monotonic() - began

    async def strike(self) -> None:
        """Kill a process at a moment that is as likely as any other."""
        lasted = await self.sync(self.seeded.uniform(0, self.lasts))
        if self.finished:  # one that had little left to do says little about the next
            self.lasts = max(lasted, 0.9 * self.lasts)
        held = set(self.bob.held(self.alice).items())
        assert held <= self.signed, "only whole posts have a name"
        self.had |= held
        self.check()

    def check(self) -> None:
        """Nothing that was held is lost."""
        filed = {(name, sha256) for name, _ in self.signed for sha256 in self.bob.versions(self.alice, name)}
        assert self.had <= filed | set(self.bob.held(self.alice).items())

    async def finish(self) -> None:
        """The next run ends well, brings everything, and leaves nothing to find fault with."""
        await self.sync()
        assert self.bob.held(self.alice) == self.alice.held(self.alice)
        self.check()
        place = self.bob.root.author_dir(self.alice.fpr)
        assert not list(place.rglob(".mau-*")), "nothing is left over"
        fsck = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mau_cli.main", "--dir", str(self.bob.root.path), "fsck"),
            env={**os.environ, "MAU_PASSPHRASE": PASSPHRASE},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        words, _ = await fsck.communicate()
        assert fsck.returncode == 0, words.decode()


def first_fetch(proof: Proof, number: int) -> None:
    """Many small posts, from nothing again and again."""
    if number == 0:
        for one in range(MANY):
            proof.publish(f"{one:03}.pgp", os.urandom(one * 20))
    proof.had.clear()
    shutil.rmtree(proof.bob.root.path / ".syncer", ignore_errors=True)
    shutil.rmtree(proof.bob.root.author_dir(proof.alice.fpr))
    proof.bob.root.follow(proof.alice.fpr)


def versions(proof: Proof, number: int) -> None:
    """New contents of everything that is held."""
    for one in range(40):
        proof.publish(f"{one:03}.pgp", b"content %d" % number + os.urandom(one * 50))


def large(proof: Proof, _number: int) -> None:
    """A film, and another one under the same name."""
    proof.publish("film.pgp", os.urandom(FILM))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("change", "kills"), [(first_fetch, 80), (versions, 60), (large, 60)])
async def test_wherever_a_sync_is_killed_the_tree_is_whole_and_the_next_one_finishes(
    alice: Person, bob: Person, change: Callable[[Proof, int], None], kills: int
) -> None:
    server = Server(alice.account, alice.keyring, limits=UNLIMITED)
    await server.start("127.0.0.1", 0)
    try:
        proof = Proof(alice, bob, server, change.__name__)
        change(proof, 0)
        proof.lasts = await proof.sync()
        number = 0
        while proof.struck < kills:
            number += 1
            assert number < 5 * kills, "it is never struck"
            if proof.finished:
                change(proof, number)
            await proof.strike()
            if number % 20 == 0:
                await proof.finish()
        await proof.finish()
    finally:
        await server.stop(1)
