"""Under pressure from strangers nothing breaks, nothing grows, and friends are served."""

from __future__ import annotations

import asyncio
import io
import logging

import pytest

from mau.server.limits import Limits
from mau.wire.client import PeerClient
from tests.server.pressure import (
    UNLIMITED,
    broken_greetings,
    broken_requests,
    furnish,
    nothing_grows,
    quiet,
    settled,
    short_times,
    slow_sockets,
    times_of_a_friend,
)
from tests.server.world import Someone, serving


async def _greetings(alice: Someone, bob: Someone, count: int, at_once: int) -> None:
    async with serving(alice, limits=UNLIMITED) as host:
        await broken_greetings(host, bob, 6 * at_once, at_once, 1)
        await settled(host)
        with nothing_grows(memory_by=16_000_000) as check:
            came = await broken_greetings(host, bob, count, at_once, 2)
            await settled(host)
            check()
        assert came > 0  # some were whole enough to be answered
        assert (await host.list(bob)).status == 200


async def _requests(alice: Someone, bob: Someone, count: int, at_once: int) -> None:
    furnish(alice, bob)
    async with serving(alice, limits=UNLIMITED) as host:
        await broken_requests(host, bob, 20 * at_once, at_once, 1)
        await settled(host)
        with nothing_grows(memory_by=24_000_000) as check:
            statuses = await broken_requests(host, bob, count, at_once, 2)
            await settled(host)
            check()
        assert {200, 400, 404, 405} <= set(statuses), statuses
        assert (await host.list(bob)).status == 200


async def _slow(alice: Someone, bob: Someone, sockets: int, limits: Limits, requests: int) -> float:
    """The 95th percentile of a friend's times."""
    path = furnish(alice, bob)
    async with serving(alice, limits=limits) as host, slow_sockets(host, sockets, path):
        async with asyncio.timeout(20):
            while sum(host.server.gate.counters.handshakes.values()) < min(sockets, limits.connections) / 3:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        times = await times_of_a_friend(host, bob, requests)
        assert host.server.connections <= limits.connections
    return times[int(len(times) * 0.95)]


async def test_broken_greetings(
    alice: Someone, bob: Someone, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_times(monkeypatch)
    caplog.set_level(logging.INFO)
    await _greetings(alice, bob, 150, 30)
    quiet(caplog)


async def test_a_friend_is_served_beside_fifty_slow_sockets(alice: Someone, bob: Someone) -> None:
    limits = Limits(connections=24, connections_per_address=8, stranger_connections=16)
    assert await _slow(alice, bob, 50, limits, 40) < 1.0


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_friend_who_fetches_ten_thousand_files_is_never_told_to_wait(
    alice: Someone, bob: Someone
) -> None:
    content = alice.message(b"x" * 500, [alice, bob])
    for number in range(10_000):
        alice.own(str(number)).write_bytes(content)
    async with (
        serving(alice) as host,
        PeerClient(bob.account.identity(), alice.fingerprint, host.host, host.port) as peer,
    ):
        items = iter((await peer.listing(alice.fingerprint)).listing.items)

        async def fetch() -> None:
            for item in items:
                await peer.fetch(alice.fingerprint, item.name, io.BytesIO(), size=item.size, limit=item.size)

        await asyncio.gather(*(fetch() for _ in range(8)))
        answered = host.server.gate.counters.requests
        assert dict(answered) == {("friend", 200): 10_001}


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_two_thousand_broken_greetings(
    alice: Someone, bob: Someone, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_times(monkeypatch)
    caplog.set_level(logging.INFO)
    await _greetings(alice, bob, 2000, 50)
    quiet(caplog)


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_fifty_thousand_broken_requests(
    alice: Someone, bob: Someone, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_times(monkeypatch)
    caplog.set_level(logging.INFO)
    await _requests(alice, bob, 50_000, 100)
    quiet(caplog)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_friend_is_served_beside_five_hundred_slow_sockets(alice: Someone, bob: Someone) -> None:
    p95 = await _slow(alice, bob, 500, Limits(), 300)
    print(f"p95 of a friend beside 500 slow sockets: {p95 * 1000:.0f} ms")
    assert p95 < 1.0
