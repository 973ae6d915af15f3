"""A post as one HTML page that stands alone: no script, nothing fetched (spec/exports.md X20-X27). Pure.

Everything that somebody chose is escaped; Markdown becomes HTML without HTML of its own, and links lead to
the web alone. The page's policy lets nothing in that is not in it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from mau.content.origin import host_of
from mau.content.shown import Fact, Media, Shown
from mau.web.escape import legal, line, plain, rfc3339

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

MAX_MARKDOWN: Final = 256 << 10
"""Characters of a text up to which it is read as Markdown; a longer one is shown as it is."""
_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 1.05rem/1.5 system-ui, sans-serif; max-width: 42rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; }
.about, footer { font-size: .85rem; }
.text { overflow-wrap: anywhere; }
.plain { white-space: pre-wrap; }
img, video { max-width: 100%; height: auto; }
footer { border-top: 1px solid #8886; margin-top: 1rem; padding-top: 1rem; }
code { overflow-wrap: anywhere; }
"""
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; img-src data:; media-src data:; base-uri 'none'; "
    "form-action 'none'"
)
_PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_FILMS: Final = frozenset({"video/mp4", "video/webm", "video/ogg"})
_SOUNDS: Final = frozenset({"audio/mpeg", "audio/ogg", "audio/wav", "audio/flac", "audio/mp4", "audio/webm"})
EMBEDDED: Final = _PICTURES | _FILMS | _SOUNDS
"""The kinds of files that a page can hold."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that goes into the page: its kind as its first bytes tell it, and its content."""

    encoding: str
    data: bytes


@dataclass(frozen=True, slots=True)
class About:
    """Who wrote it and when, in unix seconds; `origin`: where it was copied from.

    Of whom it is for it says only whether that is everybody: who else got it is nobody's business.
    """

    author: str
    fingerprint: str
    address: str
    signed_at: int
    public: bool
    origin: str = ""


def page_of(seen: Shown, about: About, file_of: Callable[[Media], File | None] | None = None) -> str:
    """The page. ``file_of`` gives the file of a medium that is to be in it; None leaves all of them out."""
    title = line(seen.title or " ".join(seen.body.split())[:80] or seen.type or "A post")
    heading = f'<h1 dir="auto">{line(seen.title)}</h1>\n' if seen.title else ""
    stamp = rfc3339(about.signed_at)
    said = f'<time datetime="{stamp}">{stamp[:10]} {stamp[11:16]} UTC</time>'
    who = f"<bdi>{line(about.author)}</bdi>"
    if about.origin:
        who = f"<bdi>{line(about.origin)}</bdi> (copied from the web by {who}; not signed by it)"
    language = f' lang="{plain(seen.language)}"' if seen.language else ""
    whom = "for everybody" if about.public else "not public"
    body = (
        f'<main>\n<article>\n{heading}<p class="about">{who}, {said}, {whom}</p>\n'
        f'<div class="text" dir="auto"{language}>\n{_text(seen)}</div>\n{_facts(seen.facts)}'
        f"{''.join(_medium(one, file_of) for one in seen.media)}</article>\n</main>\n"
        f"<footer><p>Post <code>{line(about.address)}</code>, signed with the OpenPGP key "
        f"<code>{line(about.fingerprint)}</code>. "
        f"This page proves nothing; the signature does.</p></footer>\n"
    )
    return (
        '<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{plain(_POLICY)}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )


def _text(seen: Shown) -> str:
    if not seen.body:
        return ""
    if seen.markup == "markdown" and len(seen.body) <= MAX_MARKDOWN:
        return str(_parser().render(legal(seen.body)))
    return f'<div class="plain">{plain(seen.body)}</div>\n'


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    made = MarkdownIt("commonmark", {"html": False, "maxNesting": 30}).enable(["table", "strikethrough"])
    made.disable("image")  # a page that fetches a picture tells somebody that it is read
    made.validateLink = lambda url: bool(host_of(url)) or url.startswith(("mailto:", "#"))  # type: ignore[method-assign]
    return made


def _facts(facts: Sequence[Fact]) -> str:
    if not facts:
        return ""
    rows = []
    for fact in facts:
        value = (
            "<ul>" + "".join(f"<li>{line(one)}</li>" for one in fact.items) + "</ul>"
            if fact.items
            else line(fact.value)
        )
        rows.append(f'<dt>{line(fact.label)}</dt><dd dir="auto">{value}</dd>\n')
    return f"<dl>\n{''.join(rows)}</dl>\n"


def _medium(media: Media, file_of: Callable[[Media], File | None] | None) -> str:
    words = line(media.alt or media.name or media.kind)
    file = file_of(media) if file_of is not None else None
    if file is None or file.encoding not in EMBEDDED:
        where = f' (<a href="{plain(media.url)}">on the web</a>)' if host_of(media.url) else ""
        name = f" <bdi>{line(media.name)}</bdi>" if media.name and media.alt else ""
        return f'<p class="about">[{line(media.kind)}: <bdi>{words}</bdi>{name}]{where}</p>\n'
    data = f"data:{file.encoding};base64,{base64.b64encode(file.data).decode()}"
    if file.encoding in _PICTURES:
        return f'<figure><img src="{data}" alt="{words}"></figure>\n'
    tag = "video" if file.encoding in _FILMS else "audio"
    return f'<figure><{tag} controls src="{data}"></{tag}><figcaption>{words}</figcaption></figure>\n'
