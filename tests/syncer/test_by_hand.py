"""What somebody did to held posts by hand is noticed: removed ones stay away, damaged ones come again."""

from __future__ import annotations

import hashlib
import os

from mau.syncer import Syncer
from mau.syncer.evidence import evidence_of
from mau.syncer.policy import Policy
from mau.syncer.report import SyncReport
from mau.syncer.usage import measure
from tests.syncer.peers import Person, serving


def own_file(person: Person, author: Person, name: str) -> bytes:
    return (person.root.author_dir(author.fpr) / name).read_bytes()


async def test_a_post_that_was_removed_does_not_come_back(alice: Person, bob: Person) -> None:
    for name in ("keep.json.pgp", "gone.json.pgp"):
        alice.post(name, "hello", bob)
    async with serving(alice) as address:
        await bob.sync(alice, address)
        (bob.root.author_dir(alice.fpr) / "gone.json.pgp").unlink()
        assert (await bob.sync(alice)).fetched == []
        assert (await bob.sync(alice, full=True)).fetched == []
        assert bob.held(alice).keys() == {"keep.json.pgp"}
        # A new content of it is another matter.
        new = alice.post("gone.json.pgp", "news", bob)
        await bob.sync(alice)
        assert bob.held(alice)["gone.json.pgp"] == new


async def test_where_too_many_are_gone_they_were_lost_and_come_again(alice: Person, bob: Person) -> None:
    for number in range(15):
        alice.post(f"{number}.json.pgp", "hello", bob)
    async with serving(alice) as address:
        await bob.sync(alice, address)
        for number in range(12):
            (bob.root.author_dir(alice.fpr) / f"{number}.json.pgp").unlink()
        assert len((await bob.sync(alice)).fetched) == 12
        # All of it, too.
        for path in bob.root.author_dir(alice.fpr).glob("*.pgp"):
            path.unlink()
        assert len((await bob.sync(alice)).fetched) == 15


async def test_a_damaged_file_is_fetched_again_and_what_was_there_is_a_version(
    alice: Person, bob: Person
) -> None:
    good = alice.post("x.json.pgp", "hello", bob)
    alice.post("y.json.pgp", "hello", bob)
    async with serving(alice) as address:
        await bob.sync(alice, address)
        path = bob.root.author_dir(alice.fpr) / "x.json.pgp"
        path.write_bytes(path.read_bytes()[:-7] + b"damaged")
        report = await bob.sync(alice)
    assert report.fetched == ["x.json.pgp"]
    assert bob.held(alice)["x.json.pgp"] == good
    assert len(bob.versions(alice, "x.json.pgp")) == 1


async def _with(policy: Policy, bob: Person, alice: Person, *where: tuple[str, int]) -> SyncReport:
    syncer = Syncer(bob.account, bob.keyring, policy=policy)
    try:
        return await syncer.sync(alice.fpr, addresses=list(where))
    finally:
        syncer.close()


async def test_a_limit_keeps_out_and_names_what_it_keeps_out_until_there_is_room(
    alice: Person, bob: Person, carol: Person
) -> None:
    bob.root.follow(carol.fpr)
    alice.post("small.json.pgp", "hello", bob)
    alice.post("large.json.pgp", os.urandom(10_000).hex(), bob)
    carol.post("c.json.pgp", "hello", bob)
    narrow = Policy(file=5_000)
    async with serving(alice) as address, serving(carol) as at_carol:
        report = await _with(narrow, bob, alice, address)
        assert report.fetched == ["small.json.pgp"]
        [deferred] = report.deferred
        assert (deferred.name, deferred.kind) == ("large.json.pgp", "KeptOut")
        assert "sync.max_file" in deferred.words
        again = await _with(narrow, bob, alice, address)
        assert [one.name for one in again.deferred] == ["large.json.pgp"]
        assert (await _with(narrow, bob, carol, at_carol)).fetched == ["c.json.pgp"]
        assert (await _with(Policy(), bob, alice, address)).fetched == ["large.json.pgp"]


async def test_the_quota_counts_what_is_held_with_its_versions(alice: Person, bob: Person) -> None:
    alice.post("x.json.pgp", "one", bob)
    async with serving(alice) as address:
        await bob.sync(alice, address)
        used = len(own_file(bob, alice, "x.json.pgp"))
        for number in range(3):
            alice.post("x.json.pgp", f"content {number}", bob)
            report = await _with(Policy(friend=3 * used), bob, alice, address)
        assert [one.kind for one in report.deferred] == ["KeptOut"]
        few = await _with(Policy(friend_files=1), bob, alice, address)
        assert "sync.quota_files" in few.deferred[0].words


async def test_what_was_damaged_comes_again_though_its_author_was_away_when_that_was_noticed(
    alice: Person, bob: Person, carol: Person
) -> None:
    good = alice.post("x.json.pgp", "hello", public=True)
    alice.post("y.json.pgp", "hello", bob)
    async with serving(alice) as address:
        await bob.sync(alice, address)
        await carol.sync(alice, address)
    path = bob.root.author_dir(alice.fpr) / "x.json.pgp"
    path.write_bytes(b"damaged")
    assert (await bob.sync(alice, address)).problem is not None
    async with serving(carol) as at_carol:
        assert (await bob.sync(alice, at_carol, via=carol.fpr)).fetched == []
    async with serving(alice) as address:
        assert (await bob.sync(alice, address)).fetched == ["x.json.pgp"]
    assert bob.held(alice)["x.json.pgp"] == good


async def test_what_was_lost_comes_again_though_its_author_was_away_when_that_was_noticed(
    alice: Person, bob: Person
) -> None:
    for number in range(15):
        alice.post(f"{number}.json.pgp", "hello", bob)
    async with serving(alice) as address:
        await bob.sync(alice, address)
    for number in range(12):
        (bob.root.author_dir(alice.fpr) / f"{number}.json.pgp").unlink()
    assert (await bob.sync(alice, address)).problem is not None
    async with serving(alice) as address:
        assert len((await bob.sync(alice, address)).fetched) == 12


async def test_what_a_relay_brought_gives_way_to_what_the_author_lists_without_a_full_sync(
    alice: Person, bob: Person, carol: Person
) -> None:
    """Alice went back to an older machine while Carol held what Bob had not seen yet."""
    first = alice.post("x.json.pgp", "first", public=True)
    alice.post("y.json.pgp", "y", public=True)
    path = alice.account.posts().path / "x.json.pgp"
    old = path.read_bytes()
    async with serving(alice) as address:
        await bob.sync(alice, address)
        newer = alice.post("x.json.pgp", "second", public=True)
        await carol.sync(alice, address)
        path.write_bytes(old)
        await bob.sync(alice, address)
        assert bob.held(alice)["x.json.pgp"] == first
        async with serving(carol) as at_carol:
            await bob.sync(alice, at_carol, via=carol.fpr)
        assert bob.held(alice)["x.json.pgp"] == newer
        await bob.sync(alice, address)
    assert bob.held(alice)["x.json.pgp"] == first


async def test_evidence_and_beginnings_count_like_posts(alice: Person, bob: Person) -> None:
    alice.post("x.json.pgp", "one", bob)
    film = os.urandom(5_000)
    evidence = evidence_of(bob.root, alice.fpr) / "x.pgp"
    evidence.parent.mkdir(parents=True)
    async with serving(alice) as address:
        evidence.write_bytes(bytes(2_000))
        tight = Policy(friend=2_100)
        assert [one.kind for one in (await _with(tight, bob, alice, address)).deferred] == ["KeptOut"]
        evidence.unlink()
        assert (await _with(tight, bob, alice, address)).fetched == ["x.json.pgp"]
    begun = hashlib.sha256(film).hexdigest()
    (bob.root.state_dir("syncer") / f"{begun}.part").write_bytes(film)
    size, count = measure(bob.root, alice.fpr)
    assert measure(bob.root, alice.fpr, [begun, "0" * 64]) == (size + 5_000, count + 1)
