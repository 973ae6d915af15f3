"""Files stored for the people of a post: what is written about them, and what is left when it fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from mau.attachments import Attachment, attach, attached, parts_of, rewrite_for, with_media
from mau.content.binding import PUBLIC
from mau.errors import KeyRefused, PictureRefused
from mau.reader.open import open_post
from tests.publish.world import World


def test_a_file_is_a_post_for_the_same_people_and_says_that_it_is_attached(
    world: World, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("three eggs")
    alice = world.alice
    (media,) = attach(
        alice.account, alice.keyring, [Attachment(tmp_path / "notes.txt")], world.for_(world.bob)
    )
    (part,) = parts_of(alice.fpr, {"associatedMedia": [media]})
    assert media["@type"] == "MediaObject"
    assert (media["name"], media["encodingFormat"], media["contentSize"]) == (
        "notes.txt",
        "text/plain",
        "10 B",
    )
    name = part.address.name
    assert name is not None
    assert "notes" not in name
    assert part.sha256 == alice.account.posts().sha256(name)
    post = open_post(world.bob.account, world.bob.keyring, alice.fpr, world.bob.fetch(alice, name))
    assert (post.opened.data, post.filename, post.attached) == (b"three eggs", "notes.txt", "media")
    assert post.audience == world.for_(world.bob)


def test_a_public_file_keeps_its_words(world: World, tmp_path: Path) -> None:
    (tmp_path / "Three Eggs.txt").write_text("three eggs")
    alice = world.alice
    attach(alice.account, alice.keyring, [Attachment(tmp_path / "Three Eggs.txt")], PUBLIC)
    assert "three-eggs.txt.pgp" in alice.account.posts().names()


def test_when_one_fails_none_is_left(world: World, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("three eggs")
    (tmp_path / "film.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(100))
    alice = world.alice
    before = alice.account.posts().names()
    files = [Attachment(tmp_path / "notes.txt"), Attachment(tmp_path / "film.mp4")]
    with pytest.raises(PictureRefused, match="film"):
        attach(alice.account, alice.keyring, files, world.for_(world.bob))
    with pytest.raises(KeyRefused):
        attach(alice.account, alice.keyring, files[:1], world.for_(world.mallory))
    with (
        pytest.raises(ZeroDivisionError),
        attached(alice.account, alice.keyring, files[:1], world.for_(world.bob)),
    ):
        raise ZeroDivisionError
    assert alice.account.posts().names() == before


def test_another_audience_has_the_files_stored_for_it_and_the_document_their_sums(
    world: World, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("three eggs")
    alice = world.alice
    account, keyring = alice.account, alice.keyring
    media = attach(account, keyring, [Attachment(tmp_path / "notes.txt")], world.for_(world.bob))
    document = with_media({"articleBody": "x"}, media)
    assert rewrite_for(account, keyring, document, world.for_(world.bob)) == document
    wider = rewrite_for(account, keyring, document, world.for_(world.bob, world.carol))
    (old,), (new,) = parts_of(alice.fpr, document), parts_of(alice.fpr, wider)
    assert new.address == old.address
    assert new.sha256 != old.sha256
    name = new.address.name
    assert name is not None
    assert [one.sha256 for one in account.posts().versions(name)] == [old.sha256]
    post = open_post(world.carol.account, world.carol.keyring, alice.fpr, world.carol.fetch(alice, name))
    assert (post.opened.data, post.filename, post.attached) == (b"three eggs", "notes.txt", "media")
    assert post.audience == world.for_(world.bob, world.carol)
