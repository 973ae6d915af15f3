"""The timeline: everything that holds, newest signature first; the rest is counted, never fatal."""

from __future__ import annotations

import io
import os
import time

from mau.content.binding import PUBLIC
from mau.deletion.publishing import delete_post
from mau.publish import publish_document, publish_file
from mau.reader.timeline import MAX_OPENED
from tests.publish.world import World, bound, message
from tests.reader.lines import shown, texts

NOW = int(time.time())


def test_everybody_i_follow_and_i_newest_signature_first(world: World) -> None:
    for number, author in enumerate([world.alice, world.bob, world.carol, world.alice]):
        name = f"{number}.json.pgp"
        data = bound(author, name, PUBLIC, f"text {number}")
        sealed = message(author.key, data, None, created=NOW - 100 + number)
        world.alice.put(author, name, sealed)
        os.utime(world.alice.place(author) / name, (NOW - number, NOW - number))  # the files say otherwise
    lines, left_out = shown(world.alice)
    assert texts(lines) == ["text 3", "text 2", "text 1", "text 0"]
    assert [line.time for line in lines] == [NOW - 97, NOW - 98, NOW - 99, NOW - 100]
    assert not left_out
    assert texts(shown(world.alice, limit=2)[0]) == ["text 3", "text 2"]


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
    lines, left_out = shown(bob)
    assert texts(lines) == ["good"]
    assert left_out == {"Renamed": 2, "NotReadable": 1, "MalformedPost": 1, "UnknownAuthor": 1}


def test_hidden_people_and_the_keyring_statement_are_not_shown(world: World) -> None:
    publish_document(world.alice.account, world.alice.keyring, {"articleBody": "x"}, "x.json.pgp", PUBLIC)
    world.bob.fetch(world.alice, "x.json.pgp")
    assert len(shown(world.bob)[0]) == 1
    world.bob.account.root.unfollow(world.alice.fpr)
    assert shown(world.bob) == ([], {})


def test_files_are_shown_as_files(world: World) -> None:
    source = io.BytesIO(b"picture")
    publish_file(world.alice.account, world.alice.keyring, source, "p.pgp", PUBLIC, "photo.jpg")
    [line] = shown(world.alice)[0]
    assert (line.summary.name, line.summary.type, line.summary.checked) == ("p.pgp", "", True)


def test_a_file_too_large_to_be_opened_for_a_list_has_the_time_of_its_file(world: World) -> None:
    source = io.BytesIO(os.urandom(MAX_OPENED))
    publish_file(world.alice.account, world.alice.keyring, source, "p.pgp", world.for_(), "film.mkv")
    [line] = shown(world.alice)[0]
    stored = (world.alice.account.posts().path / "p.pgp").stat()
    assert not line.summary.checked
    assert (line.time, line.summary.size) == (int(stored.st_mtime), stored.st_size)


def test_a_tree_without_posts_has_an_empty_timeline(world: World) -> None:
    assert shown(world.mallory) == ([], {})


def test_deletes_are_no_posts_and_what_they_delete_says_so(world: World) -> None:
    alice, bob = world.alice, world.bob
    for text in ("gone", "here"):
        publish_document(alice.account, alice.keyring, {"articleBody": text}, f"{text}.json.pgp", PUBLIC)
        bob.fetch(alice, f"{text}.json.pgp")
    kept = (alice.account.posts().path / "gone.json.pgp").read_bytes()
    [said] = delete_post(alice.account, alice.keyring, "gone.json.pgp").published
    bob.fetch(alice, said.name)
    lines, left_out = shown(bob)
    assert {line.summary.name: line.summary.deleted for line in lines} == {
        "gone.json.pgp": True,
        "here.json.pgp": False,
    }
    assert not left_out
    assert texts(shown(alice)[0]) == ["here"]
    alice.put(alice, "gone.json.pgp", kept)
    assert {line.summary.name: line.summary.deleted for line in shown(alice)[0]} == {
        "gone.json.pgp": True,
        "here.json.pgp": False,
    }
