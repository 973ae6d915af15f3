"""`mau delete`: a post of one's own with its versions, after asking."""

from __future__ import annotations

import pytest

from mau.publish import publish_document
from tests.cli.desk import Desk, desk, trees, world

__all__ = ["desk", "trees", "world"]


@pytest.fixture
def note(desk: Desk) -> str:
    alice = desk.world.alice
    for text in "ab":
        publish_document(alice.account, alice.keyring, {"name": text}, "note.json.pgp", desk.world.for_())
    return "note.json.pgp"


def held(desk: Desk) -> tuple[bool, int]:
    posts = desk.world.alice.account.posts()
    return posts.entry("note.json.pgp") is not None, len(posts.versions("note.json.pgp"))


def test_file_and_versions_go(desk: Desk, note: str) -> None:
    done = desk.mau(desk.world.alice, "delete", "note.json", "--yes")
    assert (done.out, done.err) == (b"", "Deleted note.json.pgp and its older version.\n")
    assert held(desk) == (False, 0)
    assert "no post" in desk.mau(desk.world.alice, "delete", "note", "--yes", code=1).err


def test_it_asks(desk: Desk, note: str) -> None:
    question = "Delete note.json.pgp and its older version? [y/N]: "
    assert "Nothing was deleted" in desk.terminal(
        desk.world.alice, "delete", "note.json", typed=[(question, "n")]
    )
    assert held(desk) == (True, 1)
    assert "--yes" in desk.mau(desk.world.alice, "delete", "note.json", code=2).err
    assert held(desk) == (True, 1)
    desk.terminal(desk.world.alice, "delete", "note.json", typed=[(question, "y")])
    assert held(desk) == (False, 0)


def test_the_beginning_of_a_name_deletes_nothing(desk: Desk, note: str) -> None:
    assert "no post 'note'" in desk.mau(desk.world.alice, "delete", "note", "--yes", code=1).err
    assert held(desk) == (True, 1)


def test_the_keyring_statement_stays(desk: Desk) -> None:
    assert "friends" in desk.mau(desk.world.alice, "delete", "keyring.json", "--yes", code=2).err
    assert desk.world.alice.account.posts().entry("keyring.json.pgp") is not None
