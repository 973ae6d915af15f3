"""Files stored for the people of a post: what is written about them, and what is left when it fails."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import pytest

from mau.attachments import Attachment, attach, attached, parts_of, rewrite_for, with_media
from mau.content.binding import PUBLIC
from mau.errors import KeyRefused, NotAFile, PictureRefused
from mau.publish import publish_document, publish_file
from mau.reader.open import open_post
from tests.pictures.samples import MARK, jpeg, pixels
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
    name = part.name
    assert "notes" not in name
    assert part.sha256 == alice.account.posts().sha256(name)
    post = open_post(world.bob.account, world.bob.keyring, alice.fpr, world.bob.fetch(alice, name))
    assert (post.opened.data, post.filename, post.attached) == (b"three eggs", "notes.txt", "media")
    assert post.audience == world.for_(world.bob)


def test_a_picture_is_stored_without_metadata_with_size_words_and_thumbnail(
    world: World, tmp_path: Path
) -> None:
    path = tmp_path / "IMG_1.txt"  # what it is decides its content
    path.write_bytes(jpeg(6))
    large = tmp_path / "large.png"
    pixels((800, 600)).save(large)
    alice, bob = world.alice, world.bob
    files = [Attachment(path, "a slope"), Attachment(large, name="slope")]
    first, second = attach(alice.account, alice.keyring, files, world.for_(bob))
    assert (first["@type"], first["encodingFormat"]) == ("ImageObject", "image/jpeg")
    assert (first["width"], first["height"], first["description"]) == (40, 60, "a slope")
    assert "thumbnail" not in first
    assert (second["name"], second["thumbnail"]["width"], second["thumbnail"]["height"]) == (
        "slope",
        400,
        300,
    )
    parts = parts_of(alice.fpr, {"associatedMedia": [first, second]})
    assert [part.is_thumbnail for part in parts] == [False, False, True]
    for part in parts:
        assert alice.account.posts().sha256(part.name) == part.sha256
        post = open_post(bob.account, bob.keyring, alice.fpr, bob.fetch(alice, part.name))
        assert post.opened.data is not None
        assert MARK not in post.opened.data
        assert post.attached == ("thumbnail" if part.is_thumbnail else "media")


def test_metadata_is_kept_only_when_that_is_said(world: World, tmp_path: Path) -> None:
    photo, film, broken = (tmp_path / name for name in ("photo.jpg", "film.mp4", "broken.jpg"))
    photo.write_bytes(jpeg())
    film.write_bytes(b"\0\0\0\x18ftypisom" + MARK)
    broken.write_bytes(jpeg()[:300])
    alice = world.alice
    audience = world.for_()
    for path in (film, broken):
        with pytest.raises(PictureRefused, match="--keep-metadata"):
            attach(alice.account, alice.keyring, [Attachment(path)], audience)
    files = [Attachment(path, keep_metadata=True) for path in (photo, film, broken)]
    media = attach(alice.account, alice.keyring, files, audience)
    for part, path in zip(
        parts_of(alice.fpr, {"associatedMedia": media}), (photo, film, broken), strict=True
    ):
        assert open_post(alice.account, alice.keyring, alice.fpr, part.name).opened.data == path.read_bytes()
    assert [one.get("width") for one in media] == [60, None, None]
    assert [one["@type"] for one in media] == ["ImageObject", "VideoObject", "ImageObject"]


def test_what_is_no_file_is_not_attached(world: World, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(NotAFile):
            attach(world.alice.account, world.alice.keyring, [Attachment(path)], world.for_())


def test_a_public_file_keeps_its_words(world: World, tmp_path: Path) -> None:
    (tmp_path / "Three Eggs.txt").write_text("three eggs")
    alice = world.alice
    before = set(alice.account.posts().names())
    attach(alice.account, alice.keyring, [Attachment(tmp_path / "Three Eggs.txt")], PUBLIC)
    (name,) = set(alice.account.posts().names()) - before
    # The letters: whatever its post is called, even "three-eggs.txt", it is called otherwise.
    assert re.fullmatch(r"three-eggs-[a-z2-9]{4}\.txt\.pgp", name)


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
    assert new.name == old.name
    assert new.sha256 != old.sha256
    name = new.name
    assert [one.sha256 for one in account.posts().versions(name)] == [old.sha256]
    post = open_post(world.carol.account, world.carol.keyring, alice.fpr, world.carol.fetch(alice, name))
    assert (post.opened.data, post.filename, post.attached) == (b"three eggs", "notes.txt", "media")
    assert post.audience == world.for_(world.bob, world.carol)


def test_a_file_of_another_post_stays_and_the_document_gets_a_copy(world: World, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("three eggs")
    alice = world.alice
    account, keyring, before = alice.account, alice.keyring, world.for_(world.bob)
    media = attach(account, keyring, [Attachment(path)], before)
    for name in ("a.json.pgp", "b.json.pgp"):
        publish_document(account, keyring, with_media({"articleBody": name}, media), name, before)
    with path.open("rb") as source:
        shared = publish_file(account, keyring, source, "shared.pgp", before, "notes.txt")
    document = open_post(account, keyring, alice.fpr, "a.json.pgp").document
    assert document is not None
    document = with_media(document, [{"contentUrl": shared.name, "sha256": shared.sha256}])
    after = rewrite_for(account, keyring, document, world.for_(world.carol))
    for old, new in zip(parts_of(alice.fpr, document), parts_of(alice.fpr, after), strict=True):
        assert new.name != old.name
        assert account.posts().sha256(old.name) == old.sha256
        assert account.posts().sha256(new.name) == new.sha256
        post = open_post(account, keyring, alice.fpr, new.name)
        assert (post.opened.data, post.attached) == (b"three eggs", "media")
        assert post.audience == world.for_(world.carol)


def test_a_version_that_the_document_states_is_what_is_stored_anew(world: World, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("three eggs")
    alice = world.alice
    account, keyring = alice.account, alice.keyring
    document = with_media(
        {"articleBody": "x"}, attach(account, keyring, [Attachment(path)], world.for_(world.bob))
    )
    (part,) = parts_of(alice.fpr, document)
    publish_file(account, keyring, io.BytesIO(b"four"), part.name, world.for_(), attached="media")
    (after,) = parts_of(alice.fpr, rewrite_for(account, keyring, document, world.for_(world.bob)))
    assert open_post(account, keyring, alice.fpr, after.name).opened.data == b"three eggs"
    missing = with_media(
        {}, [{"contentUrl": "not-here.pgp", "sha256": "0" * 64}, {"contentUrl": "https://x/"}]
    )
    assert rewrite_for(account, keyring, missing, PUBLIC) == missing
