"""`mau delete`: a post of one's own, after asking; those who could read it are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from mau.publish import publish_document
from mau.reader.open import open_post
from tests.cli.conftest import Gpg, gpg
from tests.cli.desk import Desk, desk, trees, world
from tests.publish.world import PASSPHRASE

__all__ = ["desk", "gpg", "trees", "world"]


@pytest.fixture
def note(desk: Desk) -> str:
    """A post for Bob with an older version."""
    alice = desk.world.alice
    audience = desk.world.for_(desk.world.bob)
    for text in "ab":
        publish_document(alice.account, alice.keyring, {"name": text}, "note.json.pgp", audience)
    return "note.json.pgp"


def held(desk: Desk) -> tuple[bool, int]:
    posts = desk.world.alice.account.posts()
    return posts.entry("note.json.pgp") is not None, len(posts.versions("note.json.pgp"))


def told(desk: Desk) -> list[str]:
    posts = desk.world.alice.account.posts()
    return [name for name in posts.names() if name not in ("note.json.pgp", "keyring.json.pgp")]


def test_it_becomes_a_version_and_its_readers_are_told(desk: Desk, note: str) -> None:
    alice, bob = desk.world.alice, desk.world.bob
    bob.fetch(alice, note)
    done = desk.mau(alice, "delete", "note.json", "--yes")
    assert done.out == b""
    assert "kept as version" in done.err
    [name] = told(desk)
    assert f"{name} says so to bob." in done.err
    assert held(desk) == (False, 2)
    bob.fetch(alice, name)
    assert "(deleted by its author)" in desk.mau(bob, "files", "alice").text
    assert "(deletes note.json.pgp)" in desk.mau(bob, "files", "alice").text
    assert "Its author deleted it." in desk.mau(bob, "open", "alice", "note").err
    assert "deleted by its author" in desk.mau(bob, "timeline").text
    assert "gone already" in desk.mau(alice, "delete", "note.json", "--yes").err
    assert told(desk) == [name]
    assert "no post" in desk.mau(alice, "delete", "nothing", "--yes", code=1).err


def test_as_json(desk: Desk, note: str) -> None:
    alice = desk.world.alice
    sha256 = alice.account.posts().sha256(note)
    facts = desk.json(alice, "delete", "note.json", "--yes")
    [name] = told(desk)
    assert (facts["name"], facts["version"], facts["left_out"]) == (note, sha256, [])
    [said] = facts["deletes"]
    assert said["name"] == name
    assert said["address"] == f"mau:/p2p/{alice.fpr}/{name}"
    assert set(said["audience"]) == {alice.fpr.hex, desk.world.bob.fpr.hex}
    files = {one["name"]: one for one in desk.json(alice, "files")}
    assert files[name]["deletes"] == note


def test_it_asks_and_says_who_will_be_told(desk: Desk, note: str) -> None:
    question = "Delete note.json.pgp, and tell bob? [y/N]: "
    assert "Nothing was deleted" in desk.terminal(
        desk.world.alice, "delete", "note.json", typed=[(question, "n")]
    )
    assert held(desk) == (True, 1)
    assert "--yes" in desk.mau(desk.world.alice, "delete", "note.json", code=2).err
    assert (held(desk), told(desk)) == ((True, 1), [])
    desk.terminal(desk.world.alice, "delete", "note.json", typed=[(question, "y")])
    assert held(desk) == (False, 2)


def test_who_cannot_be_told_is_named(desk: Desk, note: str) -> None:
    desk.mau(desk.world.alice, "friend", "remove", "bob", "--yes")
    done = desk.mau(desk.world.alice, "delete", "note.json", "--yes")
    assert f"Not told, because nothing can be encrypted for them: {desk.world.bob.fpr}." in done.err


def test_local_tells_nobody(desk: Desk, note: str) -> None:
    done = desk.mau(desk.world.alice, "delete", "note.json", "--local", "--yes")
    assert "Nobody was told" in done.err
    assert (held(desk), told(desk)) == ((False, 2), [])


def test_purge_keeps_nothing(desk: Desk, note: str) -> None:
    question = "Delete note.json.pgp and its older version, and tell bob? There is no way back. [y/N]: "
    desk.terminal(desk.world.alice, "delete", "note.json", "--purge", typed=[(question, "y")])
    assert held(desk) == (False, 0)
    assert len(told(desk)) == 1


def test_the_beginning_of_a_name_deletes_nothing(desk: Desk, note: str) -> None:
    assert "no post 'note'" in desk.mau(desk.world.alice, "delete", "note", "--yes", code=1).err
    assert held(desk) == (True, 1)


def test_the_keyring_statement_stays(desk: Desk) -> None:
    assert "for you alone" in desk.mau(desk.world.alice, "delete", "keyring.json", "--yes", code=2).err
    assert desk.world.alice.account.posts().entry("keyring.json.pgp") is not None


def test_gpg_reads_what_was_told(desk: Desk, note: str, gpg: Gpg) -> None:
    """Bob's own program is GnuPG: it decrypts the DeleteAction and finds Alice's good signature."""
    alice, bob = desk.world.alice, desk.world.bob
    [said] = desk.json(alice, "delete", "note.json", "--yes")["deletes"]
    secret = gpg.run("--decrypt", bob.account.root.account_file, passphrase=PASSPHRASE)
    gpg.run("--import", stdin=secret)
    gpg.run("--import", stdin=bytes(alice.certificate))
    path = alice.account.posts().path / said["name"]
    content = gpg.run("--decrypt", path)
    assert b'"DeleteAction"' in content
    assert f"/{note}".encode() in content
    bob.fetch(alice, said["name"])
    assert open_post(bob.account, bob.keyring, alice.fpr, said["name"]).opened.data == content
    assert b"GOODSIG" in gpg.run("--status-fd", "1", "--output", desk.place / "out", "--decrypt", path)


def test_what_was_removed_by_hand_can_be_told_of_though_it_left_no_version(desk: Desk) -> None:
    alice, bob = desk.world.alice, desk.world.bob
    audience = desk.world.for_(bob)
    for name in ("gone", "renamed"):
        publish_document(alice.account, alice.keyring, {"name": name}, f"{name}.json.pgp", audience)
    own = alice.account.root.author_dir(alice.fpr)
    (own / "gone.json.pgp").unlink()
    (own / "renamed.json.pgp").rename(own / "other.json.pgp")
    assert desk.json(alice, "status")["removed_here"] == ["gone.json.pgp"]
    done = desk.mau(alice, "delete", "gone.json", "--yes")
    assert "gone already" in done.err
    assert "says so to bob." in done.err
    assert desk.json(alice, "status")["removed_here"] == []
    assert "cannot hold" in desk.mau(alice, "delete", "../gone", "--yes", code=1).err


def test_the_files_of_a_post_are_deleted_and_brought_back_with_it(desk: Desk, tmp_path: Path) -> None:
    alice = desk.world.alice
    (tmp_path / "notes.txt").write_text("three eggs")
    before = set(alice.account.posts().names())
    words = ("post", "--to", "bob", "x", "--name", "p", "--attach", tmp_path / "notes.txt")
    desk.mau(alice, *words)
    made = set(alice.account.posts().names()) - before
    (file,) = made - {"p.pgp"}
    question = "Delete p.pgp and the one file of it, and tell bob?"
    assert question in desk.mau(alice, "delete", "p", code=2).err
    assert desk.json(alice, "delete", "p", "--yes")["attachments"] == [file]
    assert not made & set(alice.account.posts().names())
    assert "And so is the file of it." in desk.mau(alice, "undelete", "p").err
    assert made <= set(alice.account.posts().names())
    desk.mau(alice, "delete", "p", "--yes", "--keep-attachments")
    assert file in alice.account.posts().names()
