"""Pages and feed of hostile posts: nothing in them becomes markup, and documents stay what they are."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.content.jsonld import parse
from mau.fingerprint import Fingerprint
from mau.web.escape import legal, line, plain, script_data
from mau.web.feed import feed
from mau.web.page import POLICY, STYLE, list_page, missing_page, post_page, post_path
from mau.web.post import PER_PAGE, Brief, Owner, Post, count_pages, make_post

FPR = Fingerprint(b"a" * 20)
ATOM = "{http://www.w3.org/2005/Atom}"
HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]><x>",
    "\" onload=alert(1) x='",
    "&lt;b&gt;&amp;",
    "\u2028\u2029\u202e\x00\x1b[31m\x7f\x85\ufffe",
    "\ud800",
    "</title><style>*{}</style>",
    "javascript:alert(1)",
]
hostile = st.builds(str.__add__, st.sampled_from([*HOSTILE, ""]), st.text(st.characters(), max_size=10))
names = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20).map(
    lambda name: name.replace("/", "_") + ".pgp"
)
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(hostile, st.integers(), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(hostile, inner, max_size=3)),
    max_leaves=8,
)


def brief_of(name: str = "post.pgp", signed_at: int = 1_700_000_000) -> Brief:
    return Brief(name, "0" * 64, 616, signed_at, True)


def document_post(document: dict[str, Any], name: str = "post.pgp", *, ascii_only: bool = True) -> Post:
    data = json.dumps(document, ensure_ascii=ascii_only).encode()
    parsed = parse(data)
    assert parsed is not None
    return make_post(FPR, brief_of(name), parsed, data, None, len(data))


def file_post(content: bytes, filename: str | None, name: str = "post.pgp") -> Post:
    return make_post(FPR, brief_of(name), None, content, filename, len(content))


def numbered(page: int) -> str:
    return f"index.html?page={page}"


class Reader(HTMLParser):
    """Elements with their attributes, the text outside of scripts and styles, and the content of scripts."""

    VOID = frozenset({"meta", "link"})

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.scripts: list[str] = []
        self.other: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data
        elif self.open and self.open[-1] == "style":
            assert data == STYLE
        else:
            self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self.other.append(data)

    def handle_decl(self, decl: str) -> None:
        assert decl == "DOCTYPE html"

    def handle_pi(self, data: str) -> None:
        self.other.append(data)


ELEMENTS = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "link",
        "style",
        "body",
        "h1",
        "h2",
        "p",
        "a",
        "main",
        "article",
        "bdi",
        "time",
        "div",
        "script",
        "code",
        "nav",
        "span",
        "footer",
    ]
)
ATTRIBUTES = frozenset(
    ["charset", "http-equiv", "content", "name", "rel", "type", "title", "href", "class", "dir", "datetime"]
)


def read(page: str) -> Reader:
    """Read a page and check what must hold for every one."""
    page.encode()
    reader = Reader(page)
    assert reader.open == []
    assert reader.other == []
    for tag, attributes in reader.elements:
        assert tag in ELEMENTS
        assert attributes.keys() <= ATTRIBUTES
        if tag == "script":
            assert attributes == {"type": "application/ld+json"}
        if "href" in attributes:
            assert re.fullmatch(r"(\.\./)?[A-Za-z0-9%._?=/~-]+", attributes["href"] or "")
            assert ":" not in (attributes["href"] or "")
    return reader


def check(post: Post, owner: Owner) -> None:
    pages = [post_page(owner, post), list_page(owner, [post], 1, 1, numbered)]
    for page in pages:
        reader = read(page)
        if post.document is None:
            assert reader.scripts == []
        else:
            [script] = reader.scripts
            assert json.loads(script) == json.loads(post.source)
            assert not set("<>&\u2028\u2029") & set(script)
    shown = "".join(read(pages[0]).text)
    assert legal(post.text) in shown
    root = ElementTree.fromstring(feed(owner, [post]).encode())  # noqa: S314 - our own
    [entry] = root.findall(f"{ATOM}entry")
    assert {child.tag.removeprefix(ATOM) for child in entry} <= {"id", "title", "updated", "link", "content"}
    assert all(len(child) == 0 for child in entry)


@given(hostile, st.dictionaries(hostile, values, max_size=4), hostile, names, st.booleans())
def test_nothing_in_a_document_becomes_markup(
    text: str, more: dict[str, Any], name: str, file: str, ascii_only: bool
) -> None:
    document = {**more, "@type": text, "articleBody": text, "headline": name}
    ascii_only = ascii_only or bool(re.search("[\ud800-\udfff]", json.dumps(document, ensure_ascii=False)))
    check(document_post(document, file, ascii_only=ascii_only), Owner(FPR, name or "x", 0))


@given(
    st.one_of(st.binary(max_size=40), hostile.map(lambda text: text.encode("utf-8", "replace"))),
    hostile,
    names,
)
def test_nothing_in_a_file_becomes_markup(content: bytes, filename: str, name: str) -> None:
    check(file_post(content, filename, name), Owner(FPR, filename or "x", 0))


@pytest.mark.parametrize("text", HOSTILE)
def test_escapes(text: str) -> None:
    assert not set("<>\"'") & set(plain(text))
    assert not set("<>\"'\n\u202e") & set(line(text))
    assert "</" not in script_data(json.dumps(text))
    ElementTree.fromstring(f"<x a='{plain(text)}'>{plain(text)}</x>")  # noqa: S314 - our own


def test_a_document_is_embedded_word_for_word_but_for_escapes() -> None:
    source = b'{"@type": "Note", "articleBody": "1", "n": 1e400, "twice": 1, "twice": 2}'
    post = make_post(FPR, brief_of(), parse(source), source, None, len(source))
    assert f">{source.decode()}</script>" in post_page(Owner(FPR, "Alice", 0), post)


def test_a_large_document_is_embedded_on_its_own_page_only() -> None:
    post = document_post({"@type": "Note", "articleBody": "word " * 10_000})
    owner = Owner(FPR, "Alice", 0)
    assert read(post_page(owner, post)).scripts
    listed = list_page(owner, [post], 1, 1, numbered)
    assert read(listed).scripts == []
    assert "All of it" in listed
    assert len(listed) < 10_000


def test_the_policy_allows_the_one_style_and_no_script() -> None:
    assert POLICY.startswith("default-src 'none'; style-src 'sha256-")
    assert "script-src" not in POLICY
    assert "unsafe" not in POLICY
    for page in (missing_page(), list_page(Owner(FPR, "A", 0), [], 1, 0, numbered)):
        [policy] = [
            attributes["content"]
            for tag, attributes in read(page).elements
            if attributes.get("http-equiv") == "Content-Security-Policy"
        ]
        assert policy is not None
        assert POLICY.startswith(policy)


def test_pages_lead_to_their_neighbours() -> None:
    owner = Owner(FPR, "Alice", 0)
    post = document_post({"@type": "Note", "text": "x"})
    total = 2 * PER_PAGE + 1
    assert [count_pages(count) for count in (0, 1, PER_PAGE, PER_PAGE + 1)] == [1, 1, 1, 2]
    links = []
    for page in (1, 2, 3):
        elements = read(list_page(owner, [post], page, total, numbered)).elements
        links.append({one["rel"]: one["href"] for tag, one in elements if one.get("rel") in ("next", "prev")})
    assert links == [
        {"next": numbered(2)},
        {"prev": numbered(1), "next": numbered(3)},
        {"prev": numbered(2)},
    ]


def test_the_path_of_a_post_is_one_segment_whatever_its_name() -> None:
    assert post_path("a b?#%.json.pgp") == "posts/a%20b%3F%23%25.json.html"
    assert post_path("ü.pgp") == "posts/%C3%BC.html"


# --- feed --------------------------------------------------------------------------------------------------


def test_the_feed_has_what_rfc_4287_asks_for() -> None:
    owner = Owner(FPR, "Alice <a>", 1_600_000_000)
    posts = [
        document_post({"@type": "Note", "text": "hello & <b>"}, "two words.json.pgp"),
        file_post(b"\0", "x.bin"),
    ]
    root = ElementTree.fromstring(feed(owner, posts).encode())  # noqa: S314 - our own
    assert root.tag == f"{ATOM}feed"
    assert root.findtext(f"{ATOM}id") == f"mau:/p2p/{FPR}"
    assert root.findtext(f"{ATOM}title") == root.findtext(f"{ATOM}author/{ATOM}name") == "Alice <a>"
    assert root.findtext(f"{ATOM}updated") == "2023-11-14T22:13:20Z"
    first, second = root.findall(f"{ATOM}entry")
    assert first.findtext(f"{ATOM}id") == f"mau:/p2p/{FPR}/two%20words.json.pgp"
    assert first.findtext(f"{ATOM}title") == first.findtext(f"{ATOM}content") == "hello & <b>"
    for entry in (first, second):
        assert entry.findtext(f"{ATOM}updated") == "2023-11-14T22:13:20Z"
        links = {link.get("rel"): link.get("href") for link in entry.findall(f"{ATOM}link")}
        assert links.keys() == {"alternate", "related"}
    assert second.findtext(f"{ATOM}title") == "x.bin"


def test_an_empty_feed_is_as_old_as_the_key() -> None:
    root = ElementTree.fromstring(feed(Owner(FPR, "A", 1_600_000_000), []).encode())  # noqa: S314 - our own
    assert root.findtext(f"{ATOM}updated") == "2020-09-13T12:26:40Z"


def test_a_recipe_can_be_read_on_its_page_and_in_the_feed() -> None:
    recipe = {
        "@type": "Recipe",
        "name": "Bread & <b>",
        "recipeIngredient": ["flour </div>", "water"],
        "recipeInstructions": [{"@type": "HowToStep", "text": "Knead."}],
        "image": {"contentUrl": "https://e.example/x.png", "description": "A loaf"},
    }
    post = document_post(recipe)
    owner = Owner(FPR, "Alice", 0)
    text = "".join(read(post_page(owner, post)).text)
    for words in (
        "Bread & <b>\n\nIngredients:\n- flour </div>\n- water\nSteps:\n1. Knead.",
        "[Picture: A loaf]",
    ):
        assert words in text
        content = ElementTree.fromstring(feed(owner, [post])).findtext(f"{ATOM}entry/{ATOM}content")  # noqa: S314
        assert words in (content or "")
    assert "https://e.example/x.png" in text  # as words: nothing is shown from elsewhere


def test_a_page_has_the_text_in_every_language() -> None:
    both = [{"@value": "Hallo", "@language": "de"}, {"@value": "Hello", "@language": "en"}]
    post = document_post({"@type": "Event", "name": both, "description": "x", "location": "Lisbon"})
    assert post.text == "Hallo\n\nx\n\nHello\n\nx\n\nWhere: Lisbon"
    assert document_post({"@type": "Note", "text": both}).text == "Hallo\n\nHello"
