"""What the index says of a file is not believed in place of the file (spec/reading.md RU9)."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from pathlib import Path

import pytest

from mau.catalogue import open_index
from mau.content.binding import PUBLIC
from mau.reader.reading import Reading
from mau.tree.index import stamp_of
from tests.publish.world import World, bound, message

NOW = int(time.time())
NAME = "a.json.pgp"


def put(world: World, text: str, age: int) -> bytes:
    """The sha256 of what Bob writes now under the one name."""
    data = message(world.bob.key, bound(world.bob, NAME, PUBLIC, text), None, created=NOW - age)
    world.alice.put(world.bob, NAME, data)
    return hashlib.sha256(data).digest()


def path_of(world: World) -> Path:
    return world.alice.place(world.bob) / NAME


def shown(world: World) -> list[tuple[str, str]]:
    """(words, text) of each post as a timeline shows it."""
    with Reading(world.alice.account, world.alice.keyring) as reading:
        reading.refresh()
        reading.check(list(reading.newest()))
        posts = list(reading.newest())
        texts = [str(one.document["articleBody"]) for one in reading.opened(posts)]  # type: ignore[union-attr, index]
        return list(zip([one.words for one in posts], texts, strict=True))


def settle(world: World) -> None:
    """Wait until each stamp proves something, in the index and in the table."""
    until = time.monotonic() + 30
    with Reading(world.alice.account, world.alice.keyring) as reading:
        reading.refresh()
        while reading._table.unsettled() and time.monotonic() < until:
            time.sleep(0.01)
            reading.refresh()
        assert not reading._table.unsettled()


def forge(world: World, sha256: bytes, stamp: bytes) -> None:
    """Write into the index what anybody can who writes to the disk."""
    [database] = (world.alice.account.root.path / ".index").glob("*.db")
    with sqlite3.connect(database) as db:
        db.execute("UPDATE meta SET clock = clock + 5")
        db.execute("UPDATE author SET changed = (SELECT clock FROM meta)")
        db.execute(
            "UPDATE file SET sha256 = ?, stamp = ?, clock = (SELECT clock FROM meta) WHERE name = ?",
            (sha256, stamp, NAME),
        )
    db.close()


@pytest.mark.parametrize("judged", [True, False])
@pytest.mark.parametrize("image", [True, False])
def test_a_content_that_was_replaced_is_not_shown_because_the_index_says_so(
    world: World, judged: bool, image: bool
) -> None:
    old = put(world, "before", 200)
    settle(world)
    assert shown(world) == [("before", "before")]
    put(world, "after", 100)
    if judged:
        settle(world)
    else:
        with open_index(world.alice.account.root) as index:
            index.refresh()
    forge(world, old, stamp_of(path_of(world).stat()))
    if not image:
        (world.alice.account.root.state_dir("reader") / "reading.image").unlink()
    for _ in range(3):
        assert shown(world) == [("after", "after")]


def test_a_file_with_other_times_and_the_same_content_is_not_opened_again(world: World) -> None:
    put(world, "before", 200)
    settle(world)
    os.utime(path_of(world), ns=(1, 1))
    opened: list[str] = []
    with Reading(world.alice.account, world.alice.keyring) as reading:
        reading.refresh(lambda post, _: opened.append(post.name))
        assert [one.words for one in reading.newest()] == ["before"]
    assert opened == []
    settle(world)
