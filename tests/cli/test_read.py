"""`mau read`: what it showed is read, and the next time it shows what came since."""

from __future__ import annotations

from tests.cli.inside import Inside, inside, trees, world
from tests.cli.test_timeline import put

__all__ = ["inside", "trees", "world"]


def test_what_was_shown_is_read_and_the_rest_is_not(inside: Inside) -> None:
    world = inside.world
    for number, text in enumerate(("third", "second", "first")):
        put(world, world.bob, f"{number}.json.pgp", text, 100 * (number + 1))
    assert "third" in inside.mau(world.alice, "read", "--unread", "--limit", "1").text
    shown = inside.mau(world.alice, "read", "--unread").text
    assert ("third" in shown, "second" in shown, "first" in shown) == (False, True, True)
    done = inside.mau(world.alice, "read", "--unread")
    assert (done.out, done.err) == (b"", "Nothing unread.\n")
    assert "first" in inside.mau(world.alice, "timeline").text
    put(world, world.bob, "0.json.pgp", "edited", 10)
    assert "edited" in inside.mau(world.alice, "read", "--unread").text
