"""Deletes reach those who follow, and nothing brings back what was deleted (spec/sync.md D1-D6)."""

from __future__ import annotations

import shutil
from typing import Literal

import pytest

from mau.config.keys import Received
from mau.deletion.held import deletes_of
from mau.deletion.publishing import delete_post, undelete
from mau.syncer import Syncer, SyncReport
from mau.syncer.policy import Policy
from mau.tree.posts import AuthorDir
from tests.syncer.peers import IMPATIENT, Liar, Person, lying, serving

NAME = "kettle.json.pgp"


def delete(author: Person) -> str:
    [said] = delete_post(author.account, author.keyring, NAME).published
    return said.name


def stored(author: Person, name: str = NAME) -> bytes:
    return (author.account.posts().path / name).read_bytes()


def kinds(report: SyncReport) -> dict[str, str]:
    return {trouble.name: trouble.kind for trouble in report.refused}


async def sync(
    reader: Person, author: Person, where: tuple[str, int], received: Received = "version", **options: object
) -> SyncReport:
    policy = Policy(received=received)
    syncer = Syncer(reader.account, reader.keyring, timeouts=IMPATIENT, policy=policy)
    try:
        return await syncer.sync(author.fpr, addresses=[where], **options)  # type: ignore[arg-type]
    finally:
        syncer.close()


@pytest.mark.parametrize("received", ["version", "remove", "ignore"])
async def test_a_delete_arrives_and_the_setting_says_what_becomes_of_the_post(
    alice: Person, bob: Person, received: Literal["version", "remove", "ignore"]
) -> None:
    first, last = alice.post(NAME, "a", bob), ""
    alice.post("other.json.pgp", "stays", bob)
    async with serving(alice) as where:
        await sync(bob, alice, where, received)
        last = alice.post(NAME, "b", bob)
        await sync(bob, alice, where, received)
        said = delete(alice)
        report = await sync(bob, alice, where, received)
        assert report.fetched == [said]
        assert report.deleted == ([] if received == "ignore" else [NAME])
        again = await sync(bob, alice, where, received, full=True)
        assert (again.fetched, again.refused, again.deleted) == ([], [], [])
    held = bob.held(alice)
    assert set(held) - {NAME} == {"other.json.pgp", said}
    assert held.get(NAME) == (last if received == "ignore" else None)
    versions = {"version": {first, last}, "remove": set(), "ignore": {first}}[received]
    assert bob.versions(alice, NAME) == versions


async def test_who_comes_later_never_sees_the_post(alice: Person, bob: Person) -> None:
    alice.post(NAME, "a", bob)
    said = delete(alice)
    async with serving(alice) as where:
        await sync(bob, alice, where)
    assert set(bob.held(alice)) == {said}


async def test_a_deleted_post_comes_back_from_no_relay(alice: Person, bob: Person, carol: Person) -> None:
    alice.post(NAME, "a", public=True)
    post = stored(alice)
    newer = alice.post(NAME, "b", public=True)
    last = stored(alice)
    said = delete(alice)
    async with serving(alice) as where:
        await sync(bob, alice, where)
    relay = Liar(carol, author=alice.fpr)
    relay.offer(NAME, last)
    async with lying(relay) as where:
        report = await sync(bob, alice, where, via=carol.fpr)
    assert (report.fetched, relay.fetched()) == ([], [])  # its sum is named
    # An older content that the delete names as well, and one that Alice no longer held when she deleted.
    relay.files[NAME] = post
    relay.listing = []
    relay.offer(NAME, post)
    async with lying(relay) as where:
        assert (await sync(bob, alice, where, via=carol.fpr)).fetched == []
    assert set(bob.held(alice)) == {said}
    assert newer not in bob.versions(alice, NAME)


async def test_a_relay_may_bring_the_delete_and_cannot_make_one(
    alice: Person, bob: Person, carol: Person
) -> None:
    alice.post(NAME, "a", bob, carol)
    async with serving(alice) as where:
        await sync(bob, alice, where)
        await sync(carol, alice, where)
    # Carol says that Alice deleted it, over her own signature; then she brings what Alice said.
    carol.post(NAME, "hers", bob)
    forged = delete(carol)
    relay = Liar(carol, author=alice.fpr)
    relay.offer(forged, stored(carol, forged))
    async with lying(relay) as where:
        report = await sync(bob, alice, where, via=carol.fpr)
    assert (report.fetched, report.deleted) == ([], [])
    assert NAME in bob.held(alice)
    said = delete(alice)
    true = Liar(carol, author=alice.fpr)
    true.offer(said, stored(alice, said))
    async with lying(true) as where:
        report = await sync(bob, alice, where, via=carol.fpr)
    assert (report.fetched, report.deleted) == ([said], [NAME])


async def test_what_is_taken_back_comes_again_and_is_not_deleted_by_a_replay(
    alice: Person, bob: Person, carol: Person
) -> None:
    alice.post(NAME, "a", bob)
    async with serving(alice) as where:
        await sync(bob, alice, where)
        said = delete(alice)
        replayed = stored(alice, said)
        await sync(bob, alice, where)
        assert NAME not in bob.held(alice)
        undelete(alice.account, alice.keyring, NAME)
        await sync(bob, alice, where)
        assert NAME in bob.held(alice)
        await sync(bob, alice, where, full=True)
    assert set(bob.held(alice)) == {NAME}
    assert not deletes_of(bob.account, bob.keyring, alice.fpr)
    relay = Liar(carol, author=alice.fpr)
    relay.offer(said, replayed)
    async with lying(relay) as where:
        report = await sync(bob, alice, where, via=carol.fpr)
    assert kinds(report) == {said: "RolledBack"}
    assert set(bob.held(alice)) == {NAME}


async def test_an_author_who_only_takes_the_delete_away_is_believed(alice: Person, bob: Person) -> None:
    """Another program restored the post as it was, and removed the DeleteAction: a whole listing shows it."""
    sha256 = alice.post(NAME, "a", bob)
    post = stored(alice)
    async with serving(alice) as where:
        await sync(bob, alice, where)
        said = delete(alice)
        await sync(bob, alice, where)
        (alice.account.posts().path / said).unlink()
        (alice.account.posts().path / NAME).write_bytes(post)
        report = await sync(bob, alice, where, full=True)
    assert report.fetched == [NAME]
    assert bob.held(alice) == {NAME: sha256}


async def test_the_authors_host_is_bound_while_it_lists_the_delete(alice: Person, bob: Person) -> None:
    """A host that knows no deletes lists both: the file came back there by hand."""
    alice.post(NAME, "a", bob)
    post = stored(alice)
    said = delete(alice)
    host = Liar(alice)
    host.offer(said, stored(alice, said))
    host.offer(NAME, post)
    async with lying(host) as where:
        for _ in range(3):
            await sync(bob, alice, where, full=True)
            assert set(bob.held(alice)) == {said}


async def test_what_was_deleted_is_not_taken_for_removed_by_hand(alice: Person, bob: Person) -> None:
    alice.post(NAME, "a", bob)
    alice.post("other.json.pgp", "b", bob)
    async with serving(alice) as where:
        await sync(bob, alice, where)
        delete(alice)
        await sync(bob, alice, where)
        await sync(bob, alice, where)
        syncer = Syncer(bob.account, bob.keyring)
        assert syncer.state.removed(alice.fpr) == set()
        syncer.close()


async def test_posting_anew_reaches_everybody(alice: Person, bob: Person) -> None:
    alice.post(NAME, "a", bob)
    async with serving(alice) as where:
        await sync(bob, alice, where)
        said = delete(alice)
        await sync(bob, alice, where)
        anew = alice.post(NAME, "anew", bob)
        assert (await sync(bob, alice, where)).fetched == [NAME]
        assert (await sync(bob, alice, where, full=True)).deleted == []
    assert bob.held(alice) == {NAME: anew, said: bob.held(alice)[said]}


async def test_without_what_was_noted_nothing_is_forgotten(alice: Person, bob: Person) -> None:
    alice.post(NAME, "a", bob)
    post = stored(alice)
    said = delete(alice)
    async with serving(alice) as where:
        await sync(bob, alice, where)
    for state in (".reader", ".syncer"):
        shutil.rmtree(bob.root.path / state)
    host = Liar(alice)
    host.offer(NAME, post)
    host.offer(said, stored(alice, said))
    async with lying(host) as where:
        await sync(bob, alice, where)
    assert set(bob.held(alice)) == {said}
    assert AuthorDir(bob.root, alice.fpr).versions(NAME) == []
