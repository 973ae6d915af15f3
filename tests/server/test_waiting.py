"""Waiting for something new: who is told, when, and who is not (spec/http.yaml H67)."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from mau.catalogue import open_index
from mau.content.binding import PUBLIC
from mau.server.limits import Limits
from mau.server.listings import MOST_WAIT, preferred_wait
from mau.wire.paths import list_path
from tests.server.pager import Page, Talk, eventually, get_page, links_of, read_page, start, talking, until
from tests.server.world import PATIENCE, Host, Reply, Someone, age, audience, serving

WAIT = {"Prefer": f"wait={PATIENCE:.0f}"}


@asynccontextmanager
async def waiting(
    host: Host, who: Someone | None, path: str, headers: dict[str, str] | None = None
) -> AsyncIterator[asyncio.Task[Reply]]:
    """Somebody who waits there by now; the task ends with the answer."""
    before = host.server.waiting
    async with talking(host, who) as talk:
        talk.send(path, {**WAIT, **(headers or {})})
        async with asyncio.timeout(PATIENCE):
            task = asyncio.create_task(talk.answer())
            try:
                await until(lambda: host.server.waiting > before or task.done())
                yield task
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


async def end(host: Host, who: Someone | None, author: Someone) -> str:
    """Where everything is behind a visitor."""
    page: Page = await get_page(host, who, start(author, "from=newest"))
    return page.next


# --- what is news ------------------------------------------------------------------------------------------


def publish(alice: Someone) -> None:
    alice.publish("new", b"x", PUBLIC)


def replace(alice: Someone) -> None:
    alice.publish("old", b"y", PUBLIC)


def edit(alice: Someone) -> None:
    alice.own("old").write_bytes(alice.message(b"z", None))


def restore(alice: Someone) -> None:
    """Another content under the name, with old times."""
    aside = alice.account.root.path / "aside"
    aside.write_bytes(alice.message(b"w", None))
    age(aside, 1_000_000)
    shutil.copy2(aside, alice.own("old"))


def move_in(alice: Someone) -> None:
    aside = alice.account.root.path / "aside"
    aside.write_bytes(alice.message(b"v", None))
    aside.rename(alice.own("new"))


def move_aside_and_write(alice: Someone) -> None:
    """What goes away keeps nothing that comes waiting."""
    alice.own("gone").rename(alice.account.root.path / "aside")
    publish(alice)


@pytest.mark.parametrize("news", [publish, replace, edit, restore, move_in, move_aside_and_write])
async def test_who_waits_is_told_at_once(
    host: Host, alice: Someone, bob: Someone, news: Callable[[Someone], None]
) -> None:
    alice.publish("old", b"x", PUBLIC)
    alice.publish("gone", b"x", audience(alice))
    took = []
    for _ in range(3):
        shutil.copy2(alice.own("old"), alice.own("gone"))
        alice.own("new").unlink(missing_ok=True)
        path = await end(host, bob, alice)
        while (page := await get_page(host, bob, path)).names:
            path = page.next
        async with waiting(host, bob, path) as answer:
            await asyncio.to_thread(news, alice)
            began = time.monotonic()
            page = read_page(await answer)
            took.append(time.monotonic() - began)
        assert set(page.names) & {"new", "old"}
    assert min(took) < 0.4  # half a second is what a watcher takes that puts the ends of moves together


async def test_another_process_wakes_too(host: Host, alice: Someone, bob: Someone) -> None:
    aside = alice.account.root.path / "aside"
    aside.write_bytes(alice.message(b"x", [alice, bob]))
    async with waiting(host, bob, await end(host, bob, alice)) as answer:
        process = await asyncio.create_subprocess_exec("cp", aside, alice.own("new"))
        assert await process.wait() == 0
        assert (await answer).names == ["new"]


async def test_another_process_that_keeps_the_index_hides_nothing(
    host: Host, alice: Someone, bob: Someone
) -> None:
    path = alice.publish("old", b"x", PUBLIC)
    tag = {"If-None-Match": (await host.list(bob)).headers["ETag"]}
    with open_index(alice.account.root) as other:
        async with waiting(host, bob, list_path(alice.fingerprint), tag) as answer:
            path.unlink()
            await asyncio.to_thread(other.refresh)
            assert (await answer).names == []
        async with waiting(host, bob, await end(host, bob, alice)) as answer:
            alice.own("new").write_bytes(alice.message(b"x", None))
            await asyncio.to_thread(other.refresh)
            assert (await answer).names == ["new"]


async def test_an_unchanged_page_and_listing_and_an_empty_listing_wait_too(
    host: Host, alice: Someone, bob: Someone
) -> None:
    whole, page = list_path(alice.fingerprint), start(alice, "limit=5")
    async with waiting(host, bob, whole) as answer:
        alice.publish("a", b"x", PUBLIC)
        assert (await answer).names == ["a"]
    for path in (whole, page):
        tag = {"If-None-Match": (await host.ask(bob, path)).headers["ETag"]}
        async with waiting(host, bob, path, tag) as answer:
            alice.publish("a", b"y", PUBLIC)
            reply = await answer
            assert reply.names == ["a"]
            assert (path == whole) != bool(links_of(reply))
        tag = {"If-None-Match": reply.headers["ETag"]}
        async with waiting(host, bob, path, tag) as answer:
            alice.own("a").unlink()
            assert (await answer).names == []
        alice.publish("a", b"z", PUBLIC)


async def test_several_wait_and_each_is_told_what_is_for_him(
    host: Host, alice: Someone, bob: Someone, carol: Someone, mallory: Someone
) -> None:
    everybody = [None, None, bob, bob, carol, mallory]
    async with AsyncExitStack() as stack:
        paths = [await end(host, who, alice) for who in everybody]
        answers = [
            await stack.enter_async_context(waiting(host, who, path))
            for who, path in zip(everybody, paths, strict=True)
        ]
        alice.publish("carols", b"", audience(alice, carol))
        assert (await answers[4]).names == ["carols"]
        assert not any(answer.done() for answer in answers if answer is not answers[4])
        alice.publish("public", b"", PUBLIC)
        for answer in answers[:4] + answers[5:]:
            assert (await answer).names == ["public"]
    await until(lambda: host.server.waiting == 0)


async def test_what_is_for_others_or_goes_wakes_nobody(
    host: Host, alice: Someone, bob: Someone, carol: Someone
) -> None:
    alice.publish("old", b"x", PUBLIC)
    alice.publish("carols", b"x", audience(alice, carol))
    behind = await end(host, bob, alice)
    listing = {"If-None-Match": (await host.list(bob)).headers["ETag"]}
    async with (
        waiting(host, bob, behind) as answer,
        waiting(host, bob, list_path(alice.fingerprint), listing) as unchanged,
    ):
        for change in range(3):
            async with waiting(host, carol, await end(host, carol, alice)) as told:
                if change == 0:
                    alice.publish("carols", b"y", audience(alice, carol))
                elif change == 1:
                    alice.own("carols").unlink()
                    alice.publish("again", b"", audience(alice, carol))
                else:
                    alice.publish("diary", b"", audience(alice))
                    alice.publish("again", b"z", audience(alice, carol))
                await told
            assert not answer.done()
            assert not unchanged.done()
        alice.own("old").unlink()
        assert (await unchanged).names == []
        assert not answer.done()
        alice.publish("new", b"", PUBLIC)
        reply = await answer
        assert reply.names == ["new"]


async def test_a_failed_condition_waits_for_nothing(host: Host, alice: Someone) -> None:
    reply = await host.ask(None, start(alice, "limit=1"), {**WAIT, "If-Match": '"x"'})
    assert reply.status == 412


# --- how long ----------------------------------------------------------------------------------------------


async def test_the_time_ends_with_the_answer_as_it_is(host: Host, alice: Someone) -> None:
    path = start(alice, "limit=1")
    empty = await host.ask(None, path)
    began = time.monotonic()
    reply = await host.ask(None, path, {"Prefer": "wait=1"})
    took = time.monotonic() - began
    assert 1 <= took < 5
    assert (reply.status, reply.body, reply.headers["Preference-Applied"]) == (200, b"[]", "wait=1")
    assert links_of(reply).keys() == {"next"}
    tag = {"If-None-Match": empty.headers["ETag"], "Prefer": "wait=1"}
    reply = await host.ask(None, path, tag)
    assert (reply.status, links_of(reply).keys()) == (304, {"next"})
    assert "Preference-Applied" not in empty.headers


async def test_nobody_waits_longer_than_five_minutes(host: Host, alice: Someone) -> None:
    alice.publish("x", b"", PUBLIC)
    reply = await host.ask(None, start(alice, "limit=1"), {"Prefer": "wait=999999999999"})
    assert reply.headers["Preference-Applied"] == f"wait={MOST_WAIT}" == "wait=300"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=5", 5),
        ("WAIT = 5", 5),
        ('wait="5"', 5),
        ("respond-async, wait=10", 10),
        ("wait=7; foo=bar, wait=9", 7),
        ("wait=0", 0),
        ("wait", 0),
        ("wait=", 0),
        ("wait=-1", 0),
        ("wait=1.5", 0),
        ("wait=x", 0),
        ("wait=٣", 0),
        ("waits=5", 0),
        (",;=,,", 0),
        ("", 0),
        ("wait=" + "9" * 3000, 300),
    ],
)
def test_a_preference_is_read_or_means_nothing(header: str, seconds: int) -> None:
    assert preferred_wait([header]) == seconds


async def test_nonsense_is_no_preference(host: Host, alice: Someone) -> None:
    for header in ("wait=soon", "wait=-5", ";;;", "wait"):
        reply = await host.ask(None, start(alice, "limit=1"), {"Prefer": header})
        assert (reply.status, reply.body) == (200, b"[]")
        assert "Preference-Applied" not in reply.headers


# --- the end of waiting ------------------------------------------------------------------------------------


async def test_the_end_of_the_server_is_the_end_of_waiting(alice: Someone, bob: Someone) -> None:
    async with serving(alice) as host, AsyncExitStack() as stack:
        answers = [
            await stack.enter_async_context(waiting(host, who, start(alice, "limit=1")))
            for who in (None, bob, bob)
        ]
        began = time.monotonic()
        await host.server.stop(grace=5)
        for answer in answers:
            reply = await answer
            assert (reply.status, reply.body) == (200, b"[]")
        assert time.monotonic() - began < 4


async def test_who_becomes_a_friend_meanwhile_begins_anew(
    host: Host, alice: Someone, mallory: Someone
) -> None:
    alice.own("for-mallory").write_bytes(alice.message(b"x", [alice, mallory]))
    async with (
        waiting(host, mallory, await end(host, mallory, alice)) as paging,
        waiting(host, mallory, list_path(alice.fingerprint)) as listing,
    ):
        alice.keyring.add(mallory.account.certificate, "mallory")
        assert (await paging).status == 410
        assert (await listing).names == ["for-mallory"]


async def test_a_friend_who_is_removed_is_told_nothing_more(host: Host, alice: Someone, bob: Someone) -> None:
    async with waiting(host, bob, await end(host, bob, alice)) as answer:
        alice.keyring.remove(bob.fingerprint)
        alice.own("late").write_bytes(alice.message(b"x", [alice, bob]))
        assert (await answer).status in (200, 410)  # within the second that the keyring has to count

    async def nothing() -> bool:
        return (await host.ask(bob, start(alice, "limit=1"))).names == []

    await eventually(nothing)


async def test_who_hangs_up_is_forgotten(host: Host, alice: Someone, bob: Someone) -> None:
    for who in (None, bob):
        async with waiting(host, who, start(alice, "limit=1")):
            assert host.server.waiting == 1
        await until(lambda: host.server.waiting == 0)
    await until(lambda: host.server.connections == 0)


async def test_strangers_who_wait_make_room_and_friends_do_not(
    alice: Someone, bob: Someone, mallory: Someone
) -> None:
    limits = Limits(connections=3, connections_per_address=3, stranger_connections=2)
    async with serving(alice, limits=limits) as host:
        path = start(alice, "limit=1")
        async with (
            waiting(host, bob, path) as friend,
            waiting(host, None, path) as first,
            waiting(host, mallory, path) as second,
        ):
            assert host.server.waiting == 3
            assert (await host.ask(bob, path)).names == []
            with pytest.raises(asyncio.IncompleteReadError):
                await first
            assert not second.done()
            assert not friend.done()
            alice.publish("x", b"", PUBLIC)
            assert (await friend).names == ["x"]


async def test_a_connection_that_waited_goes_on(host: Host, alice: Someone, bob: Someone) -> None:
    async with talking(host, bob) as talk:
        path = start(alice, "limit=1")
        for number in range(3):
            talk.send(path, WAIT)
            await until(lambda: host.server.waiting == 1)
            alice.publish(f"{number}", b"", PUBLIC)
            page = read_page(await _within(talk))
            assert page.names == [f"{number}"]
            path = page.next
        assert (await talk.ask(list_path(alice.fingerprint))).names == ["0", "1", "2"]


async def _within(talk: Talk) -> Reply:
    async with asyncio.timeout(PATIENCE):
        return await talk.answer()


@pytest.mark.slow
async def test_hundreds_who_wait_cost_little(alice: Someone, bob: Someone) -> None:
    """Both ends of each connection are in this process."""
    count, each = 250, 2 * 170_000
    limits = Limits(connections=1000, connections_per_address=1000)
    async with serving(alice, limits=limits) as host, AsyncExitStack() as stack:
        path = await end(host, bob, alice)
        for _ in range(20):
            await stack.enter_async_context(waiting(host, bob, path))
        before = memory()
        answers = [await stack.enter_async_context(waiting(host, bob, path)) for _ in range(count)]
        assert memory() - before < count * each
        alice.publish("x", b"", PUBLIC)
        assert {tuple((await answer).names) for answer in answers} == {("x",)}


def memory() -> int:
    """Resident bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
