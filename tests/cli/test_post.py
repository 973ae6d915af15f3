"""`mau post`: a text for an audience that is always said."""

from __future__ import annotations

import re

import pytest

from mau.content.binding import PUBLIC
from mau.reader.open import OpenedPost, open_post
from tests.cli.desk import Desk, desk, trees, world

__all__ = ["desk", "trees", "world"]


def posted(desk: Desk, name: str) -> OpenedPost:
    alice = desk.world.alice
    return open_post(alice.account, alice.keyring, alice.fpr, name)


def test_a_text_is_posted_for_those_who_are_named(desk: Desk) -> None:
    alice = desk.world.alice
    done = desk.mau(alice, "post", "--to", "bob", "Hello Bob")
    name = done.text.strip()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d-[a-z0-9]{8}\.json\.pgp", name)
    assert done.err == f"Posted {name} for bob.\n"
    post = posted(desk, name)
    assert post.audience == desk.world.for_(desk.world.bob)
    assert post.document is not None
    assert post.document["articleBody"] == "Hello Bob"
    assert post.document["@type"] == "SocialMediaPosting"


@pytest.mark.parametrize(
    ("options", "people", "words"),
    [
        (["--to", "@tea"], ["bob"], "bob"),
        (["--to", "bob", "--to", "carol"], ["bob", "carol"], "bob and carol"),
        (["--friends"], ["bob", "carol"], "bob and carol"),
        (["--me"], [], "you alone"),
        (["--me", "--to", "bob"], ["bob"], "bob"),
    ],
)
def test_every_way_to_say_for_whom(desk: Desk, options: list[str], people: list[str], words: str) -> None:
    done = desk.mau(desk.world.alice, "post", *options, "x")
    assert f"for {words}.\n" in done.err
    wanted = desk.world.for_(*(getattr(desk.world, one) for one in people))
    assert posted(desk, done.text.strip()).audience == wanted


def test_a_public_post_has_its_words_in_its_name(desk: Desk) -> None:
    facts = desk.json(desk.world.alice, "post", "--public", "Hello, World!")
    assert facts == {
        "name": "hello-world.json.pgp",
        "address": f"mau:/p2p/{desk.world.alice.fpr}/hello-world.json.pgp",
        "sha256": desk.world.alice.account.posts().sha256("hello-world.json.pgp"),
        "replaced": None,
        "audience": "public",
    }
    assert posted(desk, "hello-world.json.pgp").audience is PUBLIC


def test_the_text_comes_from_stdin(desk: Desk) -> None:
    name = desk.name(desk.world.alice, "post", "--me", "-", stdin="Zeile 1\nGrüße\n".encode())
    document = posted(desk, name).document
    assert document is not None
    assert document["articleBody"] == "Zeile 1\nGrüße"
    assert desk.name(desk.world.alice, "post", "--me", stdin=b"x")


def test_the_same_name_again_keeps_the_old_content(desk: Desk) -> None:
    desk.mau(desk.world.alice, "post", "--me", "--name", "note", "one")
    before = desk.world.alice.account.posts().sha256("note.pgp")
    done = desk.mau(desk.world.alice, "post", "--me", "--name", "note.pgp", "two")
    assert f"kept as version {before[:12]}" in done.err
    assert [version.sha256 for version in desk.world.alice.account.posts().versions("note.pgp")] == [before]


@pytest.mark.parametrize(
    ("words", "env", "code", "says"),
    [
        (["x"], {}, 2, "for whom? Say --to"),
        (["--public", "--me", "x"], {}, 2, "no other audience"),
        (["--public", "--to", "bob", "x"], {}, 2, "no other audience"),
        (["--to", "nobody", "x"], {}, 2, "nobody"),
        (["--to", "@nobody", "x"], {}, 2, "nobody"),
        (["--me", "  \n"], {}, 2, "nothing in it"),
        (["--me", ""], {}, 2, "nothing in it"),
        (["--me", "--name", "../x", "x"], {}, 1, "separators"),
        (["--me", "--name", "keyring.json", "x"], {}, 1, "for you alone"),
        (["x"], {"MAU_POST_AUDIENCE": "public"}, 2, "never be a default"),
        (["x"], {"MAU_POST_AUDIENCE": "world"}, 2, "'world'"),
        (["x"], {"MAU_POST_AUDIENCE": "@world"}, 2, "MAU_POST_AUDIENCE"),
    ],
)
def test_what_is_refused(desk: Desk, words: list[str], env: dict[str, str], code: int, says: str) -> None:
    done = desk.mau(desk.world.alice, "post", *words, code=code, **env)
    assert says in done.err
    assert done.out == b""
    assert [entry.name for entry in desk.world.alice.account.posts().entries()] == ["keyring.json.pgp"]


@pytest.mark.parametrize("data", [b"\xff\xfe", b"x" * ((1 << 20) + 1)])
def test_what_is_no_text_is_refused(desk: Desk, data: bytes) -> None:
    assert "mau share" in desk.mau(desk.world.alice, "post", "--me", "-", stdin=data, code=2).err


@pytest.mark.parametrize(
    ("words", "readers"),
    [
        ("friends", "for bob and carol"),
        ("me", "for you alone"),
        ("@tea", "for bob"),
        ("carol, @tea", "for bob and carol"),
    ],
)
def test_a_default_can_be_whatever_is_not_public(desk: Desk, words: str, readers: str) -> None:
    assert f"{readers}." in desk.mau(desk.world.alice, "post", "x", MAU_POST_AUDIENCE=words).err
    assert "for everybody" in desk.mau(desk.world.alice, "post", "--public", "x", MAU_POST_AUDIENCE=words).err


def test_friends_need_to_exist(desk: Desk) -> None:
    assert "no friends" in desk.mau(desk.world.mallory, "post", "--friends", "x", code=2).err


ASKED = "A number, or names and @groups: "


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (["1"], "you alone"),
        (["2"], "bob and carol"),
        (["3"], "bob"),
        (["4"], "everybody"),
        (["carol, @tea"], "bob and carol"),
        (["5", "nobody", "carol"], "carol"),
    ],
)
def test_on_a_terminal_it_asks(desk: Desk, answers: list[str], words: str) -> None:
    shown = desk.terminal(desk.world.alice, "post", "x", typed=[(ASKED, answer) for answer in answers])
    for line in ("1  yourself alone", "2  all your friends: bob, carol", "3  @tea: bob", "4  everybody"):
        assert line in shown
    assert re.search(rf"Posted \S+ for {words}\.", shown)
