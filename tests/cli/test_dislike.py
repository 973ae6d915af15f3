"""`mau dislike`: as `mau like`, and the other way round."""

from __future__ import annotations

from tests.cli.inside import Inside, inside, trees, world
from tests.cli.test_reply import posted

__all__ = ["inside", "trees", "world"]


def test_it_counts_as_such_in_the_thread(inside: Inside) -> None:
    alice, bob = inside.world.alice, inside.world.bob
    posted(alice, "kettle.json.pgp", bob)
    bob.fetch(alice, "kettle.json.pgp")
    facts = inside.json(bob, "dislike", "kettle")
    assert facts["audience"] == sorted([alice.fpr.hex, bob.fpr.hex])
    (post,) = inside.json(bob, "thread", "kettle", "--offline")["posts"]
    assert (post["likes"], post["dislikes"]) == ([], [bob.fpr.hex])
    inside.mau(bob, "like", "kettle")
    (post,) = inside.json(bob, "thread", "kettle", "--offline")["posts"]
    assert (post["likes"], post["dislikes"]) == ([bob.fpr.hex], [])
