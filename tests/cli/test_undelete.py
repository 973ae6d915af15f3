"""`mau undelete`: a deleted post is there again, and nothing says any more that it was deleted."""

from __future__ import annotations

from tests.cli.desk import Desk, desk, trees, world

__all__ = ["desk", "trees", "world"]


def test_the_last_content_is_back_for_the_same_people(desk: Desk) -> None:
    alice, bob = desk.world.alice, desk.world.bob
    for text in ("first", "last"):
        desk.mau(alice, "post", "--to", "bob", "--name", "note", text)
    [said] = desk.json(alice, "delete", "note", "--yes")["deletes"]
    done = desk.mau(alice, "undelete", "note")
    assert (done.text, done.err) == ("note.pgp\n", "note.pgp is back, for bob.\n")
    assert said["name"] not in alice.account.posts().names()
    bob.fetch(alice, "note.pgp")
    assert '"last"' in desk.mau(bob, "open", "alice", "note").text
    assert "is there" in desk.mau(alice, "undelete", "note", code=2).err


def test_another_version_and_the_facts(desk: Desk) -> None:
    alice, bob = desk.world.alice, desk.world.bob
    first = desk.json(alice, "post", "--to", "bob", "--name", "note", "first")
    desk.mau(alice, "post", "--to", "bob", "--name", "note", "last")
    [said] = desk.json(alice, "delete", "note", "--yes")["deletes"]
    desk.mau(alice, "friend", "remove", "bob", "--yes")
    facts = desk.json(alice, "undelete", "note", "--version", first["sha256"][:8])
    assert facts["name"] == "note.pgp"
    assert (facts["withdrawn"], facts["left_out"]) == ([said["name"]], [bob.fpr.hex])
    assert facts["audience"] == [alice.fpr.hex]
    assert facts["sha256"] == alice.account.posts().sha256("note.pgp")
    assert '"first"' in desk.mau(alice, "open", "me", "note").text
    assert "says now" in desk.mau(alice, "undelete", "note", "--version", facts["sha256"][:9], code=2).err


def test_what_never_was_cannot_come_back(desk: Desk) -> None:
    assert "no post" in desk.mau(desk.world.alice, "undelete", "nothing", code=1).err
