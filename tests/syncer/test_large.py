"""Large files: what came stays when the rest does not, and nothing wrong ever gets a name."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from aiohttp import web

from mau.errors import NoRoom, NotAFile, PeerMisbehaved, PeerUnreachable, TreeChanged
from mau.openpgp import write_message
from mau.syncer import partial
from mau.syncer.partial import MOST, OLDEST, Partials
from tests.syncer.peers import IMPATIENT, Liar, Person, lying, serving

FILM = "film.pgp"


class Ranged(Liar):
    """Serves files with ranges, and breaks off after ``most`` bytes of an answer."""

    most = 1 << 62
    ranges = True
    tag: str | None = None
    asked_from: list[int]
    part: Callable[[int, bytes], web.Response] | None = None

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.raw_path.partition("?")[0]
        if not path.startswith(f"/p2p/{self.whose.hex}/"):
            return await super().answer(request)
        self.asked.append(path)
        data = self.files[path.rpartition("/")[2]]
        tag = f'"{hashlib.sha256(data).hexdigest()}"'
        start = 0
        wanted = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        if wanted and self.ranges and request.headers.get("If-Range") == tag:
            start = int(wanted[1])
        self.asked_from.append(start)
        if start and self.part is not None:
            return self.part(start, data)
        headers = {"ETag": tag, "Content-Length": str(len(data) - start)}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        response = web.StreamResponse(status=206 if start else 200, headers=headers)
        await response.prepare(request)
        body = memoryview(data)[start:]
        for at in range(0, min(len(body), self.most), 1 << 16):
            await response.write(bytes(body[at : min(at + (1 << 16), self.most)]))
        if len(body) > self.most and request.transport is not None:
            request.transport.close()
        return response


def film(alice: Person, size: int = 3_000_000) -> bytes:
    out = BytesIO()
    write_message(out, os.urandom(size), key=alice.account.key, recipients=None)
    return out.getvalue()


@pytest.fixture
def server(alice: Person) -> Ranged:
    server = Ranged(alice)
    server.asked_from = []
    server.offer(FILM, film(alice))
    return server


def parts(bob: Person) -> list[Path]:
    return sorted((bob.root.path / ".syncer").glob("*.part"))


def nothing_is_left(bob: Person, alice: Person) -> bool:
    directory = bob.root.author_dir(alice.fpr)
    scratch = list((bob.root.path / ".syncer").glob(".mau-*"))
    return not parts(bob) and not scratch and {one.name for one in directory.iterdir()} <= {FILM}


async def test_what_came_is_kept_and_only_the_rest_is_asked_for(
    bob: Person, alice: Person, server: Ranged
) -> None:
    server.most = 1_000_000
    async with lying(server) as address:
        for _ in range(2):
            report = await bob.sync(alice, address)
            assert [type(one.error) for one in report.failed] == [PeerUnreachable]
            assert bob.held(alice) == {}
        [part] = parts(bob)
        there = part.stat().st_size
        assert 1_000_000 < there <= 2_000_000
        assert part.read_bytes() == server.files[FILM][:there]
        assert part.stat().st_mode & 0o777 == 0o600
        server.most = 1 << 62
        report = await bob.sync(alice, address)
    assert report.whole
    assert server.asked_from[0] == 0
    assert server.asked_from == sorted(server.asked_from)
    assert server.asked_from[2] == there
    assert bob.held(alice) == {FILM: hashlib.sha256(server.files[FILM]).hexdigest()}
    assert nothing_is_left(bob, alice)
    assert (bob.root.author_dir(alice.fpr) / FILM).stat().st_nlink == 1


async def test_another_source_goes_on_with_it(
    bob: Person, alice: Person, carol: Person, server: Ranged
) -> None:
    server.most = 1_000_000
    async with lying(server) as address:
        await bob.sync(alice, address)
    other = Ranged(alice)
    other.asked_from = []
    other.offer(FILM, server.files[FILM])
    async with lying(other) as address:
        assert (await bob.sync(alice, address)).whole
    assert other.asked_from[0] > 0


async def test_a_beginning_that_is_a_lie_costs_one_more_try(
    bob: Person, alice: Person, server: Ranged
) -> None:
    sha256 = hashlib.sha256(server.files[FILM]).hexdigest()
    with Partials(bob.root).open(sha256) as part:
        part.file.write(os.urandom(500_000))
    async with lying(server) as address:
        report = await bob.sync(alice, address)
    assert report.whole
    assert server.asked_from == [500_000, 0]
    assert bob.held(alice) == {FILM: sha256}
    assert nothing_is_left(bob, alice)


@pytest.mark.parametrize("extra", [0, 1, 5_000_000])
async def test_a_beginning_that_is_as_long_or_longer_is_no_obstacle(
    bob: Person, alice: Person, server: Ranged, extra: int
) -> None:
    data = server.files[FILM]
    with Partials(bob.root).open(hashlib.sha256(data).hexdigest()) as part:
        part.file.write(bytes(len(data) + extra))
    async with lying(server) as address:
        assert (await bob.sync(alice, address)).whole
    assert nothing_is_left(bob, alice)


async def test_a_file_that_changed_meanwhile_begins_anew(bob: Person, alice: Person, server: Ranged) -> None:
    server.most = 1_000_000
    async with lying(server) as address:
        await bob.sync(alice, address)
        old = server.files[FILM]
        server.files[FILM] = old[:-1] + b"x"  # listed as before: what comes is not what was listed
        server.most = 1 << 62
        report = await bob.sync(alice, address)
        assert [type(one.error) for one in report.failed] == [PeerMisbehaved]
        assert server.asked_from[-1] == 0
        assert nothing_is_left(bob, alice)
        server.listing = []
        server.offer(FILM, film(alice, 2_000_000))
        assert (await bob.sync(alice, address)).whole
    assert bob.held(alice) == {FILM: hashlib.sha256(server.files[FILM]).hexdigest()}
    assert nothing_is_left(bob, alice)


async def test_a_peer_without_ranges_sends_all_of_it(bob: Person, alice: Person, server: Ranged) -> None:
    server.most = 1_000_000
    async with lying(server) as address:
        await bob.sync(alice, address)
        server.ranges, server.most = False, 1 << 62
        assert (await bob.sync(alice, address)).whole
    assert server.asked_from == [0, 0]


WRONG = {
    "another part": lambda start, data: (f"bytes 0-{len(data) - 1 - start}/{len(data)}", data[:-start]),
    "another size": lambda start, data: (f"bytes {start}-{len(data)}/{len(data) + 1}", data[start:] + b"x"),
    "too short": lambda start, data: (f"bytes {start}-{len(data) - 1}/{len(data)}", data[start:-1]),
    "no range": lambda start, data: ("x", data[start:]),
}


@pytest.mark.parametrize("fault", WRONG)
async def test_a_wrong_part_is_dropped_and_the_file_comes_from_its_beginning(
    bob: Person, alice: Person, server: Ranged, fault: str
) -> None:
    def wrong(start: int, data: bytes) -> web.Response:
        given, body = WRONG[fault](start, data)
        return web.Response(status=206, body=body, headers={"Content-Range": given})

    server.most = 1_000_000
    async with lying(server) as address:
        await bob.sync(alice, address)
        server.part, server.most = wrong, 1 << 62
        report = await bob.sync(alice, address)
        assert [type(one.error) for one in report.failed] == [PeerMisbehaved]
        assert nothing_is_left(bob, alice)
        assert (await bob.sync(alice, address)).whole
    assert bob.held(alice) == {FILM: hashlib.sha256(server.files[FILM]).hexdigest()}


async def test_other_bytes_in_a_right_part_are_never_taken(
    bob: Person, alice: Person, server: Ranged
) -> None:
    def wrong(start: int, data: bytes) -> web.Response:
        given = f"bytes {start}-{len(data) - 1}/{len(data)}"
        return web.Response(status=206, body=bytes(len(data) - start), headers={"Content-Range": given})

    server.most = 1_000_000
    async with lying(server) as address:
        await bob.sync(alice, address)
        server.part, server.most = wrong, 1 << 62
        report = await bob.sync(alice, address)
    assert report.whole, "it was asked for anew, from its beginning"
    assert server.asked_from[-1] == 0
    assert nothing_is_left(bob, alice)


async def test_a_disk_without_room_keeps_no_beginning(
    bob: Person, alice: Person, server: Ranged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mau.syncer.large.RESERVE", 1 << 62)
    async with lying(server) as address:
        report = await bob.sync(alice, address)
    assert [type(one.error) for one in report.deferred] == [NoRoom]
    assert nothing_is_left(bob, alice)


async def test_two_syncs_do_not_write_into_one_beginning(bob: Person, alice: Person, server: Ranged) -> None:
    with Partials(bob.root).open(hashlib.sha256(server.files[FILM]).hexdigest()) as part:
        part.file.write(b"x")
        part.file.flush()
        async with lying(server) as address:
            report = await bob.sync(alice, address)
        assert [type(one.error) for one in report.deferred] == [TreeChanged]
    assert len(parts(bob)) == 1


async def test_with_our_server_a_cut_connection_goes_on(bob: Person, alice: Person) -> None:
    data = film(alice, 4_000_000)
    (alice.root.author_dir(alice.fpr) / FILM).write_bytes(data)
    with Partials(bob.root).open(hashlib.sha256(data).hexdigest()) as part:
        part.file.write(data[:2_500_000])
    async with serving(alice) as address:
        report = await bob.sync(alice, address)
    assert report.whole
    assert bob.held(alice) == {FILM: hashlib.sha256(data).hexdigest()}
    assert nothing_is_left(bob, alice)


async def test_silence_keeps_what_came(bob: Person, alice: Person, server: Ranged) -> None:
    async def stalls(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(server.files[FILM]))})
        await response.prepare(request)
        await response.write(server.files[FILM][:1_500_000])
        await asyncio.Event().wait()
        raise AssertionError

    server.answers[server.path(FILM)] = stalls
    server.answer = super(Ranged, server).answer  # type: ignore[method-assign]
    async with lying(server) as address:
        report = await bob.sync(alice, address, timeouts=IMPATIENT)
    assert [type(one.error) for one in report.failed] == [PeerUnreachable]
    assert [path.stat().st_size for path in parts(bob)] == [1_500_000]


# --- the beginnings themselves -----------------------------------------------------------------------------


def put(bob: Person, number: int, age: float = 0, size: int = 10) -> Path:
    partials = Partials(bob.root)
    sha256 = f"{number:064x}"
    with partials.open(sha256) as part:
        part.file.write(bytes(size))
        part.file.flush()
        now = part.path.stat().st_mtime
        os.utime(part.path, (now - age, now - age))
        return part.path


def test_old_beginnings_go_and_there_are_never_many(bob: Person) -> None:
    old, ahead = put(bob, 1, OLDEST + 100), put(bob, 2, -OLDEST - 100)
    recent = [put(bob, 10 + number, number * 60) for number in range(MOST + 3)]
    Partials(bob.root).clear()
    assert not old.exists()
    assert not ahead.exists()
    assert parts(bob) == sorted(recent[:MOST])


def test_beginnings_make_room_the_oldest_first(bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = [put(bob, number, number * 60, 1000) for number in range(4)]
    usage = partial.shutil.disk_usage(bob.root.path)

    def free(_: object) -> object:
        return usage._replace(free=5000 - 1000 * len(parts(bob)))

    monkeypatch.setattr(partial.shutil, "disk_usage", free)
    assert Partials(bob.root).make_room(1000) == 1000
    assert len(parts(bob)) == 4
    assert Partials(bob.root).make_room(2500) == 3000
    assert parts(bob) == sorted(kept[:2])
    assert Partials(bob.root).make_room(1 << 60) == 5000
    assert parts(bob) == []


def test_one_that_is_in_use_stays(bob: Person) -> None:
    partials = Partials(bob.root)
    path = put(bob, 1)
    with partials.open(f"{1:064x}"):
        os.utime(path, (0, 0))
        partials.clear()
        partials.make_room(1 << 62)
        assert path.exists()
    partials.clear()
    assert not path.exists()


def test_one_that_became_a_post_is_never_written_to(bob: Person, alice: Person) -> None:
    path = put(bob, 1)
    post = bob.root.author_dir(alice.fpr) / FILM
    post.hardlink_to(path)
    with Partials(bob.root).open(f"{1:064x}") as part:
        assert part.size == 0
        part.file.write(b"other")
    assert post.read_bytes() == bytes(10)


def test_what_is_no_file_is_never_used(bob: Person, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"precious")
    link = bob.root.path / ".syncer" / f"{1:064x}.part"
    bob.root.state_dir("syncer")
    link.symlink_to(elsewhere)
    partials = Partials(bob.root)
    with pytest.raises(NotAFile), partials.open(f"{1:064x}"):
        pass
    partials.clear()
    partials.make_room(1 << 62)
    assert elsewhere.read_bytes() == b"precious"
