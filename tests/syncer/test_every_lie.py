"""Every lie in one table: each ends in its own refusal, in bounded time and memory, and spoils nothing.

The host is the author's own, proven; it knows pages and archives. Afterwards an honest host has the same
post, and it is taken. What a relay can try besides stands in `test_relays.py`.
"""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import pytest
from aiohttp import web

from mau.syncer import SyncReport
from mau.wire import transport
from tests.syncer.paging import Paging
from tests.syncer.peers import IMPATIENT, Person, item, lying, piece
from tests.wire.test_bulk import HOSTILE, archive

NAME = "true.json.pgp"
OTHERS = [f"other-{number}.json.pgp" for number in range(5)]
SECONDS = 20.0
MEMORY = 120 << 20  # bytes that the process may grow by: both ends, and what pytest needs


@dataclass
class Scene:
    """Alice's host before it lies, and who else there is."""

    server: Paging
    alice: Person
    carol: Person

    @property
    def data(self) -> bytes:
        return self.server.files[NAME]

    def answer(self, answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> None:
        """Answer so when the post is asked for, and send no archives."""
        self.server.bulk = False
        self.server.answers[self.server.path(NAME)] = answer

    def list_as(self, **changed: object) -> None:
        """List the post otherwise than it is."""
        page, fpr = self.server.page, self.alice.fpr

        def lying_page(names: list[str], cursor: str) -> web.StreamResponse:
            response = page(names, cursor)
            assert isinstance(response, web.Response)
            entries = [item(fpr, name, self.server.files[name]) for name in names]
            response.text = web.json_response(
                [entry | changed if entry["name"] == NAME else entry for entry in entries]
            ).text
            return response

        self.server.bulk = False
        self.server.page = lying_page  # type: ignore[method-assign]

    def pack(self, stream: Callable[[], Iterator[bytes]]) -> None:
        """Send this for an archive, as it is made."""

        async def packed(request: web.BaseRequest) -> web.StreamResponse:
            return await _streamed(request, stream(), "application/x-tar")

        whole = self.server.answer

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            wants = "application/x-tar" in request.headers.get("Accept", "")
            return await (packed if wants else whole)(request)

        self.server.answer = answer  # type: ignore[method-assign]


async def _streamed(
    request: web.BaseRequest, pieces: Iterator[bytes], kind: str = "application/octet-stream"
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": kind})
    response.enable_chunked_encoding()
    await response.prepare(request)
    for one in pieces:
        await response.write(one)
    return response


def forever(data: bytes) -> Iterator[bytes]:
    while True:
        yield data


def _larger(scene: Scene) -> None:
    scene.list_as(size=len(scene.data) + 1)


def _smaller(scene: Scene) -> None:
    scene.list_as(size=len(scene.data) - 1)


def _sum(scene: Scene) -> None:
    scene.list_as(sum="0" * 64)


def _name(scene: Scene) -> None:
    scene.list_as(name="../../true.json.pgp", path=f"/p2p/{scene.alice.fpr.hex}/../../true.json.pgp")


def _endless(scene: Scene) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return await _streamed(request, forever(bytes(1 << 16)))

    scene.answer(answer)


def _drips(announced: bool) -> Callable[[Scene], None]:
    def lie(scene: Scene) -> None:
        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse()
            if announced:
                response.content_length = len(scene.data)
            else:
                response.enable_chunked_encoding()
            await response.prepare(request)
            for at in range(len(scene.data)):
                await response.write(scene.data[at : at + 1])
                await asyncio.sleep(0.2)
            return response

        scene.answer(answer)

    return lie


def _truncated(announced: bool) -> Callable[[Scene], None]:
    """The connection ends without TLS's own word for it, as whoever sits in between can make it."""

    def lie(scene: Scene) -> None:
        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Connection": "close"})
            if announced:
                response.content_length = len(scene.data)
            else:
                response.enable_chunked_encoding()
            await response.prepare(request)
            await response.write(scene.data[: len(scene.data) // 2])
            assert request.transport is not None
            request.transport.abort()
            return response

        scene.answer(answer)

    return lie


def _somebody_elses(scene: Scene) -> None:
    scene.server.put(NAME, piece(scene.carol, NAME, to=None))


def _signed_by_another(scene: Scene) -> None:
    scene.server.put(NAME, piece(scene.carol, NAME, to=None, author=scene.alice.fpr))


def _circle(scene: Scene) -> None:
    scene.server.most = 1000
    scene.server.page = lambda names, cursor: _full_page(scene)  # type: ignore[method-assign]


def _full_page(scene: Scene) -> web.StreamResponse:
    entries = [item(scene.alice.fpr, f"{number}.txt", b"") for number in range(1000)]
    link = f'</p2p/{scene.alice.fpr.hex}?limit=1000&cursor=g1-0>; rel="next"'
    return web.json_response(entries, headers={"Link": link})


def _million(scene: Scene) -> None:
    async def listing(request: web.BaseRequest) -> web.StreamResponse:
        def pieces() -> Iterator[bytes]:
            yield b"["
            for start in range(0, 1_000_000, 1000):
                yield b"".join(
                    b'{"path":"/p2p/%s/%d.pgp","size":1,"sum":"%064x"},'
                    % (scene.alice.fpr.hex.encode(), number, number)
                    for number in range(start, start + 1000)
                )

        return await _streamed(request, pieces())

    whole = scene.server.answer

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        is_file = request.raw_path.partition("?")[0].endswith(".pgp")
        return await (whole if is_file else listing)(request)

    scene.server.answer = answer  # type: ignore[method-assign]


def _tar(name: str) -> Callable[[Scene], None]:
    return lambda scene: scene.pack(lambda: iter([HOSTILE[name]]))


def _tar_of_zeros(scene: Scene) -> None:
    """One entry that says it is as large as nothing that was asked for."""
    one = archive([(NAME, bytes(2 << 20), "c")])
    scene.pack(lambda: iter([one]))


def _tar_without_end(scene: Scene) -> None:
    def pieces() -> Iterator[bytes]:
        number = 0
        while True:
            number += 1
            yield archive([(f"x{number}.pgp", bytes(60_000), "c")])[:-10240].rstrip(b"\0") + bytes(1024)

    scene.pack(pieces)


def _tar_of_zero_blocks(scene: Scene) -> None:
    scene.pack(lambda: forever(bytes(1 << 16)))


def _tar_with_a_wrong_sum(scene: Scene) -> None:
    scene.server.packed = lambda data: data.replace(scene.data, bytes(len(scene.data)))


def _tar_with_somebody_elses(scene: Scene) -> None:
    other = piece(scene.carol, NAME, to=None)
    scene.pack(lambda: iter([archive([(NAME, other, "c")])]))


LIES: dict[str, tuple[Callable[[Scene], None], str, str]] = {
    "a larger size": (_larger, "failed", "PeerMisbehaved"),
    "a smaller size": (_smaller, "failed", "PeerMisbehaved"),
    "a wrong sum": (_sum, "failed", "PeerMisbehaved"),
    "a name that leads out of the tree": (_name, "refused", "PeerMisbehaved"),
    "a body without end": (_endless, "failed", "PeerMisbehaved"),
    "a slow drip": (_drips(False), "failed", "PeerUnreachable"),
    "a slow drip of an announced length": (_drips(True), "failed", "PeerUnreachable"),
    "cut off TLS": (_truncated(False), "failed", "PeerUnreachable"),
    "cut off TLS after an announced length": (_truncated(True), "failed", "PeerUnreachable"),
    "somebody else's post": (_somebody_elses, "deferred", "UnknownSigner"),
    "a post that somebody else signed for her": (_signed_by_another, "deferred", "UnknownSigner"),
    "a listing in a circle": (_circle, "problem", "PeerMisbehaved"),
    "a million entries": (_million, "problem", "PeerMisbehaved"),
    "an archive with a link": (_tar("a symbolic link"), "archive", "PeerMisbehaved"),
    "an archive with holes": (_tar("an old sparse file"), "archive", "PeerMisbehaved"),
    "an archive with another size": (_tar("another size in the header"), "archive", "PeerMisbehaved"),
    "an archive with a name twice": (_tar("the same name twice"), "archive", "PeerMisbehaved"),
    "an archive with a path": (_tar("a path upwards"), "archive", "PeerMisbehaved"),
    "an archive with too much in one": (_tar_of_zeros, "archive", "PeerMisbehaved"),
    "an archive without end": (_tar_without_end, "archive", "PeerMisbehaved"),
    "an archive of nothing": (_tar_of_zero_blocks, "archive", "PeerMisbehaved"),
    "an archive with a wrong sum": (_tar_with_a_wrong_sum, "", ""),
    "an archive with somebody else's post": (_tar_with_somebody_elses, "", ""),
}
"""The lie; where in the report it is named, and as what. The last two are passed over: S25."""


def named(report: SyncReport, where: str) -> set[str]:
    found = getattr(report, where)
    if isinstance(found, list):
        return {one.kind for one in found}
    return set() if found is None else {type(found).__name__}


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_is_named_costs_little_and_the_true_post_comes(
    bob: Person, alice: Person, carol: Person, lie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        transport, "_WINDOW", 1.0
    )  # seconds in which a peer must send something: not a minute
    true = Paging(alice)
    for name in [*OTHERS, NAME]:
        true.put(name, piece(alice, name, to=None))
    server = Paging(alice)
    for name in [*OTHERS, NAME]:
        server.put(name, true.files[name])
    tell_it, where, kind = LIES[lie]
    tell_it(Scene(server, alice, carol))
    began, before = time.monotonic(), peak()
    async with lying(server) as address:
        report = await bob.sync(alice, address, timeouts=IMPATIENT)
    assert time.monotonic() - began < SECONDS
    assert peak() - before < MEMORY
    held = bob.held(alice)
    assert held.items() <= true.sums().items(), "nothing but true posts"
    if where in ("failed", "refused", "deferred"):
        assert set(held) == set(OTHERS), "the others came"
    elif where != "problem":
        assert held == true.sums(), "what no archive brings rightly comes alone"
    if where:
        assert named(report, where) == {kind}
    async with lying(true) as address:
        assert (await bob.sync(alice, address, full=True)).whole
    assert bob.held(alice) == true.sums()
    assert {path.name for path in bob.root.author_dir(alice.fpr).iterdir()} == {*OTHERS, NAME}
