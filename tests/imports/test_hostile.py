"""What strangers send is bounded in what it costs, and cannot act in the name of who imports it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest

from mau.content.jsonld import parse
from mau.content.links import NO_LINKS, links_of
from mau.deletion.document import is_delete
from mau.errors import PeerMisbehaved
from mau.fingerprint import Fingerprint
from mau.imports import apart
from mau.imports.apart import parse_apart
from mau.imports.feeds import read_feed
from mau.imports.foreign import taken_over
from mau.imports.found import Finding
from mau.imports.looking import read_bytes
from mau.imports.pages import read_page

URL = "https://example.org/"
ME = Fingerprint(b"\x11" * 20)
FRIEND = "mau:/p2p/" + "22" * 20

LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 9))
FEED = (
    '<?xml version="1.0"?><!DOCTYPE r [{}]><rss version="2.0"><channel><title>t</title>'
    "<item><title>x{}</title></item></channel></rss>"
)
BOMB = FEED.format(f'<!ENTITY a0 "ha">{LAUGHS}', "&a8;")
OUTSIDE = FEED.format('<!ENTITY f SYSTEM "file:///etc/passwd">', "&f;")


def check(found: Finding) -> None:
    said = json.dumps([one.document for one in found.items])
    assert "root:" not in said and len(said) < 1 << 20


@pytest.mark.parametrize(
    "data",
    [
        BOMB.encode(),
        b"<rss version='2.0'><channel>" + b"<item>" * 5_000,
        b"<html>" + b"<div>" * 200_000,
        b'<html><script type="application/ld+json">' + b"[" * 500_000,
    ],
    ids=["laughs", "items", "deep", "deep-json"],
)
def test_hostile_bytes_cost_little_and_give_nothing(data: bytes) -> None:
    with suppress(PeerMisbehaved):
        check(read_bytes(data, URL))


def test_what_is_no_page_or_names_what_lies_outside_gives_nothing() -> None:
    for feed in (OUTSIDE.encode(), b"<rss" + b"<![" * 2000, b"\x00\xff" * 1000, b""):
        check(read_feed(apart._feed(feed, URL, "utf-7"), URL))
    for page in (
        b'<html><script type="application/ld+json">{"@context":"https://evil.example/c","@type":"Article"}',
        b"<html>" + b"<div itemscope itemtype='https://schema.org/Article'>" * 300,
        b"\x00\xff" * 1000,
        b"",
    ):
        check(read_page(apart._page(page, URL, "no such encoding"), URL))


def test_a_process_that_takes_too_much_ends_alone() -> None:
    assert parse_apart("page", b"<title>x</title>", URL)["title"] == "x"
    with pytest.raises(PeerMisbehaved, match="too much"):
        parse_apart("page", b"<title>x</title>", URL, memory=40 << 20)


def hostile(**words: Any) -> dict[str, Any]:
    return {"@context": "https://schema.org", "@type": "Article", "headline": "x", "articleBody": "y"} | words


@pytest.mark.parametrize(
    "document",
    [
        hostile(**{"@type": "DeleteAction"}),
        hostile(**{"@type": ["Article", "DeleteAction"]}),
        hostile(**{"@type": "LikeAction"}),
        hostile(**{"@type": "Comment"}),
        hostile(**{"@type": "Message"}),
        hostile(**{"@context": "https://example.org/mine"}),
        hostile(**{"@context": ["https://schema.org", {"headline": "http://schema.org/object"}]}),
        hostile(**{"@context": None}),
        {"@context": "https://schema.org", "@type": "Article"},
        hostile(articleBody=[f"{n}" * 3000 for n in range(200)]),
    ],
)
def test_these_become_no_post(document: dict[str, Any]) -> None:
    assert taken_over(document, URL) is None


def test_nothing_in_it_points_at_posts_of_mau_or_speaks_to_anybody() -> None:
    document = hostile(
        **{
            "@id": FRIEND + "/x.pgp",
            "url": FRIEND,
            "audience": {"@id": FRIEND},
            "mentions": {"@id": FRIEND},
            "parentItem": {"@id": FRIEND + "/kettle.json.pgp"},
            "about": {"@id": FRIEND + "/kettle.json.pgp"},
            "itemReviewed": {"@id": FRIEND + "/kettle.json.pgp", "url": FRIEND + "/a.pgp", "name": "kettle"},
            "image": [FRIEND + "/a.pgp", {"contentUrl": "MAU:/p2p/x", "sha256": "0" * 64}],
            "associatedMedia": {"@type": "ImageObject", "contentUrl": "/p2p/" + "22" * 20 + "/x.pgp"},
            "sdPublisher": {"@id": FRIEND},
            "isBasedOn": {"url": "https://bank.example/"},
            "author": {"@type": "SendAction", "@id": FRIEND, "name": "mau:/p2p/x", "alternateName": "x"},
            "http://schema.org/object": {"@id": FRIEND},
        }
    )
    taken = taken_over(document, URL)
    assert taken is not None
    assert taken["url"] == URL
    assert "mau:" not in json.dumps(taken).lower()
    assert taken["associatedMedia"]["contentUrl"].startswith("https://example.org/p2p/"), "of the web"
    assert links_of(ME, taken) == NO_LINKS
    assert not is_delete(taken)
    assert not {"audience", "sdPublisher", "isBasedOn", "mentions", "parentItem", "about"} & taken.keys()


def test_pages_and_feeds_are_cut_where_they_are_too_long() -> None:
    entries = [{"id": f"{number}", "title": "t" * 5000, "summary": "s" * 500_000} for number in range(150)]
    found = read_feed({"entries": entries, "title": "x" * 9000}, URL)
    assert len(found.items) == 100 and found.left_out == {"more than the first 100 entries": 50}
    assert max(len(json.dumps(one.document)) for one in found.items) < 200_000
    assert len(found.title) == 200
    listed = [hostile(url=f"/{number}") for number in range(120)]
    page = read_page({"json-ld": listed, "microdata": "x", "feeds": ["/f", 7, "javascript:x"]}, URL)
    assert (len(page.items), page.feeds) == (100, ("https://example.org/f", "https://example.org/7"))


def test_a_document_keeps_its_name_when_its_title_changes_and_pictures_beside_it_are_none() -> None:
    def names(*documents: dict[str, Any]) -> list[str]:
        return [one.id for one in read_page({"json-ld": list(documents)}, URL).items]

    picture = {"@context": "https://schema.org", "@type": "ImageObject", "contentUrl": "/a.png", "name": "a"}
    assert names(hostile(url="/a")) == names(hostile(url="/a", headline="other"), picture)
    assert len(names(hostile(), hostile(headline="other"))) == 2
    assert len(names(picture)) == 1


def test_what_is_named_elsewhere_on_the_page_is_put_together_once() -> None:
    picture = {"@type": "ImageObject", "@id": "#p", "contentUrl": "/a.png", "author": {"@id": "#a"}}
    graph = [hostile(url="/a", **{"@id": "#a", "image": {"@id": "#p"}, "author": {"@id": "#a"}}), picture]
    [found] = read_page({"json-ld": [{"@context": "https://schema.org", "@graph": graph}]}, URL).items
    assert found.document["image"]["contentUrl"] == "https://example.org/a.png"
    assert found.document["author"]["headline"] == "x", "itself, and no deeper"
    assert len(json.dumps(found.document)) < 1000


@pytest.mark.parametrize("word", ["description", "@language", "sha256"])
def test_what_is_named_a_thousand_times_is_not_looked_at_a_thousand_times(word: str) -> None:
    text: Any = "words " * 40_000
    there = {"@type": "Thing", "@id": "#big"} | (
        {f"{number}:{word}": text for number in range(500)} if word == "sha256" else {word: text}
    )
    graph = [hostile(url=f"/{number}", keywords=[{"@id": "#big"}] * 150) for number in range(90)]
    found = read_page({"json-ld": [{"@context": "https://schema.org", "@graph": [there, *graph]}]}, URL)
    assert found.left_out == {"what came after more than is looked at of one page": 1}
    assert len(found.items) < 90


def test_a_context_without_end_is_not_read_for_each_that_stands_in_it() -> None:
    context = ["https://schema.org"] * 1_000_000
    graph = [{"@type": "Article", "headline": f"{number}"} for number in range(200)]
    assert read_page({"json-ld": [{"@context": context, "@graph": graph}] * 10}, URL).items == ()


def test_html_in_texts_becomes_text() -> None:
    entry = {"id": "1", "title": "<img src=x onerror=y>A <i>b</i>", "content": "<p>one<p>two<style>x</style>"}
    [found] = read_feed({"entries": [entry]}, URL).items
    assert (found.document["headline"], found.document["articleBody"]) == ("A b", "one\n\ntwo")
    assert parse(json.dumps(found.document).encode()) == found.document
