"""`mau mute`: whom and what I do not want to see."""

from __future__ import annotations

import json

import pytest

from mau.content.binding import PUBLIC
from mau.marks import Marks
from mau.marks import subject as subjects
from mau.publish import publish_document
from tests.cli.inside import run
from tests.publish.world import World


def test_each_kind_is_muted_and_listed(world: World) -> None:
    alice, bob = world.alice, world.bob
    publish_document(bob.account, bob.keyring, {"articleBody": "x"}, "kettle.json.pgp", PUBLIC)
    alice.fetch(bob, "kettle.json.pgp")
    assert "Nothing" in run(alice.account, "mute").err
    assert run(alice.account, "mute", "carol").err == "Muted: carol.\n"
    assert run(alice.account, "mute", "carol").err == "Muted already: carol.\n"
    assert run(alice.account, "mute", "#Tea").code == 0
    assert run(alice.account, "mute", "--tag", "cake").code == 0
    assert "the thread of bob/kettle" in run(alice.account, "mute", "bob/kettle", "--for", "3d").err
    assert run(alice.account, "mute", "--words", "green  kettle").code == 0
    listed = json.loads(run(alice.account, "mute", "--json").out)
    assert [one["kind"] for one in listed] == ["person", "tag", "tag", "thread", "words"]
    assert listed[0]["fingerprint"] == world.carol.fpr.hex
    assert listed[0]["name"] == "carol"
    assert [one["until"] is None for one in listed] == [True, True, True, False, True]
    assert listed[3]["address"] == f"mau:/p2p/{bob.fpr.hex}/kettle.json.pgp"
    text = run(alice.account, "mute").out
    assert [line.split("  ")[0] for line in text.splitlines()][:3] == ["carol", "#tea", "#cake"]


def test_a_post_and_a_person_are_muted_by_their_addresses_and_by_a_name_alone(world: World) -> None:
    alice, bob = world.alice, world.bob
    publish_document(bob.account, bob.keyring, {"articleBody": "x"}, "kettle.json.pgp", PUBLIC)
    alice.fetch(bob, "kettle.json.pgp")
    assert run(alice.account, "mute", f"mau:/p2p/{world.mallory.fpr.hex}").code == 0
    assert run(alice.account, "mute", "kettle").code == 0
    elsewhere = f"mau:/p2p/{world.mallory.fpr.hex}/never-seen.json.pgp"
    assert run(alice.account, "mute", elsewhere).code == 0
    muted = {one.subject for one in Marks.load(alice.account).holding("mute")}
    assert subjects.person(world.mallory.fpr) in muted
    assert {one.value for one in muted if one.kind == "thread"} == {
        f"mau:/p2p/{bob.fpr.hex}/kettle.json.pgp",
        elsewhere,
    }


@pytest.mark.parametrize(
    "words", [("me",), ("nobody-at-all",), ("--for", "3d"), ("bob", "--words", "x"), ("bob", "--for", "soon")]
)
def test_what_cannot_be_muted_is_said(world: World, words: tuple[str, ...]) -> None:
    said = run(world.alice.account, "mute", *words)
    assert said.error.startswith(("UsageError", "UnknownWho"))
    assert not Marks.load(world.alice.account).holding("mute")


def test_words_that_steer_a_terminal_are_shown_as_what_they_are(world: World) -> None:
    assert "\x1b" not in run(world.alice.account, "mute", "--words", "a\x1b[2Jb").err
    assert "\x1b" not in run(world.alice.account, "mute").out
