"""A process killed in the middle of a sync leaves whole files, and the next one finishes the rest."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from aiohttp import web

from mau.account import Account
from mau.keyring import Keyring
from mau.openpgp import SecretKey, write_message
from mau.tree.layout import Root
from tests.syncer.peers import Liar, Person, lying, piece
from tests.syncer.test_large import FILM, Ranged, film, nothing_is_left, parts

PASSPHRASE = "three words suffice"
COUNT = 150  # far more than are asked for before the last blow, however slow the machine is


@pytest.fixture
def bob(tmp_path: Path, keys: dict[str, SecretKey], alice: Person) -> Person:
    """Bob with an account that a process can open."""
    account = Account.create(Root(tmp_path / "bob"), keys["bob"], PASSPHRASE)
    bob = Person(account, Keyring.load(account))
    bob.knows(alice, "alice")
    return bob


async def start_sync(bob: Person, address: tuple[str, int]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "mau_cli.main", "--dir", str(bob.root.path)),
        *("sync", "alice", "--at", f"{address[0]}:{address[1]}"),
        env={**os.environ, "MAU_PASSPHRASE": PASSPHRASE},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


class Killer(Liar):
    """Tells the truth, but at the ``at``-th file it calls ``strike``."""

    at = 0
    count = 0
    strike: Callable[[], None]

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.raw_path.endswith(".pgp"):
            self.count += 1
            if self.count == self.at:
                return await self._struck(request)
        return await super().answer(request)

    async def _struck(self, request: web.BaseRequest) -> web.StreamResponse:
        data = self.files[request.path.rpartition("/")[2]]
        response = web.StreamResponse(headers={"Content-Length": str(len(data))})
        await response.prepare(request)
        await response.write(data[: len(data) // 2])
        self.strike()
        await asyncio.sleep(0)
        if request.transport is not None:
            await response.write(data[len(data) // 2 :])
        return response


@pytest.fixture
def killer(alice: Person) -> Killer:
    killer = Killer(alice)
    for number in range(COUNT):
        name = f"{number:02}.json.pgp"
        killer.offer(name, piece(alice, name, "words " * number, to=None))
    out = BytesIO()
    write_message(out, os.urandom(3_000_000), key=alice.account.key, recipients=None)
    killer.offer("film.pgp", out.getvalue())
    return killer


def sums(killer: Liar) -> dict[str, str]:
    return {name: hashlib.sha256(data).hexdigest() for name, data in killer.files.items()}


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
async def test_whenever_it_is_stopped_the_next_sync_finishes(
    bob: Person, alice: Person, killer: Killer, blow: signal.Signals
) -> None:
    expected = sums(killer)
    directory = bob.root.author_dir(alice.fpr)
    async with lying(killer) as address:
        for at in (1, 4, 9, 17, 30):
            process = await start_sync(bob, address)
            killer.at, killer.count = at, 0
            killer.strike = lambda process=process: process.send_signal(blow)  # type: ignore[misc]
            _, words = await process.communicate()
            if blow != signal.SIGKILL:
                assert process.returncode == 130, words
                assert b"Traceback" not in words
            else:
                assert process.returncode == -blow
            held = bob.held(alice)
            assert held.items() <= expected.items(), "only whole files have a name"
            if blow != signal.SIGKILL:
                assert {path.name for path in directory.iterdir()} == set(held)
        killer.at = 0
        report = await bob.sync(alice, address)
    assert report.whole
    assert bob.held(alice) == expected
    assert {path.name for path in directory.iterdir()} == set(expected), "nothing is left over"
    assert not list((bob.root.path / ".syncer").glob(".mau-*"))


async def test_a_large_file_goes_on_after_kill_9(bob: Person, alice: Person) -> None:
    server = Ranged(alice)
    server.asked_from = []
    server.offer(FILM, film(alice, 6_000_000))
    reached, release = asyncio.Event(), asyncio.Event()
    ranged = server.answer

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if not request.path.endswith(FILM) or reached.is_set():
            return await ranged(request)
        response = web.StreamResponse(headers={"Content-Length": str(len(server.files[FILM]))})
        await response.prepare(request)
        await response.write(server.files[FILM][:4_000_000])
        reached.set()
        await release.wait()
        return response

    server.answer = answer  # type: ignore[method-assign]
    async with lying(server) as address:
        process = await start_sync(bob, address)
        waiting = [asyncio.create_task(reached.wait()), asyncio.create_task(process.wait())]
        await asyncio.wait(waiting, timeout=30, return_when=asyncio.FIRST_COMPLETED)
        assert reached.is_set(), await process.communicate()
        async with asyncio.timeout(20):
            # The other process tells nothing: only the disk does.
            while not parts(bob) or parts(bob)[0].stat().st_size < 3_000_000:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        await process.communicate()
        release.set()
        assert bob.held(alice) == {}
        assert (await bob.sync(alice, address)).whole
    assert server.asked_from[0] >= 3_000_000
    assert bob.held(alice) == sums(server)
    assert nothing_is_left(bob, alice)
