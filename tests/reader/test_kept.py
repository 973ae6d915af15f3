"""What is kept of posts in `.reader`: used again, sealed to the account, never believed against the tree."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

import pytest

from mau.catalogue import open_index
from mau.content.binding import PUBLIC, bind_document
from mau.publish import _encode
from mau.reader import judging, upkeep
from mau.reader.places import look_of
from mau.reader.reading import Reading
from tests.publish.world import Someone, World, bound, message

NOW = int(time.time())


def put(world: World, author: Someone, name: str, text: str, age: int = 100) -> Path:
    data = bound(author, name, PUBLIC, text)
    world.alice.put(author, name, message(author.key, data, None, created=NOW - age))
    return world.alice.place(author) / name


def read(world: World, patience: float | None = None) -> tuple[dict[str, str], list[str], int]:
    """(words by name, names of what was opened now, how many are left)."""
    opened: list[str] = []
    with Reading(world.alice.account, world.alice.keyring) as reading:
        reading.refresh(lambda post, _: opened.append(post.name), patience=patience)
        return {one.name: one.words for one in reading.newest()}, sorted(opened), reading.pending


def place(world: World) -> Path:
    return world.alice.account.root.state_dir("reader")


@pytest.fixture
def two(world: World) -> World:
    """Two posts that were read once."""
    put(world, world.bob, "a.json.pgp", "first", 200)
    put(world, world.carol, "b.json.pgp", "second", 100)
    assert read(world) == ({"a.json.pgp": "first", "b.json.pgp": "second"}, ["a.json.pgp", "b.json.pgp"], 0)
    return world


def test_nothing_is_opened_twice(two: World) -> None:
    assert read(two) == ({"a.json.pgp": "first", "b.json.pgp": "second"}, [], 0)
    put(two, two.bob, "c.json.pgp", "third")
    found, opened, _ = read(two)
    assert (found["c.json.pgp"], opened) == ("third", ["c.json.pgp"])


@pytest.mark.parametrize("lost", ["reading.image", "reading.db"])
def test_whatever_is_lost_is_found_out_again(two: World, lost: str) -> None:
    (place(two) / lost).unlink()
    found, opened, _ = read(two)
    assert found == {"a.json.pgp": "first", "b.json.pgp": "second"}
    assert bool(opened) == (lost == "reading.db")  # without the image the notes are enough
    assert read(two)[1] == []


@pytest.mark.parametrize("change", [b"", b"junk" * 100, None])
def test_an_image_that_this_account_did_not_seal_is_not_believed(two: World, change: bytes | None) -> None:
    image = place(two) / "reading.image"
    data = bytearray(image.read_bytes())
    data[len(data) // 2] ^= 1
    image.write_bytes(bytes(data) if change is None else change)
    assert read(two) == ({"a.json.pgp": "first", "b.json.pgp": "second"}, [], 0)


def test_a_note_is_believed_in_its_own_place_only(two: World) -> None:
    with sqlite3.connect(place(two) / "reading.db") as db:
        (one, first), (other, second), *_ = db.execute("SELECT key, sealed FROM note ORDER BY length(sealed)")
        db.execute("UPDATE note SET sealed = ? WHERE key = ?", (second, one))
        db.execute("UPDATE note SET sealed = ? WHERE key = ?", (first, other))
    db.close()
    assert read(two)[0] == {"a.json.pgp": "first", "b.json.pgp": "second"}


def test_an_edit_in_place_is_seen(two: World) -> None:
    path = two.alice.place(two.bob) / "a.json.pgp"
    before = path.stat()
    data = message(two.bob.key, bound(two.bob, "a.json.pgp", PUBLIC, "edited"), None, created=NOW - 50)
    with path.open("r+b") as file:
        file.truncate()
        file.write(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert read(two) == ({"a.json.pgp": "edited", "b.json.pgp": "second"}, ["a.json.pgp"], 0)


def test_what_is_shown_is_looked_at_once_more(two: World) -> None:
    with Reading(two.alice.account, two.alice.keyring) as reading:
        reading.refresh()
        shown = list(reading.newest())
        assert reading.check(shown)
        data = message(two.bob.key, bound(two.bob, "a.json.pgp", PUBLIC, "edited"), None, created=NOW - 5)
        (two.alice.place(two.bob) / "a.json.pgp").write_bytes(data)
        (two.alice.place(two.carol) / "b.json.pgp").unlink()
        assert not reading.check(shown)
        assert [one.words for one in reading.newest()] == ["edited"]
        assert [content.document["articleBody"] for content in reading.opened(list(reading.newest()))] == [  # type: ignore[union-attr, index]
            "edited"
        ]


def test_a_content_that_was_shown_is_taken_for_the_same_file_only(two: World) -> None:
    def texts() -> list[str]:
        with Reading(two.alice.account, two.alice.keyring) as reading:
            reading.refresh()
            shown = list(reading.newest())
            path = two.alice.place(two.bob) / "a.json.pgp"
            found = reading.opened(shown)
            path.write_bytes(b"junk")
            assert isinstance(reading.opened(shown)[1], Exception)
            path.write_bytes(original)
            return [one.document["articleBody"] for one in found]  # type: ignore[union-attr, index]

    original = (two.alice.place(two.bob) / "a.json.pgp").read_bytes()
    assert texts() == ["second", "first"]
    assert texts() == ["second", "first"]


def test_who_is_unfollowed_and_followed_again_is_not_opened_again(two: World) -> None:
    root = two.alice.account.root
    root.unfollow(two.bob.fpr)
    assert read(two) == ({"b.json.pgp": "second"}, [], 0)
    with Reading(two.alice.account, two.alice.keyring) as reading:
        reading.refresh()
        hidden = reading.get(two.bob.fpr, "a.json.pgp")
        assert hidden is not None
        assert hidden.hidden
    root.follow(two.bob.fpr)
    assert read(two) == ({"a.json.pgp": "first", "b.json.pgp": "second"}, [], 0)


def test_removed_files_and_people_are_forgotten(two: World) -> None:
    (two.alice.place(two.bob) / "a.json.pgp").unlink()
    two.alice.place(two.bob).rmdir()
    assert read(two)[0] == {"b.json.pgp": "second"}
    (two.alice.place(two.carol) / "b.json.pgp").unlink()
    assert read(two)[0] == {}


def test_a_key_that_comes_is_a_reason_to_look_again(world: World) -> None:
    world.alice.account.root.follow(world.mallory.fpr)
    put(world, world.mallory, "m.json.pgp", "hello")
    with Reading(world.alice.account, world.alice.keyring) as reading:
        reading.refresh()
        assert reading.left_out == {"UnknownAuthor": 1}
        world.alice.keyring.add(world.mallory.certificate, "mallory")
        reading.refresh()
        assert not reading.left_out
        assert [one.words for one in reading.newest()] == ["hello"]


def test_without_patience_the_rest_is_left_for_the_next_time(world: World) -> None:
    for number in range(4):
        put(world, world.bob, f"{number}.json.pgp", f"text {number}", number)
    found, _, left = read(world, patience=0)
    assert (len(found) < 4, left > 0) == (True, True)
    found, _, left = read(world)
    assert (len(found), left) == (4, 0)


def test_several_processes_find_out_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        put(world, [world.bob, world.carol][number % 2], f"{number}.json.pgp", f"text {number}", number)
    world.alice.put(world.bob, "junk.pgp", b"junk")
    monkeypatch.setattr(judging, "WORTH", 2)
    monkeypatch.setattr("mau.reader.crew.size", lambda: 2)
    found, opened, _ = read(world)
    assert found == {f"{number}.json.pgp": f"text {number}" for number in range(6)}
    assert len(opened) == 6
    assert read(world)[:2] == (found, [])


def test_no_document_keeps_the_others_from_being_read(two: World) -> None:
    hostile = {"@type": "\ud800" * 10_000, "keywords": ["\udfff", "x" * 10_000], "articleBody": "\udc80#a"}
    data = _encode(bind_document(hostile, two.bob.fpr, "h.json.pgp", PUBLIC))
    two.alice.put(two.bob, "h.json.pgp", message(two.bob.key, data, None, created=NOW - 5))
    with Reading(two.alice.account, two.alice.keyring) as reading:
        reading.refresh()
        first, *others = reading.newest()
        assert (first.name, len(others)) == ("h.json.pgp", 2)
        assert max(len(first.type), *map(len, first.tags)) <= 100
        (first.type + first.words + "".join(first.tags)).encode()


def test_a_place_that_cannot_be_written_costs_time_and_nothing_else(two: World) -> None:
    with sqlite3.connect(place(two) / "reading.db", isolation_level=None) as db:
        db.execute("BEGIN EXCLUSIVE")  # as a full disk: every write fails
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("mau.derived.BUSY_TIMEOUT", 0.0)
            put(two, two.bob, "c.json.pgp", "third", 10)
            assert read(two)[0] == {"a.json.pgp": "first", "b.json.pgp": "second", "c.json.pgp": "third"}
    db.close()
    assert read(two)[0]["c.json.pgp"] == "third"


def test_where_nothing_changes_nothing_is_done(two: World) -> None:
    alice = two.alice
    (alice.place(two.bob) / "directory.pgp").mkdir()
    (alice.place(two.bob) / "link.pgp").symlink_to("a.json.pgp")
    hidden = alice.place(two.bob, hidden=True) / "a.json.pgp"
    hidden.write_bytes(b"junk")
    with Reading(alice.account, alice.keyring) as reading:
        until = time.monotonic() + 30
        people = [alice.fpr, two.bob.fpr, two.carol.fpr]
        while not all(look_of(alice.account.root, one) for one in people) and time.monotonic() < until:
            time.sleep(0.01)
        while reading._upkeep.refresh() and time.monotonic() < until:
            time.sleep(0.01)  # until every stamp proves something
        assert not reading._upkeep.refresh()
        assert sorted(one.words for one in reading.newest()) == ["first", "second"]
        (alice.place(two.bob) / "a.json.pgp").unlink()  # now the hidden one counts
        assert reading._upkeep.refresh()
        held = reading.get(two.bob.fpr, "a.json.pgp")
        assert held is not None
        assert (held.error, held.hidden) == ("MalformedPost", True)


def test_two_readers_do_not_disturb_each_other(two: World) -> None:
    alice = two.alice
    with Reading(alice.account, alice.keyring) as one, Reading(alice.account, alice.keyring) as other:
        one.refresh()
        put(two, two.bob, "c.json.pgp", "third", 1)
        other.refresh()
        one.refresh()
        assert [post.words for post in one.newest()] == [post.words for post in other.newest()]
    assert read(two)[1] == []


def test_a_watch_spares_comparing_and_ends_with_its_process(two: World) -> None:
    root = two.alice.account.root
    with open_index(root) as index, open_index(root) as mine:
        assert not mine.is_watched
        with index.watch() as watch:
            assert watch.wait_ready(30)
            until = time.monotonic() + 30
            while not mine.is_watched and time.monotonic() < until:
                time.sleep(0.005)
            assert mine.is_watched
            put(two, two.bob, "c.json.pgp", "third")
            assert read(two)[0]["c.json.pgp"] == "third"  # at once: the directory says that it changed
        assert not mine.is_watched


def test_notes_of_contents_that_are_gone_are_forgotten(two: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "_SPARE", 0)
    for number in range(8):
        put(two, two.bob, "a.json.pgp", f"edit {number}", 50 - number)
        read(two)
    with sqlite3.connect(place(two) / "reading.db") as db:
        [count] = db.execute("SELECT count(*) FROM note").fetchone()
    db.close()
    assert count < 8
    assert read(two) == ({"a.json.pgp": "edit 7", "b.json.pgp": "second"}, [], 0)


def test_nothing_of_a_post_lies_there_in_the_clear(two: World) -> None:
    with Reading(two.alice.account, two.alice.keyring) as reading:
        reading.refresh()
        reading.opened(list(reading.newest()))
    said = b"".join(path.read_bytes() for path in place(two).iterdir() if path.name.startswith("reading"))
    for word in (b"first", b"second", b"a.json.pgp", two.bob.fpr.raw):
        assert word not in said
