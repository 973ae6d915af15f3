"""Reading: everything in the tree in short, each content opened once, nothing that the tree does not hold."""

from __future__ import annotations

import time

from mau.content.address import Address, person_iri, post_iri
from mau.content.binding import PUBLIC
from mau.deletion.publishing import delete_post
from mau.publish import publish_document
from mau.reader.reading import Reading
from tests.publish.world import Someone, World, bound, message

NOW = int(time.time())


def put(world: World, author: Someone, name: str, text: str, age: int) -> None:
    data = bound(author, name, PUBLIC, text)
    world.alice.put(author, name, message(author.key, data, None, created=NOW - age))


def words(reading: Reading) -> list[str]:
    return [one.words for one in reading.newest()]


def test_newest_signature_first_each_content_opened_once(world: World) -> None:
    for number, author in enumerate([world.alice, world.bob, world.carol]):
        put(world, author, f"{number}.json.pgp", f"text {number}", 100 - number)
    told: list[str] = []
    with Reading(world.alice.account, world.alice.keyring) as reading:
        reading.refresh(lambda post, summary: told.append(f"{post.name} {summary.words}"))
        assert words(reading) == ["text 2", "text 1", "text 0"]
        assert sorted(told) == ["0.json.pgp text 0", "1.json.pgp text 1", "2.json.pgp text 2"]
        assert [one.words for one in reading.newest([world.bob.fpr])] == ["text 1"]
        put(world, world.bob, "new.json.pgp", "news", 1)
        put(world, world.carol, "2.json.pgp", "edited", 0)
        told.clear()
        reading.refresh(lambda post, summary: told.append(summary.words))
        assert words(reading) == ["edited", "news", "text 1", "text 0"]
        assert sorted(told) == ["edited", "news"]


def test_what_is_no_post_to_show_is_held_all_the_same(world: World) -> None:
    alice, bob = world.alice, world.bob
    put(world, bob, "x.json.pgp", "x", 10)
    bob.put(alice, "junk.pgp", b"junk")
    alice.put(bob, "junk.pgp", b"junk")
    publish_document(alice.account, alice.keyring, {"articleBody": "gone"}, "gone.json.pgp", PUBLIC)
    delete_post(alice.account, alice.keyring, "gone.json.pgp")
    alice.account.root.unfollow(world.carol.fpr)
    with Reading(alice.account, alice.keyring) as reading:
        reading.refresh()
        assert words(reading) == ["x"]
        assert reading.left_out == {"MalformedPost": 1}
        junk = reading.get(bob.fpr, "junk.pgp")
        assert junk is not None
        assert junk.error == "MalformedPost"
        assert reading.get(bob.fpr, "none.pgp") is None


def test_answers_and_likes_point_at_their_post(world: World) -> None:
    alice, bob = world.alice, world.bob
    put(world, bob, "x.json.pgp", "x #Tea", 10)
    address = Address(bob.fpr, "x.json.pgp")
    reply = {"@type": "Comment", "text": "y", "parentItem": {"@id": post_iri(bob.fpr, "x.json.pgp")}}
    like = {
        "@type": "LikeAction",
        "agent": {"@id": person_iri(alice.fpr)},
        "object": {"@id": post_iri(bob.fpr, "x.json.pgp")},
    }
    publish_document(alice.account, alice.keyring, reply, "y.json.pgp", PUBLIC)
    publish_document(alice.account, alice.keyring, like, "z.json.pgp", PUBLIC)
    with Reading(alice.account, alice.keyring) as reading:
        reading.refresh()
        assert sorted((one.type, one.links.act) for one in reading.pointing_at(address)) == [
            ("Comment", ""),
            ("LikeAction", "like"),
        ]
        assert [one.name for one in reading.tagged("#TEA")] == ["x.json.pgp"]
        [post] = reading.tagged("tea")
        assert reading.open(post).document is not None
