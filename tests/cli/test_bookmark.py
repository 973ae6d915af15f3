"""`mau bookmark`: for oneself alone."""

from __future__ import annotations

from mau.reader.open import open_post
from tests.cli.inside import Inside, inside, trees, world
from tests.cli.test_reply import posted

__all__ = ["inside", "trees", "world"]


def test_it_is_noted_once_for_nobody_else_and_removed(inside: Inside) -> None:
    alice, bob = inside.world.alice, inside.world.bob
    posted(alice, "kettle.json.pgp", bob)
    bob.fetch(alice, "kettle.json.pgp")
    name = inside.name(bob, "bookmark", "kettle")
    assert open_post(bob.account, bob.keyring, bob.fpr, name).audience == {bob.fpr}
    assert inside.mau(bob, "bookmark", "kettle").text.strip() == name
    assert "alice/kettle.json  The kettle is on." in inside.mau(bob, "bookmark", "--list").text
    (bob.place(alice) / "kettle.json.pgp").unlink()
    (noted,) = inside.json(bob, "bookmark", "--list")
    assert (noted["address"], noted["held"]) == (f"mau:/p2p/{alice.fpr}/kettle.json.pgp", False)
    inside.mau(bob, "bookmark", noted["address"], "--remove")
    assert inside.json(bob, "bookmark", "--list") == []
    for words in ([], ["kettle", "--list"], ["--remove"]):
        inside.mau(bob, "bookmark", *words, code=2)
