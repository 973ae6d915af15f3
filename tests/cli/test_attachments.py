"""`mau attachments` and `mau post --attach`: files that belong to a post, from one tree to another."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from mau.attachments import Attachment, attach, parts_of, rewrite_for, with_media
from mau.attachments.saving import look_at, save_media
from mau.publish import publish_document
from mau.reader.open import open_post
from tests.cli.desk import Desk, desk, trees, world
from tests.pictures.samples import MARK, jpeg
from tests.publish.world import PASSPHRASE

__all__ = ["desk", "trees", "world"]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(jpeg(6))
    return path


def test_a_post_with_a_picture_travels_and_is_saved(desk: Desk, photo: Path, tmp_path: Path) -> None:
    alice, bob = desk.world.alice, desk.world.bob
    words = ("post", "--to", "bob", "Look!", "--attach", photo, "--alt", "a slope", "--attach", __file__)
    done = desk.mau(alice, *words)
    assert "Posted" in done.err
    name = done.text.strip()
    document = open_post(alice.account, alice.keyring, alice.fpr, name).document
    parts = parts_of(alice.fpr, document)
    assert [(part.called, part.alt) for part in parts] == [
        ("photo.jpg", "a slope"),
        ("test_attachments.py", ""),
    ]
    for each in (name, *(part.name for part in parts)):
        bob.fetch(alice, each)
    listed = desk.json(bob, "attachments", f"alice/{name}")
    assert [(one["name"], one["state"], one["encoding"]) for one in listed] == [
        ("photo.jpg", "held", "image/jpeg"),
        ("test_attachments.py", "held", "text/plain"),
    ]
    place = tmp_path / "saved"
    place.mkdir()
    (place / "photo.jpg").write_bytes(b"mine")
    said = desk.mau(bob, "attachments", f"alice/{name}", "--save", place).text.split()
    assert said == [str(place / "photo-2.jpg"), str(place / "test_attachments.py")]
    assert (place / "photo.jpg").read_bytes() == b"mine"
    assert (place / "test_attachments.py").read_text() == Path(__file__).read_text()
    assert MARK not in (place / "photo-2.jpg").read_bytes()
    with Image.open(place / "photo-2.jpg") as saved:
        assert saved.size == (40, 60)
    assert {one.name for one in place.iterdir()} == {"photo.jpg", "photo-2.jpg", "test_attachments.py"}


def test_what_a_picture_shows_is_asked_for_and_then_drawn(desk: Desk, photo: Path) -> None:
    alice = desk.world.alice
    question = "What does 'photo.jpg' show, for those who cannot see it? (Enter: no words): "
    words = ("post", "--me", "Look!", "--name", "slope", "--attach", str(photo))
    assert "slope.pgp" in desk.terminal(alice, *words, typed=[(question, "a slope")])

    def drawn(answer: str, **env: str) -> str:
        done = desk.terminal_process(
            "attachments",
            "me/slope",
            "--show",
            root=alice.account.root.path,
            env={"MAU_PASSPHRASE": PASSPHRASE, "NO_COLOR": "", **env},
            typed=[("", answer)] if answer else [],  # before it is asked: no race with its patience
        )
        assert done.code == 0
        assert MARK.decode() not in done.err
        return str(done.err)

    assert "\x1b_Ga=T" in drawn("", TERM="xterm-kitty")
    assert "\x1bP0;1q" in drawn("\x1b[?62;4c", TERM="xterm-256color")
    assert "[picture: a slope, 40 x 60, " in drawn("", TERM="xterm-kitty", NO_COLOR="1")


def test_nothing_is_left_when_the_post_does_not_come_to_be(desk: Desk, photo: Path, tmp_path: Path) -> None:
    alice = desk.world.alice
    before = alice.account.posts().names()
    (tmp_path / "film.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(100))
    refused = desk.mau(
        alice, "post", "--me", "x", "--attach", photo, "--attach", tmp_path / "film.mp4", code=2
    )
    assert "--keep-metadata" in refused.err
    with (tmp_path / "large").open("wb") as file:
        file.truncate(101 << 20)
    refused = desk.mau(alice, "post", "--me", "x", "--attach", photo, "--attach", tmp_path / "large", code=2)
    assert "'large' has 101.0 MiB; --any-size attaches it" in refused.err
    assert alice.account.posts().names() == before


# --- in this process ---------------------------------------------------------------------------------------


def test_another_content_under_the_name_is_told_and_the_stated_one_is_taken(
    desk: Desk, tmp_path: Path
) -> None:
    alice, bob = desk.world.alice, desk.world.bob
    path = tmp_path / "notes.txt"
    path.write_text("three eggs")
    audience = desk.world.for_(bob)
    media = attach(alice.account, alice.keyring, [Attachment(path)], audience)
    document = with_media({"articleBody": "x"}, media)
    (first,) = parts_of(alice.fpr, document)
    wider = rewrite_for(alice.account, alice.keyring, document, desk.world.for_(bob, desk.world.carol))
    (second,) = parts_of(alice.fpr, wider)
    (seen,) = look_at(alice.account, [first])
    assert seen.state == "version"
    (saved,) = save_media(alice.account, alice.keyring, [first], tmp_path)
    assert saved.path is not None
    assert saved.path.read_text() == "three eggs"
    assert look_at(bob.account, [second])[0].state == "missing"
    bob.fetch(alice, second.name)
    assert [one.state for one in look_at(bob.account, [first, second])] == ["other", "held"]
    left, _ = save_media(bob.account, bob.keyring, [first, second], tmp_path)
    assert left.path is None


def test_a_file_that_does_not_hold_is_not_saved(desk: Desk, tmp_path: Path) -> None:
    alice, bob = desk.world.alice, desk.world.bob
    path = tmp_path / "notes.txt"
    path.write_text("three eggs")
    media = attach(alice.account, alice.keyring, [Attachment(path)], desk.world.for_(bob))
    media[0]["sha256"] = ""
    document = with_media({"@type": "SocialMediaPosting", "articleBody": "x"}, media)
    done = publish_document(
        alice.account, alice.keyring, document, "breakfast.json.pgp", desk.world.for_(bob)
    )
    (part,) = parts_of(alice.fpr, document)
    bob.fetch(alice, done.name)
    bob.put(alice, part.name, b"no message")
    place = tmp_path / "saved"
    place.mkdir()
    told = desk.mau(bob, "attachments", "alice/breakfast", "--save", place, code=3)
    assert "notes.txt is not saved" in told.err
    assert list(place.iterdir()) == []


def test_files_that_no_post_has_are_listed(desk: Desk, tmp_path: Path) -> None:
    alice = desk.world.alice
    path = tmp_path / "notes.txt"
    path.write_text("three eggs")
    first, second = (
        attach(alice.account, alice.keyring, [Attachment(path)], desk.world.for_()) for _ in (1, 2)
    )
    publish_document(
        alice.account, alice.keyring, with_media({"articleBody": "x"}, first), "p.json.pgp", desk.world.for_()
    )
    (listed,) = desk.json(alice, "attachments", "--unused")
    (part,) = parts_of(alice.fpr, {"associatedMedia": second})
    assert (listed["name"], listed["filename"]) == (part.name, "notes.txt")
