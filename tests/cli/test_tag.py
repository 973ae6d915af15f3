"""`mau tag`: the posts with a tag, and which tags there are."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from mau.content.address import Address
from mau.content.binding import PUBLIC
from mau.content.links import Reference
from mau.conversation.compose import comment
from mau.publish import publish_document
from mau.reader.open import open_post
from mau.writing.composing import restamped
from tests.cli.inside import run
from tests.publish.world import Someone, World


def fetch(world: World, author: Someone, name: str, text: str, **more: object) -> None:
    document = {"@type": "SocialMediaPosting", "articleBody": text, **more}
    publish_document(author.account, author.keyring, document, f"{name}.json.pgp", PUBLIC)
    if author is not world.alice:
        world.alice.fetch(author, f"{name}.json.pgp")


@pytest.fixture
def tagged(world: World) -> World:
    fetch(world, world.bob, "one", "some #Tea and #cake")
    fetch(world, world.carol, "two", "\x1b[2J\nbob, 2026  #tea", keywords=["Green kettle"])
    fetch(world, world.alice, "three", "mine, with #TEA")
    return world


def names(world: World, *words: str) -> list[str]:
    said = run(world.alice.account, "tag", *words, "--json")
    assert said.code == 0, said
    return sorted(json.loads(line)["name"].partition(".")[0] for line in said.out.splitlines())


def test_the_posts_with_a_tag_are_shown_whoever_wrote_it_and_how(tagged: World) -> None:
    assert names(tagged, "tea") == names(tagged, "#TEA") == ["one", "three", "two"]
    assert names(tagged, "green KETTLE") == ["two"]
    assert names(tagged, "tea", "--from", "bob", "--from", "me") == ["one", "three"]
    assert len(names(tagged, "tea", "--limit", "2")) == 2
    assert names(tagged, "nothing") == []
    assert run(tagged.alice.account, "tag", "nothing").out == ""


def test_no_text_can_pass_for_the_head_of_another_post(tagged: World) -> None:
    text = run(tagged.alice.account, "tag", "tea").out
    assert "\x1b" not in text
    heads = [line for line in text.splitlines() if line and not line.startswith(" ")]
    assert len(heads) == 3


def test_the_tags_are_listed_with_how_many_posts_have_them_the_pinned_first(tagged: World) -> None:
    account = tagged.alice.account
    assert run(account, "tag", "--pin", "later").err == "Pinned: #later.\n"
    assert run(account, "tag", "--pin", "#CAKE").code == 0
    listed = json.loads(run(account, "tag", "--list", "--json").out)
    assert [(one["tag"], one["posts"], one["pinned"]) for one in listed] == [
        ("cake", 1, True),
        ("later", 0, True),
        ("tea", 3, False),
        ("green kettle", 1, False),
    ]
    assert run(account, "tag", "--unpin", "later").code == 0
    assert [line.split()[0] for line in run(account, "tag").out.splitlines()] == ["#cake", "#tea", "#green"]
    assert "And 1 more" in run(account, "tag", "--limit", "1").err


def test_what_is_muted_is_left_out_but_a_muted_tag_can_be_looked_at(tagged: World) -> None:
    account = tagged.alice.account
    assert run(account, "mute", "carol").code == 0
    assert names(tagged, "tea") == ["one", "three"]
    assert run(account, "mute", "#tea").code == 0
    assert names(tagged, "cake") == []
    assert "one" in names(tagged, "tea")


@pytest.mark.parametrize(
    "words", [("--pin",), ("x", "--pin", "--unpin"), ("x", "--list"), (" ",), ("--unpin", "--list")]
)
def test_what_is_meant_must_be_said(world: World, words: tuple[str, ...]) -> None:
    assert run(world.alice.account, "tag", *words).error.startswith("UsageError")


def test_what_is_posted_says_its_tags_where_other_programs_look(world: World) -> None:
    alice, now = world.alice, datetime.now(UTC)
    assert run(alice.account, "post", "--me", "--name", "one", "some #Tea").code == 0
    document = open_post(alice.account, alice.keyring, alice.fpr, "one.pgp").document or {}
    assert document["keywords"] == ["Tea"]
    assert "keywords" not in restamped(document | {"articleBody": "none"}, now, document)
    answer = comment(alice.fpr, Reference(Address(world.bob.fpr, "x.pgp")), "yes, #cake", now)
    assert answer["keywords"] == ["cake"]
