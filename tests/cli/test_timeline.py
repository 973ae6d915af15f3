"""`mau timeline`: everybody's posts, newest first, with what was left out."""

from __future__ import annotations

import json
import time

from mau.content.binding import PUBLIC, notations_for
from tests.cli.desk import Desk, desk, trees, world
from tests.publish.world import Someone, bound, message

__all__ = ["desk", "trees", "world"]

NOW = int(time.time())


def put(desk: Desk, author: Someone, name: str, text: str, age: int) -> None:
    data = bound(author, name, PUBLIC, text)
    desk.world.alice.put(author, name, message(author.key, data, None, created=NOW - age))


def test_newest_first_and_what_was_left_out(desk: Desk) -> None:
    alice, bob, carol = desk.world.alice, desk.world.bob, desk.world.carol
    put(desk, bob, "a.json.pgp", "from Bob", 300)
    put(desk, carol, "b.json.pgp", "from Carol", 200)
    put(desk, alice, "c.json.pgp", "from me", 100)
    notes = notations_for(bob.fpr, "d.pgp", PUBLIC, "photo.jpg")
    alice.put(bob, "d.pgp", message(bob.key, b"jpg", None, notes, created=NOW - 400))
    alice.put(bob, "junk.pgp", b"junk")
    put(desk, bob, "later.json.pgp", "x", -7200)
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
    assert len(desk.mau(alice, "timeline", "--json", "--all").text.splitlines()) == 4


def test_no_text_steers_the_terminal_or_passes_for_another_post(desk: Desk) -> None:
    put(
        desk,
        desk.world.bob,
        "a\u202e.json.pgp",
        "x\x1b[2J\ncarol, now, for you  fake.pgp\n\u2028carol, fake\x85y",
        9,
    )
    done = desk.mau(desk.world.alice, "timeline")
    assert not set("\x1b\u202e\u2028\x85") & set(done.text)
    assert [line for line in done.text.splitlines() if line.startswith("carol")] == []


def test_a_long_text_is_cut_and_nothing_is_said_so(desk: Desk) -> None:
    put(desk, desk.world.bob, "a.json.pgp", "word " * 1000, 9)
    assert len(desk.mau(desk.world.alice, "timeline").text) < 1000
    done = desk.mau(desk.world.mallory, "timeline")
    assert (done.out, "Nothing to read yet" in done.err) == (b"", True)
    assert desk.mau(desk.world.mallory, "timeline", "--json").out == b""
    assert desk.mau(desk.world.mallory, "timeline", "--limit", "0", code=2).out == b""
