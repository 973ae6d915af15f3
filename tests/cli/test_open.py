"""`mau open`: content only when everything holds, with who, when and for whom."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from mau.content.binding import PUBLIC, notations_for
from mau.publish import publish_document
from tests.cli.desk import Desk, desk, trees, world
from tests.publish.world import message

__all__ = ["desk", "trees", "world"]

TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d"


@pytest.fixture
def note(desk: Desk) -> str:
    """A post of Alice's for Bob, in both trees."""
    alice = desk.world.alice
    document = {"@type": "SocialMediaPosting", "headline": "Title", "articleBody": "Tea\x1b[2J at\u202e four"}
    publish_document(alice.account, alice.keyring, document, "note.json.pgp", desk.world.for_(desk.world.bob))
    return desk.world.bob.fetch(alice, "note.json.pgp")


def test_bytes_to_stdout_and_words_to_stderr(desk: Desk, note: str) -> None:
    alice = desk.world.alice
    done = desk.mau(desk.world.bob, "open", "alice", note)
    assert json.loads(done.out)["articleBody"] == "Tea\x1b[2J at\u202e four"
    assert re.fullmatch(rf"note.json.pgp, signed by alice \({alice.fpr}\) on {TIME}, for you\.\n", done.err)
    own = desk.mau(alice, "open", "me", "note.json")
    assert own.out == done.out
    assert f"note.json.pgp, signed by you ({alice.fpr})" in own.err
    assert ", for bob.\n" in own.err


def test_on_a_terminal_it_is_readable_and_harmless(desk: Desk, note: str) -> None:
    shown = desk.terminal(desk.world.bob, "open", "alice", note)
    assert "\x1b[1mTitle\x1b[0m\n\nTea\\x1b[2J at\\u202e four\n" in shown
    assert not set("\x1b\u202e") & set(re.sub(r"\x1b\[[012]m", "", shown))  # without bold, dim, and their end
    desk.world.bob.put(desk.world.alice, "b.pgp", message(desk.world.alice.key, bytes(range(256)), None))
    assert "256 bytes that are no text" in desk.terminal(desk.world.bob, "open", "alice", "b")
    desk.world.bob.put(desk.world.alice, "t.pgp", message(desk.world.alice.key, b"t\x1b[2Jext\n", None))
    assert "t\\x1b[2Jext\n" in desk.terminal(desk.world.bob, "open", "alice", "t")
    desk.world.bob.put(desk.world.alice, "j.pgp", message(desk.world.alice.key, b'{"x":"\\u001b"}', None))
    assert "X:\x1b[0m \\x1b\n" in desk.terminal(desk.world.bob, "open", "alice", "j")


def test_ways_to_name_a_post(desk: Desk, note: str) -> None:
    fpr = desk.world.alice.fpr.hex
    for words in (
        ["alice", "note.json.pgp"],
        ["alice", "note.json"],
        ["alice", "not"],
        ["alice", "NOTE.json"],
        [fpr, "note"],
        [fpr[:8], "note"],
        ["alice/note"],
        [f"{fpr}/note.json.pgp"],
        [f"mau:/p2p/{fpr}/note.json.pgp"],
        [f"mau://example.org:1/p2p/{fpr}/note.json.pgp"],
        [f"/p2p/{fpr}/note.json.pgp"],
    ):
        assert desk.mau(desk.world.bob, "open", *words).out, words


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["alice"], 2, "which post?"),
        (["mau:/p2p/x"], 2, "not an address"),
        (["alice", "other"], 1, "no post 'other' of 'alice'"),
        (["nobody", "note"], 2, "nobody"),
        (["alice", "../note"], 1, "separators"),
        (["alice", "note", "--version", "ab"], 2, "4 or more"),
        (["alice", "note", "--version", "abcd"], 1, "no version abcd"),
        (["carol", "note"], 1, "no post"),
    ],
)
def test_what_is_not_meant(desk: Desk, note: str, words: list[str], code: int, says: str) -> None:
    done = desk.mau(desk.world.bob, "open", *words, code=code)
    assert says in done.err
    assert done.out == b""


def test_two_posts_that_begin_alike_are_listed(desk: Desk, note: str) -> None:
    desk.world.bob.fetch(desk.world.alice, note, under="note2.pgp")
    done = desk.mau(desk.world.bob, "open", "alice", "not", code=2)
    assert "note.json.pgp" in done.err and "note2.pgp" in done.err


def test_what_does_not_hold_is_not_shown_unless_anyway(desk: Desk, note: str) -> None:
    desk.world.bob.fetch(desk.world.alice, note, under="renamed.pgp")
    done = desk.mau(desk.world.bob, "open", "alice", "renamed", code=6)
    assert done.out == b""
    assert "its author signed it as 'note.json.pgp'" in done.err
    assert "--anyway" in done.err
    anyway = desk.mau(desk.world.bob, "open", "alice", "renamed", "--anyway")
    assert b"Title" in anyway.out
    assert anyway.err.startswith("WARNING: this does not hold: its author signed it as")
    forged = message(desk.world.carol.key, b"forged", None)
    desk.world.bob.put(desk.world.alice, "forged.pgp", forged)
    assert desk.mau(desk.world.bob, "open", "alice", "forged", code=6).out == b""
    anyway = desk.mau(desk.world.bob, "open", "alice", "forged", "--anyway")
    assert anyway.out == b"forged"
    assert "Anybody may have written" in anyway.err
    assert "signed by" not in anyway.err


def test_not_for_me(desk: Desk, note: str) -> None:
    desk.world.carol.fetch(desk.world.alice, note)
    done = desk.mau(desk.world.carol, "open", "alice", note, code=6)
    assert "not encrypted for this account" in done.err
    assert "--anyway" not in done.err


def test_unbound_posts_open_with_a_note(desk: Desk) -> None:
    desk.world.bob.put(desk.world.alice, "x.pgp", message(desk.world.alice.key, b"plain", [desk.world.bob]))
    done = desk.mau(desk.world.bob, "open", "alice", "x")
    assert done.out == b"plain"
    assert "Note: unbound" in done.err
    assert ", for whom it does not say." in done.err


def test_a_version_by_the_beginning_of_its_sum(desk: Desk, note: str) -> None:
    alice = desk.world.alice
    first = alice.account.posts().sha256(note)
    publish_document(alice.account, alice.keyring, {"articleBody": "second"}, note, desk.world.for_())
    second = alice.account.posts().sha256(note)
    assert b"Title" in desk.mau(alice, "open", "me", note, "--version", first[:6]).out
    assert b"second" in desk.mau(alice, "open", "me", note, "--version", second).out
    assert b"Title" in desk.mau(alice, "open", f"mau:/p2p/{alice.fpr}/{note}.version/{first}").out


def test_into_a_file(desk: Desk, note: str) -> None:
    output = desk.place / "out" / "note.json"
    output.parent.mkdir()
    done = desk.mau(desk.world.bob, "open", "alice", note, "-o", output)
    assert done.out == b""
    content = output.read_bytes()
    assert json.loads(content)["headline"] == "Title"
    assert output.stat().st_mode & 0o777 == 0o600
    output.write_bytes(b"mine")
    assert "--force" in desk.mau(desk.world.bob, "open", "alice", note, "-o", output, code=2).err
    assert output.read_bytes() == b"mine"
    desk.mau(desk.world.bob, "open", "alice", note, "-o", output, "--force")
    assert output.read_bytes() == content
    desk.world.bob.fetch(desk.world.alice, note, under="renamed.pgp")
    desk.mau(desk.world.bob, "open", "alice", "renamed", "-o", output, "--force", code=6)
    assert output.read_bytes() == content
    assert [one.name for one in output.parent.iterdir()] == ["note.json"]
    for other in (Path("/dev/null"), desk.place):
        assert (
            "no regular file"
            in desk.mau(desk.world.bob, "open", "alice", note, "-o", other, "--force", code=2).err
        )
    link = desk.place / "link"
    link.symlink_to(output)
    assert desk.mau(desk.world.bob, "open", "alice", note, "-o", link, "--force", code=2)


def test_a_large_file_goes_through_the_disk(desk: Desk) -> None:
    content = os.urandom(3 << 20)
    notes = notations_for(desk.world.alice.fpr, "big.pgp", PUBLIC, "big\x1b.bin")
    desk.world.bob.put(desk.world.alice, "big.pgp", message(desk.world.alice.key, content, None, notes))
    done = desk.mau(desk.world.bob, "open", "alice", "big")
    assert done.out == content
    assert "The file was called 'big\\x1b.bin'." in done.err
    left = desk.world.bob.account.root.state_dir("reader").iterdir()
    assert not [path for path in left if not path.name.startswith(("deletes.db", "stated.db"))]


def test_json_says_who_when_and_for_whom(desk: Desk, note: str) -> None:
    facts = desk.json(desk.world.bob, "open", "alice", note)
    assert facts["author"] == desk.world.alice.fpr.hex
    assert facts["address"] == f"mau:/p2p/{desk.world.alice.fpr}/{note}"
    assert set(facts["audience"]) == {desk.world.alice.fpr.hex, desk.world.bob.fpr.hex}
    assert facts["signed"].endswith("Z")
    assert facts["document"]["headline"] == "Title"
    assert (facts["problem"], facts["notes"], facts["filename"], facts["encrypted"]) == (None, [], None, True)
    huge = b'{"@context":"https://schema.org","x":[' + b"9" * 500 + b",1e999]}"
    desk.world.bob.put(desk.world.alice, "h.pgp", message(desk.world.alice.key, huge, None))
    assert desk.json(desk.world.bob, "open", "alice", "h")["document"]["x"] == [None, None]
