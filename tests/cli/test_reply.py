"""`mau reply`: for those who could read what it answers, and for nobody else unless that was said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mau.content.binding import PUBLIC
from mau.publish import publish_document
from mau.reader.open import open_post
from tests.cli.desk import Desk, desk
from tests.cli.inside import Inside, inside, trees, world
from tests.publish.world import Someone, message

__all__ = ["desk", "inside", "trees", "world"]


def posted(
    author: Someone, name: str, *people: Someone, public: bool = False, kind: str = "SocialMediaPosting"
) -> str:
    word = "articleBody" if kind == "SocialMediaPosting" else "text"
    document = {"@type": kind, word: "The kettle is on."}
    audience = PUBLIC if public else frozenset({author.fpr, *(one.fpr for one in people)})
    return publish_document(author.account, author.keyring, document, name, audience).sha256


def test_the_answer_is_for_those_who_could_read_the_post(inside: Inside) -> None:
    alice, bob, carol = inside.world.alice, inside.world.bob, inside.world.carol
    sha256 = posted(alice, "kettle.json.pgp", bob, carol)
    bob.fetch(alice, "kettle.json.pgp")
    name = inside.name(bob, "reply", "kettle", "On my way")
    post = open_post(bob.account, bob.keyring, bob.fpr, name)
    assert post.audience == {alice.fpr, bob.fpr, carol.fpr}
    assert post.document is not None
    assert post.document["parentItem"] == {"@id": f"mau:/p2p/{alice.fpr}/kettle.json.pgp", "sha256": sha256}
    assert (post.document["@type"], post.document["text"]) == ("Comment", "On my way")
    alice.fetch(bob, name)
    assert open_post(alice.account, alice.keyring, bob.fpr, name).problem is None


def test_who_is_left_out_is_named_before(inside: Inside) -> None:
    alice, bob, carol = inside.world.alice, inside.world.bob, inside.world.carol
    posted(alice, "kettle.json.pgp", bob, carol)
    bob.fetch(alice, "kettle.json.pgp")
    bob.keyring.remove(carol.fpr)
    done = inside.mau(bob, "reply", "alice/kettle", "x")
    left_out = done.err.index(f"Left out: {carol.fpr} (no key of theirs is held here).")
    assert left_out < done.err.index("It is for alice.") < done.err.index("Posted")


def test_of_a_post_that_states_nobody_the_head_says_who_can_read_it(inside: Inside) -> None:
    alice, bob, mallory = inside.world.alice, inside.world.bob, inside.world.mallory
    bob.put(alice, "gpg.pgp", message(alice.key, b"by another program", [alice, bob, mallory]))
    done = inside.mau(bob, "reply", "gpg", "x")
    assert "Left out: unknown key " in done.err
    post = open_post(bob.account, bob.keyring, bob.fpr, done.text.strip())
    assert post.audience == {alice.fpr, bob.fpr}


def test_an_answer_to_something_public_says_for_whom(inside: Inside) -> None:
    alice, bob = inside.world.alice, inside.world.bob
    posted(alice, "kettle.json.pgp", public=True)
    bob.fetch(alice, "kettle.json.pgp")
    assert "What this is about is public" in inside.mau(bob, "reply", "kettle", "x", code=2).err
    assert (
        open_post(
            bob.account, bob.keyring, bob.fpr, inside.name(bob, "reply", "kettle", "x", "--public")
        ).audience
        is PUBLIC
    )


def test_it_is_never_wider_unless_told_so(inside: Inside) -> None:
    alice, bob, carol = inside.world.alice, inside.world.bob, inside.world.carol
    posted(alice, "kettle.json.pgp", bob)
    bob.fetch(alice, "kettle.json.pgp")
    before = bob.account.posts().names()
    for whom in (["--to", "carol"], ["--public"], ["--friends"], ["--wider"]):
        done = inside.mau(bob, "reply", "kettle", "x", *whom, code=2)
        assert "--wider" in done.err
    assert bob.account.posts().names() == before
    name = inside.name(bob, "reply", "kettle", "x", "--to", "carol", "--wider")
    assert open_post(bob.account, bob.keyring, bob.fpr, name).audience == {bob.fpr, carol.fpr}
    # Narrower needs no word.
    assert inside.mau(bob, "reply", "kettle", "x", "--me").code == 0


@pytest.mark.parametrize(("kind", "answered"), [("Question", "Answer"), ("Message", "Message")])
def test_questions_get_answers_and_messages_messages(inside: Inside, kind: str, answered: str) -> None:
    alice, bob, carol = inside.world.alice, inside.world.bob, inside.world.carol
    posted(alice, "one.json.pgp", bob, carol, kind=kind)
    bob.fetch(alice, "one.json.pgp")
    name = inside.name(bob, "reply", "one", stdin=b"four o'clock\n")
    document = open_post(bob.account, bob.keyring, bob.fpr, name).document
    assert document is not None
    assert (document["@type"], document["text"]) == (answered, "four o'clock")
    if answered == "Message":
        assert {one["@id"][-40:] for one in document["recipient"]} == {alice.fpr.hex, carol.fpr.hex}


def test_what_cannot_be_answered_says_why(inside: Inside) -> None:
    alice, bob = inside.world.alice, inside.world.bob
    posted(alice, "kettle.json.pgp", bob)
    posted(alice, "kettle-2.json.pgp", bob)
    for name in ("kettle.json.pgp", "kettle-2.json.pgp"):
        bob.fetch(alice, name)
    assert "alice/kettle.json" in inside.mau(bob, "reply", "kettle", "x", code=2).err
    assert "nothing in it" in inside.mau(bob, "reply", "kettle-2", " ", code=2).err
    bob.put(alice, "bad.pgp", b"no message")
    assert inside.mau(bob, "reply", "bad", "x", code=6)
    facts = json.loads(inside.mau(bob, "reply", "kettle-2", "x", "--json").out)
    assert facts["audience"] == sorted([alice.fpr.hex, bob.fpr.hex])


def test_that_it_was_deleted_is_said(inside: Inside) -> None:
    alice, bob = inside.world.alice, inside.world.bob
    posted(alice, "kettle.json.pgp", bob)
    bob.fetch(alice, "kettle.json.pgp")
    assert "deleted" not in inside.mau(bob, "reply", "kettle", "x").err
    inside.mau(alice, "delete", "kettle.json", "--yes")
    (delete,) = [name for name in alice.account.posts().names() if name != "keyring.json.pgp"]
    bob.fetch(alice, delete)
    assert "Note: its author deleted it." in inside.mau(bob, "reply", "kettle", "x").err


def test_what_is_attached_is_for_the_same_people(inside: Inside) -> None:
    alice, bob = inside.world.alice, inside.world.bob
    posted(alice, "kettle.json.pgp", bob)
    bob.fetch(alice, "kettle.json.pgp")
    notes = bob.account.root.path / "notes.txt"
    notes.write_text("four cups")
    name = inside.name(bob, "reply", "kettle", "see there", "--attach", notes)
    post = open_post(bob.account, bob.keyring, bob.fpr, name)
    assert post.document is not None
    (media,) = post.document["associatedMedia"]
    attached = media["contentUrl"].rpartition("/")[2]
    assert open_post(bob.account, bob.keyring, bob.fpr, attached).audience == post.audience
    message = inside.name(bob, "message", "alice", "here", "--attach", notes)
    assert "associatedMedia" in (open_post(bob.account, bob.keyring, bob.fpr, message).document or {})


def test_the_editor_shows_what_is_answered_and_only_the_text_is_sent(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = desk.world.alice, desk.world.bob
    posted(alice, "kettle.json.pgp", bob)
    bob.fetch(alice, "kettle.json.pgp")
    editor = tmp_path / "editor"
    editor.write_text(
        f'#!/bin/sh\ncp "$1" {tmp_path}/seen\n(echo "Two sugars"; cat "$1") > "$1.new"\nmv "$1.new" "$1"\n'
    )
    editor.chmod(0o700)
    monkeypatch.setenv("MAU_EDITOR", str(editor))
    desk.terminal(bob, "reply", "kettle")
    assert "The kettle is on." in (tmp_path / "seen").read_text()
    (name,) = [one for one in bob.account.posts().names() if one != "keyring.json.pgp"]
    document = open_post(bob.account, bob.keyring, bob.fpr, name).document
    assert document is not None
    assert document["text"] == "Two sugars"


def test_a_terminal_is_asked_and_a_no_sends_nothing(desk: Desk) -> None:
    alice, bob, carol = desk.world.alice, desk.world.bob, desk.world.carol
    posted(alice, "kettle.json.pgp", bob, carol)
    posted(alice, "open.json.pgp", public=True)
    for name in ("kettle.json.pgp", "open.json.pgp"):
        bob.fetch(alice, name)
    bob.keyring.remove(carol.fpr)
    before = bob.account.posts().names()
    shown = desk.terminal(bob, "reply", "kettle", "x", typed=[("[y/N]: ", "n")], code=130)
    assert "Send it to alice?" in shown
    shown = desk.terminal(bob, "reply", "kettle", "x", "--public", typed=[("[y/N]: ", "n")], code=130)
    assert "was not written for everybody" in shown
    assert bob.account.posts().names() == before
    typed = [("A number, or names and @groups: ", "alice")]
    assert "for alice." in desk.terminal(bob, "reply", "open", "y", typed=typed)
