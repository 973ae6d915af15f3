"""What is held of an author who revoked his key is shown with a warning, and nothing new is taken (M64)."""

from __future__ import annotations

import pytest

from mau.errors import NotSigned, SignerRevoked
from mau.openpgp.lifetime import revoked
from mau.reader.open import open_post, open_source
from tests.publish.world import World, bound, message
from tests.reader.lines import shown

NAME = "post.json.pgp"


def put(world: World) -> bytes:
    """A post of Bob's in Alice's tree."""
    audience = frozenset({world.alice.fpr, world.bob.fpr})
    data = message(world.bob.key, bound(world.bob, NAME, audience, "old words"), [world.alice])
    world.alice.put(world.bob, NAME, data)
    return data


def test_a_held_post_of_a_compromised_key_is_shown_with_a_warning(world: World) -> None:
    data = put(world)
    alice = world.alice
    assert open_post(alice.account, alice.keyring, world.bob.fpr, NAME).notes == ()
    alice.keyring.take_in(revoked(world.bob.key, "compromised").certificate)
    post = open_post(alice.account, alice.keyring, world.bob.fpr, NAME)
    assert post.document is not None
    assert post.document["articleBody"] == "old words"
    assert "revoked" in post.notes[0]
    assert post.opened.signer == world.bob.fpr
    assert [line.summary.name for line in shown(alice)[0]] == [NAME]
    with pytest.raises(SignerRevoked):
        open_source(alice.account, alice.keyring, world.bob.fpr, NAME, data)


def test_nothing_else_about_a_held_post_is_forgiven(world: World) -> None:
    put(world)
    world.alice.put(world.bob, "bare.pgp", b"\xcb\x07b\x00\x00\x00\x00\x00x")
    with pytest.raises(NotSigned):
        open_post(world.alice.account, world.alice.keyring, world.bob.fpr, "bare.pgp")
