"""What a server must bear: broken requests, broken greetings, sockets that do nothing or next to nothing."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import random
import re
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from mau.content.binding import PUBLIC
from mau.server import connection as server_connection
from mau.server import listener as server_listener
from mau.server.limits import Limits, Rate
from mau.wire.paths import file_path
from mau.wire.tls import client_context
from tests.server.test_hostile import mutated, seeds
from tests.server.world import Host, Someone, audience

PLENTY = Rate(1e9, 1e9)
UNLIMITED = Limits(
    friend=PLENTY,
    everyone=PLENTY,
    stranger=PLENTY,
    stranger_address=PLENTY,
    anonymous_address=PLENTY,
    strangers=PLENTY,
    handshakes=PLENTY,
    connections=1000,
    connections_per_address=1000,
    stranger_connections=1000,
)


def memory() -> int:
    """Resident bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors() -> int:
    """How many this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of what is sent is not whole: nobody waits for the rest here."""
    monkeypatch.setattr(server_connection, "IDLE_SECONDS", 0.2)
    monkeypatch.setattr(server_connection, "_LINGER_SECONDS", 0.2)
    monkeypatch.setattr(server_listener, "HANDSHAKE_SECONDS", 0.3)


def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody made the server write a line."""
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.DEBUG] == []


async def settled(host: Host) -> None:
    """Wait until the server has no connection."""
    async with asyncio.timeout(30):
        while host.server.connections:  # noqa: ASYNC110 - an event would be of no use to the server
            await asyncio.sleep(0.02)


async def broken_requests(host: Host, bob: Someone, count: int, at_once: int, seed: int) -> Counter[int]:
    """Send mutated requests, half of them as a friend; returns how often each status came."""
    chance = random.Random(seed)
    statuses: Counter[int] = Counter()
    kinds = seeds(host)
    numbers = iter(range(count))

    async def worker(who: Someone | None) -> None:
        for _ in numbers:
            request = mutated(chance.choice(kinds), chance)
            try:
                answer = await host.raw(who, request)
            except OSError:
                continue
            for status in re.findall(rb"(?:^|\n)HTTP/1\.[01] (\d{3}) ", answer):
                statuses[int(status)] += 1
                assert int(status) < 500, (request, answer)
            assert b"Traceback" not in answer

    await asyncio.gather(*(worker((None, bob)[n % 2]) for n in range(at_once)))
    return statuses


def greeting(host: Host, who: Someone | None) -> bytes:
    """A whole ClientHello, as ours is."""
    out = ssl.MemoryBIO()
    context = client_context(who.account.identity() if who else None, host.owner.fingerprint)
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out).do_handshake()
    return out.read()


def mutated_greeting(hello: bytes, chance: random.Random) -> bytes:
    """A ClientHello with something wrong in it; often the lengths around it are right nevertheless."""
    data = bytearray(hello)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data))
        match chance.randrange(6):
            case 0:
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 2:
                data[at:at] = chance.randbytes(chance.randint(1, 40))
            case 3:
                del data[at : at + chance.randint(1, 40)]
            case 4:
                data[at:at] = data[at : at + chance.randint(1, 200)]
            case _:
                data[at : at + 2] = chance.choice((b"\0\0", b"\xff\xff", b"\0\1"))
        data = data or bytearray(b"\x16")
    if chance.random() < 0.5 and len(data) > 9:  # as long as it says: what is within is looked at
        data[3:5] = min(len(data) - 5, 0xFFFF).to_bytes(2, "big")
        data[6:9] = min(len(data) - 9, 0xFFFFFF).to_bytes(3, "big")
    return bytes(data)


async def broken_greetings(host: Host, who: Someone | None, count: int, at_once: int, seed: int) -> int:
    """Send mutated ClientHellos; returns how many bytes came back. None gets an answer of HTTP."""
    chance = random.Random(seed)
    numbers = iter(range(count))
    came = 0

    async def worker() -> None:
        nonlocal came
        for _ in numbers:
            reader, writer = await asyncio.open_connection(host.host, host.port)
            try:
                writer.write(mutated_greeting(greeting(host, who), chance))
                async with asyncio.timeout(20):
                    answer = await reader.read(-1)
                came += len(answer)
                assert b"HTTP/1" not in answer
            except OSError:
                continue
            finally:
                writer.transport.abort()

    await asyncio.gather(*(worker() for _ in range(at_once)))
    return came


# --- slow sockets ------------------------------------------------------------------------------------------


async def _slow_one(host: Host, number: int, path: str) -> None:
    """Hold a socket, from one of sixteen addresses: silent, in half a greeting, half a request, or reading
    nothing of an answer. Who is cut off comes again."""
    source = (f"127.0.1.{number % 16 + 1}", 0)
    while True:
        with contextlib.suppress(OSError, TimeoutError):
            kind = number % 4
            context = client_context(None, host.owner.fingerprint) if kind >= 2 else None
            reader, writer = await asyncio.open_connection(
                host.host, host.port, ssl=context, local_addr=source, limit=1024
            )
            try:
                if kind == 1:
                    writer.write(b"\x16\x03\x01\x02\x00\x01")
                elif kind == 2:
                    writer.write(b"GET / HTTP/1.1\r\n")
                elif kind == 3:
                    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                    await asyncio.sleep(3600)
                while await reader.read(1):
                    pass
            finally:
                writer.transport.abort()
        await asyncio.sleep(0.5)


@contextlib.asynccontextmanager
async def slow_sockets(host: Host, count: int, path: str) -> AsyncIterator[None]:
    """So many of them, for as long as this lasts."""
    tasks = [asyncio.create_task(_slow_one(host, number, path)) for number in range(count)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def times_of_a_friend(host: Host, bob: Someone, count: int) -> list[float]:
    """Seconds of so many requests, each on a connection of its own, sorted."""
    found = []
    for _ in range(count):
        began = time.monotonic()
        assert (await host.get(bob, "small")).status == 200
        found.append(time.monotonic() - began)
        await asyncio.sleep(0.01)
    return sorted(found)


@contextlib.contextmanager
def nothing_grows(*, memory_by: int) -> Iterator[Callable[[], None]]:
    """Memory and descriptors are at the end as they were at the start, but for so many bytes."""
    gc.collect()
    before, open_before = memory(), descriptors()

    def check() -> None:
        gc.collect()
        assert descriptors() <= open_before + 2
        assert memory() - before < memory_by, f"{memory() - before:,} bytes more"

    yield check


def furnish(alice: Someone, bob: Someone) -> str:
    """Some posts; returns the path of a large public one."""
    alice.publish("public", b"x" * 100, PUBLIC)
    alice.publish("small", b"x" * 100, audience(alice, bob))
    alice.publish("priv é", b"x", audience(alice, bob))
    alice.publish("big", os.urandom(3_000_000), PUBLIC)
    return file_path(alice.fingerprint, "big.pgp")
