"""`mau recipients`: who can read a post, and for whom it was meant."""

from __future__ import annotations

from mau.content.binding import PUBLIC
from mau.publish import publish_document
from tests.cli.desk import Desk, desk, trees, world
from tests.publish.world import bound, message

__all__ = ["desk", "trees", "world"]


def test_recipients_and_what_was_signed(desk: Desk) -> None:
    alice, bob = desk.world.alice, desk.world.bob
    audience = desk.world.for_(bob, desk.world.carol)
    publish_document(alice.account, alice.keyring, {}, "x.json.pgp", audience)
    bob.fetch(alice, "x.json.pgp")
    done = desk.mau(bob, "recipients", "alice", "x")
    assert {line.split()[0] for line in done.text.splitlines()} == {"alice", "me", "carol"}
    assert "It was written for carol and you.\n" in done.err
    facts = desk.json(bob, "recipients", "alice", "x")
    assert (facts["kind"], facts["problem"]) == ("encrypted", None)
    assert set(facts["audience"]) == {one.hex for one in audience}
    assert facts["recipients"][0]["fingerprint"] == alice.fpr.hex
    assert {one["fingerprint"] for one in facts["recipients"]} == {one.hex for one in audience}


def test_public_and_unknown_and_leaked(desk: Desk) -> None:
    alice, bob, carol = desk.world.alice, desk.world.bob, desk.world.carol
    publish_document(alice.account, alice.keyring, {}, "open.json.pgp", PUBLIC)
    bob.fetch(alice, "open.json.pgp")
    done = desk.mau(bob, "recipients", "alice", "open")
    assert (done.out, "Everybody can read it" in done.err) == (b"", True)
    assert desk.json(bob, "recipients", "alice", "open")["audience"] == "public"
    data = bound(alice, "leak.json.pgp", desk.world.for_(bob))
    bob.put(alice, "leak.json.pgp", message(alice.key, data, [bob, carol, desk.world.mallory]))
    done = desk.mau(bob, "recipients", "alice", "leak")
    assert {line.split()[0] for line in done.text.splitlines()} == {"alice", "me", "carol", "?"}
    assert "not meant for" in done.err
    facts = desk.json(bob, "recipients", "alice", "leak")
    assert facts["audience"] is None
    assert "not meant for" in facts["problem"]
    bob.put(alice, "unbound.pgp", message(alice.key, b"x", [bob]))
    assert "did not state for whom" in desk.mau(bob, "recipients", "alice", "unbound").err
    bob.put(alice, "junk.pgp", b"junk")
    assert "no message" in desk.mau(bob, "recipients", "alice", "junk").err
