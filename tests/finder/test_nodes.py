"""What liars of the lookup network can make us do: look in vain, and never where they please."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest

from mau.addressbook import AddressBook
from mau.finder.nodes import Nodes
from mau.finder.pool import Pool
from mau.fingerprint import Fingerprint
from mau.hostport import Address
from mau.kademlia import Node
from tests.server.world import Host, Someone, serving

NOBODY = [Fingerprint(bytes([number]) * 20) for number in range(1, 9)]


def say(liar: Someone, claims: dict[Fingerprint, list[Address]]) -> None:
    """Have the server of a liar say that people are where he wants them to be."""
    with closing(AddressBook(liar.account.root)) as book:
        for person, places in claims.items():
            for place in places:
                book.proven(person, *place, source="asked", kad=True)


@asynccontextmanager
async def nodes(of: Someone, begin: Host) -> AsyncIterator[tuple[Nodes, AddressBook]]:
    """The lookup network as somebody sees it who knows one node."""
    with closing(AddressBook(of.account.root)) as book:
        async with Pool(None) as pool:
            where = Node(begin.owner.fingerprint, begin.host, begin.port)
            yield Nodes(of.fingerprint, book, pool, friends=lambda: [where]), book


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the resolver says of names that the test puts in."""
    held: dict[str, str] = {}

    def resolving(asked: Callable[..., Any]) -> Callable[..., Any]:
        async def resolve(self: object, host: str, port: int, **rest: Any) -> Any:
            if host in held:
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (held[host], port))]
            return await asked(self, host, port, **rest)

        return resolve

    loop = asyncio.base_events.BaseEventLoop
    monkeypatch.setattr(loop, "getaddrinfo", resolving(loop.getaddrinfo))
    return held


async def test_a_name_of_a_stranger_leads_to_no_private_place(
    alice: Someone, bob: Someone, mallory: Someone, names: dict[str, str]
) -> None:
    async with serving(mallory, kademlia=True) as liar, serving(bob, kademlia=True) as inside:
        names["inside.example"] = inside.host
        place = ("inside.example", inside.port)
        say(mallory, {bob.fingerprint: [place], NOBODY[0]: [place]})
        async with nodes(alice, liar) as (found, _):
            lookup = await found.look_up(bob.fingerprint)
            assert lookup.asked
            assert lookup.proven is None
            await found.look_up(NOBODY[1])
        assert inside.server.gate.counters.handshakes.total() == 0


async def test_a_thousand_names_do_not_make_us_come_more_than_a_few_times(
    alice: Someone, mallory: Someone, names: dict[str, str]
) -> None:
    tried: list[str] = []
    say(mallory, {one: [(f"{one.hex[:4]}-{n}.example", 9) for n in range(2)] for one in NOBODY})
    for one in NOBODY:
        names.update({f"{one.hex[:4]}-{n}.example": "240.0.0.1" for n in range(2)})
    async with serving(mallory, kademlia=True) as liar, nodes(alice, liar) as (found, book):
        for _ in range(3):
            book.failed(NOBODY[0], "198.51.100.1", 9)
        names.update(dict.fromkeys(names, "198.51.100.1"))
        for one in NOBODY:
            lookup = await found.look_up(one, lambda node, problem: tried.append(problem))
            assert lookup.proven is None
    assert tried
    assert set(tried) == {"tried in vain lately"}


async def test_liars_do_not_hide_somebody_by_saying_that_others_are_where_he_is(
    alice: Someone, bob: Someone, mallory: Someone
) -> None:
    async with serving(mallory, kademlia=True) as liar, serving(bob) as there:
        place = (there.host, there.port)
        say(mallory, {one: [place] for one in NOBODY})
        async with nodes(alice, liar) as (found, book):
            for one in NOBODY:
                await found.look_up(one)
            assert not book.worth_trying(*place)
            say(mallory, {bob.fingerprint: [place]})
            async with asyncio.timeout(20):
                while (await found.look_up(bob.fingerprint)).proven is None:  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
