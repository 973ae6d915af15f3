"""`mau repost`: the reference travels, never the post."""

from __future__ import annotations

import pytest

from mau.content.binding import PUBLIC
from mau.errors import NotReadable
from mau.reader.open import open_post
from tests.cli.inside import Inside, inside, trees, world
from tests.cli.test_reply import posted

__all__ = ["inside", "trees", "world"]


def test_it_says_where_the_post_is_and_what_was_seen(inside: Inside) -> None:
    alice, bob = inside.world.alice, inside.world.bob
    sha256 = posted(alice, "kettle.json.pgp", public=True)
    bob.fetch(alice, "kettle.json.pgp")
    inside.mau(bob, "repost", "kettle", code=2)  # for whom?
    done = inside.mau(bob, "repost", "kettle", "--comment", "Read this", "--friends")
    assert "to friends of yours who may read it (server.relay = friends); others ask alice." in done.err
    post = open_post(bob.account, bob.keyring, bob.fpr, done.text.strip())
    assert post.document is not None
    assert post.document["@type"] == "ShareAction"
    assert post.document["description"] == "Read this"
    assert post.document["object"] == {"@id": f"mau:/p2p/{alice.fpr}/kettle.json.pgp", "sha256": sha256}


def test_nobody_is_given_what_he_may_not_read(inside: Inside) -> None:
    alice, bob, carol = inside.world.alice, inside.world.bob, inside.world.carol
    posted(alice, "kettle.json.pgp", bob)
    bob.fetch(alice, "kettle.json.pgp")
    assert "carol" in inside.mau(bob, "repost", "kettle", "--to", "carol", code=2).err
    name = inside.name(bob, "repost", "kettle", "--to", "carol", "--wider")
    carol.fetch(bob, name)
    text = str(open_post(carol.account, carol.keyring, bob.fpr, name).document)
    assert "The kettle is on." not in text
    # Even with the file in her tree she reads nothing of it, and is told why.
    carol.fetch(alice, "kettle.json.pgp")
    with pytest.raises(NotReadable):
        open_post(carol.account, carol.keyring, alice.fpr, "kettle.json.pgp")
    thread = inside.json(carol, "thread", f"bob/{name}", "--offline")
    assert [post["missing"] for post in thread["posts"]] == ["not for you", None]
    assert thread["posts"][0]["shares"] == [bob.fpr.hex]


def test_what_the_settings_mean_for_who_can_fetch_it_is_said(inside: Inside) -> None:
    alice, bob = inside.world.alice, inside.world.bob
    posted(alice, "kettle.json.pgp", public=True)
    bob.fetch(alice, "kettle.json.pgp")
    for relay, words in (
        ("none", "you pass on nothing of others"),
        ("public", "You give it to everybody who asks"),
        ("friends", "Strangers who read of it here can have it from its author only."),
    ):
        inside.patch.setenv("MAU_SERVER_RELAY", relay)
        assert words in inside.mau(bob, "repost", "kettle", "--public").err
    assert "from you" in inside.mau(alice, "repost", "me/kettle", "--public").err
    name = bob.account.posts().names()[0]
    assert open_post(bob.account, bob.keyring, bob.fpr, name).audience is PUBLIC
