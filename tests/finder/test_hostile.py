"""Nodes that lie, drip or never stop: a lookup goes on, costs little, and leads nobody astray (D19-D22)."""

from __future__ import annotations

import asyncio
import random
import resource
import time
from pathlib import Path

import pytest
from aiohttp import web

from mau.finder import nodes as nodes_module
from mau.fingerprint import Fingerprint
from mau.hostport import Address
from mau.kademlia import Lookup, Node
from mau.wire.kad import MAX_ANSWER
from tests.finder.liars import (
    Answer,
    Liar,
    counted,
    dumped,
    entries,
    listening,
    looking,
    saying,
    sending,
    somebody,
)

WANTED = Fingerprint(b"\x77" * 20)
STRANGERS = [Fingerprint(number.to_bytes(2, "big") * 10) for number in range(1, 5001)]


async def _nothing(_liar: Liar, _wanted: Fingerprint, _request: web.BaseRequest) -> web.StreamResponse:
    return web.json_response([])


async def _itself(liar: Liar, _wanted: Fingerprint, _request: web.BaseRequest) -> web.StreamResponse:
    return web.json_response(entries(*[(liar.identity.fingerprint, liar.address)] * 20))


async def _drips(_liar: Liar, _wanted: Fingerprint, request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(3600):
        await response.write(b" ")
        await asyncio.sleep(0.05)
    return response


async def _endless(_liar: Liar, _wanted: Fingerprint, request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"[" + b"null," * 20_000)


async def _silent(_liar: Liar, _wanted: Fingerprint, _request: web.BaseRequest) -> web.StreamResponse:
    await asyncio.sleep(3600)
    raise AssertionError


ANSWERS: dict[str, Answer] = {
    "5,000 entries": sending(dumped(entries(*[(one, ("127.0.0.1", 9)) for one in STRANGERS]))),
    "[null]": sending(b"[null]"),
    "null": sending(b"null"),
    "no list": sending(b'{"fingerprint": 1}'),
    "no JSON": sending(b"\xff\xfe[["),
    "deeply nested": sending(b"[" * (MAX_ANSWER - 1)),
    "no addresses": sending(dumped([{"fingerprint": "x", "address": 3}, {}, [], 1, None, "x"])),
    "itself": _itself,
    "nowhere": saying(*[(one, ("0.0.0.0", 9)) for one in STRANGERS[:20]]),  # noqa: S104 - a lie
    "nothing": _nothing,
    "drips": _drips,
    "never stops": _endless,
    "is silent": _silent,
}


@pytest.mark.parametrize("kind", ANSWERS)
async def test_whatever_a_node_answers_the_others_lead_to_who_is_looked_for(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes_module, "_ANSWER_SECONDS", 1.0)
    target = Liar(_nothing)
    honest = Liar(saying((target.identity.fingerprint, ("", 0))))
    liars = [Liar(ANSWERS[kind]) for _ in range(4)]
    async with listening(target, honest, *liars):
        honest.answer = saying((target.identity.fingerprint, target.address))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.monotonic()
        async with looking(tmp_path, [*(one.node for one in liars), honest.node]) as (nodes, book):
            lookup = await nodes.look_up(target.identity.fingerprint)
            assert lookup.proven == target.node
            assert time.monotonic() - began < 8
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # KiB
            assert {one.asked for one in liars} <= {0, 1}
            known = {one.fingerprint for one in book.known() if one.last_proven is not None}
            theirs = {one.identity.fingerprint for one in (target, honest, *liars)}
            assert known <= theirs  # of what they name nobody is noted who was not met


async def test_who_says_that_somebody_is_where_others_are_is_found_out_and_scored(tmp_path: Path) -> None:
    target, bystander = Liar(_nothing), Liar(_nothing)
    liar, honest = Liar(_nothing), Liar(_nothing)
    async with listening(target, bystander, liar, honest):
        wanted = target.identity.fingerprint
        liar.answer = saying((wanted, bystander.address), (wanted, liar.address))
        honest.answer = saying((wanted, target.address))
        async with looking(tmp_path, [liar.node, honest.node]) as (nodes, book):
            lookup = await nodes.look_up(wanted)
            assert lookup.proven == target.node
            false = [one for one in book.known(wanted) if (one.host, one.port) != target.address]
            assert [one for one in false if one.last_proven is not None] == []
            assert lookup.scores[liar.identity.fingerprint].lies > 0
            assert honest.identity.fingerprint not in {
                who for who, score in lookup.scores.items() if score.lies
            }


async def test_fifty_liars_bring_us_to_a_bystander_a_few_times_and_no_more(tmp_path: Path) -> None:
    async with counted() as (place, came):
        everybody = [(one, place) for one in STRANGERS]

        async def everybody_is_there(
            liar: Liar, wanted: Fingerprint, _request: web.BaseRequest
        ) -> web.StreamResponse:
            at = liar.asked * 19
            return web.json_response(entries((wanted, place), *everybody[at : at + 19]))

        liars = [Liar(everybody_is_there) for _ in range(50)]
        async with (
            listening(*liars),
            looking(tmp_path, [one.node for one in liars]) as (nodes, book),
        ):
            for number in range(12):
                lookup = await nodes.look_up(Fingerprint(bytes([200, number]) * 10))
                assert lookup.proven is None
            assert len(came) <= 6, "a few times, whoever says so and whoever is looked for"
            assert not book.worth_trying(*place)


async def test_two_people_at_one_false_address_cost_no_more_than_one(tmp_path: Path) -> None:
    """A liar names a bystander with ports beside it: each is another place, and all of them have an end."""
    async with counted() as (place, came), counted() as (second, came_too):
        places: list[Address] = [place, second]
        liars = [
            Liar(saying(*[(WANTED, one) for one in places], *[(one, place) for one in STRANGERS[:18]]))
            for _ in range(8)
        ]
        async with listening(*liars), looking(tmp_path, [one.node for one in liars]) as (nodes, _):
            for _ in range(5):
                await nodes.look_up(WANTED)
        assert 1 <= len(came) <= 6
        assert 1 <= len(came_too) <= 6


INSIDE = ["192.168.1.1", "10.0.0.1", "127.0.0.1", "169.254.1.1", "fd00::1", "fe80::1", "::1", "localhost"]


async def test_a_node_of_the_internet_cannot_send_us_into_our_own_network(tmp_path: Path) -> None:
    """What it says is judged by where it is: nothing inside is tried now, or looked after later."""
    teller = Node(somebody().fingerprint, "11.22.33.44", 8880)
    answer = [(WANTED, (host, 80)) for host in INSIDE[:4]]
    answer += [(one, (host, 80)) for one, host in zip(STRANGERS, INSIDE[4:], strict=False)]
    async with looking(tmp_path, []) as (nodes, _):
        lookup = Lookup(WANTED, [teller])
        assert lookup.queries() == [teller]
        nodes._report(lookup, teller, answer, wanted=False)
        assert lookup.found() == []
        assert lookup.queries() == []
        assert lookup.done
        assert nodes.table.upkeep(time.time(), random.Random(1)).ping == ()
        within = Lookup(WANTED, [near := Node(teller.fingerprint, "192.168.1.7", 8880)])
        assert within.queries() == [near]
        nodes._report(within, near, answer, wanted=False)  # a neighbour may well know
        assert {node.host for node in within.found()} == {"192.168.1.1", "10.0.0.1"}


async def test_however_many_drip_a_lookup_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes_module, "_LOOKUP_SECONDS", 2.0)
    liars = [Liar(_drips) for _ in range(12)]
    async with listening(*liars), looking(tmp_path, [one.node for one in liars]) as (nodes, _):
        began = time.monotonic()
        assert (await nodes.look_up(WANTED)).proven is None
        assert time.monotonic() - began < 4


async def test_looking_for_ourselves_leads_to_neighbours_and_never_to_us(tmp_path: Path) -> None:
    async with counted() as (place, came):
        own = Fingerprint(b"\x01" * 20)  # whom `looking` looks as
        liars = [Liar(saying((own, place))) for _ in range(3)]
        async with listening(*liars), looking(tmp_path, [one.node for one in liars]) as (nodes, book):
            lookup = await nodes.look_up(own)
            assert lookup.proven is None
            assert len(nodes.table) == 3
            assert book.known(own) == []
        assert came == []
