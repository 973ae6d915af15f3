"""From a browser's request to its answer (spec/web.md W5-W19)."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Final, TypeVar
from urllib.parse import parse_qsl, unquote_to_bytes

from aiohttp import web

from mau.errors import InvalidName
from mau.fingerprint import Fingerprint
from mau.server.answers import empty, problem, send_bytes
from mau.server.conditions import failed_condition, quoted
from mau.server.connection import Answering
from mau.tree.names import check_post_name
from mau.web.feed import feed
from mau.web.page import POLICY, list_page, missing_page, post_page
from mau.web.post import IN_FEED, PER_PAGE, Brief, Post, count_pages, shown_of
from mau.web.shelf import Shelf
from mau.wire.paths import BadPath, index_path, parse
from mau.wire.targets import FileTarget, KeyTarget, ListTarget, VersionTarget

_log = logging.getLogger("mau.web")
_FRESH: Final = 1.0
"""Seconds for which a listing is taken for what is there; a single post is always looked up."""
_RENDERED: Final = 64
"""Pages that are kept ready as long as nothing changes."""
_PAGE_NUMBER: Final = re.compile("[1-9][0-9]{0,8}")
_HTML: Final = "text/html; charset=utf-8"
_HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_T = TypeVar("_T")
_Found = tuple[str, bytes]
"""Content type and body."""


class WebApp:
    """Answers browsers, and those who follow over the web; everybody is a stranger."""

    def __init__(self, shelf: Shelf, files: Answering, threads: Executor) -> None:
        """``files`` answers what the server answers at the same paths."""
        self._shelf = shelf
        self._files = files
        self._threads = threads
        self._turn = asyncio.Lock()
        self._briefs: list[Brief] = []
        self._looked: float | None = None
        self._rendered: dict[str, bytes] = {}

    async def handle(self, request: web.BaseRequest, proven: Fingerprint | None = None) -> web.StreamResponse:
        """The answer; whatever goes wrong is one, too."""
        try:
            answer = await self._route(request)
        except Exception:
            _log.exception("a request could not be answered")
            answer = problem(500)
        if not answer.prepared:
            for name, value in _HEADERS.items():
                answer.headers.setdefault(name, value)
        return answer

    async def _route(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        if self._is_file(request.raw_path):
            return await self._files.handle(request, None)
        if request.method not in ("GET", "HEAD"):
            return problem(405, "only GET and HEAD", {"Allow": "GET, HEAD"})
        if request.version >= (1, 1) and len(request.headers.getall("Host", ())) != 1:
            return problem(400, "exactly one Host header")
        found = await self._find(path, query)
        if found is None:
            body = b"" if request.method == "HEAD" else missing_page().encode()
            return web.Response(status=404, body=body, headers={**_HEADERS, "Content-Type": _HTML})
        content_type, body = found
        tag = hashlib.sha256(body).hexdigest()
        headers = {**_HEADERS, "ETag": quoted(tag)}
        conditions = {
            name: ", ".join(request.headers.getall(name))
            for name in ("If-Match", "If-None-Match")
            if name in request.headers
        }
        status = failed_condition(conditions, tag=tag, modified=0, now=0)
        if status is not None:
            return empty(status, headers) if status == 304 else problem(status, headers=headers)
        return await send_bytes(request, body, content_type, headers)

    def _is_file(self, raw_path: str) -> bool:
        """Whether that is for the files of the owner: what is another's is nothing here."""
        try:
            target = parse(raw_path)
        except BadPath:
            return False
        me = self._shelf.owner.fingerprint
        if isinstance(target, KeyTarget):
            return target.owner == me
        return isinstance(target, ListTarget | FileTarget | VersionTarget) and target.author == me

    async def _find(self, path: str, query: str) -> _Found | None:
        owner = self._shelf.owner
        if path in ("/", "/index.html"):
            return await self._list(query)
        if path == "/feed.atom":
            return "application/atom+xml; charset=utf-8", await self._once(path, self._feed)
        if path == "/key.asc":
            return "application/pgp-keys", await self._in_thread(self._shelf.key)
        if path == index_path(owner.fingerprint):
            return "application/json", await self._once(path, self._shelf.listing)
        name = _post_name(path)
        post = None if name is None else await self._in_thread(lambda: self._shelf.post(name))
        return None if post is None else (_HTML, post_page(owner, post).encode())

    async def _list(self, query: str) -> _Found | None:
        page = _page_number(query)
        if page is None:
            return None
        total = len(shown_of(await self._current()))
        if page > count_pages(total):
            return None

        def render(briefs: list[Brief]) -> bytes:
            shown = shown_of(briefs)
            posts = self._posts(shown[(page - 1) * PER_PAGE : page * PER_PAGE])
            return list_page(self._shelf.owner, posts, page, len(shown), page_link).encode()

        return _HTML, await self._once(f"/?{page}", render)

    def _feed(self, briefs: list[Brief]) -> bytes:
        return feed(self._shelf.owner, self._posts(shown_of(briefs)[:IN_FEED])).encode()

    def _posts(self, briefs: Sequence[Brief]) -> list[Post]:
        return [post for brief in briefs if (post := self._shelf.post(brief.name)) is not None]

    async def _once(self, key: str, render: Callable[[list[Brief]], bytes]) -> bytes:
        """What was rendered of the current listing, or is now."""
        briefs = await self._current()
        body = self._rendered.get(key)
        if body is None:
            body = await self._in_thread(lambda: render(briefs))
            if briefs is self._briefs and len(self._rendered) < _RENDERED:
                self._rendered[key] = body
        return body

    async def _current(self) -> list[Brief]:
        """The listing as it was a second ago at most."""
        async with self._turn:
            if self._looked is None or time.monotonic() - self._looked > _FRESH:
                briefs = await self._in_thread(self._shelf.briefs)
                self._looked = time.monotonic()
                if briefs != self._briefs:
                    self._briefs, self._rendered = briefs, {}
            return self._briefs

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def page_link(page: int) -> str:
    """The address of a page of the list."""
    return f"index.html?page={page}" if page > 1 else "index.html"


def _page_number(query: str) -> int | None:
    """The page that a query asks for; other fields mean nothing. None: there is no such page."""
    try:
        pages = [
            value
            for name, value in parse_qsl(query, keep_blank_values=True, max_num_fields=16)
            if name == "page"
        ]
    except ValueError:
        return None
    if not pages:
        return 1
    return int(pages[0]) if len(pages) == 1 and _PAGE_NUMBER.fullmatch(pages[0]) else None


def _post_name(path: str) -> str | None:
    """The name of the post whose page that is."""
    start, end = "/posts/", ".html"
    stem = path.removeprefix(start).removesuffix(end)
    if path != f"{start}{stem}{end}" or "/" in stem:
        return None
    try:
        return check_post_name(unquote_to_bytes(stem.encode("utf-8", "surrogateescape")).decode() + ".pgp")
    except (UnicodeError, InvalidName):
        return None
