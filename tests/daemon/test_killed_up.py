"""`mau up` killed at any moment: whole posts, nothing lost, nothing resurrected, and the next one finishes.

Alice and Bob follow each other. Both run `mau up`, real processes that serve and sync, and both post, edit
and delete all the while, as a person does at a keyboard beside it. At seeded moments one of the two is killed
with SIGKILL and started again, somewhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import random
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mau.account import Account
from mau.addressbook import AddressBook
from mau.content.binding import PUBLIC, Audience
from mau.deletion.publishing import delete_post
from mau.errors import NoSuchPost
from mau.hostport import Address, parse_address
from mau.keyring import Keyring
from mau.openpgp import SecretKey
from mau.publish import publish_document, publish_file
from mau.tree.layout import Root
from mau.tree.names import KEYRING_NAME
from mau.tree.posts import AuthorDir
from tests.syncer.peers import Person

PASSPHRASE = "three words suffice"
KILLS = 40
EACH = 10
"""So many kills lie between two times that everything is compared."""
LONGEST = 3.0
"""Seconds of work after which it is struck at the latest."""
NAMES = 30
FILM = 3_000_000
PATIENCE = 60.0


@pytest.fixture(scope="module")
def keys() -> dict[str, SecretKey]:
    return {name: SecretKey.generate(name, f"{name}@example.org") for name in ("alice", "bob")}


@dataclass
class Side:
    """One of the two: what is posted there, and the process that carries it."""

    person: Person
    name: str
    seeded: random.Random
    current: dict[str, str] = field(default_factory=dict)
    """What is to be there, by name; DeleteActions not among it."""
    given: set[tuple[str, str]] = field(default_factory=set)
    """Every content that was ever posted."""
    deleted: set[tuple[str, str]] = field(default_factory=set)
    had: set[tuple[str, str]] = field(default_factory=set)
    """What was ever seen here of the other's posts."""
    process: asyncio.subprocess.Process | None = None
    address: Address | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    # --- what a person does --------------------------------------------------------------------------------

    def act(self, other: Person) -> None:
        """Post something new, edit something, or delete something."""
        account, keyring = self.person.account, self.person.keyring
        name = f"{self.name}-{self.seeded.randrange(NAMES):02}.json.pgp"
        audience: Audience = self.seeded.choice([PUBLIC, frozenset([self.person.fpr, other.fpr])])
        what = self.seeded.random()
        if what < 0.2 and name in self.current:
            delete_post(account, keyring, name)
            with self.lock:
                del self.current[name]
                self.deleted |= {one for one in self.given if one[0] == name}
            return
        if what > 0.96:
            name = f"{self.name}-film.pgp"
            film = io.BytesIO(self.seeded.randbytes(FILM))
            done = publish_file(account, keyring, film, name, audience)
        else:
            words = "words " * self.seeded.randrange(3000)
            document = {"@type": "SocialMediaPosting", "articleBody": f"{self.seeded.random()} {words}"}
            done = publish_document(account, keyring, document, name, audience)
        with self.lock:
            self.current[name] = done.sha256
            self.given.add((name, done.sha256))

    # --- the process ---------------------------------------------------------------------------------------

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mau_cli.main", "--dir", str(self.person.root.path)),
            *("up", "--listen", "127.0.0.1:0"),
            env={**os.environ, "MAU_PASSPHRASE": PASSPHRASE},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        self.words = asyncio.create_task(self.process.stderr.read())  # type: ignore[union-attr]

    async def listens(self, other: Person) -> None:
        """Wait for it, and have the other know where, as a message or the network would tell him."""
        assert self.process is not None
        assert self.process.stdout is not None
        line = b""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                line = await self.process.stdout.readline()
        if not line:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGKILL)
        assert line, (await self.words).decode()
        with contextlib.closing(AddressBook(other.root)) as book:
            if self.address is not None:
                book.forget(self.person.fpr, *self.address)
            self.address = parse_address(line.split()[0].decode())
            book.proven(self.person.fpr, *self.address)

    async def end(self, number: signal.Signals) -> None:
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, number)
        async with asyncio.timeout(PATIENCE):
            code = await self.process.wait()
            words = (await self.words).decode()
        assert "Traceback" not in words, words
        assert code == (-signal.SIGKILL if number is signal.SIGKILL else 0), words
        self.process = None

    # --- what must hold ------------------------------------------------------------------------------------

    def held(self, author: Side) -> set[tuple[str, str]]:
        """What lies here of one of the two, while it may change."""
        posts = AuthorDir(self.person.root, author.person.fpr)
        found = set()
        for name in posts.names():
            with contextlib.suppress(NoSuchPost):
                found.add((name, posts.sha256(name)))
        return found

    def look(self, other: Side) -> None:
        """Whatever has a name here is whole, and the author's."""
        held = self.held(other)
        mine = {one for one in held if one[0].startswith(other.name)}
        with other.lock:
            assert mine <= other.given, "only whole posts have a name"
        self.had |= mine

    def check(self, other: Side) -> None:
        """Nobody acts any more, and everything has arrived."""
        own, held = self.held(self), self.held(other)
        assert {one for one in own if one[0].startswith(self.name)} == set(self.current.items())
        assert self.given <= own | self.filed(self), "nothing of one's own is lost"
        assert self.had - other.deleted <= held | self.filed(other), "nothing that was held is lost"
        assert not held & other.deleted, "nothing that was deleted is there"
        for author in (self, other):
            place = self.person.root.author_dir(author.person.fpr)
            assert not list(place.rglob(".mau-*")), "nothing is left over"

    def filed(self, author: Side) -> set[tuple[str, str]]:
        """The older contents that lie here of what one of the two ever posted."""
        names = {name for name, _ in author.given}
        return {(name, sha256) for name in names for sha256 in self.person.versions(author.person, name)}


async def until_same(one: Side, two: Side) -> None:
    """Both hold what the other posted."""
    end = time.monotonic() + PATIENCE
    while differences := [*different(one, two), *different(two, one)]:
        assert time.monotonic() < end, differences
        await asyncio.sleep(0.1)


def different(author: Side, follower: Side) -> set[tuple[str, str]]:
    """What only one of them holds of what the author gives out."""
    return {one for one in author.held(author) ^ follower.held(author) if one[0] != KEYRING_NAME}


async def is_clean(side: Side) -> None:
    fsck = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mau_cli.main", "--dir", str(side.person.root.path), "fsck"),
        env={**os.environ, "MAU_PASSPHRASE": PASSPHRASE},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    words, _ = await fsck.communicate()
    assert fsck.returncode == 0, words.decode()


@contextlib.contextmanager
def acting(side: Side, other: Side) -> Iterator[None]:
    """A thread in which somebody posts, edits and deletes meanwhile."""
    over = threading.Event()
    trouble: list[BaseException] = []

    def run() -> None:
        try:
            while not over.wait(0.04):
                side.act(other.person)
        except BaseException as error:
            trouble.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        if trouble:
            raise trouble[0]


@contextlib.asynccontextmanager
async def both(tmp_path: Path, keys: dict[str, SecretKey]) -> AsyncIterator[tuple[Side, Side]]:
    sides = []
    for name in ("alice", "bob"):
        account = Account.create(Root(tmp_path / name), keys[name], PASSPHRASE)
        sides.append(Side(Person(account, Keyring.load(account)), name, random.Random(name)))
    one, two = sides
    one.person.knows(two.person, two.name)
    two.person.knows(one.person, one.name)
    try:
        yield one, two
    finally:
        for side in sides:
            if side.process is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(side.process.pid, signal.SIGKILL)
                await side.process.wait()
                await side.words


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_wherever_it_is_killed_the_next_one_finishes(
    tmp_path: Path, keys: dict[str, SecretKey]
) -> None:
    seeded = random.Random("mau up")
    at_work = 0
    async with both(tmp_path, keys) as (alice, bob):
        for number in range(0, KILLS, EACH):
            for side, other in ((alice, bob), (bob, alice)):
                await side.start()
                await side.listens(other.person)
            with acting(alice, bob), acting(bob, alice):
                for _ in range(EACH):
                    victim, other = seeded.sample([alice, bob], 2)
                    before = victim.held(other), other.held(victim)
                    await asyncio.sleep(seeded.uniform(0, LONGEST))
                    after = victim.held(other), other.held(victim)
                    at_work += before[0] != after[0] and before[1] != after[1]
                    await victim.end(signal.SIGKILL)
                    for side, author in ((alice, bob), (bob, alice)):
                        await asyncio.to_thread(side.look, author)
                    await victim.start()
                    if seeded.random() < 0.2:  # and again, while it begins
                        await asyncio.sleep(seeded.uniform(0, 1.0))
                        await victim.end(signal.SIGKILL)
                        await victim.start()
                    await victim.listens(other.person)
            await until_same(alice, bob)
            for side in (alice, bob):
                await side.end(signal.SIGTERM)
            for side, other in ((alice, bob), (bob, alice)):
                side.look(other)
                side.check(other)
                await is_clean(side)
            assert number + EACH <= KILLS
    assert at_work > KILLS // 3, "it is struck while it serves and while it syncs"
    assert alice.deleted
    assert bob.deleted
