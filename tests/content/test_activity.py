"""Documents of ActivityStreams as people read them (spec/content.md CT50-CT57)."""

from __future__ import annotations

from typing import Any

import pytest

from mau.content.activity import as_schema, is_activity
from mau.content.binding import UNBOUND, document_statement
from mau.content.kinds import kind_of
from mau.content.posting import text_of
from mau.content.shown import shown
from mau.deletion.document import read_delete
from mau.fingerprint import Fingerprint

FPR = Fingerprint(b"a" * 20)
CONTEXT = "https://www.w3.org/ns/activitystreams"
NOTE = {
    "@context": [CONTEXT, {"sensitive": "as:sensitive"}],
    "id": "https://m.example/1",
    "type": "Create",
    "actor": "https://m.example/@alice",
    "to": ["https://www.w3.org/ns/activitystreams#Public"],
    "object": {
        "id": "https://m.example/1",
        "type": "Note",
        "summary": "Spoiler",
        "sensitive": True,
        "inReplyTo": None,
        "published": "2026-01-01T10:00:00Z",
        "attributedTo": "https://m.example/@alice",
        "content": '<p>Hello <a href="https://m.example/@bob">@bob</a></p><style>x</style>',
        "contentMap": {"en": "<p>Hello <b>@bob</b></p>", "de": "<p>Hallo @bob</p>", "@none": "<p>.</p>"},
        "tag": [{"type": "Hashtag", "name": "#Tea"}, {"type": "Mention", "href": "https://m.example/@bob"}],
        "attachment": [
            {
                "type": "Document",
                "mediaType": "image/jpeg",
                "url": "https://m.example/1.jpg",
                "name": "A cup",
                "width": 800,
                "height": 600,
            }
        ],
        "replies": {"type": "Collection", "totalItems": 3},
        "poll_x": 7,
    },
}


def test_a_note_in_what_created_it() -> None:
    seen = shown(FPR, NOTE, ["de"])
    assert (seen.type, seen.body, seen.language, seen.markup) == (
        "SocialMediaPosting",
        "Hallo @bob",
        "de",
        "plain",
    )
    facts = {fact.word: fact.value for fact in seen.facts}
    assert facts == {
        "keywords": "#Tea",
        "contentRating": "sensitive",
        "abstract": "Spoiler",
        "datePublished": "2026-01-01 10:00 UTC",
        "author": "https://m.example/@alice",
        "agent": "https://m.example/@alice",
        "mentions": "https://m.example/@bob",
        "poll_x": "7",
    }
    (picture,) = seen.media
    assert (picture.kind, picture.url, picture.alt) == ("image", "https://m.example/1.jpg", "A cup")
    assert (picture.encoding, picture.width, picture.height) == ("image/jpeg", 800, 600)


def test_texts_in_all_languages_are_text_of_it() -> None:
    assert text_of(NOTE) == "Hello @bob\nHallo @bob\n."


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"type": "Note", "content": "x", "inReplyTo": "https://m.example/1"}, "Comment"),
        ({"type": "as:Note"}, "SocialMediaPosting"),
        ({"@type": [f"{CONTEXT}#Article"]}, "Article"),
        ({"type": "Announce", "object": "https://m.example/1"}, "ShareAction"),
        ({"type": "Like", "object": {"type": "Note", "content": "<p>x</p>"}}, "LikeAction"),
        ({"type": "Group", "name": "x"}, "Person"),
        ({"type": "OrderedCollection", "orderedItems": []}, "Collection"),
        ({"type": "Undo", "object": {"type": "Like"}}, "Thing"),
        ({}, "Thing"),
    ],
)
def test_types(document: dict[str, Any], kind: str) -> None:
    assert kind_of(as_schema({"@context": CONTEXT, **document})).name == kind


def test_what_is_liked_is_told_by_its_words() -> None:
    note = {"type": "Note", "id": "https://m.example/1", "content": "<p>Tea &amp; cake</p>"}
    for kind in ("Like", "Announce"):
        (fact,) = shown(FPR, {"@context": CONTEXT, "type": kind, "object": note}).facts
        assert (fact.label, fact.value) == ("What", "Tea & cake (https://m.example/1)")


def test_a_question_with_its_votes() -> None:
    choices = [
        {"type": "Note", "name": "Tea", "replies": {"type": "Collection", "totalItems": 3}},
        {"type": "Note", "name": "Coffee"},
    ]
    seen = shown(FPR, {"@context": CONTEXT, "type": "Question", "content": "<p>Which?</p>", "oneOf": choices})
    assert seen.body == "Which?"
    assert seen.facts[0].items == ("Tea (3)", "Coffee")


def test_a_person_with_the_lines_of_a_profile() -> None:
    line = {"type": "PropertyValue", "name": "Web", "value": '<a href="https://al.example">al.example</a>'}
    person = {
        "@context": CONTEXT,
        "type": "Person",
        "name": "Al <b>",
        "summary": "<p>Gardener</p>",
        "attachment": [line],
        "inbox": "https://m.example/inbox",
        "publicKey": {"publicKeyPem": "x"},
        "icon": {"type": "Image", "url": "https://m.example/al.png"},
        "url": [{"type": "Link", "href": "https://al.example"}, "https://m.example/@al"],
    }
    seen = shown(FPR, person)
    assert (seen.title, seen.body) == ("Al <b>", "Gardener")
    facts = {fact.label: fact.items or fact.value for fact in seen.facts}
    assert facts == {
        "Address": ("https://al.example", "https://m.example/@al"),
        "More": ("Web: al.example (https://al.example)",),
    }
    assert [media.url for media in seen.media] == ["https://m.example/al.png"]


def test_a_film_is_the_file_that_is_one() -> None:
    film = {
        "@context": CONTEXT,
        "type": "Video",
        "name": "Film",
        "duration": "PT1M5S",
        "url": [
            {"type": "Link", "mediaType": "text/html", "href": "https://v.example/watch"},
            {"type": "Link", "mediaType": "video/mp4", "href": "https://v.example/x.mp4"},
        ],
    }
    seen = shown(FPR, film)
    assert [(media.kind, media.url) for media in seen.media] == [("video", "https://v.example/x.mp4")]
    assert [(fact.label, fact.value) for fact in seen.facts] == [("Duration", "1 min 5 s")]


@pytest.mark.parametrize(("media", "body"), [("text/plain", "a <b>"), ("text/html", "a"), (None, "a")])
def test_only_html_is_read_as_html(media: str | None, body: str) -> None:
    note = {"@context": CONTEXT, "type": "Note", "content": "a <b>", "mediaType": media}
    assert shown(FPR, note).body.strip() == body


def test_it_states_nothing_and_deletes_nothing() -> None:
    person = f"mau:/p2p/{FPR.hex}"
    stating = {
        "@context": [CONTEXT, "https://schema.org"],
        "type": "Delete",
        "@type": "DeleteAction",
        "@id": f"{person}/x.pgp",
        "audience": [{"@id": person}],
        "object": {"@id": f"{person}/y.pgp", "sha256": ["0" * 64]},
    }
    assert is_activity(stating)
    assert document_statement(FPR, stating) == UNBOUND
    assert document_statement(FPR, {**stating, "@context": CONTEXT}) == UNBOUND
    assert read_delete(FPR, document_statement(FPR, stating), 1, stating) is None


@pytest.mark.parametrize("context", ["https://schema.org", None, [], [{}], {"as": CONTEXT}, 7, "x" + CONTEXT])
def test_other_documents_stay_as_they_are(context: object) -> None:
    document = {"@context": context, "type": "Note", "content": "<p>x</p>"}
    assert as_schema(document) is document
