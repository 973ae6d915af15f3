"""The timeline: everything that holds, newest signature first; the rest is counted, never fatal."""

from __future__ import annotations

import io
import os
import time

from mau.content.binding import PUBLIC
from mau.deletion.publishing import delete_post
from mau.errors import MalformedPost, NotReadable, Renamed, UnknownAuthor
from mau.publish import publish_document, publish_file
from mau.reader.timeline import MAX_OPENED, Item, timeline
from tests.publish.world import World, bound, message

NOW = int(time.time())


def texts(items: list[Item]) -> list[str]:
    return [
        item.post.document["articleBody"] if item.post and item.post.document else item.name for item in items
    ]


def test_everybody_i_follow_and_i_newest_signature_first(world: World) -> None:
    for number, author in enumerate([world.alice, world.bob, world.carol, world.alice]):
        name = f"{number}.json.pgp"
        data = bound(author, name, PUBLIC, f"text {number}")
        sealed = message(author.key, data, None, created=NOW - 100 + number)
        world.alice.put(author, name, sealed)
        os.utime(world.alice.place(author) / name, (NOW - number, NOW - number))  # the files say otherwise
    found = timeline(world.alice.account, world.alice.keyring)
    assert texts(found.items) == ["text 3", "text 2", "text 1", "text 0"]
    assert [item.time for item in found.items] == [NOW - 97, NOW - 98, NOW - 99, NOW - 100]
    assert not found.left_out
    assert texts(timeline(world.alice.account, world.alice.keyring, 2).items) == ["text 3", "text 2"]


def test_what_does_not_hold_is_counted(world: World) -> None:
    alice, bob = world.alice, world.bob
    publish_document(alice.account, alice.keyring, {"articleBody": "good"}, "x.json.pgp", world.for_(bob))
    publish_document(alice.account, alice.keyring, {"articleBody": "not his"}, "y.json.pgp", world.for_())
    for name in ("x.json.pgp", "y.json.pgp"):
        bob.fetch(alice, name)
    for copy in ("a.pgp", "b.pgp"):
        bob.fetch(alice, "x.json.pgp", under=copy)
    bob.put(alice, "junk.pgp", b"junk")
    bob.account.root.follow(world.mallory.fpr)
    bob.put(world.mallory, "m.pgp", message(world.mallory.key, b"x", None))
    found = timeline(bob.account, bob.keyring)
    assert texts(found.items) == ["good"]
    assert found.left_out == {Renamed: 2, NotReadable: 1, MalformedPost: 1, UnknownAuthor: 1}


def test_hidden_people_and_the_keyring_statement_are_not_shown(world: World) -> None:
    publish_document(world.alice.account, world.alice.keyring, {"articleBody": "x"}, "x.json.pgp", PUBLIC)
    world.bob.fetch(world.alice, "x.json.pgp")
    assert len(timeline(world.bob.account, world.bob.keyring).items) == 1
    world.bob.account.root.unfollow(world.alice.fpr)
    found = timeline(world.bob.account, world.bob.keyring)
    assert (found.items, found.left_out) == ([], {})


def test_files_are_shown_as_files(world: World) -> None:
    source = io.BytesIO(b"picture")
    publish_file(world.alice.account, world.alice.keyring, source, "p.pgp", PUBLIC, "photo.jpg")
    [item] = timeline(world.alice.account, world.alice.keyring).items
    assert item.post is not None
    assert (item.post.filename, item.post.document, item.size) == ("photo.jpg", None, 7)


def test_a_file_too_large_to_be_opened_for_a_list_has_the_time_of_its_file(world: World) -> None:
    source = io.BytesIO(os.urandom(MAX_OPENED))
    publish_file(world.alice.account, world.alice.keyring, source, "p.pgp", world.for_(), "film.mkv")
    [item] = timeline(world.alice.account, world.alice.keyring).items
    stored = (world.alice.account.posts().path / "p.pgp").stat()
    assert item.post is None
    assert (item.time, item.size) == (int(stored.st_mtime), stored.st_size)


def test_a_tree_without_posts_has_an_empty_timeline(world: World) -> None:
    assert timeline(world.mallory.account, world.mallory.keyring).items == []


def test_deletes_are_no_posts_and_what_they_delete_says_so(world: World) -> None:
    alice, bob = world.alice, world.bob
    for text in ("gone", "here"):
        publish_document(alice.account, alice.keyring, {"articleBody": text}, f"{text}.json.pgp", PUBLIC)
        bob.fetch(alice, f"{text}.json.pgp")
    kept = (alice.account.posts().path / "gone.json.pgp").read_bytes()
    [said] = delete_post(alice.account, alice.keyring, "gone.json.pgp").published
    bob.fetch(alice, said.name)
    found = timeline(bob.account, bob.keyring)
    assert {item.name: item.deleted for item in found.items} == {
        "gone.json.pgp": True,
        "here.json.pgp": False,
    }
    assert not found.left_out
    assert [item.name for item in timeline(alice.account, alice.keyring).items] == ["here.json.pgp"]
    alice.put(alice, "gone.json.pgp", kept)
    own = timeline(alice.account, alice.keyring, 5)
    assert {item.name: item.deleted for item in own.items} == {"gone.json.pgp": True, "here.json.pgp": False}
