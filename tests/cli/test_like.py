"""`mau like`: one of each person counts, and it is for those who could read the post."""

from __future__ import annotations

from mau.content.binding import PUBLIC
from mau.reader.open import open_post
from tests.cli.inside import Inside, inside, trees, world
from tests.cli.test_reply import posted

__all__ = ["inside", "trees", "world"]


def test_it_is_for_those_who_could_read_the_post(inside: Inside) -> None:
    alice, bob, carol = inside.world.alice, inside.world.bob, inside.world.carol
    sha256 = posted(alice, "kettle.json.pgp", bob, carol)
    bob.fetch(alice, "kettle.json.pgp")
    name = inside.name(bob, "like", "alice/kettle")
    post = open_post(bob.account, bob.keyring, bob.fpr, name)
    assert post.audience == {alice.fpr, bob.fpr, carol.fpr}
    assert post.document is not None
    assert post.document["object"] == {"@id": f"mau:/p2p/{alice.fpr}/kettle.json.pgp", "sha256": sha256}
    assert post.document["agent"] == {"@id": f"mau:/p2p/{bob.fpr}"}
    # A second one says the same, so there is none.
    again = inside.mau(bob, "like", "alice/kettle")
    assert again.text.strip() == name
    assert "mau unlike" in again.err


def test_a_like_of_a_public_post_is_for_its_author_unless_more_is_said(inside: Inside) -> None:
    alice, bob, mallory = inside.world.alice, inside.world.bob, inside.world.mallory
    posted(alice, "kettle.json.pgp", public=True)
    bob.fetch(alice, "kettle.json.pgp")
    name = inside.name(bob, "like", "kettle")
    assert open_post(bob.account, bob.keyring, bob.fpr, name).audience == {alice.fpr, bob.fpr}
    inside.mau(bob, "unlike", "kettle")
    name = inside.name(bob, "like", "kettle", "--public")
    assert open_post(bob.account, bob.keyring, bob.fpr, name).audience is PUBLIC
    # Of somebody who cannot be written to it must be said.
    posted(mallory, "pot.json.pgp", public=True)
    bob.keyring.hold(mallory.certificate)
    bob.fetch(mallory, "pot.json.pgp")
    assert "for whom?" in inside.mau(bob, "like", "pot", code=2).err


def test_a_dislike_takes_the_place_of_a_like(inside: Inside) -> None:
    alice, bob = inside.world.alice, inside.world.bob
    posted(alice, "kettle.json.pgp", bob)
    bob.fetch(alice, "kettle.json.pgp")
    like = inside.name(bob, "like", "kettle")
    dislike = inside.name(bob, "dislike", "kettle")
    assert bob.account.posts().entry(like) is None
    document = open_post(bob.account, bob.keyring, bob.fpr, dislike).document
    assert document is not None
    assert document["@type"] == "DislikeAction"
