"""The pages: HTML5 with the documents embedded, without script (spec/web.md W10-W12, W20-W24). Pure.

Everything that goes into a page passes `mau.web.escape`; links are relative, so that the pages hold together
wherever they are put.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence

from mau.content.posting import type_of
from mau.web.escape import line, plain, rfc3339, script_data, segment
from mau.web.post import Owner, Post, count_pages, shortened

EXCERPT = 1000
"""Characters of a post that the list shows."""
EXCERPT_LINES = 12
_EMBEDDED_IN_LIST = 16 * 1024  # characters of a document up to which the list embeds it too

STYLE = """
:root { color-scheme: light dark; }
body { font: 1.05rem/1.5 system-ui, sans-serif; max-width: 42rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; }
h2 { font-size: 1.1rem; margin: 0; }
article { border-top: 1px solid #8886; padding: 1rem 0; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; margin: .5rem 0; }
.more, nav, footer { font-size: .85rem; }
.more { margin: .25rem 0; }
code { overflow-wrap: anywhere; }
footer { border-top: 1px solid #8886; margin-top: 1rem; padding-top: 1rem; }
nav { display: flex; justify-content: space-between; gap: 1rem; }
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_IN_PAGE = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"
POLICY = f"{_IN_PAGE}; frame-ancestors 'none'"
"""The Content-Security-Policy of every answer; what of it a page can say itself stands in the page too."""


def list_page(
    owner: Owner, posts: Sequence[Post], page: int, total: int, page_link: Callable[[int], str]
) -> str:
    """One page of the list, newest first: ``posts`` are those on it, ``total`` how many there are in all.

    ``page_link`` gives the relative address of a page, from 1 on.
    """
    pages = count_pages(total)
    title = line(owner.name)
    articles = "".join(_article(post) for post in posts) or "<p>Nothing public yet.</p>\n"
    links = []
    if page > 1:
        links.append(f'<a rel="prev" href="{plain(page_link(page - 1))}">Newer</a>')
    links.append(f"<span>Page {page} of {pages}</span>")
    if page < pages:
        links.append(f'<a rel="next" href="{plain(page_link(page + 1))}">Older</a>')
    body = (
        f'<h1 dir="auto">{title}</h1>\n<p class="more">Public posts, newest first. '
        f'<a href="feed.atom">Feed</a></p>\n<main>\n{articles}</main>\n<nav>{"".join(links)}</nav>\n'
    )
    return _document(title, body + _footer(owner, ""), "")


def post_page(owner: Owner, post: Post) -> str:
    """The page of one post."""
    title = f"{line(post.title)} – {line(owner.name)}"
    heading = "" if post.document is not None and post.text else f"<h1><bdi>{line(post.title)}</bdi></h1>\n"
    file = f"../p2p/{owner.fingerprint.hex}/{segment(post.brief.name)}"
    body = (
        f'<p class="more"><a href="../index.html">{line(owner.name)}</a></p>\n<main>\n'
        f'<article>\n{heading}<p class="more">{_time(post)} {_kind(post)}</p>\n{_text(post, post.text)}'
        f'<p class="more">As it was signed: <a href="{plain(file)}"><bdi>{line(post.brief.name)}</bdi></a> '
        f"({post.brief.size:,} bytes), an OpenPGP message. SHA-256: <code>{post.brief.sha256}</code></p>\n"
        f"</article>\n</main>\n{_embedded(post)}"
    )
    return _document(title, body + _footer(owner, "../"), "../")


def missing_page() -> str:
    """What is shown where nothing is."""
    return _document(
        "Not found", "<h1>Not found</h1>\n<p>There is nothing here, or not any more.</p>\n", None
    )


def post_path(name: str) -> str:
    """Where the page of a post is, relative to the first page."""
    return f"posts/{segment(name.removesuffix('.pgp'))}.html"


def _article(post: Post) -> str:
    text = shortened("\n".join(post.text.split("\n", EXCERPT_LINES)[:EXCERPT_LINES]), EXCERPT)
    path = plain(post_path(post.brief.name))
    more = f'<p class="more"><a href="{path}">All of it</a></p>\n' if text != post.text else ""
    # A document begins with its own title, if it has one.
    title = "" if post.document is not None and text else f"<h2><bdi>{line(post.title)}</bdi></h2>\n"
    embedded = _embedded(post) if len(post.source) <= _EMBEDDED_IN_LIST else ""
    return (
        f'<article>\n{title}<p class="more"><a rel="bookmark" href="{path}">{_time(post)}</a> '
        f"{_kind(post)}</p>\n"
        f"{_text(post, text)}{more}{embedded}</article>\n"
    )


def _time(post: Post) -> str:
    stamp = rfc3339(post.brief.signed_at)
    return f'<time datetime="{stamp}">{stamp[:10]} {stamp[11:16]} UTC</time>'


def _kind(post: Post) -> str:
    kind = shortened(type_of(post.document), 60) if post.document is not None else "File"
    return f"<bdi>{line(kind)}</bdi>"


def _text(post: Post, text: str) -> str:
    if text:
        return f'<div class="text" dir="auto">{plain(text)}</div>\n'
    if post.document is None:
        return f'<p class="more">A file of {post.content_size:,} bytes.</p>\n'
    return ""


def _embedded(post: Post) -> str:
    if post.document is None:
        return ""
    return f'<script type="application/ld+json">{script_data(post.source)}</script>\n'


def _footer(owner: Owner, up: str) -> str:
    fingerprint = owner.fingerprint.hex
    return (
        f"<footer>\n<p>Signed with the OpenPGP key <code>{fingerprint}</code> "
        f'(<a href="{up}key.asc">key</a>). '
        f"This page proves nothing; the signatures do. With Mau: <code>mau follow {fingerprint}</code></p>\n"
        "</footer>\n"
    )


def _document(title: str, body: str, up: str | None) -> str:
    """``up``: from the page to the first one; None leaves out the links."""
    feed = (
        ""
        if up is None
        else f'<link rel="alternate" type="application/atom+xml" title="Feed" href="{up}feed.atom">\n'
    )
    return (
        '<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{plain(_IN_PAGE)}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n{feed}<style>{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
