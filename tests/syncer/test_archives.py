"""Archives of many files: believed in nothing, and what they do not bring rightly comes one by one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from aiohttp import web

from mau.errors import PeerMisbehaved
from mau.syncer.archive import SLACK
from tests.syncer.paging import Paging
from tests.syncer.peers import Person, lying, piece
from tests.wire.test_bulk import HOSTILE, archive

NAMES = [f"{number:02}.json.pgp" for number in range(12)]


@pytest.fixture
def server(alice: Person) -> Paging:
    server = Paging(alice)
    for name in NAMES:
        server.put(name, piece(alice, name, to=None))
    return server


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_archive_is_named_and_the_files_come_one_by_one(
    bob: Person, alice: Person, server: Paging, name: str
) -> None:
    server.packed = lambda _: HOSTILE[name]
    async with lying(server) as address:
        report = await bob.sync(alice, address)
    assert isinstance(report.archive, PeerMisbehaved)
    assert not report.refused
    assert not report.failed
    assert bob.held(alice) == server.sums()
    assert {path.name for path in bob.root.author_dir(alice.fpr).iterdir()} == set(NAMES)


async def test_files_before_the_first_wrong_thing_are_kept(
    bob: Person, alice: Person, server: Paging
) -> None:
    server.packed = lambda data: data[: len(data) // 2 // 512 * 512] + b"garbage" * 1000
    async with lying(server) as address:
        report = await bob.sync(alice, address)
    assert report.archive is not None
    assert 0 < len(server.fetched()) < 12
    assert bob.held(alice) == server.sums()


def entries(server: Paging) -> Iterator[tuple[str, bytes, str]]:
    for name in NAMES:
        yield name, server.files[name], server.token(server.times[name])


LIES: dict[str, Callable[[Person, str, bytes], tuple[str, bytes]]] = {
    "other bytes, rightly summed": lambda alice, name, data: (name, data[:-1] + b"x"),
    "another post of hers": lambda alice, name, data: (name, piece(alice, name, "another", to=None)),
    "a name that was not asked for": lambda alice, name, data: ("x" + name, data),
    "nothing": lambda alice, name, data: (name, b""),
}


@pytest.mark.parametrize("lie", LIES)
async def test_an_entry_that_is_not_the_listed_one_is_passed_over(
    bob: Person, alice: Person, server: Paging, lie: str
) -> None:
    def packed(_: bytes) -> bytes:
        return archive(
            (*LIES[lie](alice, name, data), cursor) if name == NAMES[4] else (name, data, cursor)
            for name, data, cursor in entries(server)
        )

    server.packed = packed
    async with lying(server) as address:
        report = await bob.sync(alice, address)
    assert report.whole
    assert server.fetched() == [NAMES[4]]
    assert bob.held(alice) == server.sums()


async def test_an_entry_whose_sum_is_a_lie_is_passed_over(bob: Person, alice: Person, server: Paging) -> None:
    right = server.files[NAMES[4]]
    server.packed = lambda data: data.replace(right, bytes(len(right)))
    async with lying(server) as address:
        report = await bob.sync(alice, address)
    assert report.whole
    assert server.fetched() == [NAMES[4]]


async def test_a_forged_post_in_an_archive_is_refused_like_any_other(
    bob: Person, alice: Person, carol: Person, server: Paging
) -> None:
    server.put("junk.pgp", bytes(range(1, 128)) * 3)
    server.put("leak.json.pgp", piece(alice, "leak.json.pgp", to=None, stated=frozenset([alice.fpr])))
    async with lying(server) as address:
        report = await bob.sync(alice, address)
        assert {one.name: one.kind for one in report.refused} == {
            "junk.pgp": "MalformedPost",
            "leak.json.pgp": "Leaked",
        }
        assert sorted(bob.held(alice)) == NAMES
        assert server.fetched() == []
        again = await bob.sync(alice, full=True)
        assert len(again.refused) == 2


async def test_an_archive_that_is_cut_off_goes_on_where_it_ended(
    bob: Person, alice: Person, server: Paging
) -> None:
    whole = server.pack(NAMES, 1 << 20)
    assert isinstance(whole, web.Response)
    assert isinstance(whole.body, bytes)
    server.archives = 0
    server.packed = lambda data: data[: max(len(data) // 2, 3000)] if len(data) > 3000 else data
    async with lying(server) as address:
        report = await bob.sync(alice, address)
    assert report.whole
    assert report.archive is None
    assert server.archives > 1
    assert bob.held(alice) == server.sums()
    questions = [query for query in server.queries if "most=" in query]
    assert "cursor" not in questions[0]
    assert all("cursor=g1-" in query for query in questions[1:])


async def test_an_archive_that_always_breaks_at_once_is_given_up(
    bob: Person, alice: Person, server: Paging
) -> None:
    server.packed = lambda data: data[:700]
    async with lying(server) as address:
        report = await bob.sync(alice, address)
    assert report.whole
    assert server.archives == 1
    assert sorted(server.fetched()) == NAMES


async def test_an_archive_of_what_nobody_asked_for_ends(bob: Person, alice: Person, server: Paging) -> None:
    rubbish = bytes(1 << 20)
    server.packed = lambda _: archive((f"x{number}.pgp", rubbish, "c") for number in range(40))
    assert SLACK < 40 << 20
    async with lying(server) as address:
        report = await bob.sync(alice, address)
    assert isinstance(report.archive, PeerMisbehaved)
    assert bob.held(alice) == server.sums()


async def test_large_files_of_a_page_come_alone(bob: Person, alice: Person, server: Paging) -> None:
    from io import BytesIO

    from mau.openpgp import write_message

    out = BytesIO()
    write_message(out, os.urandom(1_500_000), key=alice.account.key, recipients=None)
    server.put("film.pgp", out.getvalue())
    async with lying(server) as address:
        report = await bob.sync(alice, address)
    assert report.whole
    assert server.fetched() == ["film.pgp"]
    assert bob.held(alice) == server.sums()
