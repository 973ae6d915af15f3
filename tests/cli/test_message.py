"""`mau message`: to one or several, who are named in it."""

from __future__ import annotations

import pytest

from mau.reader.directed import directed_at
from mau.reader.open import open_post
from mau_cli.commands.message import split_words
from tests.cli.inside import Inside, inside, trees, world

__all__ = ["inside", "trees", "world"]


def test_it_is_for_those_who_are_named_and_says_so(inside: Inside) -> None:
    alice, bob, carol = inside.world.alice, inside.world.bob, inside.world.carol
    name = inside.name(alice, "message", "bob", "carol", "Tea at four?")
    bob.fetch(alice, name)
    post = open_post(bob.account, bob.keyring, alice.fpr, name)
    assert post.audience == {alice.fpr, bob.fpr, carol.fpr}
    assert post.document is not None
    assert (post.document["@type"], post.document["text"]) == ("Message", "Tea at four?")
    assert directed_at(bob.fpr, alice.fpr, post.document) == "message"
    # The answer is for all of them.
    answer = open_post(bob.account, bob.keyring, bob.fpr, inside.name(bob, "reply", f"alice/{name}", "Yes"))
    assert answer.audience == post.audience
    assert directed_at(carol.fpr, bob.fpr, answer.document) == "message"


def test_groups_and_texts_from_elsewhere(inside: Inside) -> None:
    alice, bob = inside.world.alice, inside.world.bob
    for words in (["@tea"], ["@tea", "-"]):
        name = inside.name(alice, "message", *words, stdin=b"from a pipe\n")
        post = open_post(alice.account, alice.keyring, alice.fpr, name)
        assert post.audience == {alice.fpr, bob.fpr}
        assert post.document is not None
        assert post.document["text"] == "from a pipe"


@pytest.mark.parametrize(
    ("words", "text", "people", "given"),
    [
        (["bob", "hello"], None, ["bob"], "hello"),
        (["bob", "carol"], None, ["bob", "carol"], None),
        (["bob", "carol", "hello all"], None, ["bob", "carol"], "hello all"),
        (["bob", "@tea"], None, ["bob", "@tea"], None),
        (["bob"], None, ["bob"], None),
        (["bob", "-"], None, ["bob"], "-"),
        (["bob", "carol"], "carol", ["bob", "carol"], "carol"),
    ],
)
def test_the_last_word_is_the_text_unless_it_names_somebody(
    inside: Inside, words: list[str], text: str | None, people: list[str], given: str | None
) -> None:
    found = split_words(inside.world.alice.keyring, words, text)
    assert (list(found[0]), found[1]) == (people, given)


def test_what_is_for_nobody_is_refused(inside: Inside) -> None:
    alice = inside.world.alice
    assert "for somebody" in inside.mau(alice, "message", "me", "x", code=2).err
    inside.mau(alice, "message", "nobody", "x", code=2)
    inside.mau(alice, "message", "mallory", "x", code=2)
    assert "nothing in it" in inside.mau(alice, "message", "bob", stdin=b" \n", code=2).err
