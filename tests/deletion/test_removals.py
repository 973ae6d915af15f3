"""What is removed by hand is told of, where the owner wants that; a catastrophe is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from hypothesis import given
from hypothesis import strategies as st

from mau.deletion.held import deletes_of
from mau.deletion.publishing import delete_post, undelete
from mau.deletion.removals import FEW, GRACE, MINUTE, Removals, RemovalsWorker
from mau.publish import publish_document
from tests.publish.world import Someone, World

PATIENCE = 20.0


# --- the rule ----------------------------------------------------------------------------------------------

events = st.lists(st.tuples(st.sampled_from(["went", "came"]), st.sampled_from("abc"), st.floats(0, 5)))


@given(events)
def test_nothing_that_is_there_is_told_of_and_what_is_gone_is_told_of_once(
    happened: list[tuple[str, str, float]],
) -> None:
    removals, now, there, told, many = Removals(), 0.0, set("abc"), list[str](), False
    for what, name, pause in happened:
        now += pause
        if what == "went" and name in there:
            there.discard(name)
            removals.went(name, now)
        elif what == "came":
            there.add(name)
            removals.came(name)
        many = many or removals.many
        for one in removals.due(now):
            assert one not in there
            told.append(one)
    told += removals.due(now + GRACE + 1)
    if not many:
        assert set("abc") - there <= set(told)
    assert removals.due(now + 100) == []


@given(st.integers(1, 40))
def test_many_at_once_wait_for_a_word_and_few_a_minute_do_not(count: int) -> None:
    at_once, slowly = Removals(), Removals()
    told = []
    for number in range(count):
        at_once.went(f"{number}", number * 0.01)
        slowly.went(f"{number}", number * MINUTE / FEW)
        told += slowly.due(number * MINUTE / FEW)
    told += slowly.due(count * MINUTE)
    assert len(at_once.due(1000)) == (count if count <= FEW else 0)
    assert len(told) == count


# --- the worker --------------------------------------------------------------------------------------------


@asynccontextmanager
async def watched(someone: Someone) -> AsyncIterator[list[str]]:
    told: list[str] = []
    stop = asyncio.Event()
    worker = RemovalsWorker(someone.account, someone.keyring, told.append)
    task = asyncio.create_task(worker.run(stop))
    try:
        async with asyncio.timeout(PATIENCE):
            await worker.ready.wait()
        yield told
    finally:
        stop.set()
        async with asyncio.timeout(PATIENCE):
            await task


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - what is on the disk tells nobody
            await asyncio.sleep(0.01)


def write(world: World, name: str, text: str = "hello") -> str:
    document = {"@type": "SocialMediaPosting", "articleBody": text}
    done = publish_document(world.alice.account, world.alice.keyring, document, name, world.for_(world.bob))
    return done.sha256


def said(world: World) -> set[tuple[str, frozenset[str]]]:
    """What Alice's DeleteActions delete: (name, sums)."""
    alice = world.alice
    return {(one.target, one.sha256s) for one in deletes_of(alice.account, alice.keyring, alice.fpr)}


async def test_rm_deletes_with_all_versions_and_a_rename_does_not(world: World) -> None:
    own = world.alice.account.root.author_dir(world.alice.fpr)
    write(world, "stays.json.pgp")
    old, new = write(world, "gone.json.pgp", "one"), write(world, "gone.json.pgp", "two")
    write(world, "renamed.json.pgp")
    async with watched(world.alice) as told:
        (own / "renamed.json.pgp").rename(own / "other.json.pgp")
        (own / "gone.json.pgp").unlink()
        await until(lambda: bool(told))
        assert said(world) == {("gone.json.pgp", frozenset({old, new}))}
        assert told == ["gone.json.pgp was removed; that is told to those who could read it"]


async def test_a_post_that_was_saved_by_an_editor_is_not_removed(world: World) -> None:
    own = world.alice.account.root.author_dir(world.alice.fpr)
    write(world, "edited.json.pgp")
    gone = write(world, "gone.json.pgp")
    async with watched(world.alice) as told:
        data = (own / "edited.json.pgp").read_bytes()
        (own / "edited.json.pgp").rename(own / "edited.json.pgp~")
        (own / "edited.json.pgp").write_bytes(data)
        (own / "gone.json.pgp").unlink()
        await until(lambda: bool(told))
        assert said(world) == {("gone.json.pgp", frozenset({gone}))}


async def test_a_catastrophe_deletes_nothing(world: World) -> None:
    own = world.alice.account.root.author_dir(world.alice.fpr)
    for number in range(FEW + 5):
        write(world, f"{number}.json.pgp")
    async with watched(world.alice) as told:
        for number in range(FEW + 5):
            (own / f"{number}.json.pgp").unlink()
        await until(lambda: bool(told))
        assert "at once" in told[0]
        assert said(world) == set()


async def test_a_tree_that_is_not_whole_deletes_nothing(world: World) -> None:
    root = world.alice.account.root
    own = root.author_dir(world.alice.fpr)
    gone = write(world, "gone.json.pgp")
    write(world, "unmounted.json.pgp")
    async with watched(world.alice) as told:
        own.rename(root.path / "elsewhere")
        (root.path / "elsewhere").rename(own)
        (own / "gone.json.pgp").unlink()
        await until(lambda: bool(told))
        assert said(world) == {("gone.json.pgp", frozenset({gone}))}


# --- what was not removed by hand --------------------------------------------------------------------------


async def test_what_mau_takes_away_itself_is_no_removal_by_hand(world: World) -> None:
    """`mau delete --local` says that nobody is told; `mau undelete` removes a DeleteAction."""
    alice = world.alice
    posts = alice.account.posts()
    for name in ("local", "told", "purged", "back", "gone"):
        write(world, f"{name}.json.pgp")
    async with watched(alice) as told:
        delete_post(alice.account, alice.keyring, "local.json.pgp", publish=False)
        for name in ("told", "purged", "back"):
            delete_post(alice.account, alice.keyring, f"{name}.json.pgp")
        posts.remove("purged.json.pgp")
        undelete(alice.account, alice.keyring, "back.json.pgp")
        before = said(world)
        assert {name for name, _ in before} == {"told.json.pgp", "purged.json.pgp"}
        gone = posts.sha256("gone.json.pgp")
        (posts.path / "gone.json.pgp").unlink()
        await until(lambda: bool(told))
        assert said(world) == before | {("gone.json.pgp", frozenset({gone}))}
        assert told == ["gone.json.pgp was removed; that is told to those who could read it"]


async def test_an_index_that_is_begun_anew_removes_nothing(world: World) -> None:
    alice = world.alice
    write(world, "stays.json.pgp")
    gone = write(world, "gone.json.pgp")
    own = alice.account.root.author_dir(alice.fpr)
    async with watched(alice) as told:
        (alice.account.root.path / ".index").rename(alice.account.root.path / "away")
        (own / "gone.json.pgp").unlink()
        await until(lambda: bool(told))
        assert said(world) == {("gone.json.pgp", frozenset({gone}))}


@given(st.integers(FEW + 1, 40), st.floats(MINUTE, 10 * MINUTE))
def test_after_a_catastrophe_single_removals_are_told_of_again(count: int, later: float) -> None:
    removals = Removals()
    for number in range(count):
        removals.went(f"{number}", 0.0)
    assert removals.due(GRACE) == []
    removals.went("another", later)
    assert removals.due(later + GRACE + 1) == ["another"]
    assert removals.due(later + 1000) == []
