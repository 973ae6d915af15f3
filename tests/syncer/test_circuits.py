"""Syncing with somebody who is reached through circuit relays only (spec/circuit.md)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing

import pytest

from mau.addressbook import AddressBook
from mau.circuit.terms import CircuitPolicy
from mau.hostport import Address, circuit
from mau.server.server import Server
from tests.circuit.relaying import registered, until
from tests.syncer.peers import Person, serving
from tests.syncer.test_worker import watching


@asynccontextmanager
async def relaying(person: Person) -> AsyncIterator[Server]:
    """A server that passes connections on for friends."""
    server = Server(person.account, person.keyring, circuits=CircuitPolicy())
    await server.start("127.0.0.1", 0)
    try:
        yield server
    finally:
        await server.stop(1)


def hears(person: Person, of: Person, *relays: tuple[Person, Address]) -> None:
    """All that is known: behind whom somebody is, and where those are."""
    with closing(AddressBook(person.root)) as book:
        for relay, address in relays:
            book.told(relay.fpr, *address, source="told")
            book.told_route(of.fpr, relay.fpr, source="contact")


@pytest.fixture
def dave(person: Callable[[str], Person], alice: Person, bob: Person) -> Person:
    """Another friend of Alice and Bob."""
    dave = person("eve")
    for one, name in ((alice, "alice"), (bob, "bob")):
        one.knows(dave, "dave")
        dave.knows(one, name)
    return dave


async def test_all_comes_to_one_who_knows_nothing_but_a_relay(
    alice: Person, bob: Person, carol: Person
) -> None:
    wanted = {f"{n}.json.pgp": alice.post(f"{n}.json.pgp", os.urandom(1000).hex(), bob) for n in range(30)}
    wanted["large.json.pgp"] = alice.post("large.json.pgp", os.urandom(450_000).hex(), bob)
    async with (
        relaying(carol) as relay,
        serving(alice),
        registered(alice.account, (carol.fpr, relay.address)),
    ):
        hears(bob, alice, (carol, relay.address))
        report = await bob.sync(alice)
        assert (report.problem, report.failed) == (None, [])
        assert report.address == circuit(carol.fpr, relay.address)
        assert bob.held(alice) == wanted
        # The second one lists nothing new, through the same relay.
        assert (await bob.sync(alice)).fetched == []
        await until(lambda: relay.circuits.circuits == 0)
    with closing(AddressBook(bob.root)) as book:
        assert book.known(alice.fpr) == []
        assert book.route(alice.fpr) == [carol.fpr]
    with closing(AddressBook(alice.root)) as book:  # who called is likely to be behind it, too
        assert book.route(bob.fpr) == [carol.fpr]


async def test_who_passes_on_syncs_with_those_behind_the_relay(alice: Person, carol: Person) -> None:
    wanted = {"x.json.pgp": alice.post("x.json.pgp", "words", carol)}
    async with (
        relaying(carol) as relay,
        serving(alice),
        registered(alice.account, (carol.fpr, relay.address)),
    ):
        with closing(AddressBook(carol.root)) as book:
            await until(lambda: bool(book.addresses(alice.fpr)))
        assert (await carol.sync(alice)).problem is None
        assert carol.held(alice) == wanted


async def test_news_comes_at_once_on_a_circuit_that_was_silent_for_many_heartbeats(
    alice: Person, bob: Person, carol: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("mau.wire.circuit.HEARTBEAT", "mau.server.websockets.HEARTBEAT"):
        monkeypatch.setattr(place, 0.4)
    alice.post("old.json.pgp", "before", bob)
    async with relaying(carol) as relay, serving(alice):
        hears(bob, alice, (carol, relay.address))
        async with registered(alice.account, (carol.fpr, relay.address)), watching(bob) as watched:
            await watched.until(lambda: watched.status(alice).doing == "waiting")
            await until(lambda: relay.circuits.circuits == 1)
            calls = relay.gate.counters.calls.copy()
            await asyncio.sleep(2)  # five heartbeats, in both WebSockets
            alice.post("new.json.pgp", "after", bob)
            await watched.until(lambda: "new.json.pgp" in bob.held(alice))
            assert watched.status(alice).error == ""
            # It was told on the circuit that was there; what is fetched may come on others.
            assert relay.gate.counters.calls["nobody"] == calls["nobody"] == 0


async def test_a_relay_that_dies_in_the_middle_is_made_up_for_by_the_other(
    alice: Person, bob: Person, carol: Person, dave: Person
) -> None:
    wanted = {
        f"{n:02}.json.pgp": alice.post(f"{n:02}.json.pgp", os.urandom(150_000).hex(), bob) for n in range(30)
    }
    async with relaying(carol) as first, relaying(dave) as second, serving(alice):
        where = ((carol.fpr, first.address), (dave.fpr, second.address))
        async with registered(alice.account, *where):
            hears(bob, alice, (carol, first.address), (dave, second.address))
            async with watching(bob) as watched:
                await until(lambda: first.circuits.circuits + second.circuits.circuits > 0)
                in_use, other = (first, second) if first.circuits.circuits else (second, first)
                await until(lambda: in_use.gate.counters.passed_on > 1_000_000)
                await in_use.stop(0)
                assert in_use.circuits.circuits == 0
                assert len(bob.held(alice)) < len(wanted)
                # Not after the minute that one waits for a peer with a single way to it.
                await watched.until(lambda: bob.held(alice) == wanted)
                assert other.gate.counters.passed_on > 0
