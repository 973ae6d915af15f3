"""A bridge: each entry of an RSS or Atom feed becomes a post, once.

    python examples/bridge.py https://example.org/feed.xml --to friends

Shows documents with words of schema.org, and names that a program gives: made of the feed and the entry, so
that running it again, from cron, posts what is new and nothing twice. An entry that changed is posted anew
under its name, and what it said becomes a version. What feeds say is others' text: it is posted without HTML.
It is fetched as `mau follow` does: up to 8 MiB, and no redirect leads to a machine of the local network.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import io
import time
from typing import Any

import feedparser

import mau
from mau.content.plaintext import text_of_html
from mau.errors import NoSuchPost
from mau.imports.fetching import check_url, fetch


async def run(words: argparse.Namespace) -> None:
    """Post what is new, the oldest first; print the names."""
    answer = await fetch(check_url(words.feed))
    # As a file: of bytes that are the name of one on this machine, feedparser would read that.
    feed = feedparser.parse(io.BytesIO(answer.body or b""))
    to = mau.PUBLIC if words.to == ["public"] else words.to
    async with mau.open_account(words.dir) as me:
        for entry in reversed(feed.entries):
            document = document_of(entry)
            which = f"{words.feed} {entry.get('id') or entry.get('link')}"
            name = hashlib.sha256(which.encode()).hexdigest()[:20]
            if await says(me, name, document):
                continue
            print((await me.post(document, to=to, name=f"{name}.json")).name, flush=True)


async def says(me: mau.Me, name: str, document: dict[str, Any]) -> bool:
    """Whether my post of that name says this already."""
    try:
        held = await me.read(f"{me.fingerprint}/{name}.json.pgp")
    except NoSuchPost:
        return False
    return held.document is not None and document.items() <= held.document.items()


def document_of(entry: Any) -> dict[str, Any]:
    """An entry as a document."""
    document = {
        "@type": "Article",
        "headline": text_of_html(entry.get("title", "")),
        "url": entry.get("link", ""),
    }
    content = entry.get("content") or [{"value": entry.get("summary", "")}]
    document["articleBody"] = text_of_html(content[0]["value"])
    published = entry.get("published_parsed") or entry.get("updated_parsed")
    if published:
        document["datePublished"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", published)
    return {word: value for word, value in document.items() if value}


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("feed", help="its address")
    options.add_argument("--dir", help="the tree, else as `mau` finds it")
    options.add_argument(
        "--to", action="append", required=True, help="a name, @group, friends, me, or public"
    )
    asyncio.run(run(options.parse_args()))
