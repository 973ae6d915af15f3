"""`mau files`: what is held, and who can read it."""

from __future__ import annotations

from mau.content.binding import PUBLIC
from mau.publish import publish_document
from tests.cli.desk import Desk, desk, trees, world
from tests.publish.world import message

__all__ = ["desk", "trees", "world"]


def test_files_of_mine_and_of_others(desk: Desk) -> None:
    alice, bob = desk.world.alice, desk.world.bob
    publish_document(
        alice.account, alice.keyring, {}, "both.json.pgp", desk.world.for_(bob, desk.world.carol)
    )
    publish_document(alice.account, alice.keyring, {}, "open.json.pgp", PUBLIC)
    for name in ("both.json.pgp", "open.json.pgp"):
        bob.fetch(alice, name)
    bob.put(alice, "strange.pgp", message(alice.key, b"x", [desk.world.mallory]))
    bob.put(alice, "junk.pgp", b"junk")
    (bob.place(alice) / "draft.txt").write_text("no post")
    shown = {
        line.split()[0]: line.split("  ")[-1] for line in desk.mau(bob, "files", "alice").text.splitlines()
    }
    assert set(shown["both.json.pgp"].split(", ")) == {"alice", "you", "carol"}
    assert shown["open.json.pgp"] == "everybody"
    assert "unknown key" in shown["strange.pgp"]
    assert shown["junk.pgp"] == "(not a message)"
    assert len(shown) == 4
    facts = {one["name"]: one for one in desk.json(bob, "files", "alice")}
    assert set(facts) == set(shown)
    both = facts["both.json.pgp"]
    assert both["sha256"] == alice.account.posts().sha256("both.json.pgp")
    assert both["size"] == (alice.account.posts().path / "both.json.pgp").stat().st_size
    assert both["mtime"].endswith("Z")
    assert both["kind"] == "encrypted"
    assert {one["name"] for one in both["recipients"]} == {"alice", "me", "carol"}
    assert both["recipients"][0]["fingerprint"] == alice.fpr.hex
    assert (facts["open.json.pgp"]["kind"], facts["open.json.pgp"]["recipients"]) == ("signed", [])
    assert facts["junk.pgp"]["kind"] == "other"
    unknown = facts["strange.pgp"]["recipients"][1]
    assert (unknown["fingerprint"], unknown["name"]) == (None, None)
    assert {one["name"] for one in desk.json(alice, "files")} == {
        "both.json.pgp",
        "open.json.pgp",
        "keyring.json.pgp",
    }


def test_nothing_is_held(desk: Desk) -> None:
    done = desk.mau(desk.world.bob, "files", "carol")
    assert (done.out, "Nothing of carol" in done.err) == (b"", True)
    assert desk.json(desk.world.bob, "files", "carol") == []
    assert desk.mau(desk.world.bob, "files", "nobody", code=2).out == b""
