"""`mau sign`: what an editor that encrypts and does not sign has saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Gpg
from tests.cli.desk import Desk, desk, trees, world
from tests.publish.world import Someone

__all__ = ["desk", "trees", "world"]


class Editor:
    """Alice's, with gpg beneath it: it decrypts, changes and encrypts in place, and signs nothing."""

    def __init__(self, gpg: Gpg, desk: Desk) -> None:
        self.gpg = gpg
        self.alice, self.bob, self.carol = desk.world.alice, desk.world.bob, desk.world.carol
        for someone in (self.alice, self.bob, self.carol):
            gpg.run("--import", stdin=bytes(someone.certificate))

    def save(self, name: str, content: bytes, *people: Someone) -> Path:
        path = self.alice.account.root.author_dir(self.alice.fpr) / name
        to = [word for one in (self.alice, *people) for word in ("-r", one.fpr.hex)]
        path.write_bytes(self.gpg.run("--trust-model", "always", "-e", *to, stdin=content))
        return path


@pytest.fixture
def editor(gpg: Gpg, desk: Desk) -> Editor:
    return Editor(gpg, desk)


def content(desk: Desk, name: str) -> bytes:
    return desk.mau(desk.world.alice, "open", f"{desk.world.alice.fpr.hex}/{name}").out


def unsigned(desk: Desk) -> str:
    """What `mau status` says of Alice's own posts."""
    return desk.mau(desk.world.alice, "status").text


def test_what_was_saved_is_shown_to_nobody_until_it_is_signed(desk: Desk, editor: Editor) -> None:
    alice = desk.world.alice
    desk.mau(alice, "post", "--to", "bob", "The kettle is on.", "--name", "kettle")
    editor.save("kettle.pgp", content(desk, "kettle").replace(b"is on", b"is HOT"), editor.bob)
    assert "`mau sign kettle.pgp`" in unsigned(desk)
    done = desk.mau(alice, "sign", "kettle", code=2)
    assert '+ "articleBody": "The kettle is HOT."' in done.err
    assert "--yes" in done.err, "without a terminal nobody has seen it"
    desk.mau(alice, "sign", "kettle", "--yes")
    assert "kettle" not in unsigned(desk)
    facts = desk.json(alice, "open", f"{alice.fpr.hex}/kettle")
    assert facts["document"]["articleBody"] == "The kettle is HOT."
    assert sorted(facts["audience"]) == sorted([alice.fpr.hex, editor.bob.fpr.hex])
    assert desk.mau(alice, "sign", "kettle", "--yes", code=2).err.endswith("is signed\n")


def test_for_more_people_than_before_it_takes_more_than_yes(desk: Desk, editor: Editor) -> None:
    alice, carol = desk.world.alice, editor.carol
    desk.mau(alice, "post", "--to", "bob", "Between us.", "--name", "secret")
    wider = content(desk, "secret").replace(editor.bob.fpr.hex.encode(), carol.fpr.hex.encode())
    editor.save("secret.pgp", wider, carol)
    assert "It was not for carol before." in desk.mau(alice, "sign", "secret", "--yes", code=2).err
    shown = desk.terminal(alice, "sign", "secret", typed=[("Sign secret.pgp for carol? [y/N]: ", "y")])
    assert "Posted secret.pgp for carol." in shown


def test_what_commands_write_is_signed_for_no_other_program(desk: Desk, editor: Editor) -> None:
    alice = desk.world.alice
    desk.mau(alice, "post", "--to", "bob", "Keep me.", "--name", "keep")
    desk.mau(alice, "post", "--to", "bob", "Note.", "--name", "note")
    delete = content(desk, "note").replace(b"SocialMediaPosting", b"DeleteAction")
    delete = delete[:-1] + b',"object":{"@id":"mau:/p2p/%s/keep.pgp","sha256":[]}}' % alice.fpr.hex.encode()
    editor.save("note.pgp", delete, editor.bob)
    assert "commands of its own" in desk.mau(alice, "sign", "note", "--yes", code=2).err
    editor.save("mau-marks.json.pgp", b"{}")
    assert "commands of its own" in desk.mau(alice, "sign", "mau-marks.json", "--yes", code=2).err


def test_a_file_that_states_nothing_is_for_those_of_the_content_signed_last(
    desk: Desk, editor: Editor, tmp_path: Path
) -> None:
    alice = desk.world.alice
    note = tmp_path / "note.txt"
    note.write_text("one\n")
    desk.mau(alice, "share", "--to", "bob", note, "--name", "note")
    editor.save("note.pgp", b"two\n", editor.bob, editor.carol)
    desk.mau(alice, "sign", "note", "--yes")
    facts = desk.json(alice, "open", f"{alice.fpr.hex}/note")
    assert sorted(facts["audience"]) == sorted([alice.fpr.hex, editor.bob.fpr.hex])
    assert facts["filename"] == "note.txt"
    assert content(desk, "note") == b"two\n"
    editor.save("new.pgp", b"from nowhere", editor.bob)
    assert "does not say for whom it is" in desk.mau(alice, "sign", "new", "--yes", code=2).err
