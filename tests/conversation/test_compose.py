"""The documents are those of spec/conversations.md, word by word, and are read back as what they are."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mau.content.address import Address
from mau.content.links import Reference, links_of
from mau.conversation.compose import ACTIONS, ActionKind, action, comment, message
from mau.errors import UsageError
from mau.fingerprint import Fingerprint

ME = Fingerprint.parse("a" * 40)
BOB = Fingerprint.parse("b" * 40)
CAROL = Fingerprint.parse("c" * 40)
SHA256 = "5" * 64
POST = Reference(Address(BOB, "kettle.json.pgp"), SHA256)
NOW = datetime(2026, 11, 21, 18, 30, tzinfo=UTC)
POST_IRI = f"mau:/p2p/{BOB}/kettle.json.pgp"


def test_a_reply_names_its_parent_and_the_content_that_was_seen() -> None:
    media = {"@type": "ImageObject", "contentUrl": f"mau:/p2p/{ME}/x.jpg.pgp"}
    assert comment(ME, POST, "Tea?", NOW, media=[media]) == {
        "@type": "Comment",
        "author": {"@id": f"mau:/p2p/{ME}"},
        "dateCreated": "2026-11-21T18:30:00Z",
        "parentItem": {"@id": POST_IRI, "sha256": SHA256},
        "text": "Tea?",
        "associatedMedia": [media],
    }
    assert links_of(ME, comment(ME, POST, "Tea?", NOW, kind="Answer")).answers == (POST,)


@pytest.mark.parametrize(
    ("kind", "act"),
    [
        ("LikeAction", "like"),
        ("DislikeAction", "dislike"),
        ("BookmarkAction", "bookmark"),
        ("ShareAction", "share"),
    ],
)
def test_an_action_has_a_post_as_its_object(kind: ActionKind, act: str) -> None:
    document = action(ME, kind, POST, NOW)
    assert document == {
        "@type": kind,
        "agent": {"@id": f"mau:/p2p/{ME}"},
        "object": {"@id": POST_IRI, "sha256": SHA256},
        "startTime": "2026-11-21T18:30:00Z",
    }
    links = links_of(ME, document)
    assert (links.act, links.objects) == (act, (POST,))
    assert links_of(BOB, document).act == ""  # signed by another than its agent


def test_a_follow_has_a_person_and_nothing_else_has() -> None:
    person = Reference(Address(BOB))
    assert links_of(ME, action(ME, "FollowAction", person, NOW)).objects == (person,)
    with pytest.raises(UsageError):
        action(ME, "FollowAction", POST, NOW)
    for kind in ACTIONS:
        if kind != "FollowAction":
            with pytest.raises(UsageError):
                action(ME, kind, person, NOW)  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        comment(ME, person, "x", NOW)


def test_an_address_of_a_version_becomes_the_post_and_the_version_that_was_seen() -> None:
    seen = "6" * 64
    document = comment(ME, Reference(Address(BOB, "kettle.json.pgp", seen), SHA256), "x", NOW)
    assert document["parentItem"] == {"@id": POST_IRI, "sha256": seen}


def test_a_share_says_something_only_when_its_author_did() -> None:
    assert action(ME, "ShareAction", POST, NOW, text="Read this")["description"] == "Read this"
    assert "description" not in action(ME, "ShareAction", POST, NOW)


def test_a_message_names_everybody_but_its_sender() -> None:
    document = message(ME, [CAROL, BOB, ME, BOB], "Tea?", NOW, parent=POST)
    assert document["recipient"] == [{"@id": f"mau:/p2p/{BOB}"}, {"@id": f"mau:/p2p/{CAROL}"}]
    assert document["sender"] == {"@id": f"mau:/p2p/{ME}"}
    assert links_of(ME, document).answers == (POST,)
    assert set(links_of(ME, document).mentions) == {BOB, CAROL}
    with pytest.raises(UsageError):
        message(ME, [ME], "Tea?", NOW)
