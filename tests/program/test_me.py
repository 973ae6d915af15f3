"""What programs do with an account, on real trees and connections."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import mau
from mau.errors import (
    AddressMalformed,
    AmbiguousPost,
    NoAccount,
    NoAudience,
    NoSuchPost,
    PassphraseNeeded,
    UnknownWho,
    UsageError,
    WrongPassphrase,
)
from mau.imports.looking import follow
from mau.imports.sources import Asked, Sources
from mau.marks import Marks
from mau.marks.subject import person
from tests.imports.conftest import Answer, Web
from tests.publish.world import PASSPHRASE, World


def people(*some: mau.Me) -> frozenset[mau.Fingerprint]:
    return frozenset(one.fingerprint for one in some)


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 (no Path for each)


# --- opening -----------------------------------------------------------------------------------------------


async def test_what_keeps_an_account_shut_is_told(world: World, tmp_path: Path) -> None:
    place = world.alice.account.root.path
    with pytest.raises(NoAccount):
        async with mau.open_account(tmp_path / "nothing"):
            pass
    with pytest.raises(WrongPassphrase):
        async with mau.open_account(place, passphrase="wrong"):
            pass
    with pytest.raises(PassphraseNeeded):
        async with mau.open_account(place):
            pass


async def test_the_passphrase_comes_from_where_the_command_line_takes_it_and_at_last_from_asking(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAU_DIR", str(world.alice.account.root.path))
    async with mau.open_account(ask=lambda: PASSPHRASE) as me:
        assert (me.name, me.fingerprint) == ("Alice", world.alice.fpr)
    monkeypatch.setenv("MAU_PASSPHRASE", PASSPHRASE)
    async with mau.open_account(ask=lambda: "not asked") as me:
        assert me.directory == world.alice.account.root.path


async def test_after_the_block_nothing_is_open_and_nothing_is_done(world: World) -> None:
    place = world.alice.account.root.path
    async with mau.open_account(place, passphrase=PASSPHRASE) as me:
        await me.post("x", to="me", name="x")  # what a process opens once for a tree, it keeps
    before = open_files()
    async with mau.open_account(place, passphrase=PASSPHRASE) as me:
        await me.post("x", to="me", name="x")
        assert [post.text async for post in me.timeline()] == ["x"]
        async with me.news() as news:
            waiting = asyncio.create_task(anext(news))
            await asyncio.sleep(0)
    with pytest.raises(StopAsyncIteration):
        await waiting
    with pytest.raises(UsageError, match="closed"):
        await me.friends()
    assert open_files() == before


# --- writing and reading -----------------------------------------------------------------------------------


async def test_a_post_is_for_whom_was_said_and_is_read_by_its_address(alice: mau.Me, world: World) -> None:
    done = await alice.post("The kettle is on. #Tea", to=["bob"], title="News")
    assert done.audience == frozenset({world.alice.fpr, world.bob.fpr})
    assert done.address == f"mau:/p2p/{world.alice.fpr}/{done.name}"
    world.bob.fetch(world.alice, done.name)
    async with mau.open_account(world.bob.account.root.path, passphrase=PASSPHRASE) as bob:
        for ref in (done, done.address, f"alice/{done.name}", f"{world.alice.fpr}/{done.name[:-9]}"):
            post = await bob.read(ref)
            assert (post.text, post.title, post.tags) == ("The kettle is on. #Tea", "News", ("tea",))
        assert (post.author_name, post.kind, post.type) == ("alice", "post", "SocialMediaPosting")
        assert post.time.tzinfo is UTC
        assert abs(post.time - datetime.now(UTC)).total_seconds() < 3600


async def test_words_for_an_audience_mean_what_they_mean_on_the_command_line(
    alice: mau.Me, world: World
) -> None:
    me, bob, carol = world.alice.fpr, world.bob.fpr, world.carol.fpr
    for to, whom in (
        ("me", {me}),
        ("@tea", {me, bob}),
        ("friends", {me, bob, carol}),
        (["bob", "@tea", carol], {me, bob, carol}),
        (world.carol.fpr, {me, carol}),
    ):
        assert (await alice.post("x", to=to)).audience == whom
    assert (await alice.post("x", to=mau.PUBLIC)).audience is mau.PUBLIC
    with pytest.raises(NoAudience):
        await alice.post("x", to=[])
    assert (await alice.post("x", to="public")).audience is mau.PUBLIC
    with pytest.raises(UnknownWho):
        await alice.post("x", to="nobody")
    with pytest.raises(UsageError):
        await alice.post(" ", to="me")


async def test_a_document_stays_what_it_is_and_files_are_attached_for_the_same_people(
    alice: mau.Me, tmp_path: Path
) -> None:
    (tmp_path / "list.txt").write_text("milk")
    document = {"@type": "Recipe", "name": "Tea", "recipeInstructions": "Pour.", "colour": "brown"}
    done = await alice.post(document, to=["bob"], name="tea", attach=[tmp_path / "list.txt"])
    post = await alice.read(done)
    assert post.document is not None
    assert document.items() <= post.document.items()
    attached = post.document["associatedMedia"][0]["contentUrl"]
    assert await alice.content(attached) == b"milk"
    assert (await alice.read(attached)).audience == done.audience


async def test_a_file_is_shared_as_it_is_and_saved_again(alice: mau.Me, tmp_path: Path) -> None:
    done = await alice.share(b"\x00\x01", to="me", filename="a.bin")
    post = await alice.save(done, tmp_path / "b.bin")
    assert (post.filename, post.document, post.size) == ("a.bin", None, 2)
    assert (tmp_path / "b.bin").read_bytes() == b"\x00\x01"
    with pytest.raises(NoSuchPost):
        await alice.save(f"{done.address.removesuffix('.pgp')}2.pgp", tmp_path / "c.bin")
    left = [path.name for path in await asyncio.to_thread(lambda: list(tmp_path.glob("*.bin*")))]
    assert left == ["b.bin"]


async def test_an_answer_goes_to_those_who_have_the_post_and_a_public_one_must_be_said(
    alice: mau.Me, bob: mau.Me, world: World
) -> None:
    asked = await alice.post({"@type": "Question", "name": "Tea?", "text": "When?"}, to=["bob", "carol"])
    world.bob.fetch(world.alice, asked.name)
    answer = await bob.reply(asked, "At four.")
    assert answer.audience == {world.alice.fpr, world.bob.fpr, world.carol.fpr}
    liked = await bob.like(asked, to=["alice"])
    assert liked.audience == {world.alice.fpr, world.bob.fpr}
    for name in (answer.name, liked.name):
        world.alice.fetch(world.bob, name)
    post = await alice.read(answer)
    assert (post.type, post.kind, post.answers, post.text) == (
        "Answer",
        "reply",
        (asked.address,),
        "At four.",
    )
    assert post.document is not None
    assert post.document["parentItem"]["sha256"] == asked.sha256
    assert (await alice.read(liked)).answers == (asked.address,)
    public = await alice.post("Hello.", to=mau.PUBLIC)
    with pytest.raises(NoAudience):
        await alice.reply(public, "Me too.")
    assert (await alice.reply(public, "Me too.", to=mau.PUBLIC)).audience is mau.PUBLIC


async def test_who_is_blocked_is_left_out_and_an_answer_is_never_wider_by_itself(
    alice: mau.Me, bob: mau.Me, world: World
) -> None:
    asked = await bob.post("between us", to=["alice"])
    world.alice.fetch(world.bob, asked.name)
    with pytest.raises(UsageError, match="wider"):
        await alice.reply(asked, "look", to=["bob", "carol"])
    told = await alice.reply(asked, "look", to=["bob", "carol"], wider=True)
    assert told.audience == {world.alice.fpr, world.bob.fpr, world.carol.fpr}
    Marks.load(world.alice.account).decide("block", person(world.bob.fpr))
    assert (await alice.post("x", to="friends")).audience == {world.alice.fpr, world.carol.fpr}
    with pytest.raises(UsageError, match="blocked 'bob'"):
        await alice.post("x", to=["bob", "carol"])
    with pytest.raises(NoAudience, match="nobody is left"):
        await alice.post("x", to="@tea")


async def test_a_post_is_deleted_with_the_files_that_it_alone_has(alice: mau.Me, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("milk")
    done = await alice.post("shopping", to="me", attach=[tmp_path / "list.txt"])
    [media] = (await alice.read(done)).media
    assert media.reference is not None
    await alice.delete(done)
    with pytest.raises(NoSuchPost):
        await alice.content(str(media.reference.address))


async def test_a_message_names_its_people_and_a_deleted_post_is_gone(alice: mau.Me, world: World) -> None:
    done = await alice.message(["bob"], "psst")
    post = await alice.read(done)
    assert (post.type, post.text) == ("Message", "psst")
    await alice.delete(done)
    with pytest.raises(NoSuchPost):
        await alice.read(done)
    with pytest.raises(UsageError):
        await alice.message(mau.PUBLIC, "all")
    with pytest.raises(UsageError):
        await alice.delete(f"mau:/p2p/{world.bob.fpr}/x.pgp")


async def test_what_names_no_post_is_refused(alice: mau.Me, world: World) -> None:
    await alice.post("x", to="me", name="aa")
    await alice.post("x", to="me", name="ab")
    for ref, error in (
        ("me/a", AmbiguousPost),
        ("me/zz", NoSuchPost),
        ("kettle", UsageError),
        (f"mau:/p2p/{world.bob.fpr}", UsageError),
        ("mau:/p2p/x/y", AddressMalformed),
        ("nobody/kettle", UnknownWho),
    ):
        with pytest.raises(error):
            await alice.read(ref)


# --- many posts --------------------------------------------------------------------------------------------


async def test_the_timeline_is_newest_first_and_as_long_as_was_asked(alice: mau.Me, world: World) -> None:
    for number in range(45):
        await alice.post(str(number), to="me", name="one")  # signed a second after each other
        if number < 3:
            await alice.post(f"b{number}", to="me")
    texts = [post.text async for post in alice.timeline()]
    assert texts[0] == "44"
    assert sorted(texts) == ["44", "b0", "b1", "b2"]
    assert [post.text async for post in alice.timeline(limit=1)] == ["44"]
    assert [post async for post in alice.timeline(limit=0)] == []
    assert [post async for post in alice.timeline(authors=["bob"])] == []


async def test_the_timeline_is_what_mau_timeline_shows(alice: mau.Me, bob: mau.Me, world: World) -> None:
    here = {}
    for text in ("tea #kitchen", "rain", "a recipe"):
        kind = "Recipe" if "recipe" in text else "SocialMediaPosting"
        word = "description" if kind == "Recipe" else "articleBody"
        here[text] = await bob.post({"@type": kind, "name": "x", word: text}, to=["alice"])
    here["like"] = await bob.like(here["rain"], to=["alice"])
    for one in here.values():
        world.alice.fetch(world.bob, one.name)

    async def texts(**wanted: Any) -> set[str]:
        return {post.text async for post in alice.timeline(**wanted)}

    assert await texts() == {"tea #kitchen", "rain", "a recipe"}
    assert await texts(types=["Recipe"]) == {"a recipe"}
    assert await texts(tag="kitchen") == {"tea #kitchen"}
    assert await texts(until=datetime(2020, 1, 1, tzinfo=UTC)) == set()
    await alice.mark_read(here["rain"], here["a recipe"])
    assert await texts(unread=True) == {"tea #kitchen"}
    assert await texts(unread=True, algorithm="catch-up") == {"tea #kitchen"}
    with pytest.raises(UsageError, match="no algorithm"):
        await texts(algorithm="nonsense")


async def test_a_thread_is_read_in_order_with_what_is_missing(
    alice: mau.Me, bob: mau.Me, world: World
) -> None:
    first = await alice.post("first", to=["bob"])
    world.bob.fetch(world.alice, first.name)
    answer = await bob.reply(first, "answer")
    liked = await bob.like(first)
    for one in (answer, liked):
        world.alice.fetch(world.bob, one.name)
    last = await alice.reply(answer, "last")
    turns = await alice.thread(answer)
    assert [(one.depth, one.post and one.post.text) for one in turns] == [
        (0, "first"),
        (1, "answer"),
        (2, "last"),
    ]
    assert turns[0].likes == (world.bob.fpr,)
    assert turns[2].parent == answer.address
    await alice.delete(first)
    turns = await alice.thread(last)
    assert (turns[0].address, turns[0].post) == (first.address, None)
    assert turns[0].missing


async def test_words_are_found_again(alice: mau.Me) -> None:
    await alice.post("A blue bicycle. #sale", to="me")
    await alice.post("A red bicycle.", to=["bob"])
    found = await alice.search("bicycle")
    assert {one.post.text for one in found} == {"A red bicycle.", "A blue bicycle. #sale"}
    [one] = await alice.search("bicycle -red")
    assert "bicycle" in one.snippet
    assert [one.post.tags for one in await alice.search("bicycle", tags=["sale"])] == [("sale",)]
    assert await alice.search("bicycle", authors=["bob"]) == ()
    await alice.post("A green bicycle.", to="me")
    assert len(await alice.search("bicycle", limit=2)) == 2
    assert len(await alice.search("green")) == 1


async def test_news_are_told_once_while_the_program_does_other_things(
    alice: mau.Me, bob: mau.Me, world: World
) -> None:
    early = await alice.post("early", to=["bob"])
    world.bob.fetch(world.alice, early.name)
    since = datetime.fromtimestamp(0, UTC)
    async with bob.news() as news, bob.news(since=since, authors=["alice"]) as all_news:
        assert (await anext(all_news)).text == "early"
        mine = await bob.post("mine", to=["alice"])
        world.alice.fetch(world.bob, mine.name)
        answer = await alice.reply(mine, "yours")
        world.bob.fetch(world.alice, answer.name)
        post = await anext(news)
        assert (post.text, post.kind, post.author_name) == ("yours", "reply", "alice")
        assert (await anext(all_news)).text == "yours"
        waiting = asyncio.create_task(anext(news))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        later = await alice.post("later", to=["bob"])
        world.bob.fetch(world.alice, later.name)
        assert (await anext(news)).text == "later"
    with pytest.raises(StopAsyncIteration):
        await anext(news)


async def test_news_of_nobody_is_an_error_at_once(bob: mau.Me) -> None:
    with pytest.raises(UnknownWho):
        await anext(bob.news(authors=["nobody"]))


# --- the network -------------------------------------------------------------------------------------------


async def test_what_is_posted_arrives_where_workers_run_and_by_one_sync(
    alice: mau.Me, bob: mau.Me, world: World
) -> None:
    async with alice.running(listen="127.0.0.1:0", find=False) as up:
        assert up.address is not None
        posted = await alice.post("hello", to=["bob"])
        [report] = await bob.sync("alice", at=[up.address])
        assert report.fetched == [posted.name]
        assert (await bob.read(posted)).text == "hello"
        # Now that it was proven where Alice is, Bob's workers follow her.
        async with bob.news() as news, bob.running(serve=False, find=False) as his:
            assert his.address is None
            await alice.post("again", to=["bob"])
            assert (await anext(news)).text == "again"
    reports = await bob.sync()
    assert {one.author for one in reports} == {world.alice.fpr, world.carol.fpr}
    assert all(one.problem is not None for one in reports)


async def test_what_is_missing_of_a_thread_is_fetched_from_its_author(
    bob: mau.Me, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = world.alice.account.root.path, world.carol.account.root.path
    async with mau.open_account(there, passphrase=PASSPHRASE) as carol:
        first = await carol.post("first", to=["alice", "bob"])
        world.bob.fetch(world.carol, first.name)
        answer = await bob.reply(first, "answer")
        world.alice.fetch(world.bob, answer.name)
        async with carol.running(listen="127.0.0.1:0", find=False, sync=False) as up:
            assert up.address is not None
            monkeypatch.setenv(f"MAU_PEER_{world.carol.fpr.hex.upper()}", up.address)
            async with mau.open_account(here, passphrase=PASSPHRASE) as alice:
                held = await alice.thread(answer)
                assert (held[0].address, held[0].post) == (first.address, None)
                fetched = await alice.thread(answer, fetch=30)
    assert [one.post and one.post.text for one in fetched] == ["first", "answer"]


async def test_a_sync_with_everybody_asks_the_web_too(alice: mau.Me, world: World, web: Web) -> None:
    entry = "<item><guid>{0}</guid><title>{0}</title></item>"
    feed = "<rss version='2.0'><channel><title>Tea</title>{}</channel></rss>"
    web.answers["/feed"] = Answer(feed.format(entry.format("Kettle")).encode(), "application/rss+xml")
    url = f"{web.url}/feed"
    await asyncio.to_thread(follow, world.alice.account, world.alice.keyring, url)
    assert "Kettle" in {post.title async for post in alice.timeline()}
    web.answers["/feed"].body = feed.format(entry.format("Cups")).encode()
    sources = Sources(world.alice.account, world.alice.keyring)
    sources.note(url, Asked())  # its time has come
    sources.close()
    await alice.sync()
    assert "Cups" in {post.title async for post in alice.timeline()}


async def test_a_key_of_somebody_makes_a_friend_who_is_followed(alice: mau.Me, world: World) -> None:
    friend = await alice.add_friend(world.mallory.certificate.armored(), "mal", ["tea"])
    assert (friend.name, friend.groups) == ("mal", ("tea",))
    assert friend in await alice.friends()
    assert world.mallory.fpr in world.alice.account.root.follows(alice.fingerprint)
    assert "BEGIN PGP PUBLIC KEY" in alice.key
