"""The finder beside servers on loopback: it enters, finds who is missing, says how it is, and ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, closing
from typing import Any

from mau.addressbook import AddressBook
from mau.config.lists import Beginning
from mau.contact.document import CONTACT_NAME, ContactFacts
from mau.contact.post import publish_contact, told_so_far
from mau.finder.served import Served
from mau.finder.status import FinderStatus, read_status
from mau.finder.wants import Wants
from mau.finder.worker import Finder
from mau.fingerprint import Fingerprint
from mau.hostport import Address
from mau.keyring import Keyring
from tests.server.world import Host, Someone, serving

PATIENCE = 20.0


def _wants(gate: Host | None = None, **more: Any) -> Wants:
    if gate is None:
        return Wants(**more)
    begin = Beginning(gate.owner.fingerprint, (gate.host, gate.port), None)
    return Wants(kademlia=True, announce=True, bootstrap=(begin,), **more)


@asynccontextmanager
async def finding(
    who: Someone, wants: Wants, served: Address | None = None, **more: Any
) -> AsyncIterator[Served]:
    """A finder that runs, and must end soon after it is told to."""
    place, stop = Served(served), asyncio.Event()
    finder = Finder(who.account, Keyring.load(who.account), wants, served=place, **more)
    running = asyncio.create_task(finder.run(stop))
    try:
        yield place
        assert not running.done()
        stop.set()
        began = time.monotonic()
        async with asyncio.timeout(PATIENCE):
            await running
        assert time.monotonic() - began < 5
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - the condition is on the disk
            await asyncio.sleep(0.05)


def _known(of: Someone, who: Someone) -> set[Address]:
    with closing(AddressBook(of.account.root)) as book:
        return {(one.host, one.port) for one in book.known(who.fingerprint) if one.last_proven is not None}


def _says(of: Someone, holds: Callable[[FinderStatus], bool]) -> bool:
    status = read_status(of.account.root)
    return status is not None and holds(status)


async def test_who_enters_by_one_is_known_there_and_a_friend_is_found(
    alice: Someone, bob: Someone, mallory: Someone
) -> None:
    async with (
        serving(mallory, kademlia=True) as gate,
        serving(alice, kademlia=True) as hers,
        serving(bob, kademlia=True) as his,
        finding(bob, _wants(gate), (his.host, his.port)),
    ):
        await until(lambda: _known(mallory, bob) == {(his.host, his.port)})
        async with finding(alice, _wants(gate), (hers.host, hers.port)):
            await until(lambda: (his.host, his.port) in _known(alice, bob))
            await until(lambda: _known(mallory, alice) == {(hers.host, hers.port)})
            await until(lambda: _says(alice, lambda status: (status.nodes or 0) >= 2))
            await until(lambda: _says(alice, lambda status: bob.fingerprint.hex not in status.missing))


async def test_who_does_not_announce_finds_and_is_known_to_nobody(
    alice: Someone, bob: Someone, mallory: Someone
) -> None:
    async with (
        serving(mallory, kademlia=True) as gate,
        serving(bob, kademlia=True) as his,
        serving(alice, kademlia=True) as hers,
        finding(bob, _wants(gate), (his.host, his.port)),
    ):
        await until(lambda: bool(_known(mallory, bob)))
        begin = Beginning(gate.owner.fingerprint, (gate.host, gate.port), None)
        quiet = Wants(kademlia=True, bootstrap=(begin,))
        async with finding(alice, quiet, (hers.host, hers.port)):
            await until(lambda: (his.host, his.port) in _known(alice, bob))
        assert _known(mallory, alice) == _known(bob, alice) == set()
        assert not any(kind == "friend" for kind, _ in gate.server.gate.counters.requests)


async def test_a_server_that_begins_later_is_entered_then(alice: Someone, mallory: Someone) -> None:
    async with (
        serving(mallory, kademlia=True) as gate,
        serving(alice, kademlia=True) as hers,
        finding(alice, _wants(gate)) as served,
    ):
        await asyncio.sleep(0.3)
        assert _known(mallory, alice) == set()
        served.tell((hers.host, hers.port))
        await until(lambda: _known(mallory, alice) == {(hers.host, hers.port)})
        await until(lambda: _says(alice, lambda status: status.port == hers.port))


async def test_friends_are_told_where_we_are_and_once_more_when_it_changes(
    alice: Someone, bob: Someone
) -> None:
    told: list[list[Address]] = []

    def facts(places: Any, relays: Any) -> ContactFacts:
        told.append(list(places))
        return ContactFacts(addresses=tuple(places), relays=tuple(relays))

    place = alice.account.root.author_dir(alice.fingerprint) / CONTACT_NAME
    stated = (("me.example", 8880),)
    async with finding(alice, _wants(stated=stated), ("127.0.0.1", 9), facts=facts):
        await until(place.exists)
    assert told[0] == list(stated)


async def test_a_new_start_takes_nothing_back_before_somebody_looked(alice: Someone) -> None:
    earlier = ContactFacts((("198.51.100.7", 8880),), (Fingerprint(bytes(20)),))
    publish_contact(alice.account, Keyring.load(alice.account), earlier)
    asked: list[tuple[list[Address], list[Fingerprint]]] = []

    def facts(places: Iterable[Address], relays: Iterable[Fingerprint]) -> ContactFacts:
        asked.append((list(places), list(relays)))
        return ContactFacts(tuple(asked[-1][0]), tuple(asked[-1][1]))

    async with finding(alice, Wants(), ("127.0.0.1", 9), facts=facts):
        await until(lambda: bool(asked))
    assert asked[0] == (list(earlier.addresses), list(earlier.relays))
    assert told_so_far(alice.account, Keyring.load(alice.account)) == earlier


async def test_what_goes_wrong_with_one_part_is_told_and_the_others_go_on(
    alice: Someone, bob: Someone, mallory: Someone
) -> None:
    def broken(*_: Any) -> ContactFacts:
        raise OSError("the disk is full")

    def told(status: FinderStatus) -> bool:
        return (status.problems or {}).get("contact") == "the disk is full"

    async with (
        serving(mallory, kademlia=True) as gate,
        serving(alice, kademlia=True) as hers,
        finding(alice, _wants(gate), (hers.host, hers.port), facts=broken),
    ):
        await until(lambda: _says(alice, told))
        await until(lambda: _known(mallory, alice) == {(hers.host, hers.port)})


async def test_with_nothing_wanted_nobody_is_asked_and_nothing_told(
    alice: Someone, bob: Someone, mallory: Someone
) -> None:
    async with serving(mallory, kademlia=True) as gate:
        with closing(AddressBook(alice.account.root)) as book:
            book.proven(mallory.fingerprint, gate.host, gate.port, kad=True)  # no friend
        async with finding(alice, Wants(), ("127.0.0.1", 9)):
            await until(lambda: _says(alice, lambda status: status.nodes is None and bool(status.missing)))
            await asyncio.sleep(1)
        assert gate.server.gate.counters.handshakes.total() == 0
