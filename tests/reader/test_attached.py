"""A file that belongs to a post is no post among others: not in the timeline, and no news of its own."""

from __future__ import annotations

from pathlib import Path

from mau.attachments import Attachment, attach, parts_of, with_media
from mau.publish import publish_document
from mau.reader.reading import Reading
from tests.publish.world import World


def test_only_the_post_is_shown(world: World, tmp_path: Path) -> None:
    alice, bob = world.alice, world.bob
    path = tmp_path / "notes.txt"
    path.write_text("three eggs")
    audience = world.for_(bob)
    media = attach(alice.account, alice.keyring, [Attachment(path)], audience)
    document = with_media({"@type": "SocialMediaPosting", "articleBody": "x"}, media)
    publish_document(alice.account, alice.keyring, document, "p.json.pgp", audience)
    (part,) = parts_of(alice.fpr, document)
    for name in ("p.json.pgp", part.name):
        bob.fetch(alice, name)
    with Reading(bob.account, bob.keyring) as reading:
        reading.refresh()
        assert [one.name for one in reading.newest()] == ["p.json.pgp"]
        file = reading.get(alice.fpr, part.name)
    assert file is not None
    assert file.apart == "attachment"
