"""Looking at a source on the web, and taking over what it has (spec/imports.md IM1-IM58)."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mau.content.jsonld import parse
from mau.content.origin import based_on
from mau.errors import MauError, NotOffered
from mau.imports.apart import parse_apart
from mau.imports.feeds import read_feed
from mau.imports.fetching import Fetched, fetch
from mau.imports.found import Finding
from mau.imports.pages import read_page
from mau.imports.sources import Asked, Source, Sources, renamed
from mau.imports.storing import Report, Store

if TYPE_CHECKING:
    from mau.account import Account
    from mau.keyring import Keyring

PAUSE: Final = 30 * 60
"""Seconds between two requests for one source, unless it is asked for by name."""
_AFTER_PROBLEM: Final = 2 * 3600
_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})


@dataclass(frozen=True, slots=True)
class Look:
    """What a source has now. `finding` None: nothing changed since it was asked last, or it is busy."""

    source: Source
    finding: Finding | None
    asked: Asked


async def look(url: str, asked: Asked | None = None) -> Look:
    """Fetch and read a page or a feed. A page without documents that names a feed stands for the feed.

    One PeerError when it cannot be reached, sends what is no page and no feed, or more than is fair.
    """
    known = asked or Asked()
    answer = await fetch(url, etag=known.etag, modified=known.modified)
    finding = await _read(answer)
    if finding is not None and not finding.items and finding.feeds:
        there = await fetch(finding.feeds[0], named_by=answer.url)
        found = await _read(there)
        if found is not None and found.items:
            return Look(Source(there.url, found.title), found, _asked(there, known))
    source = Source(answer.url if answer.moved else url, finding.title if finding is not None else "")
    return Look(source, finding, _asked(answer, known))


def read_bytes(data: bytes, url: str, kind: str = "", encoding: str = "") -> Finding:
    """What a page or a feed has to say; by its ``kind``, or else by how it begins. PeerMisbehaved."""
    if kind == "application/ld+json":
        document = parse(data)
        return read_page({"json-ld": [] if document is None else [document]}, url)
    head = data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    feed = b"<rss" in head or b"<feed" in head or b"<rdf:rdf" in head
    if kind in _HTML or not feed:
        return read_page(parse_apart("page", data, url, encoding), url)
    return read_feed(parse_apart("feed", data, url, encoding), url)


async def _read(answer: Fetched) -> Finding | None:
    if answer.body is None:
        return None
    return await asyncio.to_thread(read_bytes, answer.body, answer.url, answer.kind, answer.encoding)


def _asked(answer: Fetched, known: Asked) -> Asked:
    now = int(time.time())
    if answer.later:
        return Asked(known.etag, known.modified, now, now + answer.later, "it asked to be asked later")
    if answer.body is None:
        return Asked(known.etag, known.modified, now, now + PAUSE)
    return Asked(answer.etag, answer.modified, now, now + PAUSE)


# --- taking over -------------------------------------------------------------------------------------------


def take(store: Store, source: Source, finding: Finding) -> Report:
    """Make posts for oneself alone of what a source has; what is there already is left, or made anew."""
    report = Report(left_out=finding.left_out.copy())
    me = store.account.fingerprint
    for found in finding.items:
        url = str(found.document.get("url", source.url))
        document: dict[str, Any] = {**found.document, **based_on(me, url)}
        if "publisher" not in document:
            document["publisher"] = {"@type": "Organization", "name": finding.title, "url": source.url}
        name = store.name(source.url, found.id, found.published)
        report.note(store.put(name, document, frozenset({me})), name)
    return report


@dataclass(frozen=True, slots=True)
class Refreshed:
    """How it went with one source. `problem` in words, "" for none; `feeds`: what it names beside."""

    source: Source
    report: Report
    problem: str = ""
    feeds: tuple[str, ...] = ()


def follow(account: Account, keyring: Keyring, url: str) -> Refreshed:
    """Look at a source, follow it from now on, and take over what it has. PeerError, NotOffered."""
    seen = asyncio.run(look(url))
    if seen.finding is None or not seen.finding.items:
        raise NotOffered("it holds no documents of schema.org and names no feed; there is nothing to follow")
    sources = Sources(account, keyring)
    try:
        sources.add(seen.source)
        sources.note(seen.source.url, seen.asked)
    finally:
        sources.close()
    report = take(Store(account, keyring), seen.source, seen.finding)
    return Refreshed(seen.source, report, feeds=seen.finding.feeds)


def refresh(account: Account, keyring: Keyring, *, due: bool = False, dry: bool = False) -> list[Refreshed]:
    """Ask all sources; with ``due``, those alone whose time has come."""
    sources = Sources(account, keyring)
    try:
        waiting = sources.waiting(due=due)
        if not waiting:
            return []
        store = Store(account, keyring, dry=dry)
        return [
            settled(sources, store, source, asked, asyncio.run(attempt(source, asked)))
            for source, asked in waiting
        ]
    finally:
        sources.close()


async def attempt(source: Source, asked: Asked) -> Look | MauError:
    """Look at one source again; what went wrong is the answer, and keeps no other from being asked."""
    try:
        return await look(source.url, asked)
    except MauError as error:
        return error


def settled(sources: Sources, store: Store, source: Source, asked: Asked, seen: Look | MauError) -> Refreshed:
    """Take over what a source has now, and remember what its server said."""
    if isinstance(seen, MauError):
        at = int(time.time())
        if not store.dry:
            sources.note(source.url, Asked(asked.etag, asked.modified, at, at + _AFTER_PROBLEM, str(seen)))
        return Refreshed(source, Report(), str(seen))
    report, now = Report(), source
    if seen.finding is not None:
        now = renamed(source, seen.finding.title)
        report = take(store, source, seen.finding)
    if not store.dry:
        # Under the address that is followed, wherever the answer came from in the end.
        sources.note(source.url, seen.asked)
        sources.exchange(source, now)
    return Refreshed(now, report)
