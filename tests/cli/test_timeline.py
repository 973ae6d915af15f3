"""`mau timeline`: everybody's posts, newest first or as one likes, with what was left out."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from pathlib import Path

from mau.content.address import post_iri
from mau.content.binding import PUBLIC, bind_document, notations_for
from mau.publish import _encode
from tests.cli.conftest import PATIENCE, Ended
from tests.cli.desk import Desk, desk, trees, world
from tests.cli.inside import Inside, inside
from tests.cli.test_watch import Watching
from tests.publish.world import PASSPHRASE, Someone, World, bound, message

__all__ = ["desk", "inside", "trees", "world"]

NOW = int(time.time())


def put(world: World, author: Someone, name: str, text: str, age: int, **document: object) -> None:
    data = bound(author, name, PUBLIC, text)
    if document:
        data = _encode(bind_document({"articleBody": text, **document}, author.fpr, name, PUBLIC))
    world.alice.put(author, name, message(author.key, data, None, created=NOW - age))


def test_newest_first_and_what_was_left_out(desk: Desk) -> None:
    world = desk.world
    alice, bob, carol = world.alice, world.bob, world.carol
    put(world, bob, "a.json.pgp", "from Bob", 300)
    put(world, carol, "b.json.pgp", "from Carol", 200)
    put(world, alice, "c.json.pgp", "from me", 100)
    notes = notations_for(bob.fpr, "d.pgp", PUBLIC, "photo.jpg")
    alice.put(bob, "d.pgp", message(bob.key, b"jpg", None, notes, created=NOW - 400))
    alice.put(bob, "junk.pgp", b"junk")
    put(world, bob, "later.json.pgp", "x", -7200)
    done = desk.mau(alice, "timeline")
    order = [line.split(",")[0] for line in done.text.splitlines() if line and not line.startswith(" ")]
    assert order == ["you", "carol", "bob", "bob"]
    for line in ("    from me", "    from Carol", "    from Bob", "    photo.jpg, 3 bytes"):
        assert line in done.text.splitlines()
    assert "Left out: 1 (not a whole OpenPGP message).\n" in done.err
    assert "Left out: 1 (signed more than 30 minutes ahead of this clock).\n" in done.err
    lines = desk.mau(alice, "timeline", "--json", "--limit", "2").text.splitlines()
    first, second = map(json.loads, lines)
    assert (first["author"], first["who"], first["name"]) == (alice.fpr.hex, "me", "c.json.pgp")
    assert (second["document"]["articleBody"], second["audience"]) == ("from Carol", "public")
    assert second["address"] == f"mau:/p2p/{carol.fpr}/b.json.pgp"
    assert (second["read"], second["likes"], second["shared_by"]) == (False, 0, [])
    assert len(desk.mau(alice, "timeline", "--json", "--all").text.splitlines()) == 4


def test_no_text_steers_the_terminal_or_passes_for_another_post(inside: Inside) -> None:
    world = inside.world
    text = "x\x1b[2J\ncarol, now, for you  fake.pgp\n  shared by carol\n|   carol, now\n"
    text += "\u2028carol, fake\x85y"
    put(world, world.bob, "a\u202e.json.pgp", text, 9)
    done = inside.mau(world.alice, "timeline")
    assert not set("\x1b\u202e\u2028\x85") & set(done.text)
    assert [line for line in done.text.splitlines() if line.startswith("carol")] == []
    assert [line for line in done.text.splitlines() if line.startswith("|")] == []
    # What we say of a post is indented less than any text.
    assert [line for line in done.text.splitlines() if line.startswith("  shared")] == []


def test_a_long_text_is_cut_and_nothing_is_said_so(inside: Inside) -> None:
    world = inside.world
    put(world, world.bob, "a.json.pgp", "word " * 1000, 9)
    assert len(inside.mau(world.alice, "timeline").text) < 1000
    done = inside.mau(world.mallory, "timeline")
    assert (done.out, "Nothing to read yet" in done.err) == (b"", True)
    assert inside.mau(world.mallory, "timeline", "--json").out == b""
    assert "No post fits that" in inside.mau(world.alice, "timeline", "--tag", "none").err


def test_filters_are_taken_together(inside: Inside) -> None:
    world = inside.world
    put(world, world.bob, "a.json.pgp", "a", 4 * 3600, **{"@type": "Article", "keywords": ["Tea"]})
    put(world, world.bob, "b.json.pgp", "b", 3 * 3600)
    put(world, world.carol, "c.json.pgp", "c", 2 * 3600, **{"@type": "Article"})

    def names(*words: str) -> str:
        lines = inside.mau(world.alice, "timeline", "--json", *words).text.splitlines()
        return " ".join(json.loads(line)["name"][0] for line in lines)

    assert names() == "c b a"
    assert names("--from", "bob", "--from", "carol", "--type", "article") == "c a"
    assert names("--group", "@tea") == "b a"  # the group that Bob is in
    assert names("--tag", "#TEA") == "a"
    assert names("--since", "3h30m", "--until", "2h30m") == "b"
    assert inside.mau(world.alice, "timeline", "--since", "yore", code=2).out == b""


def test_the_reader_chooses_the_algorithm_and_is_told_why(inside: Inside, tmp_path: Path) -> None:
    world = inside.world
    put(world, world.bob, "a.json.pgp", "question", 300)
    put(world, world.bob, "b.json.pgp", "else", 200)
    answer = {"@type": "Comment", "parentItem": {"@id": post_iri(world.bob.fpr, "a.json.pgp")}}
    put(world, world.carol, "c.json.pgp", "answer", 100, **answer)
    done = inside.mau(world.alice, "timeline", "--algorithm", "conversations", "--explain")
    lines = done.text.splitlines()
    assert [line.strip("| ") for line in lines if line.strip("| ") in {"question", "else", "answer"}] == [
        "question",
        "answer",
        "else",
    ]
    assert "|     answers bob: question" in lines
    assert "|     here because: it answers what stands above" in lines
    own = tmp_path / "mine.py"
    own.write_text("def order(posts, context):\n    return sorted(posts, key=lambda post: post.words)\n")
    own.chmod(0o600)
    done = inside.mau(world.alice, "timeline", "--json", "--algorithm", str(own))
    assert [json.loads(line)["name"][0] for line in done.text.splitlines()] == ["c", "b", "a"]
    own.write_text("def order(posts, context):\n    raise KeyError('\\x1b[2Jno')\n")
    done = inside.mau(world.alice, "timeline", "--algorithm", str(own), code=1)
    assert "line 2" in done.err
    assert "\x1b" not in done.err
    assert "chronological" in inside.mau(world.alice, "timeline", "--algorithm", "none", code=2).err


def test_muted_words_are_found_wherever_they_stand(inside: Inside) -> None:
    world = inside.world
    put(world, world.bob, "a.json.pgp", "tea " * 100 + "spoiler", 300)
    put(world, world.bob, "b.json.pgp", "cake", 200)
    inside.mau(world.alice, "mute", "--words", "spoiler")
    assert "tea" not in inside.mau(world.alice, "timeline").text
    assert "tea" in inside.mau(world.alice, "timeline", "--muted").text


def test_the_setting_chooses_too(inside: Inside) -> None:
    world = inside.world
    put(world, world.alice, "mine.json.pgp", "mine", 100)
    inside.patch.setenv("MAU_READER_ALGORITHM", "catch-up")
    done = inside.mau(world.alice, "timeline")
    assert (done.out, done.err) == (b"", "No post fits that.\n")
    assert "mine" in inside.mau(world.alice, "timeline", "--algorithm", "chronological").text


def test_a_pager_shows_it_on_a_terminal(world: World, on_terminal: Callable[..., Ended]) -> None:
    put(world, world.bob, "a.json.pgp", "hello \x1b[31mred", 9)
    pager = """sh -c 'echo "passphrase: [$MAU_PASSPHRASE]"; exec sed s/^/page:/'"""
    env = {"MAU_PASSPHRASE": PASSPHRASE, "MAU_PAGER": pager, "TERM": "dumb"}
    done = on_terminal("timeline", root=world.alice.account.root.path, env=env)
    assert done.code == 0
    assert "page:    hello \\x1b[31mred" in done.err
    assert "passphrase: []" in done.err
    done = on_terminal("timeline", root=world.alice.account.root.path, env={**env, "MAU_PAGER": "true"})
    assert done.code == 0  # a pager that was left at once


def test_following_shows_what_comes_until_it_is_told_to_end(world: World) -> None:
    put(world, world.bob, "a.json.pgp", "before", 50)
    watch = Watching(world.alice, "--follow", "--json", "--from", "bob", command="timeline")
    with contextlib.closing(watch):
        assert json.loads(watch.out.get(timeout=PATIENCE))["document"]["articleBody"] == "before"
        assert "Following" in watch.err.get(timeout=PATIENCE)
        put(world, world.carol, "c.json.pgp", "not asked for", 20)
        put(world, world.bob, "b.json.pgp", "new", 10)
        assert json.loads(watch.out.get(timeout=PATIENCE))["document"]["articleBody"] == "new"
        assert watch.ends() == []
