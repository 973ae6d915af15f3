"""A circuit relay connects two peers who prove themselves to each other through it (spec/circuit.md)."""

from __future__ import annotations

import asyncio
import io
import os
from contextlib import AbstractAsyncContextManager, AsyncExitStack, closing

import pytest

from mau.addressbook import AddressBook
from mau.circuit.place import CircuitEnd
from mau.circuit.terms import CircuitPolicy, Terms
from mau.errors import IdentityError, NotOffered, PeerUnreachable
from mau.finder.circuits import Registrar
from mau.fingerprint import Fingerprint
from mau.hostport import circuit
from mau.server.server import Server
from mau.wire.circuit import Relayed
from mau.wire.client import PeerClient, Timeouts
from mau.wire.paths import call_path, register_path
from tests.circuit import relaying
from tests.circuit.relaying import until
from tests.server.world import Host, Someone, audience, serving

FRIENDS = CircuitPolicy()


def registered(
    who: Someone, at: Host, end: CircuitEnd | None = None
) -> AbstractAsyncContextManager[Registrar]:
    return relaying.registered(who.account, (at.owner.fingerprint, (at.host, at.port)), end=end)


def through(relay: Host, who: Someone, callee: Fingerprint) -> PeerClient:
    way = circuit(relay.owner.fingerprint, (relay.host, relay.port))
    return PeerClient(who.account.identity(), callee, *way, timeouts=Timeouts(connect=10, busy=0))


async def no_circuit(relay: Host, who: Someone, callee: Fingerprint) -> str:
    with pytest.raises(PeerUnreachable) as refused:
        async with through(relay, who, callee) as peer:
            await peer.connect()
    return str(refused.value)


async def test_two_friends_of_a_relay_meet_in_it_as_if_it_were_not_there(
    alice: Someone, bob: Someone, carol: Someone
) -> None:
    bob.keyring.add(carol.account.certificate, "carol")
    path = bob.publish("for-carol", os.urandom(700_000), audience(bob, carol))
    content = path.read_bytes()
    # Alice passes on; Bob is behind a router: nobody is told where he listens.
    async with serving(alice, circuits=FRIENDS) as relay, serving(bob) as hidden, registered(bob, relay):
        async with through(relay, carol, bob.fingerprint) as peer:
            listing = await peer.listing(bob.fingerprint)
            assert [item.name for item in listing.listing.items] == ["for-carol.pgp"]
            fetched = [io.BytesIO() for _ in range(3)]
            await asyncio.gather(
                *(
                    peer.fetch(bob.fingerprint, "for-carol.pgp", out, size=len(content), limit=len(content))
                    for out in fetched
                )
            )
            assert all(out.getvalue() == content for out in fetched)
        # Bob's server knows Carol by her own proof, and from no address.
        assert hidden.server.gate.counters.requests["friend", 200] >= 4
        await until(lambda: relay.server.circuits.circuits == 0)


async def test_the_relay_cannot_be_who_is_called(alice: Someone, bob: Someone, carol: Someone) -> None:
    bob.keyring.add(carol.account.certificate, "carol")
    # Alice registers as herself; whoever wants Bob refuses her, whatever she connects him to.
    async with serving(alice, circuits=FRIENDS) as relay, serving(carol):
        assert "nothing" in await no_circuit(relay, carol, bob.fingerprint)
        async with registered(carol, relay):
            way = circuit(relay.owner.fingerprint, (relay.host, relay.port))
            async with PeerClient(bob.account.identity(), carol.fingerprint, *way) as peer:
                await peer.connect()

    # Bob's circuits end at another server than his own.
    async with (
        serving(alice, circuits=FRIENDS) as relay,
        serving(carol),
        registered(bob, relay, CircuitEnd(carol.account.root)),
    ):
        with pytest.raises(IdentityError):
            async with through(relay, carol, bob.fingerprint) as peer:
                await peer.connect()


async def test_unknown_offline_and_not_allowed_are_one_answer(
    alice: Someone, bob: Someone, carol: Someone, mallory: Someone
) -> None:
    async with serving(alice, circuits=FRIENDS) as relay, serving(bob), registered(bob, relay):
        unknown = await no_circuit(relay, carol, Fingerprint(bytes(20)))
        assert await no_circuit(relay, carol, mallory.fingerprint) == unknown
        assert await no_circuit(relay, mallory, bob.fingerprint) == unknown
        for who in (mallory, None):
            for path in (register_path(), call_path(bob.fingerprint)):
                reply = await relay.ask(who, path)
                assert (reply.status, reply.json["title"]) == (404, "Not Found")
        with pytest.raises(NotOffered):
            async with Relayed(
                mallory.account.identity(), alice.fingerprint, (relay.host, relay.port), patience=5
            ) as relayed:
                await relayed.open(register_path())


async def test_who_passes_nothing_on_says_so_to_everybody(alice: Someone, bob: Someone) -> None:
    async with serving(alice) as relay:
        assert (await relay.ask(bob, register_path())).status == 404
        assert "nothing" in await no_circuit(relay, bob, alice.fingerprint)


async def test_only_those_listed_where_there_is_a_list(alice: Someone, bob: Someone, carol: Someone) -> None:
    listed = CircuitPolicy(members=frozenset({bob.fingerprint}))
    async with serving(alice, circuits=listed) as relay, serving(bob), registered(bob, relay):
        assert (await relay.ask(carol, register_path())).status == 404
        assert (await relay.ask(bob, register_path())).status == 426


async def test_a_caller_has_so_many_bytes_and_circuits(alice: Someone, bob: Someone, carol: Someone) -> None:
    bob.keyring.add(carol.account.certificate, "carol")
    size = bob.publish("large", os.urandom(300_000), audience(bob, carol)).stat().st_size
    few = CircuitPolicy(terms=Terms(bytes=100_000, at_once=1))
    async with serving(alice, circuits=few) as relay, serving(bob), registered(bob, relay):
        async with through(relay, carol, bob.fingerprint) as peer:
            await peer.connect()
            assert "429" in await no_circuit(relay, carol, bob.fingerprint)
            with pytest.raises(PeerUnreachable):
                await peer.fetch(bob.fingerprint, "large.pgp", io.BytesIO(), size=size, limit=size)
        assert "429" in await no_circuit(relay, carol, bob.fingerprint)
        # Another caller has an account of his own.
        async with through(relay, bob, bob.fingerprint) as peer:
            await peer.connect()


async def test_who_registers_again_is_called_on_the_newer_connection(
    alice: Someone, bob: Someone, carol: Someone
) -> None:
    async with serving(alice, circuits=FRIENDS) as relay, serving(bob):
        place = (relay.host, relay.port)
        async with (
            Relayed(bob.account.identity(), alice.fingerprint, place, patience=5) as first,
            first.registered() as calls,
            registered(bob, relay),
        ):
            with pytest.raises(PeerUnreachable):  # the first was closed
                await anext(calls)
            async with through(relay, carol, bob.fingerprint) as peer:
                await peer.connect()


async def test_a_call_is_answered_only_by_who_is_called_and_once(
    alice: Someone, bob: Someone, carol: Someone
) -> None:
    async with serving(alice, circuits=FRIENDS) as relay:
        place = (relay.host, relay.port)
        async with (
            Relayed(bob.account.identity(), alice.fingerprint, place, patience=5) as bobs,
            Relayed(carol.account.identity(), alice.fingerprint, place, patience=5) as carols,
            bobs.registered() as calls,
        ):
            calling = asyncio.create_task(carols.call(bob.fingerprint))
            token, caller = await anext(calls)
            assert caller == carol.fingerprint
            with pytest.raises(NotOffered):
                await carols.answer(token)
            answered = await bobs.answer(token)
            called = await calling
            with pytest.raises(NotOffered):
                await bobs.answer(token)
            await called.send_bytes(b"to bob")
            assert (await answered.receive_bytes()) == b"to bob"
            await answered.send_str("words are no bytes of a circuit")
            assert (await called.receive()).type.name in ("CLOSE", "CLOSED", "CLOSING")
            await until(lambda: relay.server.circuits.circuits == 0)


async def test_who_does_not_answer_is_not_there(
    alice: Someone, bob: Someone, carol: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mau.server.circuits.ANSWER_SECONDS", 0.2)
    async with serving(alice, circuits=FRIENDS) as relay:
        place = (relay.host, relay.port)
        async with (
            Relayed(bob.account.identity(), alice.fingerprint, place, patience=5) as bobs,
            bobs.registered(),
        ):
            assert "nothing" in await no_circuit(relay, carol, bob.fingerprint)
        await until(lambda: not relay.server.circuits.registered)
        assert relay.server.circuits.circuits == 0


async def test_a_server_that_ends_takes_its_own_end_away_and_no_others(alice: Someone) -> None:
    end = CircuitEnd(alice.account.root)
    place = alice.account.root.state_dir("server") / "circuit"
    async with serving(alice):
        end.connect().close()
    assert not place.exists()
    async with AsyncExitStack() as earlier:
        await earlier.enter_async_context(serving(alice))
        async with serving(alice):
            await earlier.aclose()
            end.connect().close()
    assert not place.exists()


async def test_a_relay_that_begins_anew_has_everybody_back(
    alice: Someone, bob: Someone, carol: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("_FAILED_FOR", 0.5), ("_LOST_FOR", 0.1), ("_LOOK_EVERY", 0.1)):
        monkeypatch.setattr(f"mau.finder.circuits.{name}", seconds)
    async with AsyncExitStack() as first, serving(bob):
        relay = await first.enter_async_context(serving(alice, circuits=FRIENDS))
        async with registered(bob, relay) as registrar:
            await first.aclose()
            await until(lambda: registrar.relays == ())
            again = Server(alice.account, alice.keyring, circuits=FRIENDS)
            await again.start(relay.host, relay.port)
            try:
                await until(lambda: registrar.relays == (alice.fingerprint,))
                async with through(relay, carol, bob.fingerprint) as peer:
                    await peer.connect()
            finally:
                await again.stop(1)


async def test_where_one_passes_nothing_on_the_next_is_asked(
    alice: Someone, bob: Someone, carol: Someone
) -> None:
    async with serving(carol) as other, serving(alice, circuits=FRIENDS) as relay, serving(bob):
        with closing(AddressBook(bob.account.root)) as book:
            book.proven(carol.fingerprint, other.host, other.port)
            book.proven(alice.fingerprint, relay.host, relay.port)
            registrar = Registrar(
                bob.account.identity(),
                book,
                CircuitEnd(bob.account.root),
                lambda: [carol.fingerprint, alice.fingerprint],
                wanted=1,
            )
            stop = asyncio.Event()
            task = asyncio.create_task(registrar.run(stop))
            await until(lambda: registrar.relays == (alice.fingerprint,))
            stop.set()
            await task
            # That she refused says nothing of whether she is there.
            assert [one.failures for one in book.known(carol.fingerprint)] == [0]
