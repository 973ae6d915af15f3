"""Pages and feeds of strangers are parsed in a process of their own (spec/imports.md IM5-IM7).

The libraries that read HTML and XML are large, some are written in C, and what is made to break them costs
memory and time without bounds. So they run in a process that has little of both, no file to write to, and
nothing to lose: what they are and the bytes go in, JSON comes out, and what it says is judged by us (`pages`,
`feeds`).
"""

from __future__ import annotations

import contextlib
import json
import sys
from typing import Any, Final, Literal

from mau.confined import ask_apart
from mau.errors import PeerMisbehaved

Kind = Literal["page", "feed"]

SECONDS: Final = 20
"""Of processor time."""
MEMORY: Final = 1 << 30
"""Bytes of address space, of which the libraries take a third before they begin."""
_WALL: Final = 60.0
_MOST_OUT: Final = 32 << 20
_MOST_ENTRIES: Final = 500
_MOST_DEPTH: Final = 40
_LIBRARIES: Final = ("lxml", "extruct", "feedparser")


def parse_apart(
    kind: Kind, data: bytes, url: str, encoding: str = "", *, memory: int = MEMORY
) -> dict[str, Any]:
    """What the libraries make of ``data``; PeerMisbehaved when that is more than is fair."""
    head = json.dumps({"kind": kind, "url": url, "encoding": encoding, "memory": memory})
    said = ask_apart(
        __name__, head.encode() + b"\n" + data, libraries=_LIBRARIES, most=_MOST_OUT, seconds=_WALL
    )
    if not said or len(said) > _MOST_OUT:
        raise PeerMisbehaved(f"that {kind} is made so that reading it takes too much time or memory")
    try:
        found = json.loads(said)
    except (ValueError, RecursionError):
        raise PeerMisbehaved(f"that {kind} cannot be read") from None
    return found if isinstance(found, dict) else {}


# --- in the other process ----------------------------------------------------------------------------------


def main() -> int:
    """Parse what stands on stdin, after a line that says what it is, and print it as JSON."""
    import logging
    import warnings

    asked = json.loads(sys.stdin.buffer.readline())
    url, encoding = asked["url"], asked["encoding"]
    _confine(asked["memory"])
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    data = sys.stdin.buffer.read()
    found = _page(data, url, encoding) if asked["kind"] == "page" else _feed(data, url, encoding)
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(found))
        sys.stdout.flush()
    return 0


def _confine(memory: int) -> None:
    """Take little: what asks for more ends this process and no other."""
    import resource

    for what, most in (
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # macOS knows no limit of addresses
            resource.setrlimit(what, (most, most))


def _page(data: bytes, url: str, encoding: str) -> dict[str, Any]:
    from extruct.jsonld import JsonLdExtractor
    from extruct.w3cmicrodata import MicrodataExtractor
    from lxml import html
    from lxml.etree import LxmlError

    try:
        parser = html.HTMLParser(encoding=encoding or None)
    except LookupError:
        parser = html.HTMLParser()
    try:
        tree = html.document_fromstring(data, parser=parser)
    except (LxmlError, ValueError):
        return {}
    found: dict[str, Any] = {"title": tree.findtext(".//title"), "feeds": []}
    for link in tree.iterfind(".//link"):
        kinds = (link.get("rel") or "").lower().split()
        if "alternate" in kinds and (link.get("type") or "").lower() in _FEED_TYPES and link.get("href"):
            found["feeds"].append(link.get("href"))
    for name, extractor in (("json-ld", JsonLdExtractor()), ("microdata", MicrodataExtractor())):
        values: list[Any] = []
        with contextlib.suppress(ValueError, LookupError, TypeError, AttributeError, RecursionError):
            for value in extractor.extract_items(tree, base_url=url):
                if _shallow(value):
                    values.append(value)
                if len(values) >= _MOST_ENTRIES:
                    break
        found[name] = values
    return found


_FEED_TYPES: Final = frozenset({"application/rss+xml", "application/atom+xml"})


def _feed(data: bytes, url: str, encoding: str) -> dict[str, Any]:
    import io

    import feedparser

    headers = {"content-location": url}
    if encoding:
        headers["content-type"] = f"application/xml; charset={encoding}"
    # Bytes as a file: a text would be taken for the address of a feed, or for the name of a file.
    parsed = feedparser.parse(io.BytesIO(data), response_headers=headers)
    if not parsed.get("version"):
        return {}
    feed = parsed.get("feed", {})
    return {
        "title": feed.get("title"),
        "entries": [_entry(one, feed) for one in parsed.get("entries", [])[:_MOST_ENTRIES]],
    }


def _entry(entry: Any, feed: Any) -> dict[str, Any]:
    contents = [one for one in entry.get("content", []) if one.get("value")]
    # Of several forms of one text the HTML is the one that feeds write with care.
    contents.sort(key=lambda one: "html" not in (one.get("type") or ""))
    return {
        "id": entry.get("id"),
        "link": entry.get("link"),
        "title": entry.get("title"),
        "content": contents[0]["value"] if contents else None,
        "summary": entry.get("summary"),
        "author": entry.get("author"),
        "published": _time(entry.get("published_parsed")),
        "updated": _time(entry.get("updated_parsed")),
        "language": (contents[0].get("language") if contents else None) or feed.get("language"),
        "tags": [one.get("term") for one in entry.get("tags", []) if one.get("term")],
        "media": [{"url": one.get("href"), "type": one.get("type")} for one in entry.get("enclosures", [])],
    }


def _time(parts: Any) -> str | None:
    import datetime

    if parts is None:
        return None
    with contextlib.suppress(ValueError, OverflowError, TypeError):
        return datetime.datetime(*parts[:6]).replace(tzinfo=datetime.UTC).isoformat()
    return None


def _shallow(value: Any) -> bool:
    """Whether a value nests no deeper than anybody means it."""
    level = [value]
    for _ in range(_MOST_DEPTH):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return True
    return False
