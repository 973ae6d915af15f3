"""Deleting one's own posts: who is told what, what stays, and taking it back (spec/messages.md M70-M86)."""

from __future__ import annotations

import io
import json
import os
import re
import time

import pytest

from mau.acceptance import MAX_AHEAD
from mau.content.binding import PUBLIC, Audience
from mau.deletion.held import deletes_of
from mau.deletion.publishing import (
    delete_post,
    reappeared,
    removed_by_hand,
    undelete,
    withdraw,
)
from mau.errors import InvalidName, MauError, NoSuchPost, NotReadable, UsageError
from mau.publish import publish_document, publish_file
from mau.reader.open import OpenedPost, open_post
from mau.tree.names import KEYRING_NAME
from tests.publish.world import Someone, World, bound, message

NAME = "kettle.json.pgp"


def write(world: World, text: str, audience: Audience, name: str = NAME) -> str:
    document = {"@type": "SocialMediaPosting", "articleBody": text}
    return publish_document(world.alice.account, world.alice.keyring, document, name, audience).sha256


def opened(reader: Someone, world: World, name: str = NAME, version: str | None = None) -> OpenedPost:
    return open_post(reader.account, reader.keyring, world.alice.fpr, name, version)


def delete(world: World, name: str = NAME, *, publish: bool = True) -> list[str]:
    done = delete_post(world.alice.account, world.alice.keyring, name, publish=publish)
    return [one.name for one in done.published]


def versions(world: World, name: str = NAME) -> set[str]:
    return {one.sha256 for one in world.alice.account.posts().versions(name)}


# --- what is said, and to whom -----------------------------------------------------------------------------


def test_a_deleted_post_is_a_version_and_its_readers_are_told(world: World) -> None:
    alice, bob, carol = world.alice, world.bob, world.carol
    sums = {write(world, text, world.for_(bob)) for text in "ab"}
    done = delete_post(alice.account, alice.keyring, NAME)
    assert alice.account.posts().entry(NAME) is None
    assert versions(world) == sums
    [said] = done.published
    assert (done.sha256 in sums, said.audience, done.left_out) == (True, world.for_(bob), frozenset())
    for reader in (bob, carol):
        reader.fetch(alice, said.name)
    document = opened(bob, world, said.name).document
    assert document is not None
    assert document["object"]["@id"] == f"mau:/p2p/{alice.fpr}/{NAME}"
    assert set(document["object"]["sha256"]) == sums
    with pytest.raises(NotReadable):
        opened(carol, world, said.name)
    [held] = deletes_of(bob.account, bob.keyring, alice.fpr)
    assert (held.target, held.sha256s, held.audience) == (NAME, sums, world.for_(bob))
    assert held.signed_at > opened(alice, world, NAME, done.sha256).signed_at


@pytest.mark.parametrize("audience", ["public", "bob", "nobody"])
def test_its_name_tells_nothing(world: World, audience: str) -> None:
    whom = {"public": PUBLIC, "bob": world.for_(world.bob), "nobody": world.for_()}[audience]
    write(world, "x", whom)
    [said] = delete(world)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d-[a-z0-9]{8}\.json\.pgp", said)
    stored = (world.alice.account.posts().path / said).read_bytes()
    assert (b"kettle" in stored) == (audience == "public")
    assert opened(world.alice, world, said).audience == whom


def test_nobody_learns_of_a_content_that_was_not_for_him(world: World) -> None:
    alice, bob, carol = world.alice, world.bob, world.carol
    first = write(world, "for bob", world.for_(bob))
    second = write(world, "for carol", world.for_(carol))
    third = write(world, "for carol still", world.for_(carol))
    for name in delete(world):
        for reader in (bob, carol):
            reader.fetch(alice, name)
    [to_bob] = deletes_of(bob.account, bob.keyring, alice.fpr)
    [to_carol] = deletes_of(carol.account, carol.keyring, alice.fpr)
    assert (to_bob.sha256s, to_bob.audience) == ({first}, world.for_(bob))
    assert (to_carol.sha256s, to_carol.audience) == ({second, third}, world.for_(carol))


def test_who_cannot_be_written_to_any_more_is_left_out_and_named(world: World) -> None:
    alice, bob, carol = world.alice, world.bob, world.carol
    write(world, "x", world.for_(bob, carol))
    alice.keyring.remove(bob.fpr)
    done = delete_post(alice.account, alice.keyring, NAME)
    assert done.left_out == {bob.fpr}
    assert [one.audience for one in done.published] == [world.for_(carol)]
    assert alice.account.posts().entry(NAME) is None


def test_files_and_unbound_posts_are_deleted_for_those_who_can_read_them(world: World) -> None:
    alice, bob = world.alice, world.bob
    publish_file(alice.account, alice.keyring, io.BytesIO(os.urandom(2 << 20)), "film.pgp", world.for_(bob))
    alice.put(alice, "other.pgp", message(alice.key, b"by another program", [bob]))
    alice.put(alice, "blind.pgp", message(alice.key, b"signed only", None))
    found = [
        delete_post(alice.account, alice.keyring, name) for name in ("film.pgp", "other.pgp", "blind.pgp")
    ]
    assert [[one.audience for one in done.published] for done in found] == [
        [world.for_(bob)],
        [world.for_(bob)],
        [PUBLIC],
    ]


def test_what_was_given_out_to_nobody_needs_no_delete(world: World) -> None:
    world.alice.put(world.alice, NAME, b"half saved")
    assert delete(world) == []
    assert len(versions(world)) == 1


def test_local_tells_nobody(world: World) -> None:
    sha256 = write(world, "x", PUBLIC)
    assert delete(world, publish=False) == []
    assert (world.alice.account.posts().names(), versions(world)) == ([KEYRING_NAME], {sha256})


def test_an_edit_by_hand_is_named_with_what_it_replaced(world: World) -> None:
    first = write(world, "a", world.for_(world.bob))
    edited = message(world.alice.key, bound(world.alice, NAME, world.for_(world.bob), "by hand"), [world.bob])
    world.alice.put(world.alice, NAME, edited)
    delete(world)
    [held] = deletes_of(world.alice.account, world.alice.keyring, world.alice.fpr)
    assert held.sha256s == versions(world)
    assert first in held.sha256s
    assert len(held.sha256s) == 2


# --- again -------------------------------------------------------------------------------------------------


def test_deleting_twice_says_it_once(world: World) -> None:
    write(world, "a", world.for_(world.bob))
    [said] = delete(world)
    assert delete(world) == []
    write(world, "b", world.for_(world.bob))
    assert delete(world) == [said]
    [held] = deletes_of(world.alice.account, world.alice.keyring, world.alice.fpr)
    assert held.sha256s == versions(world)
    assert len(held.sha256s) == 2


def test_a_delete_that_was_cut_off_before_the_post_went_is_finished_by_the_next(world: World) -> None:
    posts = world.alice.account.posts()
    sha256 = write(world, "a", world.for_(world.bob))
    kept = (posts.path / NAME).read_bytes()
    [said] = delete(world)
    (posts.path / NAME).write_bytes(kept)
    deletes = deletes_of(world.alice.account, world.alice.keyring, world.alice.fpr)
    assert deletes.is_deleted(NAME, sha256)
    assert reappeared(world.alice.account, world.alice.keyring, deletes) == [NAME]
    assert delete(world) == []
    assert posts.entry(NAME) is None
    assert posts.entry(said) is not None


def test_what_was_removed_by_hand_can_be_deleted_while_something_of_it_is_left(world: World) -> None:
    posts = world.alice.account.posts()
    sums = {write(world, text, world.for_(world.bob)) for text in "ab"}
    (posts.path / NAME).unlink()
    write(world, "alone", PUBLIC, "alone.pgp")
    (posts.path / "alone.pgp").unlink()
    none = deletes_of(world.alice.account, world.alice.keyring, world.alice.fpr)
    assert removed_by_hand(world.alice.account, none) == ["alone.pgp", NAME]
    assert len(delete(world)) == 1
    assert len(delete(world, "alone.pgp")) == 1  # its shadow is still there
    deletes = deletes_of(world.alice.account, world.alice.keyring, world.alice.fpr)
    assert deletes.of(NAME)[0].sha256s == sums
    assert removed_by_hand(world.alice.account, deletes) == []


def test_what_cannot_be_deleted(world: World) -> None:
    alice = world.alice
    write(world, "x", PUBLIC)
    [said] = delete(world)
    with pytest.raises(UsageError, match="undelete"):
        delete(world, said)
    with pytest.raises(InvalidName):
        delete(world, KEYRING_NAME)
    with pytest.raises(NoSuchPost):
        delete(world, "nothing.pgp")
    with pytest.raises(NoSuchPost):
        undelete(alice.account, alice.keyring, "nothing.pgp")


def test_what_was_signed_as_far_ahead_as_may_be_is_deleted_at_once(world: World) -> None:
    alice = world.alice
    created = int(time.time()) + MAX_AHEAD
    alice.put(alice, NAME, message(alice.key, bound(alice, NAME, PUBLIC), None, created=created))
    done = delete_post(alice.account, alice.keyring, NAME)
    assert done.sha256
    deletes = deletes_of(alice.account, alice.keyring, alice.fpr)
    assert deletes.is_deleted(NAME, done.sha256)
    assert deletes.until(NAME) <= time.time() + MAX_AHEAD


# --- posting again, and taking it back ---------------------------------------------------------------------


def test_a_post_under_a_deleted_name_is_signed_later_than_the_delete(world: World) -> None:
    alice = world.alice
    write(world, "a", PUBLIC)
    ahead = int(time.time()) + 600  # the clock was set back since
    statement = json.loads(bound(alice, "d.json.pgp", PUBLIC))
    statement |= {"@type": "DeleteAction", "object": {"@id": NAME, "sha256": []}}
    alice.put(alice, "d.json.pgp", message(alice.key, json.dumps(statement).encode(), None, created=ahead))
    deletes = deletes_of(alice.account, alice.keyring, alice.fpr)
    assert deletes.until(NAME) == ahead
    write(world, "b", PUBLIC)
    assert opened(alice, world).signed_at == ahead + 1
    (alice.account.posts().path / NAME).unlink()
    write(world, "c", PUBLIC)
    assert opened(alice, world).signed_at == ahead + 1
    assert reappeared(alice.account, alice.keyring, deletes) == []


def test_a_post_in_the_same_second_as_the_delete_of_its_name_counts(world: World) -> None:
    for text in "abc":
        write(world, text, PUBLIC)
        delete(world)
    sha256 = write(world, "d", PUBLIC)
    deletes = deletes_of(world.alice.account, world.alice.keyring, world.alice.fpr)
    assert not deletes.is_deleted(NAME, sha256, opened(world.alice, world).signed_at)


@pytest.mark.parametrize("kind", ["document", "file", "large", "unbound"])
def test_undelete_brings_the_last_content_back_for_the_same_people(world: World, kind: str) -> None:
    alice, bob = world.alice, world.bob
    content = os.urandom(3 << 20 if kind == "large" else 300)
    if kind == "document":
        write(world, "first", world.for_(bob))
        write(world, "last", world.for_(bob))
    elif kind == "unbound":
        alice.put(alice, NAME, message(alice.key, content, [bob]))
    else:
        source = io.BytesIO(content)
        publish_file(alice.account, alice.keyring, source, NAME, world.for_(bob), "film.mkv")
    before = opened_content(alice, world)
    [said] = delete(world)
    deleted = deletes_of(alice.account, alice.keyring, alice.fpr).until(NAME)
    done = undelete(alice.account, alice.keyring, NAME)
    assert (done.withdrawn, done.left_out) == ((said,), frozenset())
    assert alice.account.posts().entry(said) is None
    bob.fetch(alice, NAME)
    post = opened(bob, world)
    assert opened_content(bob, world) == before
    assert (post.audience, post.filename) == (
        world.for_(bob),
        "film.mkv" if kind in ("file", "large") else None,
    )
    assert post.signed_at > deleted
    assert not deletes_of(alice.account, alice.keyring, alice.fpr)


def opened_content(reader: Someone, world: World) -> object:
    post = opened(reader, world)
    assert post.opened.data is not None
    return post.document["articleBody"] if post.document else post.opened.data


def test_undelete_takes_another_version_and_leaves_out_who_is_no_friend_any_more(world: World) -> None:
    alice, bob, carol = world.alice, world.bob, world.carol
    first = write(world, "first", world.for_(bob, carol))
    write(world, "last", world.for_(bob, carol))
    delete(world)
    alice.keyring.remove(bob.fpr)
    done = undelete(alice.account, alice.keyring, NAME, first)
    assert done.left_out == {bob.fpr}
    assert opened_content(alice, world) == "first"
    assert opened(alice, world).statement.audience == world.for_(carol)
    with pytest.raises(UsageError, match="is there"):
        undelete(alice.account, alice.keyring, NAME)


def test_what_a_backup_brought_back_is_signed_anew_and_its_deletes_withdrawn(world: World) -> None:
    alice = world.alice
    posts = alice.account.posts()
    write(world, "a", world.for_(world.bob))
    write(world, "b", PUBLIC, "other.json.pgp")
    write(world, "c", PUBLIC, "broken.json.pgp")
    kept = {name: (posts.path / name).read_bytes() for name in posts.names() if name != KEYRING_NAME}
    said = {name: delete(world, name) for name in kept}
    for name, data in kept.items():
        (posts.path / name).write_bytes(data if name != "broken.json.pgp" else data[:-20])
    (posts.path / "other.json.pgp").unlink()
    write(world, "posted anew", PUBLIC, "other.json.pgp")
    deletes = deletes_of(alice.account, alice.keyring, alice.fpr)
    assert reappeared(alice.account, alice.keyring, deletes) == [NAME]
    names = [NAME, "other.json.pgp", "broken.json.pgp", "never-deleted.pgp", NAME]
    first, second, third = withdraw(alice.account, alice.keyring, names)
    assert (first.name, first.withdrawn, first.problem) == (NAME, tuple(said[NAME]), None)
    assert first.published is not None
    assert opened(alice, world).signed_at > deletes.until(NAME)
    assert (second.published, second.withdrawn) == (None, tuple(said["other.json.pgp"]))
    assert opened_content_of(alice, world, "other.json.pgp") == "posted anew"
    assert isinstance(third.problem, MauError)
    assert posts.entry(said["broken.json.pgp"][0]) is not None
    now = deletes_of(alice.account, alice.keyring, alice.fpr)
    assert set(now.targets) == {"broken.json.pgp"}
    assert reappeared(alice.account, alice.keyring, now) == []


def opened_content_of(reader: Someone, world: World, name: str) -> object:
    document = opened(reader, world, name).document
    return document and document["articleBody"]


def test_more_contents_than_one_delete_names_take_several(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mau.deletion.publishing.MAX_NAMED", 2)
    sums = {write(world, text, PUBLIC) for text in "abcde"}
    assert len(delete(world)) == 3
    found = deletes_of(world.alice.account, world.alice.keyring, world.alice.fpr)
    assert {sum_ for one in found for sum_ in one.sha256s} == sums
