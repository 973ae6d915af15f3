"""`mau drafts`: files beside the posts that never leave, and what could not be published."""

from __future__ import annotations

import os

from mau.openpgp import read_head
from mau.writing.drafts import keep_text
from tests.cli.inside import Inside, inside, trees, world

__all__ = ["inside", "trees", "world"]

PAGE = "---\ntitle: Tea\nfor: [bob, '@tea']\n---\nWith milk.\n"


def test_they_are_listed_with_what_they_say(inside: Inside) -> None:
    alice = inside.world.alice
    place = alice.account.root.author_dir(alice.fpr)
    (place / "tea.md").write_text(PAGE)
    (place / "poem.json").write_text('{"@type": "Poem", "name": "Ode"}')
    (place / "broken.md").write_text("---\ntitle: a: b\n---\n")
    keep_text(alice.account, "secret", "md", b"---\ntitle: Hidden\n---\n")
    for name in (".hidden.md", "tea.md~", "notes.txt", "x.md.pgp", "y.pgp.md.versions"):
        (place / name).write_text("nothing")
    (place / "directory.md").mkdir()
    (place / "link.md").symlink_to("tea.md")
    os.mkfifo(place / "pipe.md")
    listed = inside.json(alice, "drafts")
    assert [one["file"] for one in listed] == ["broken.md", "poem.json", "secret.md.gpg", "tea.md"]
    assert listed[3]["title"] == "Tea"
    assert listed[3]["for"] == ["bob", "@tea"]
    assert (listed[1]["type"], listed[1]["title"]) == ("Poem", "Ode")
    assert (listed[2]["title"], listed[2]["encrypted"]) == ("Hidden", True)
    assert "second colon" in listed[0]["problem"]
    shown = inside.mau(alice, "drafts").text
    assert "Tea  for bob, @tea" in shown
    assert "Hidden" in shown


def test_one_is_printed(inside: Inside) -> None:
    alice = inside.world.alice
    place = alice.account.root.author_dir(alice.fpr)
    (place / "tea.md").write_text(PAGE)
    (place / "tea.json").write_text("{}")
    assert inside.mau(alice, "drafts", "tea.md").text == PAGE
    assert "2 drafts" in inside.mau(alice, "drafts", "tea", code=2).err
    assert "no draft" in inside.mau(alice, "drafts", "../tea", code=1).err


def test_there_may_be_none(inside: Inside) -> None:
    done = inside.mau(inside.world.alice, "drafts")
    assert done.out == b""
    assert "no drafts" in done.err
    assert inside.json(inside.world.alice, "drafts") == []


def test_a_kept_text_is_for_its_owner_alone(inside: Inside) -> None:
    alice = inside.world.alice
    draft = keep_text(alice.account, "secret", "md", b"for nobody else")
    path = alice.account.root.author_dir(alice.fpr) / draft.file
    with path.open("rb") as file:
        assert set(read_head(file).recipients) == alice.certificate.encryption_keyids
    assert b"nobody" not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
