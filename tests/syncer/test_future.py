"""What was signed by a clock that is ahead counts once its time has come (spec/messages.md M35)."""

from __future__ import annotations

import asyncio
import time

import pytest

from mau.acceptance import MAX_AHEAD
from mau.content.binding import PUBLIC
from tests.syncer.peers import Liar, Person, lying, piece, serving

NAME = "ahead.json.pgp"
PATIENCE = 10.0


def ahead(alice: Person, bob: Person, public: bool, created: int) -> bytes:
    recipients = None if public else (alice.account.certificate, bob.account.certificate)
    stated = PUBLIC if public else frozenset([alice.fpr, bob.fpr])
    return piece(alice, NAME, to=recipients, stated=stated, created=created)


async def arrives(bob: Person, alice: Person, created: int) -> None:
    """It comes when its time has come, to somebody who only asks for what is new, and not before."""
    async with asyncio.timeout(PATIENCE):
        while NAME not in bob.held(alice):
            assert (await bob.sync(alice)).problem is None
            await asyncio.sleep(0.05)
    assert time.time() >= created - MAX_AHEAD


@pytest.mark.parametrize("public", [True, False], ids=["public", "for bob"])
async def test_the_authors_own_host_gives_it_out_then(alice: Person, bob: Person, public: bool) -> None:
    """The author's clock was set right after he wrote it."""
    alice.post("other.json.pgp", "hello", bob)
    async with serving(alice) as address:
        await bob.sync(alice, address)
        created = int(time.time()) + MAX_AHEAD + 2
        (alice.account.posts().path / NAME).write_bytes(ahead(alice, bob, public, created))
        alice.post("later.json.pgp", "hello", bob)
        assert (await bob.sync(alice)).fetched == ["later.json.pgp"]
        assert NAME not in bob.held(alice)
        await arrives(bob, alice, created)


@pytest.mark.parametrize("public", [True, False], ids=["public", "for bob"])
async def test_a_reader_takes_it_then(alice: Person, bob: Person, public: bool) -> None:
    """The author's clock is ahead, and his host lists it at once."""
    created = int(time.time()) + MAX_AHEAD + 2
    host = Liar(alice)
    host.offer(NAME, ahead(alice, bob, public, created))
    async with lying(host) as address:
        report = await bob.sync(alice, address)
        assert [(one.name, one.kind) for one in report.deferred] == [(NAME, "FromTheFuture")]
        await arrives(bob, alice, created)
