"""What callers, callees, relays and visitors through a circuit may try, and what comes of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing

import pytest
from aiohttp import WSMsgType, web

from mau.addressbook import AddressBook
from mau.circuit.place import CircuitEnd
from mau.circuit.terms import CircuitPolicy
from mau.errors import NotOffered, PeerMisbehaved, PeerUnreachable
from mau.hostport import circuit
from mau.wire.circuit import MAX_MESSAGE, Circuit, Relayed
from mau.wire.client import PeerClient, Timeouts
from mau.wire.paths import call_path, register_path
from mau.wire.tls import client_context, server_context
from tests.circuit.relaying import registered, until
from tests.server.world import Host, Someone, read_reply, serving

FRIENDS = CircuitPolicy()
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade, close",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def request(path: str) -> bytes:
    """One that asks for a WebSocket, byte by byte."""
    lines = [f"GET {path} HTTP/1.1", "Host: peer", *(f"{name}: {one}" for name, one in UPGRADE.items())]
    return "\r\n".join([*lines, "", ""]).encode()


@asynccontextmanager
async def connected(relay: Host, caller: Someone, callee: Someone) -> AsyncIterator[tuple[Circuit, Circuit]]:
    """Both ends of a circuit, as bytes."""
    place = (relay.host, relay.port)
    async with AsyncExitStack() as stack:
        called, calling = [
            await stack.enter_async_context(
                Relayed(one.account.identity(), relay.owner.fingerprint, place, patience=5)
            )
            for one in (callee, caller)
        ]
        calls = await stack.enter_async_context(called.registered())
        asking = asyncio.create_task(calling.call(callee.fingerprint))
        theirs = await called.answer((await anext(calls)).token)
        yield await asking, theirs


async def fill(end: Circuit) -> int:
    """Send until nothing more is taken; bytes."""
    sent = 0
    while True:
        try:
            async with asyncio.timeout(1):
                await end.send_bytes(bytes(MAX_MESSAGE))
        except TimeoutError:
            return sent
        sent += MAX_MESSAGE


async def test_who_takes_nothing_stops_who_sends_and_nothing_piles_up(
    alice: Someone, bob: Someone, carol: Someone
) -> None:
    async with serving(alice, circuits=FRIENDS) as relay, connected(relay, carol, bob) as (ours, _):
        # What is not taken is in the buffers of sockets, of which there are four.
        assert await fill(ours) < 64 << 20
        passed_on = relay.server.gate.counters.passed_on
        await asyncio.sleep(0.2)
        assert relay.server.gate.counters.passed_on == passed_on


async def test_a_server_with_circuits_that_are_full_ends_in_time(
    alice: Someone, bob: Someone, carol: Someone
) -> None:
    async with serving(alice, circuits=FRIENDS) as relay, connected(relay, carol, bob) as (ours, _):
        await fill(ours)
        began = time.monotonic()
        await relay.server.stop(grace=1)
        assert time.monotonic() - began < 6
        assert relay.server.connections == 0
        assert relay.server.circuits.circuits == 0


@pytest.mark.parametrize("what", [bytes(MAX_MESSAGE + 1), "words"], ids=["a long message", "words"])
async def test_what_is_no_message_of_a_circuit_ends_it(
    alice: Someone, bob: Someone, carol: Someone, what: bytes | str
) -> None:
    async with serving(alice, circuits=FRIENDS) as relay, connected(relay, carol, bob) as (ours, theirs):
        await ours.send_bytes(bytes(MAX_MESSAGE))
        assert len(await theirs.receive_bytes()) == MAX_MESSAGE
        await (ours.send_bytes(what) if isinstance(what, bytes) else ours.send_str(what))
        assert (await theirs.receive()).type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING)
        await until(lambda: relay.server.circuits.circuits == 0)


async def test_what_came_before_the_end_arrives(alice: Someone, bob: Someone, carol: Someone) -> None:
    async with serving(alice, circuits=FRIENDS) as relay, connected(relay, carol, bob) as (ours, theirs):
        for _ in range(20):
            await ours.send_bytes(bytes(MAX_MESSAGE))
        leaving = asyncio.create_task(ours.hang_up())
        came = 0
        async for message in theirs:
            came += len(message.data)
        await leaving
        assert came == 20 * MAX_MESSAGE


async def test_who_goes_without_a_word_leaves_nothing(alice: Someone, bob: Someone, carol: Someone) -> None:
    async with serving(alice, circuits=FRIENDS) as relay, connected(relay, carol, bob) as (ours, theirs):
        ours.cut()
        assert (await theirs.receive()).type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING)
        await until(lambda: relay.server.circuits.circuits == 0)


async def test_a_caller_who_goes_while_it_rings_is_forgotten(
    alice: Someone, bob: Someone, carol: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mau.server.circuits.ANSWER_SECONDS", 1.0)
    async with AsyncExitStack() as stack:
        relay = await stack.enter_async_context(serving(alice, circuits=FRIENDS))
        place = (relay.host, relay.port)
        bobs = Relayed(bob.account.identity(), alice.fingerprint, place, patience=5)
        calls = await stack.enter_async_context((await stack.enter_async_context(bobs)).registered())
        async with Relayed(carol.account.identity(), alice.fingerprint, place, patience=5) as carols:
            asking = asyncio.create_task(carols.call(bob.fingerprint))
            token = (await anext(calls)).token
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
        # Whoever answers now talks to nobody.
        with contextlib.suppress(NotOffered):
            assert (await (await bobs.answer(token)).receive()).type is not WSMsgType.BINARY
        await until(lambda: relay.server.circuits.circuits == 0)


async def test_through_a_circuit_nobody_has_an_address(alice: Someone, bob: Someone, carol: Someone) -> None:
    bob.keyring.add(carol.account.certificate, "carol")
    async with (
        serving(alice, circuits=FRIENDS) as relay,
        serving(bob, kademlia=True, circuits=FRIENDS) as hidden,
        registered(bob.account, (alice.fingerprint, (relay.host, relay.port))),
        serving(carol, kademlia=True) as hers,
    ):
        way = circuit(alice.fingerprint, (relay.host, relay.port))
        async with PeerClient(
            carol.account.identity(), bob.fingerprint, *way, announced=(hers.host, hers.port)
        ) as peer:
            await peer.ping()
            with pytest.raises((NotOffered, PeerMisbehaved, PeerUnreachable)):
                await peer.dial_back(hers.port)
        # The same over the socket itself, where all circuits end: none leads on from there.
        for path in (register_path(), call_path(alice.fingerprint)):
            context = client_context(carol.account.identity(), bob.fingerprint)
            reader, writer = await asyncio.open_connection(
                sock=CircuitEnd(bob.account.root).connect(), ssl=context, server_hostname=""
            )
            writer.write(request(path))
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.split()[1] == b"404"
            writer.transport.abort()
        assert hidden.server.circuits.registered == frozenset()
    with closing(AddressBook(bob.account.root)) as book:
        assert book.known(carol.fingerprint) == []


async def test_strangers_and_other_requests_get_what_a_host_without_circuits_says(
    alice: Someone, bob: Someone, mallory: Someone
) -> None:
    answers = set()
    for policy in (FRIENDS, None):
        async with serving(alice, circuits=policy) as relay:
            for path in (register_path(), call_path(bob.fingerprint), "/circuit/answer/" + "0" * 32):
                for who in (mallory, None):
                    reply = read_reply(await relay.raw(who, request(path)))
                    answers.add((reply.status, reply.body))
    assert len(answers) == 1
    assert {status for status, _ in answers} == {404}


@asynccontextmanager
async def lying_relay(who: Someone, *words: str) -> AsyncIterator[tuple[tuple[str, int], list[str]]]:
    """A relay that proves itself and says ``words`` to whoever registers; and what it is asked for."""
    asked: list[str] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request.path)
        if not request.path.endswith("/register"):
            return web.Response(status=404)
        desk = web.WebSocketResponse(compress=False)
        await desk.prepare(request)  # type: ignore[arg-type]
        for word in words:
            await desk.send_str(word)
        async for _ in desk:
            pass
        return desk

    server = web.Server(handle)
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_context(who.account.identity()))
    await site.start()
    try:
        yield runner.addresses[0][:2], asked
    finally:
        await runner.cleanup()


async def test_a_relay_that_calls_without_end_is_answered_at_a_pace(alice: Someone, bob: Someone) -> None:
    calls = [json.dumps({"call": f"{n:032x}", "by": alice.fingerprint.hex, "more": n}) for n in range(500)]
    async with (
        serving(bob),
        lying_relay(alice, *calls) as (place, asked),
        registered(bob.account, (alice.fingerprint, place)),
    ):
        await until(lambda: len(asked) > 10)
        before = len(asked)
        await asyncio.sleep(1)
        assert len(asked) - before <= 40


@pytest.mark.parametrize(
    "word",
    ["", "[]", "null", "[" * 900, '{"call": 5, "by": "x"}', '{"call": "../../x"}', '{"by": "x"}', "x" * 2000],
)
async def test_what_is_no_call_ends_the_registration(alice: Someone, bob: Someone, word: str) -> None:
    async with (
        lying_relay(alice, word) as (place, asked),
        Relayed(bob.account.identity(), alice.fingerprint, place, patience=5) as relayed,
        relayed.registered() as calls,
    ):
        with pytest.raises((PeerMisbehaved, PeerUnreachable)):
            await anext(calls)
        assert asked == [register_path()]


async def test_somebody_else_in_the_place_of_the_relay_is_told_nothing(
    alice: Someone, bob: Someone, carol: Someone
) -> None:
    async with serving(alice) as relay, serving(bob) as other:
        way = circuit(relay.owner.fingerprint, (other.host, other.port))
        with pytest.raises(PeerUnreachable, match="the circuit relay is not there"):
            async with PeerClient(
                carol.account.identity(), bob.fingerprint, *way, timeouts=Timeouts(busy=0)
            ) as peer:
                await peer.connect()
        assert not other.server.gate.counters.requests
