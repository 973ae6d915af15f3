"""Fetching a page or a feed from the web, with care for us and for who serves it (spec/imports.md IM1-IM9).

TLS that the system's authorities vouch for, one GET at a time, nothing that the answer could make us do: no
cookies, no script, no second request but at most five redirects. A redirect leads to no machine of the local
network, and never from https to http.
"""

from __future__ import annotations

import asyncio
import socket
import zlib
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from mau.errors import NotOffered, PeerMisbehaved, UsageError
from mau.wire.explaining import explaining
from mau.wire.tls import web_client_context

MAX_BODY: Final = 8 << 20
"""Bytes of a page or a feed, as they come and unpacked."""
MAX_REDIRECTS: Final = 5
SECONDS: Final = 30.0
"""For all of one answer."""
_LONGEST: Final = 2000
_BUSY: Final = 3600
_MAX_WAIT: Final = 7 * 86_400
_ACCEPTED: Final = frozenset({
    "text/html", "application/xhtml+xml", "application/rss+xml", "application/atom+xml", "application/xml",
    "text/xml", "text/plain", "application/rdf+xml", "application/ld+json",
})  # fmt: skip
_ACCEPT: Final = "application/atom+xml, application/rss+xml, text/html;q=0.9, application/xml;q=0.8"
_LOCAL: Final = (".local", ".lan", ".home.arpa", ".internal", ".localhost")


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer; `etag` and `modified` are the server's words. `body` None: nothing changed since then.

    `url`: where it came from in the end; `moved`: that is where it is to be asked for from now on. `later`:
    there is no answer yet, it asks to be asked again in so many seconds.
    """

    url: str
    body: bytes | None
    kind: str = ""
    encoding: str = ""
    etag: str = ""
    modified: str = ""
    moved: bool = False
    later: int = 0


def check_url(text: str, *, plain: bool = False) -> str:
    """The address of a page or a feed in one spelling; UsageError. ``plain``: http is wanted, too."""
    try:
        url = URL(text.strip())
        host = url.host
    except ValueError:
        host = None
    if not host or url.scheme not in {"http", "https"} or len(text) > _LONGEST:
        raise UsageError(f"not an address of the web: {text!r:.120}")
    if url.user is not None or url.password is not None:
        raise UsageError("an address with a name or a password in it is not kept; leave them out")
    if url.scheme == "http" and not plain and not _is_local(host):
        raise UsageError(f"{text!r:.120} is not encrypted: anybody on the way can change it; say https")
    return str(url.with_fragment(None))


async def fetch(url: str, *, etag: str = "", modified: str = "", named_by: str = "") -> Fetched:
    """GET a page or a feed; ``etag`` and ``modified`` as the answer before said. One PeerError.

    ``named_by``: the page that says that address. The owner did not, so it counts as one more redirect.
    """
    headers = {"If-None-Match": etag} if etag else {}
    if modified:
        headers["If-Modified-Since"] = modified
    first = URL(named_by or url)
    at = _followed(first, url) if named_by else first
    moved = True
    with explaining():
        async with asyncio.timeout(SECONDS):
            for _ in range(MAX_REDIRECTS + 1):
                near = at.host == first.host and _is_local(first.host or "")
                answer = await _get(at, headers, near)
                if isinstance(answer, Fetched):
                    return answer if not moved or at == first else _moved(answer)
                status, there = answer
                moved = moved and status in {301, 308}
                at = _followed(at, there)
    raise PeerMisbehaved("it sends us from one address to the next")


def _moved(answer: Fetched) -> Fetched:
    return Fetched(
        answer.url, answer.body, answer.kind, answer.encoding, answer.etag, answer.modified, moved=True
    )


async def _get(url: URL, headers: dict[str, str], near: bool) -> Fetched | tuple[int, str]:
    """One answer, or the status of a redirect and where it leads."""
    if not near and _is_local(url.host or ""):
        raise PeerMisbehaved("it sends us to a machine of the local network")
    connector = aiohttp.TCPConnector(
        ssl=web_client_context() if url.scheme == "https" else True,
        resolver=_Resolver(near),
        force_close=True,
    )
    async with (
        aiohttp.ClientSession(
            connector=connector,
            headers={"User-Agent": "mau", "Accept": _ACCEPT, "Accept-Encoding": "gzip"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        ) as session,
        session.get(url, headers=headers, allow_redirects=False) as response,
    ):
        if response.status in {301, 302, 303, 307, 308} and "Location" in response.headers:
            return response.status, response.headers["Location"]
        if response.status == 304 and headers:
            return Fetched(str(url), None, etag=headers.get("If-None-Match", ""))
        if response.status in {429, 503}:
            return Fetched(str(url), None, later=_later(response))
        _check(response)
        kind = response.content_type.lower()
        if kind not in _ACCEPTED:
            raise PeerMisbehaved(f"it sends no page and no feed but {kind!r:.80}")
        body = await _body(response)
        return Fetched(
            str(url),
            body,
            kind,
            (response.charset or "")[:40],
            response.headers.get("ETag", "")[:200],
            response.headers.get("Last-Modified", "")[:100],
        )


def _check(response: aiohttp.ClientResponse) -> None:
    if response.status == 200:
        return
    if response.status in {404, 410}:
        raise NotOffered(f"there is nothing (any more): status {response.status}")
    raise PeerMisbehaved(f"it answered with status {response.status}")


def _later(response: aiohttp.ClientResponse) -> int:
    said = response.headers.get("Retry-After", "")
    return min(int(said), _MAX_WAIT) if said.isascii() and said.isdigit() and len(said) < 8 else _BUSY


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """The content, unpacked as it comes: what grows beyond all bounds never lies in memory."""
    coding = response.headers.get("Content-Encoding", "identity").lower()
    if coding not in {"identity", "gzip", "x-gzip"}:
        raise PeerMisbehaved(f"it packs what it sends in a way that was not asked for: {coding!r:.40}")
    unpacking = None if coding == "identity" else _Unpacking()
    body = bytearray()
    came = 0
    async for piece in response.content.iter_chunked(1 << 16):
        came += len(piece)
        body += piece if unpacking is None else unpacking.feed(piece)
        if max(came, len(body)) > MAX_BODY:
            raise PeerMisbehaved(f"it sends more than {MAX_BODY >> 20} MiB")
    if unpacking is not None and not unpacking.whole:
        raise PeerMisbehaved("what it sends is cut off")
    return bytes(body)


class _Unpacking:
    """gzip, at most a byte more than `MAX_BODY` of it in all."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)
        self._left = MAX_BODY + 1

    @property
    def whole(self) -> bool:
        return self._stream.eof

    def feed(self, piece: bytes) -> bytes:
        if self._left <= 0:
            return b""
        try:
            found = self._stream.decompress(piece, self._left)
        except zlib.error as error:
            raise PeerMisbehaved("what it sends is packed wrong") from error
        self._left -= len(found)
        return found


def _followed(at: URL, there: str) -> URL:
    try:
        url = at.join(URL(there))
        host = url.host
    except ValueError:
        host = None
    if not host or url.scheme not in {"http", "https"} or url.user is not None or len(there) > _LONGEST:
        raise PeerMisbehaved("it sends us to something that is no address of the web")
    if at.scheme == "https" and url.scheme == "http":
        raise PeerMisbehaved("it sends us from https to http")
    return url.with_fragment(None)


def _is_local(host: str) -> bool:
    """Whether a host is written as one of the local network: a name without a dot, an address of its kind."""
    try:
        return not ip_address(host.strip("[]")).is_global
    except ValueError:
        name = host.rstrip(".").lower()
        return "." not in name or name.endswith(_LOCAL)


class _Resolver(AbstractResolver):
    """Asks the system; without ``near``, a name that stands for a local machine is none."""

    def __init__(self, near: bool) -> None:
        self._near = near
        self._system = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._system.resolve(host, port, family)
        if not self._near:
            found = [one for one in found if ip_address(one["host"].partition("%")[0]).is_global]
        if not found:
            raise OSError(None, "that name stands for a machine of the local network")
        return found

    async def close(self) -> None:
        await self._system.close()
