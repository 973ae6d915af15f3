"""Own files that nobody is shown are named, with what to do about them."""

from __future__ import annotations

from mau.catalogue import open_index
from mau.content.binding import PUBLIC
from mau.deletion.held import deletes_of
from mau.deletion.publishing import delete_post, undelete
from mau.publish import publish_document
from mau.reader.unpublished import unpublished
from tests.publish.world import World, bound, message


def found(world: World) -> dict[str, str]:
    account, keyring = world.alice.account, world.alice.keyring
    with open_index(account.root) as index:
        index.refresh(account.fingerprint)
        deletes = deletes_of(account, keyring, account.fingerprint)
        found = unpublished(account, keyring, index, deletes)
        return {one.name: f"{one.error}: {one.words}" for one in found}


def test_a_deleted_post_that_is_there_again_is_named_with_the_offer_to_publish_it(world: World) -> None:
    alice = world.alice
    publish_document(alice.account, alice.keyring, {"articleBody": "x"}, "kettle.json.pgp", PUBLIC)
    kept = (alice.account.posts().path / "kettle.json.pgp").read_bytes()
    assert found(world) == {}
    delete_post(alice.account, alice.keyring, "kettle.json.pgp")
    assert found(world) == {}
    alice.put(alice, "kettle.json.pgp", kept)
    assert list(found(world)) == ["kettle.json.pgp"]
    assert "`mau undelete kettle.json.pgp`" in found(world)["kettle.json.pgp"]
    undelete(alice.account, alice.keyring, "kettle.json.pgp")
    assert found(world) == {}


def test_what_somebody_could_read_for_whom_it_was_not_meant_is_named_once_she_is_known(world: World) -> None:
    alice, mallory = world.alice, world.mallory
    data = bound(alice, "m.json.pgp", world.for_(), "for me")
    alice.put(alice, "m.json.pgp", message(alice.key, data, [alice, mallory]))
    assert found(world) == {}
    alice.keyring.add(mallory.certificate, "mallory")
    assert found(world)["m.json.pgp"].startswith("Leaked")
    person = alice.keyring.person(mallory.fpr)
    assert person is not None
    alice.keyring.remove(person)
    assert found(world) == {}
