"""Archives: many files in one answer, read by tar and by Python, cut anywhere and gone on with (H68, H69)."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import http.client
import os
import re
import shutil
import tarfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.content.binding import PUBLIC
from mau.server.bulk import tar_head, wants_bulk
from mau.wire.paths import list_path
from tests.server.pager import TAR, Packed, cursor_in, forwards, get_page, start, unpack, until
from tests.server.world import PATIENCE, Host, Reply, Someone, audience, read_reply

NAMES = [
    "plain",
    "with space",
    "é ü 漢字",
    "é" * 110,
    "n" * 95,
    "n" * 96,
    "n" * 97,
    "x" * 200,
    "-dash",
    "100%",
    "a=b",
]
COUNT, SIZE = 50, 500_000


@given(
    st.one_of(st.sampled_from(NAMES), st.text(st.characters(codec="ascii", min_codepoint=32), min_size=1)),
    st.integers(0, 8**11 - 1),
    st.integers(0, 8**11),
    st.integers(1, 1200),
)
def test_the_heads_of_entries_are_those_that_python_makes(
    name: str, size: int, mtime: int, length: int
) -> None:
    name = name.replace("/", "_") + ".pgp"
    records = {"MAU.sha256": "ab" * 32, "MAU.cursor": "x" * length}
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime, info.pax_headers = size, 0o600, mtime, dict(records)
    assert tar_head(name, size, mtime, records) == info.tobuf(tarfile.PAX_FORMAT)


async def pack(host: Host, who: Someone | None, path: str) -> list[Packed]:
    reply = await host.ask(who, path, TAR)
    assert reply.status == 200, reply.raw[:500]
    assert reply.headers["Content-Type"] == "application/x-tar"
    assert reply.headers["Cache-Control"] == "private, no-cache"
    found = unpack(reply.body)
    assert len({one.name for one in found}) == len(found)
    for one in found:
        assert hashlib.sha256(one.content).hexdigest() == one.sha256
    return found


def names(packed: list[Packed]) -> list[str]:
    return [one.name for one in packed]


@asynccontextmanager
async def reading(host: Host, who: Someone | None, path: str) -> AsyncIterator[asyncio.StreamReader]:
    """An archive that is read as slowly as the test likes; the first of it is here."""
    reader, writer = await host.connect(who)
    lines = [f"GET {path} HTTP/1.1", "Host: peer", "Connection: close", "Accept: application/x-tar", "", ""]
    writer.write("\r\n".join(lines).encode())
    async with asyncio.timeout(PATIENCE):
        await until(lambda: len(reader._buffer) > SIZE)  # type: ignore[attr-defined]
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        try:
            yield reader
        finally:
            writer.close()


async def rest(reader: asyncio.StreamReader) -> Reply:
    reader._transport.resume_reading()  # type: ignore[attr-defined]
    return read_reply(await reader.read(-1))


# --- what is in it -----------------------------------------------------------------------------------------


async def test_tar_reads_it(host: Host, alice: Someone, bob: Someone, tmp_path: Path) -> None:
    for name in NAMES:
        alice.own(name).write_bytes(alice.message(os.urandom(700), [alice, bob]))
    reply = await host.ask(bob, list_path(alice.fingerprint), TAR)
    assert len(reply.body) % 512 == 0
    target = tmp_path / "unpacked"
    target.mkdir()
    process = await asyncio.create_subprocess_exec(
        "tar", "-xf", "-", "-C", target, stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate(reply.body)
    assert process.returncode == 0, said
    unknown = rb"tar: Ignoring unknown extended header keyword 'MAU\.(sha256|cursor)'"
    assert all(re.fullmatch(unknown, line) for line in said.splitlines()), said
    assert sorted(path.name for path in target.iterdir()) == sorted(f"{name}.pgp" for name in NAMES)
    for name in NAMES:
        assert (target / f"{name}.pgp").read_bytes() == alice.own(name).read_bytes()


async def test_it_is_the_listing_with_its_files(host: Host, alice: Someone, bob: Someone) -> None:
    for number in range(450):
        alice.own(f"{number}").write_bytes(
            alice.message(b"%d" % number, None if number % 2 else [alice, bob])
        )
    for who, count in ((bob, 450), (None, 225)):
        listed = await host.list(who)
        packed = await pack(host, who, list_path(alice.fingerprint))
        assert names(packed) == listed.names
        assert [one.sha256 for one in packed] == [item["sum"] for item in listed.json]
        assert [len(one.content) for one in packed] == [item["size"] for item in listed.json]
        assert len(packed) == count


async def test_each_position_leads_to_exactly_the_rest(host: Host, alice: Someone, bob: Someone) -> None:
    for number in range(12):
        alice.own(f"{number}").write_bytes(alice.message(b"x" * number * 1000, None))
    whole = await pack(host, bob, list_path(alice.fingerprint))
    for at, one in enumerate(whole):
        assert names(await pack(host, bob, start(alice, f"cursor={one.cursor}"))) == names(whole)[at + 1 :]
        page = await get_page(host, bob, start(alice, f"limit=5&cursor={one.cursor}"))
        assert page.names == names(whole)[at + 1 : at + 6]
        again = await pack(host, bob, start(alice, f"limit=5&cursor={one.cursor}"))
        assert [(one.name, one.sha256) for one in again] == list(page.sums.items())
    page = await get_page(host, bob, start(alice, "limit=3&from=newest"))
    assert names(await pack(host, bob, start(alice, "limit=3&from=newest"))) == page.names
    assert page.prev is not None
    assert names(await pack(host, bob, page.prev)) == names(whole)[-6:-3]
    before = start(alice, f"cursor={cursor_in(page.prev)}")
    assert names(await pack(host, bob, before)) == names(whole)[:-3]
    assert names(await pack(host, bob, start(alice, "from=newest"))) == names(whole)


async def test_what_is_too_large_is_left_out_and_its_place_passed(host: Host, alice: Someone) -> None:
    for number, size in enumerate((10, 5000, 20, 6000)):
        alice.own(f"{number}").write_bytes(alice.message(os.urandom(size), None))
        await host.list(None)
    packed = await pack(host, None, start(alice, "most=1000"))
    assert names(packed) == ["0", "2"]
    assert names(await pack(host, None, start(alice, "most=1000&limit=2"))) == ["0"]
    assert (await get_page(host, None, start(alice, f"limit=9&cursor={packed[1].cursor}"))).names == ["3"]
    edge = alice.own("3").stat().st_size
    assert names(await pack(host, None, start(alice, f"most={edge}"))) == ["0", "1", "2", "3"]
    assert names(await pack(host, None, start(alice, f"most={edge - 1}"))) == ["0", "1", "2"]
    assert await pack(host, None, start(alice, "most=0")) == []


async def test_large_files_are_whole(host: Host, alice: Someone, bob: Someone) -> None:
    for name, size in (("big", 3_000_000), ("piece", 262_144), ("small", 1)):
        alice.publish(name, os.urandom(size), audience(alice, bob))
    packed = await pack(host, bob, list_path(alice.fingerprint))
    assert {one.name: one.content for one in packed} == {
        name: alice.own(name).read_bytes() for name in ("big", "piece", "small")
    }


async def test_who_may_read_nothing_gets_an_empty_archive_whoever_it_is(
    host: Host, alice: Someone, bob: Someone, carol: Someone, mallory: Someone
) -> None:
    alice.publish("bobs", b"x", audience(alice, bob))
    alice.holds(carol, "held", carol.message(b"x", None))
    empty = set()
    for who in (None, mallory, carol):
        for author in (alice, bob, carol, mallory):
            if who is not author:
                reply = await host.ask(who, list_path(author.fingerprint), TAR)
                empty.add((reply.status, reply.body, tuple(sorted(reply.headers))))
    assert [one[:2] for one in empty] == [(200, bytes(1024))]


# --- how it is asked for -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("application/x-tar", True),
        ("application/json, Application/X-Tar", True),
        ("application/x-tar;q=0.001", True),
        ("application/x-tar; q=0", False),
        ("application/x-tar;q=0.000", False),
        ("*/*", False),
        ("application/*", False),
        ("application/json", False),
        ("application/x-tarball", False),
        ("", False),
        (";;,,=", False),
    ],
)
async def test_an_archive_is_for_who_names_it(host: Host, alice: Someone, accept: str, wanted: bool) -> None:
    assert wants_bulk([accept]) == wanted
    reply = await host.ask(None, list_path(alice.fingerprint), {"Accept": accept})
    assert reply.headers["Content-Type"] == ("application/x-tar" if wanted else "application/json")


async def test_an_old_client_gets_it_up_to_the_end_of_the_connection(
    host: Host, alice: Someone, bob: Someone
) -> None:
    alice.publish("big", os.urandom(1_000_000), audience(alice, bob))
    for more in (b"", b"Connection: keep-alive\r\n"):
        path = list_path(alice.fingerprint).encode()
        reply = read_reply(
            await host.raw(bob, b"GET %b HTTP/1.0\r\nAccept: application/x-tar\r\n%b\r\n" % (path, more))
        )
        assert reply.status == 200
        assert "Transfer-Encoding" not in reply.headers
        assert reply.headers.get("Connection", "close") == "close"
        assert names(unpack(reply.body)) == ["big"]


async def test_head_has_no_body(host: Host, alice: Someone) -> None:
    alice.publish("x", b"", PUBLIC)
    reply = await host.ask(None, list_path(alice.fingerprint), TAR, method="HEAD")
    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["Content-Type"] == "application/x-tar"


async def test_a_cursor_that_does_not_hold_is_gone_here_too(
    host: Host, alice: Someone, bob: Someone, carol: Someone
) -> None:
    alice.publish("x", b"", PUBLIC)
    cursor = (await pack(host, bob, list_path(alice.fingerprint)))[0].cursor
    for who, path in ((carol, start(alice, f"cursor={cursor}")), (bob, start(alice, "cursor=abc"))):
        reply = await host.ask(who, path, TAR)
        assert (reply.status, reply.headers["Content-Type"]) == (410, "application/problem+json")
    assert (await host.ask(bob, start(alice, "most=x"), TAR)).status == 400


# --- while it is sent --------------------------------------------------------------------------------------


def fill(alice: Someone, bob: Someone) -> None:
    """More than what fits into all buffers between here and there."""
    contents = [alice.message(os.urandom(SIZE), [alice, bob]) for _ in range(4)]
    for number in range(COUNT):
        alice.own(f"{number:02}").write_bytes(contents[number % 4])


async def test_who_is_removed_meanwhile_gets_no_file_more(host: Host, alice: Someone, bob: Someone) -> None:
    fill(alice, bob)
    async with reading(host, bob, list_path(alice.fingerprint)) as reader:
        rules = host.server.library.rules()
        alice.keyring.remove(bob.fingerprint)
        await until(lambda: host.server.library.rules() != rules)
        packed = unpack((await rest(reader)).body)
    assert 0 < len(packed) < COUNT
    assert (await host.ask(bob, start(alice, f"cursor={packed[-1].cursor}"), TAR)).status == 410


async def test_what_changes_meanwhile_is_left_out_and_comes_later_and_nothing_comes_twice(
    host: Host, alice: Someone, bob: Someone
) -> None:
    fill(alice, bob)
    order = (await host.list(bob)).names
    async with reading(host, bob, list_path(alice.fingerprint)) as reader:
        for name in (order[0], order[-3]):
            alice.own(name).write_bytes(alice.message(b"changed", [alice, bob]))
        replaced = alice.own("aside")
        replaced.write_bytes(alice.message(b"replaced", [alice, bob]))
        replaced.rename(alice.own(order[-2]))
        alice.own(order[-1]).unlink()
        alice.publish("new", b"", audience(alice, bob))
        index = host.server.library.index
        await until(lambda: index.entry(alice.fingerprint, "new.pgp"))
        packed = unpack((await rest(reader)).body)
    assert names(packed) == order[:-3]
    known = {one.name: one.sha256 for one in packed}
    page = await get_page(host, bob, start(alice, f"limit=100&cursor={packed[-1].cursor}"))
    assert sorted(page.names) == sorted([order[0], order[-3], order[-2], "new"])
    known.update(page.sums)
    now = await host.list(bob)
    assert known == {item["name"].removesuffix(".pgp"): item["sum"] for item in now.json}


@pytest.mark.parametrize("how", ["edited", "cut", "replaced", "removed"])
async def test_a_file_that_changes_while_it_is_sent_is_never_mixed(
    host: Host, alice: Someone, bob: Someone, how: str
) -> None:
    alice.publish("big", os.urandom(30_000_000), audience(alice, bob))
    alice.publish("later", b"x", audience(alice, bob))
    path = alice.own("big")
    content = path.read_bytes()
    assert (await host.list(bob)).names == ["big", "later"]
    async with reading(host, bob, list_path(alice.fingerprint)) as reader:
        if how == "edited":
            with path.open("r+b") as handle:
                handle.seek(len(content) - 1000)
                handle.write(os.urandom(1000))
        elif how == "cut":
            os.truncate(path, 20_000_000)
        elif how == "replaced":
            alice.publish("big", b"another", audience(alice, bob))
        else:
            path.unlink()
        if how in ("replaced", "removed"):
            packed = unpack((await rest(reader)).body)
            assert packed[0].content == content
            assert names(packed) == ["big", "later"]
            return
        with pytest.raises(http.client.IncompleteRead) as cut:
            await rest(reader)
    came = cut.value.partial
    assert content.startswith(came[came.index(content[:100]) :])


async def test_what_is_changed_before_its_turn_and_back_again_is_not_lost(
    host: Host, alice: Someone, bob: Someone
) -> None:
    fill(alice, bob)
    order = (await host.list(bob)).names
    last = alice.own(order[-1])
    first = alice.account.root.path / "aside"
    shutil.copy2(last, first)
    async with reading(host, bob, list_path(alice.fingerprint)) as reader:
        last.write_bytes(alice.message(b"for a moment", [alice, bob]))
        packed = unpack((await rest(reader)).body)
        shutil.copy2(first, last)
    known = {one.name: one.sha256 for one in packed}
    names_, _ = await forwards(host, bob, start(alice, f"limit=9&cursor={packed[-1].cursor}"), 9)
    assert set(known) | set(names_) == set(order)


def memory() -> int:
    """Resident bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_slow_readers_cost_little_memory(host: Host, alice: Someone, bob: Someone) -> None:
    fill(alice, bob)
    async with AsyncExitStack() as stack:
        path = list_path(alice.fingerprint)
        for _ in range(3):
            await stack.enter_async_context(reading(host, bob, path))
        before = memory()
        for _ in range(12):
            await stack.enter_async_context(reading(host, bob, path))
        assert memory() - before < 12 * 6_000_000  # both ends of them, kernel apart
        assert (await host.ask(bob, start(alice, "limit=2"))).status == 200
    await until(lambda: host.server.connections == 0)
    await until(lambda: not [path for path in open_files() if path.suffix == ".pgp"])


def open_files() -> list[Path]:
    """What this process has open."""
    found = []
    for descriptor in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(FileNotFoundError):
            found.append(descriptor.readlink())
    return found
