"""`mau thread`: a conversation as a tree, with what is missing of it, fetched or named."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime
from pathlib import Path

from mau.content.address import Address
from mau.content.binding import PUBLIC
from mau.content.links import Reference
from mau.conversation.compose import action
from mau.publish import publish_document
from mau.server.server import Server
from tests.cli.inside import Inside, inside, trees, world
from tests.cli.test_reply import posted
from tests.publish.world import Someone

__all__ = ["inside", "trees", "world"]


def test_it_shows_who_answered_what_and_who_likes_it(inside: Inside) -> None:
    alice, bob, carol = inside.world.alice, inside.world.bob, inside.world.carol
    posted(alice, "kettle.json.pgp", bob, carol)
    bob.fetch(alice, "kettle.json.pgp")
    first = inside.name(bob, "reply", "kettle", "With \x1b[31msugar\u202e?")
    like = inside.name(bob, "like", "kettle")
    for name in (first, like):
        alice.fetch(bob, name)
    inside.mau(alice, "reply", f"bob/{first}", "Two")
    lines = inside.mau(alice, "thread", "kettle", "--offline").text.splitlines()
    assert lines[0].startswith("> you, ")
    assert lines[0].endswith("  me/kettle.json")
    assert lines[1] == "    The kettle is on."
    assert lines[2] == "  1 like: bob"
    assert lines[4].startswith("  bob, ")
    assert lines[5] == "      With \\x1b[31msugar\\u202e?"
    assert lines[7].startswith("    you, ")
    assert lines[8] == "        Two"
    posts = inside.json(alice, "thread", f"bob/{first}", "--offline")["posts"]
    assert [post["depth"] for post in posts] == [0, 1, 2]
    assert posts[0]["likes"] == [bob.fpr.hex]
    assert posts[1]["parent"] == f"mau:/p2p/{alice.fpr}/kettle.json.pgp"
    assert posts[1]["document"]["text"] == "With \x1b[31msugar\u202e?"


def test_at_the_own_tree_nobody_is_asked(inside: Inside, tmp_path: Path) -> None:
    alice, bob = inside.world.alice, inside.world.bob
    posted(alice, "kettle.json.pgp", bob)
    bob.fetch(alice, "kettle.json.pgp")
    alice.fetch(bob, name := inside.name(bob, "reply", "kettle", "Yes"))
    shutil.rmtree(tmp_path / "alice" / ".peers", ignore_errors=True)
    text = inside.mau(alice, "thread", "kettle").text
    assert "Yes" in text
    assert not (tmp_path / "alice" / ".peers").exists()
    (alice.account.posts().path / "kettle.json.pgp").unlink()
    shown = inside.mau(alice, "thread", f"bob/{name}")
    assert "me/kettle.json: yours, and not held any more" in shown.text


def test_who_is_muted_stands_there_without_his_words(inside: Inside) -> None:
    alice, bob, carol = inside.world.alice, inside.world.bob, inside.world.carol
    posted(alice, "kettle.json.pgp", bob, carol)
    for author, words in ((bob, "loud"), (carol, "quiet")):
        author.fetch(alice, "kettle.json.pgp")
        alice.fetch(author, inside.name(author, "reply", "kettle", words))
    inside.mau(alice, "mute", "bob")
    shown = inside.mau(alice, "thread", "me/kettle", "--offline").text
    assert "quiet" in shown
    assert "loud" not in shown
    assert "(muted: " in shown


def test_an_edit_since_is_said(inside: Inside) -> None:
    alice, bob = inside.world.alice, inside.world.bob
    posted(alice, "kettle.json.pgp", bob)
    bob.fetch(alice, "kettle.json.pgp")
    alice.fetch(bob, inside.name(bob, "reply", "kettle", "Yes"))
    posted(alice, "kettle.json.pgp", bob, kind="Article")
    assert "  answers what it said before it was edited\n" in inside.mau(alice, "thread", "me/kettle").text


def share(author: Someone, target: Address, reader: Someone) -> str:
    document = action(author.fpr, "ShareAction", Reference(target), datetime.now(UTC))
    whom = frozenset({author.fpr, reader.fpr})
    return publish_document(author.account, author.keyring, document, "share.json.pgp", whom).name


async def test_what_is_missing_is_fetched_from_who_shared_it(inside: Inside) -> None:
    alice, bob, mallory = inside.world.alice, inside.world.bob, inside.world.mallory
    publish_document(
        mallory.account,
        mallory.keyring,
        {"@type": "SocialMediaPosting", "articleBody": "From far away"},
        "far.json.pgp",
        PUBLIC,
    )
    bob.keyring.add(mallory.certificate, "mallory", known=True)
    bob.fetch(mallory, "far.json.pgp")
    alice.fetch(bob, share(bob, Address(mallory.fpr, "far.json.pgp"), alice))
    lines = inside.mau(alice, "thread", "bob/share", "--offline").text.splitlines()
    assert lines[:2] == [f"{mallory.fpr}/far.json: author unknown", "  1 share: bob"]
    assert lines[3].startswith("  > bob, ")
    server = Server(bob.account, bob.keyring)
    await server.start("127.0.0.1", 0)
    try:
        host, port = server.address
        done = await asyncio.to_thread(
            inside.mau, alice, "thread", "bob/share", "--fetch", "--at", f"{host}:{port}"
        )
    finally:
        await server.stop(1)
    assert "1 fetched." in done.err
    assert "From far away" in done.text
    # It is held: from now on nobody is asked, and it is answered like any other; its author is not followed.
    assert "From far away" in inside.mau(alice, "thread", "far", "--offline").text
    assert mallory.fpr not in alice.account.root.follows(alice.fpr)
    inside.mau(alice, "reply", "far", "Hello", "--friends")


def test_a_post_that_nobody_holds_is_named_by_its_whole_address(inside: Inside) -> None:
    alice, bob = inside.world.alice, inside.world.bob
    address = f"mau:/p2p/{bob.fpr}/gone.json.pgp"
    assert inside.mau(alice, "thread", address, "--offline").text == "bob/gone.json: not held\n"
    inside.mau(alice, "thread", "gone", "--offline", code=1)
    inside.mau(alice, "thread", f"mau:/p2p/{bob.fpr}", code=2)
