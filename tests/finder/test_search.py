"""One search asks everybody at once; a handshake answers, and a liar costs a failed one (N65, N66)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

from mau.addressbook import AddressBook, Source
from mau.finder.nodes import Nodes
from mau.finder.pool import Pool
from mau.finder.search import MOST, Finding, Search
from mau.fingerprint import Fingerprint
from mau.hostport import Address
from mau.kademlia import Node
from mau.tree.layout import Root
from mau.wire.client import PeerClient
from tests.finder.liars import Liar, counted, listening, saying, somebody

ME = somebody()


async def searched(
    place: Path,
    wanted: Fingerprint,
    *,
    known: Iterable[Address] = (),
    others: Iterable[tuple[Source, Address]] = (),
    begin: Iterable[Node] = (),
    **more: Any,
) -> tuple[list[Finding], Search]:
    """All that a search says; ``known`` stands in the book before."""
    begin = list(begin)
    with closing(AddressBook(Root(place))) as book:
        for address in known:
            book.told(wanted, *address, source="contact")
        async with Pool(None) as pool:
            nodes = Nodes(ME.fingerprint, book, pool, friends=lambda: begin) if begin else None
            search = Search(ME, book, wanted, nodes=nodes, others=others, **more)
            async with aclosing(search.run()) as findings, asyncio.timeout(20):
                return [finding async for finding in findings], search


def outcomes(findings: list[Finding]) -> set[tuple[str, str, Address | None]]:
    return {(one.source, one.outcome, one.address) for one in findings}


async def test_the_first_proof_ends_it_and_stands_in_the_book(tmp_path: Path) -> None:
    bob = Liar(saying())
    async with listening(bob), counted() as (false, _):
        who = bob.identity.fingerprint
        findings, search = await searched(tmp_path, who, known=[false, bob.address])
        assert findings[-1].outcome == "proven"
        assert search.proven == [bob.address]
        with closing(AddressBook(Root(tmp_path))) as book:
            assert book.addresses(who)[0] == bob.address


async def test_every_source_says_what_it_knows(tmp_path: Path) -> None:
    bob, node = Liar(saying()), Liar(saying())
    async with listening(bob, node), counted() as (false, came):
        who = bob.identity.fingerprint
        node.answer = saying((who, bob.address))
        findings, search = await searched(
            tmp_path, who, others=[("dns", false)], begin=[node.node], everywhere=True
        )
        said = outcomes(findings)
        assert ("address book", "nothing", None) in said
        assert {("dns", "heard", false), ("dns", "failed", false)} <= said
        assert {("kademlia", "asked", None), ("kademlia", "proven", bob.address)} <= said
        assert search.proven == [bob.address]
        assert len(came) == 1


async def test_who_is_nowhere_is_not_found_and_it_ends(tmp_path: Path) -> None:
    node = Liar(saying())
    nobody = Fingerprint(b"\x07" * 20)
    async with listening(node):
        findings, search = await searched(tmp_path, nobody, begin=[node.node])
        assert search.proven == []
        assert (findings[-1].source, findings[-1].outcome) == ("kademlia", "nothing")
        assert findings[-1].words == "1 node asked"


async def test_who_is_tried_learns_nothing_of_us(tmp_path: Path) -> None:
    bob = Liar(saying())
    async with listening(bob):
        _, search = await searched(tmp_path, bob.identity.fingerprint, known=[bob.address])
        assert search.proven
        assert set(bob.shown) <= {None}
        async with PeerClient(ME, bob.identity.fingerprint, *bob.address) as client:
            await client.ping()
        assert bob.shown[-1] is not None  # that is how it would be seen


async def test_a_thousand_addresses_are_not_all_tried(tmp_path: Path) -> None:
    async with counted() as (place, came):
        many: list[tuple[Source, Address]] = [
            ("dns", (f"127.0.{n // 200}.{n % 200 + 1}", place[1])) for n in range(400)
        ]
        began = time.monotonic()
        findings, search = await searched(tmp_path, Fingerprint(b"\x07" * 20), others=many)
        assert search.proven == []
        assert sum(one.outcome == "failed" for one in findings) == MOST
        assert len(came) <= MOST
        assert time.monotonic() - began < 15
