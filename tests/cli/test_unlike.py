"""`mau unlike`: what was said is deleted, and those who could read it are told."""

from __future__ import annotations

from mau.deletion.held import deletes_of
from tests.cli.inside import Inside, inside, trees, world
from tests.cli.test_reply import posted

__all__ = ["inside", "trees", "world"]


def test_it_is_deleted_for_everybody_who_has_it(inside: Inside) -> None:
    alice, bob = inside.world.alice, inside.world.bob
    posted(alice, "kettle.json.pgp", bob)
    bob.fetch(alice, "kettle.json.pgp")
    name = inside.name(bob, "like", "kettle")
    alice.fetch(bob, name)
    assert inside.mau(bob, "unlike", "kettle").text.strip() == name
    assert bob.account.posts().entry(name) is None
    for delete in bob.account.posts().names():
        if delete != "keyring.json.pgp":
            alice.fetch(bob, delete)
    assert deletes_of(alice.account, alice.keyring, bob.fpr).of(name)
    (post,) = inside.json(alice, "thread", "me/kettle", "--offline")["posts"]
    assert post["likes"] == []
    again = inside.mau(bob, "unlike", "kettle")
    assert (again.text, "nothing" in again.err) == ("", True)


def test_the_post_need_not_be_held_any_more(inside: Inside) -> None:
    alice, bob = inside.world.alice, inside.world.bob
    posted(alice, "kettle.json.pgp", bob)
    bob.fetch(alice, "kettle.json.pgp")
    name = inside.name(bob, "like", "kettle")
    (bob.place(alice) / "kettle.json.pgp").unlink()
    inside.mau(bob, "unlike", "kettle", code=1)
    assert inside.json(bob, "unlike", "alice/kettle.json.pgp")[0]["name"] == name
