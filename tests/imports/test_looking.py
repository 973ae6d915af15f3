"""Following pages and feeds of a real web server."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path

import pytest

from mau.content.origin import from_web
from mau.deletion.publishing import delete_post
from mau.errors import NotOffered, PeerError, PeerMisbehaved, UsageError
from mau.imports import fetching, looking
from mau.imports.fetching import check_url, fetch
from mau.imports.looking import follow, refresh
from mau.imports.rounds import asking
from mau.imports.sources import Source, Sources
from mau.marks import Marks
from mau.marks.subject import words
from mau.reader.open import OpenedPost, open_post
from mau.reader.reading import Reading
from tests.imports.conftest import Answer, Web
from tests.publish.world import Someone, World

PAGE = b"""<!doctype html><html><head><title>Xenia's kitchen</title>
<link rel="alternate" type="application/atom+xml" href="/feed.atom">
<script type="application/ld+json">{"@context": "https://schema.org", "@graph": [
 {"@type": "Person", "name": "Xenia"},
 {"@type": "Recipe", "@id": "/soup#it", "name": "Soup &amp; bread", "datePublished": "2024-05-01",
  "recipeIngredient": ["salt", "<b>water</b>"], "author": {"@type": "Person", "name": "Xenia"}}]}</script>
</head><body><article itemscope itemtype="https://schema.org/BlogPosting">
<h1 itemprop="headline">Hello</h1><p itemprop="articleBody">World</p><a itemprop="url" href="/hello">here</a>
</article></body></html>"""

FEED = """<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom">
<title>News of Örebro</title>{}</feed>"""
ENTRY = """<entry><id>urn:{0}</id><title>{1}</title><link href="/{0}"/>
<updated>2024-0{0}-01T10:00:00Z</updated>
<content type="html">&lt;p&gt;{2}&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;</content>
<category term="weather"/></entry>"""


def feed(*texts: str) -> Answer:
    entries = "".join(ENTRY.format(number, f"Title {number}", text) for number, text in enumerate(texts, 1))
    return Answer(FEED.format(entries).encode(), "application/atom+xml")


def followed(alice: Someone, url: str) -> looking.Refreshed:
    return follow(alice.account, alice.keyring, check_url(url))


def posts(alice: Someone, names: list[str]) -> list[OpenedPost]:
    return [open_post(alice.account, alice.keyring, alice.fpr, name) for name in names]


def test_a_page_becomes_copies_for_me_alone_that_say_where_they_come_from(world: World, web: Web) -> None:
    alice = world.alice
    web.answers["/"] = Answer(PAGE)
    done = followed(alice, f"{web.url}/")
    blog, soup = sorted(posts(alice, done.report.new), key=lambda post: str((post.document or {})["@type"]))
    assert done.source == Source(f"{web.url}/", "Xenia")
    assert blog.document and soup.document
    assert (
        soup.document
        | {
            "@type": "Recipe",
            "name": "Soup & bread",
            "recipeIngredient": ["salt", "water"],
            "datePublished": "2024-05-01",
            "url": f"{web.url}/soup",
            "author": {"@type": "Person", "name": "Xenia"},
        }
        == soup.document
    )
    assert (blog.document["headline"], blog.document["url"]) == ("Hello", f"{web.url}/hello")
    for post in (blog, soup):
        assert post.audience == frozenset({alice.fpr}) and post.opened.encrypted
        origin = from_web(alice.fpr, alice.fpr, post.document, post.audience)
        assert origin is not None and origin.host == "127.0.0.1"
    with Reading(alice.account, alice.keyring) as reading:
        reading.refresh()
        assert {one.origin for one in reading.newest()} == {"127.0.0.1"}
        assert len(list(reading.newest())) == 2, "the list of sources is no post to show"


def test_following_twice_and_refreshing_adds_nothing_and_what_changed_is_a_new_version(
    world: World, web: Web
) -> None:
    alice = world.alice
    web.answers["/feed"] = feed("rain", "snow")
    first = followed(alice, f"{web.url}/feed")
    assert (len(first.report.new), first.source.name) == (2, "News of Örebro")
    one, two = posts(alice, first.report.new)
    assert one.document and two.document
    assert (one.document["articleBody"], two.document["articleBody"]) == ("rain", "snow")
    assert one.document["keywords"] == ["weather"] and "alert" not in json.dumps(one.document)
    again = followed(alice, f"{web.url}/feed")
    assert (again.report.new, again.report.changed, again.report.same) == ([], [], 2)
    web.answers["/feed"] = feed("rain", "sleet", "sun")
    [done] = refresh(alice.account, alice.keyring)
    assert (done.report.changed, len(done.report.new), done.report.same) == ([two.name], 1, 1)
    assert [version.sha256 for version in alice.account.posts().versions(two.name)] != []
    delete_post(alice.account, alice.keyring, one.name)
    [done] = refresh(alice.account, alice.keyring)
    assert done.report.new == [] and done.report.left_out == {"you deleted it here": 1}


def test_an_entry_that_is_dated_anew_is_the_same_post(world: World, web: Web) -> None:
    alice = world.alice
    web.answers["/feed"] = feed("rain")
    first = followed(alice, f"{web.url}/feed")
    web.answers["/feed"] = Answer(
        feed("hail").body.replace(b"2024-01-01", b"2025-07-07"), "application/atom+xml"
    )
    [done] = refresh(alice.account, alice.keyring)
    assert (done.report.new, done.report.changed) == ([], first.report.new)


def test_a_page_that_names_a_feed_and_holds_nothing_stands_for_the_feed(world: World, web: Web) -> None:
    web.answers["/"] = Answer(b'<title>x</title><link rel="alternate" type="application/rss+xml" href="f">')
    web.answers["/f"] = feed("rain")
    assert followed(world.alice, web.url).source.url == f"{web.url}/f"
    web.answers["/nothing"] = Answer(b"<p>just a page</p>")
    with pytest.raises(NotOffered):
        followed(world.alice, f"{web.url}/nothing")
    with pytest.raises(NotOffered):
        followed(world.alice, f"{web.url}/missing")
    sources = Sources(world.alice.account, world.alice.keyring)
    assert [one.url for one in sources.held()] == [f"{web.url}/f"]
    assert sources.remove(f"{web.url}/f") is not None and sources.held() == []
    sources.close()


def test_a_feed_that_a_page_names_is_fetched_where_a_redirect_may_lead(world: World, web: Web) -> None:
    other = web.url.replace("127.0.0.1", "localhost")
    web.answers["/"] = Answer(f'<link rel="alternate" type="application/rss+xml" href="{other}/f">'.encode())
    web.answers["/f"] = feed("rain")
    with pytest.raises(PeerMisbehaved, match="local network"):
        followed(world.alice, web.url)
    assert [path for path, _ in web.asked] == ["/"]
    with pytest.raises(PeerMisbehaved, match="https to http"):
        asyncio.run(fetch(f"{web.url}/f", named_by=web.url.replace("http:", "https:")))


def test_a_document_may_stand_alone(world: World, web: Web) -> None:
    said = {"@context": "https://schema.org", "@type": "Event", "name": "Tea", "startDate": "2027-01-01"}
    web.answers["/tea"] = Answer(json.dumps(said).encode(), "application/ld+json")
    [tea] = posts(world.alice, followed(world.alice, f"{web.url}/tea").report.new)
    assert tea.document is not None and tea.document["startDate"] == "2027-01-01"


def test_copies_are_read_and_muted_like_posts_of_others(world: World, web: Web) -> None:
    alice = world.alice
    web.answers["/feed"] = feed("rain", "snow")
    followed(alice, f"{web.url}/feed")
    marks = Marks.load(alice.account)
    with Reading(alice.account, alice.keyring) as reading:
        reading.refresh()
        copies = list(reading.newest())
        assert [marks.is_read(one) for one in copies] == [False, False]
        marks.mark_read(copies[:1])
        assert [marks.is_read(one) for one in copies] == [True, False]
        marks.decide("mute", words("snow"))
        assert sorted(map(bool, map(marks.muted, copies))) == [False, True]


def test_servers_are_asked_kindly(world: World, web: Web) -> None:
    alice = world.alice
    web.answers["/feed"] = feed("rain")
    web.answers["/feed"].etag = '"one"'
    followed(alice, f"{web.url}/feed")
    assert refresh(alice.account, alice.keyring, due=True) == [], "half an hour did not go by"
    [done] = refresh(alice.account, alice.keyring)
    assert (done.report.new, done.report.same, done.problem) == ([], 0, "")
    assert web.asked[-1][1]["if-none-match"] == '"one"'
    assert "cookie" not in web.asked[-1][1] and "referer" not in web.asked[-1][1]
    web.answers["/feed"] = Answer(status=429, headers={"Retry-After": "120"})
    refresh(alice.account, alice.keyring)
    sources = Sources(alice.account, alice.keyring)
    asked = sources.asked(f"{web.url}/feed")
    sources.close()
    assert asked.later - asked.at == 120
    web.answers["/feed"] = Answer(status=500)
    [done] = refresh(alice.account, alice.keyring)
    assert "500" in done.problem


async def test_what_runs_asks_again_by_itself(world: World, web: Web) -> None:
    alice, stop = world.alice, asyncio.Event()
    web.answers["/feed"] = feed("rain")
    sources = Sources(alice.account, alice.keyring)
    sources.add(Source(f"{web.url}/feed"))
    sources.close()
    before = set(alice.account.posts().names())
    async with asyncio.timeout(30), asking(alice.account, stop):
        while set(alice.account.posts().names()) == before:  # noqa: ASYNC110 - it is another task that writes
            await asyncio.sleep(0.02)
    assert [path for path, _ in web.asked] == ["/feed"]


def test_what_lies_in_the_state_of_it_tells_no_address(world: World, web: Web) -> None:
    web.answers["/feed"] = feed("rain")
    followed(world.alice, f"{web.url}/feed")
    port = web.url.rpartition(":")[2].encode()
    places: list[Path] = [world.alice.account.root.path / ".reader", world.alice.account.posts().path]
    for file in (one for place in places for one in place.rglob("*") if one.is_file()):
        assert b"127.0.0.1:" + port not in file.read_bytes(), file


@pytest.mark.parametrize(
    "answer",
    [
        Answer(kind="application/octet-stream", body=b"<rss>"),
        Answer(
            kind="text/html", body=gzip.compress(b"\0" * (64 << 20)), headers={"Content-Encoding": "gzip"}
        ),
        Answer(kind="text/html", body=b"x", headers={"Content-Encoding": "gzip"}),
        Answer(kind="text/html", body=b"x", headers={"Content-Encoding": "br"}),
        Answer(kind="text/html", body=b" " * (fetching.MAX_BODY + 1)),
        Answer(status=302, headers={"Location": "/itself"}),
        Answer(status=302, headers={"Location": "file:///etc/passwd"}),
        Answer(status=302, headers={"Location": "http://localhost:1/"}),
        Answer(status=302, headers={"Location": "http://user:word@127.0.0.1/"}),
        Answer(status=403),
    ],
    ids=["kind", "bomb", "packed-wrong", "coding", "long", "loop", "file", "local", "password", "forbidden"],
)
def test_what_is_not_fair_is_refused(web: Web, answer: Answer) -> None:
    web.answers["/itself"] = answer
    with pytest.raises(PeerError):
        asyncio.run(fetch(f"{web.url}/itself"))


def test_a_name_that_leads_into_the_local_network_is_refused() -> None:
    with pytest.raises(PeerMisbehaved, match="local network"):
        asyncio.run(fetching._get(fetching.URL("http://127.0.0.1:9/"), {}, False))

    async def resolved() -> None:
        await fetching._Resolver(near=False).resolve("localhost")

    with pytest.raises(OSError, match="local network"):
        asyncio.run(resolved())


def test_addresses_are_https_without_passwords() -> None:
    assert check_url(" https://Example.org/a#b ") == "https://example.org/a"
    assert check_url("http://127.0.0.1:8/x") == "http://127.0.0.1:8/x"
    for wrong in ("http://example.org/", "ftp://example.org", "https://a:b@example.org", "https://", "x"):
        with pytest.raises(UsageError):
            check_url(wrong)
