"""A key that is merely held verifies, and does nothing else (spec/keyring.md K3.4, K10.6)."""

from __future__ import annotations

import pytest

from mau.errors import KeyRefused, NoAudience, OwnKey, UnknownWho
from mau.keyring import Keyring
from mau.publish import publish_document
from tests.publish.world import World, trees, world

__all__ = ["trees", "world"]


def test_it_verifies_and_names_nobody(world: World) -> None:
    alice, mallory = world.alice, world.mallory
    counter = alice.account.posts().sha256("keyring.json.pgp")
    person = alice.keyring.hold(mallory.certificate)
    assert (person.status, person.local_name) == ("unconfirmed", "")
    assert alice.account.posts().sha256("keyring.json.pgp") == counter  # no statement says anything of it
    again = Keyring.load(alice.account)
    assert again.certificate(mallory.fpr) is not None
    assert mallory.fpr not in {one.fingerprint for one in [*again.friends(), *again.known()]}
    for word in ("Mallory", "mallory", "mallory@example.org"):
        with pytest.raises(UnknownWho):
            again.resolve(word)
    for keyid in mallory.certificate.encryption_keyids:
        assert again.owner_of(keyid) is None
    with pytest.raises((UnknownWho, NoAudience)):
        again.audience([mallory.fpr.hex])
    with pytest.raises(KeyRefused):
        publish_document(
            alice.account, again, {"@type": "Thing"}, "x.json.pgp", frozenset({alice.fpr, mallory.fpr})
        )


def test_it_asks_for_no_word_until_it_is_confirmed_by_itself(world: World) -> None:
    alice, mallory = world.alice, world.mallory
    alice.keyring.hold(mallory.certificate)
    assert alice.keyring.unsettled() == []
    (difference,) = alice.keyring.differences()
    assert (difference.kind, difference.held_only) == ("unconfirmed", True)
    confirmed = alice.keyring.confirm(mallory.fpr, "mallory")
    assert confirmed is not None
    assert confirmed.status == "known"
    # In any other place a key file that nobody confirmed is told.
    data = alice.account.root.key_file(mallory.fpr, "known").read_bytes()
    alice.keyring.remove(mallory.fpr)
    alice.account.root.key_file(mallory.fpr).write_bytes(data)
    alice.keyring.refresh()
    assert [one.kind for one in alice.keyring.unsettled()] == ["unconfirmed"]


def test_who_is_held_already_stays_as_he_is(world: World) -> None:
    alice, bob = world.alice, world.bob
    before = alice.keyring.person(bob.fpr)
    assert alice.keyring.hold(bob.certificate) == before
    assert not alice.account.root.key_file(bob.fpr, "known").exists()
    with pytest.raises(OwnKey):
        alice.keyring.hold(alice.certificate)
