"""A bridge: each entry of an RSS or Atom feed becomes a post, once.

    python examples/bridge.py https://example.org/feed.xml --to friends

Shows documents with words of schema.org, and names that a program gives: made of the feed and the entry, so
that running it again, from cron, posts what is new and nothing twice. An entry that changed is posted anew
under its name, and what it said becomes a version. What feeds say is others' text: it is posted without HTML.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import time
from typing import Any

import aiohttp
import feedparser

import mau
from mau.content.plaintext import text_of_html
from mau.errors import NoSuchPost

MOST = 4 << 20  # bytes of a feed


async def run(words: argparse.Namespace) -> None:
    """Post what is new, the oldest first; print the names."""
    feed = feedparser.parse(await fetched(words.feed))
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


async def fetched(url: str) -> bytes:
    """The feed as it is now."""
    patience = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(timeout=patience) as session, session.get(url) as answer:
        answer.raise_for_status()
        return await answer.content.read(MOST)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("feed", help="its address")
    options.add_argument("--dir", help="the tree, else as `mau` finds it")
    options.add_argument(
        "--to", action="append", required=True, help="a name, @group, friends, me, or public"
    )
    asyncio.run(run(options.parse_args()))
