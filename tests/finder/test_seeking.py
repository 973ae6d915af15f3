"""Who is missing is looked for where he is said to be, then in the lookup network, ever less often (N67)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from mau.addressbook import AddressBook
from mau.finder.nodes import Nodes
from mau.finder.pool import Pool
from mau.finder.seeking import Seeker
from mau.fingerprint import Fingerprint
from mau.kademlia import Node
from mau.tree.layout import Root
from tests.finder.liars import Liar, counted, listening, saying

PATIENCE = 15.0
ME = Fingerprint(b"\x01" * 20)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(tmp_path)


@asynccontextmanager
async def seeking(
    root: Root, people: Iterable[Fingerprint], begin: Iterable[Node] = ()
) -> AsyncIterator[tuple[Seeker, AddressBook]]:
    """A seeker that runs; ``begin``: nodes where lookups begin, without any the network is not asked."""
    wanted, begin = frozenset(people), list(begin)
    stop = asyncio.Event()
    with closing(AddressBook(root)) as book:
        async with Pool(None) as pool:
            nodes = Nodes(ME, book, pool, friends=lambda: begin) if begin else None
            seeker = Seeker(book, lambda: wanted, lambda: nodes)
            running = asyncio.create_task(seeker.run(stop))
            try:
                yield seeker, book
                stop.set()
                async with asyncio.timeout(2):  # it ends in the middle of whatever it does
                    await running
            finally:
                running.cancel()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - the condition is in the book
            await asyncio.sleep(0.02)


def proven(book: AddressBook, who: Fingerprint) -> bool:
    return any(one.last_proven is not None for one in book.known(who))


async def test_where_somebody_is_said_to_be_a_stranger_looks(root: Root) -> None:
    bob = Liar(saying())
    async with listening(bob):
        async with seeking(root, [bob.identity.fingerprint]) as (seeker, book):
            await until(lambda: bob.identity.fingerprint in seeker.missing)
            book.told(bob.identity.fingerprint, *bob.address, source="mdns")
            seeker.heard(bob.identity.fingerprint)
            await until(lambda: proven(book, bob.identity.fingerprint))
            seeker.heard(bob.identity.fingerprint)
            await until(lambda: not seeker.missing)
        assert bob.asked == 0


async def test_who_is_nowhere_is_looked_for_in_the_lookup_network_once_and_not_again_at_once(
    root: Root,
) -> None:
    nobody = Fingerprint(b"\x05" * 20)
    node = Liar(saying())
    async with listening(node), seeking(root, [nobody], [node.node]) as (seeker, _):
        await until(lambda: node.asked == 1)
        for _ in range(2):
            seeker.heard(nobody)
            await asyncio.sleep(1.2)  # longer than what was heard is left to others
        assert node.asked == 1
        assert seeker.missing == {nobody}


async def test_who_was_proven_is_not_looked_for_and_who_is_lost_is(root: Root) -> None:
    bob, node = Liar(saying()), Liar(saying())
    who = bob.identity.fingerprint
    async with listening(bob, node):
        node.answer = saying((who, bob.address))
        with closing(AddressBook(root)) as book:
            book.proven(who, "127.0.0.1", 9)
        async with seeking(root, [who], [node.node]) as (seeker, book):
            await asyncio.sleep(0.5)
            assert (seeker.missing, node.asked) == (frozenset(), 0)
            book.failed(who, "127.0.0.1", 9)
            seeker.heard(who)
            await until(lambda: any((one.host, one.port) == bob.address for one in book.known(who)))
            assert node.asked == 1


async def test_an_address_at_which_he_is_not_is_tried_once_and_then_left_alone(root: Root) -> None:
    bob = Fingerprint(b"\x05" * 20)
    async with counted() as (place, came), seeking(root, [bob]) as (seeker, book):
        book.told(bob, *place, source="contact")
        for _ in range(3):
            seeker.heard(bob)
            await asyncio.sleep(1.2)
        assert len(came) == 1


async def test_it_ends_at_once_while_a_node_keeps_it_waiting(root: Root) -> None:
    asked = asyncio.Event()

    async def silent(*_: object) -> None:
        asked.set()
        await asyncio.sleep(3600)

    node = Liar(silent)  # type: ignore[arg-type]
    async with listening(node), seeking(root, [Fingerprint(b"\x05" * 20)], [node.node]):
        async with asyncio.timeout(PATIENCE):
            await asked.wait()
