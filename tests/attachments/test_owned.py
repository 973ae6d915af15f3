"""What belongs to a post goes with it, and comes back with it; what belongs to another one, too, stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from mau.attachments import Attachment, Part, attach, parts_of, with_media
from mau.attachments.owned import bring_back, files_alone_of, unused
from mau.content.binding import PUBLIC, Audience
from mau.deletion.publishing import delete_post, undelete
from mau.publish import publish_document, publish_file
from mau.reader.open import open_post
from tests.pictures.samples import pixels
from tests.publish.world import Someone, World


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "slope.png"
    pixels((600, 400)).save(path)
    return path


def publish(author: Someone, name: str, media: list[dict[str, object]], audience: Audience) -> list[Part]:
    document = with_media({"@type": "SocialMediaPosting", "articleBody": name}, media)
    publish_document(author.account, author.keyring, document, name, audience)
    return parts_of(author.fpr, document)


def test_files_go_with_the_post_that_alone_has_them(world: World, picture: Path) -> None:
    alice, audience = world.alice, world.for_(world.bob)
    one, two = (attach(alice.account, alice.keyring, [Attachment(picture)], audience) for _ in (1, 2))
    publish(alice, "a.json.pgp", one, audience)
    publish(alice, "b.json.pgp", [*one, *two], audience)
    publish(alice, "c.json.pgp", [{"contentUrl": "b.json.pgp"}], audience)  # no file, and not attached
    assert files_alone_of(alice.account, alice.keyring, "a.json.pgp") == []
    mine = [part.name for part in parts_of(alice.fpr, {"associatedMedia": two})]
    assert len(mine) == 2
    assert files_alone_of(alice.account, alice.keyring, "b.json.pgp") == mine
    assert files_alone_of(alice.account, alice.keyring, "c.json.pgp") == []
    assert unused(alice.account, alice.keyring) == []
    delete_post(alice.account, alice.keyring, "b.json.pgp")
    assert {one.name for one in unused(alice.account, alice.keyring)} == set(mine)


def test_a_file_that_was_shared_by_itself_stays(world: World, picture: Path) -> None:
    alice = world.alice
    with picture.open("rb") as source:
        shared = publish_file(alice.account, alice.keyring, source, "slope.png.pgp", PUBLIC, "slope.png")
    media: list[dict[str, object]] = [{"contentUrl": shared.name, "sha256": shared.sha256}]
    publish(alice, "a.json.pgp", media, PUBLIC)
    assert files_alone_of(alice.account, alice.keyring, "a.json.pgp") == []


def test_what_was_deleted_with_a_post_comes_back_with_it(world: World, picture: Path) -> None:
    alice, bob, audience = world.alice, world.bob, world.for_(world.bob)
    media = attach(alice.account, alice.keyring, [Attachment(picture)], audience)
    before = publish(alice, "a.json.pgp", media, audience)
    content = open_post(alice.account, alice.keyring, alice.fpr, before[0].name).opened.data
    for name in ("a.json.pgp", *files_alone_of(alice.account, alice.keyring, "a.json.pgp")):
        delete_post(alice.account, alice.keyring, name)
    assert all(alice.account.posts().entry(part.name) is None for part in before)
    undelete(alice.account, alice.keyring, "a.json.pgp")
    assert bring_back(alice.account, alice.keyring, "a.json.pgp") == [part.name for part in before]
    post = open_post(alice.account, alice.keyring, alice.fpr, "a.json.pgp")
    after = parts_of(alice.fpr, post.document)
    assert [part.name for part in after] == [part.name for part in before]
    for part in after:
        assert alice.account.posts().sha256(part.name) == part.sha256
    assert post.audience == audience
    again = open_post(bob.account, bob.keyring, alice.fpr, bob.fetch(alice, after[0].name))
    assert again.opened.data == content
    assert again.attached == "media"
    assert bring_back(alice.account, alice.keyring, "a.json.pgp") == []
