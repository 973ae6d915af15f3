"""What an owner says about what others wrote is kept in files of his own, for himself alone."""

from __future__ import annotations

import time
from pathlib import Path

from mau.marks import Marks
from mau.marks.names import READ_NAME
from mau.reader.summary import Summary
from tests.publish.world import Someone, World

NOW = int(time.time())


def post(author: Someone, name: str = "one.json.pgp", at: int = NOW - 100, **more: object) -> Summary:
    return Summary(author.fpr, name, "0" * 64, 1, at, **more)  # type: ignore[arg-type]


def file_of(someone: Someone, name: str) -> Path:
    return someone.account.root.author_dir(someone.fpr) / name


# --- read --------------------------------------------------------------------------------------------------


def test_what_was_marked_is_read_for_whoever_loads_the_marks_next(world: World) -> None:
    alice, one, other = world.alice, post(world.bob), post(world.bob, "other.json.pgp")
    marks = Marks.load(alice.account)
    assert not marks.is_read(one)
    marks.mark_read([one])
    again = Marks.load(alice.account)
    assert marks.is_read(one)
    assert again.is_read(one)
    assert not again.is_read(other)
    assert again.warnings == ()


def test_an_edited_post_is_unread_again(world: World) -> None:
    marks = Marks.load(world.alice.account)
    marks.mark_read([post(world.bob)])
    assert not marks.is_read(post(world.bob, at=NOW - 50))
    assert marks.is_read(post(world.bob, at=NOW - 200))


def test_everything_up_to_a_time_is_read_but_what_is_called_unread_after_that(world: World) -> None:
    marks = Marks.load(world.alice.account)
    marks.mark_all_read()
    one, other, later = post(world.bob), post(world.carol), post(world.bob, "new.pgp", NOW + 3600)
    assert marks.is_read(one)
    assert not marks.is_read(later)
    marks.mark_unread([one])
    again = Marks.load(world.alice.account)
    assert not again.is_read(one)
    assert again.is_read(other)
    again.mark_all_read()
    assert Marks.load(world.alice.account).is_read(one)
    again.mark_all_unread()
    assert not Marks.load(world.alice.account).is_read(other)


def test_ones_own_posts_are_read(world: World) -> None:
    assert Marks.load(world.alice.account).is_read(post(world.alice))


def test_what_is_read_already_is_not_written_again(world: World) -> None:
    marks = Marks.load(world.alice.account)
    marks.mark_read([post(world.bob)])
    before = file_of(world.alice, READ_NAME).stat()
    marks.mark_read([post(world.bob)])
    Marks.load(world.alice.account).mark_read([post(world.bob)])
    after = file_of(world.alice, READ_NAME).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
