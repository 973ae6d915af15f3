"""Two people with real keys and trees, an honest server, and servers that do what no honest one does.

The dishonest ones speak our TLS with a real key: they are peers who proved who they are and then lie.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from mau.account import Account
from mau.content.binding import PUBLIC, Audience, bind_document
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring
from mau.openpgp import Certificate, write_message
from mau.publish import publish_document
from mau.server.server import Server
from mau.server.visibility import Relay
from mau.syncer import Syncer, SyncReport
from mau.tree.layout import Root
from mau.tree.posts import AuthorDir
from mau.wire.client import Timeouts
from mau.wire.paths import file_path
from mau.wire.tls import server_context

IMPATIENT = Timeouts(connect=2.0, answer=2.0, stall=2.0)


@dataclass
class Person:
    """Somebody with an account and a tree."""

    account: Account
    keyring: Keyring

    @property
    def fpr(self) -> Fingerprint:
        return self.account.fingerprint

    @property
    def root(self) -> Root:
        return self.account.root

    def knows(self, other: Person, name: str) -> None:
        """Make somebody a friend, and follow him."""
        self.keyring.add(other.account.certificate, name)
        self.root.follow(other.fpr)

    def post(self, name: str, text: str, *others: Person, public: bool = False) -> str:
        """Publish; return the sha256."""
        audience: Audience = PUBLIC if public else frozenset([self.fpr, *(one.fpr for one in others)])
        document = {"@type": "SocialMediaPosting", "articleBody": text}
        return publish_document(self.account, self.keyring, document, name, audience).sha256

    def held(self, author: Person) -> dict[str, str]:
        """What is held of somebody: name -> sha256."""
        posts = AuthorDir(self.root, author.fpr)
        return {name: posts.sha256(name) for name in posts.names()}

    def versions(self, author: Person, name: str) -> set[str]:
        return {version.sha256 for version in AuthorDir(self.root, author.fpr).versions(name)}

    async def sync(self, author: Person, *where: tuple[str, int], **options: Any) -> SyncReport:
        """Sync once, with what was remembered before."""
        timeouts = options.pop("timeouts", None)
        syncer = Syncer(self.account, self.keyring, timeouts=timeouts)
        try:
            return await syncer.sync(author.fpr, addresses=list(where) or None, **options)
        finally:
            syncer.close()


@asynccontextmanager
async def serving(person: Person, relay: Relay = "friends") -> AsyncIterator[tuple[str, int]]:
    """Our own server on a free port of loopback."""
    server = Server(person.account, person.keyring, relay=relay)
    await server.start("127.0.0.1", 0)
    try:
        yield server.address
    finally:
        await server.stop(1)


# --- making pieces by hand ---------------------------------------------------------------------------------


def piece(
    signer: Person,
    name: str,
    text: str = "words",
    *,
    to: tuple[Certificate, ...] | None = (),
    stated: Audience | None = None,
    author: Fingerprint | None = None,
    stated_name: str | None = None,
    created: int | None = None,
    bound: bool = True,
) -> bytes:
    """A message as ``signer`` could make it: what it states need not be true."""
    document: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "SocialMediaPosting",
        "articleBody": text,
    }
    if bound:
        document = bind_document(document, author or signer.fpr, stated_name or name, stated or PUBLIC)
    out = BytesIO()
    write_message(out, json.dumps(document).encode(), key=signer.account.key, recipients=to, created=created)
    return out.getvalue()


def item(author: Fingerprint, name: str, data: bytes, /, **changed: Any) -> dict[str, Any]:
    """One true entry of a listing, but for what is ``changed``."""
    return {
        "path": f"/p2p/{author.hex}/{name}",
        "name": name,
        "size": len(data),
        "sum": hashlib.sha256(data).hexdigest(),
    } | changed


# --- servers that lie --------------------------------------------------------------------------------------

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass
class Liar:
    """A peer who proved to be ``person`` and answers what he likes.

    ``listing``: body, or entries, of every listing; ``files``: bytes by name; ``answers``: by raw path, with
    its query or without, instead of either. ``tagged``: his listing says that it is whole, as ours does.
    """

    person: Person
    listing: bytes | list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    tagged: bool = True
    author: Fingerprint | None = None
    asked: list[str] = field(default_factory=list)
    since: list[str | None] = field(default_factory=list)

    def offer(self, name: str, data: bytes, /, **changed: Any) -> None:
        """List a file and have it."""
        assert isinstance(self.listing, list)
        self.listing.append(item(self.whose, name, data, **changed))
        self.files[name] = data

    @property
    def whose(self) -> Fingerprint:
        return self.author or self.person.fpr

    def path(self, name: str) -> str:
        return file_path(self.whose, name)

    def fetched(self) -> list[str]:
        """Names of the files that were asked for."""
        start = f"/p2p/{self.whose.hex}/"
        return [unquote(path.removeprefix(start)) for path in self.asked if path.startswith(start)]

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.raw_path.partition("?")[0]
        self.asked.append(path)
        answer = self.answers.get(request.raw_path) or self.answers.get(path)
        if answer is not None:
            return await answer(request)
        start = f"/p2p/{self.whose.hex}"
        if path == start:
            self.since.append(request.headers.get("If-Modified-Since"))
            return web.Response(body=self.body(request), headers={"ETag": '"x"'} if self.tagged else {})
        data = self.files.get(unquote(path.removeprefix(f"{start}/")))
        return web.Response(status=404) if data is None else web.Response(body=data)

    def body(self, request: web.BaseRequest) -> bytes:
        return self.listing if isinstance(self.listing, bytes) else json.dumps(self.listing).encode()


@dataclass
class Cutting(Liar):
    """A server that behaves as the Go reference was measured to (spec/sync.md, "Listings that are cut").

    A listing has no tag and no date; it is cut at 100 files, oldest first by time, before what is not for the
    asker is left out; If-Modified-Since is inclusive, in whole seconds; a bad date gets 400.
    """

    times: dict[str, float] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    questions: int = 0

    def put(self, name: str, data: bytes, time: float) -> None:
        self.files[name] = data
        self.times[name] = time

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.raw_path.partition("?")[0] != f"/p2p/{self.whose.hex}":
            return await super().answer(request)
        self.questions += 1
        after = float("-inf")
        if since := request.headers.get("If-Modified-Since"):
            try:
                after = parsedate_to_datetime(since).timestamp()
            except ValueError:
                return web.Response(status=400)
        recent = sorted((time, name) for name, time in self.times.items() if time >= after)
        page = [
            {
                "path": f"/p2p/{self.whose.hex}/{name}",
                "size": len(self.files[name]),
                "sum": hashlib.sha256(self.files[name]).hexdigest(),
            }
            for _, name in recent[:100]
            if name not in self.hidden
        ]
        return web.json_response(page)


@asynccontextmanager
async def lying(liar: Liar) -> AsyncIterator[tuple[str, int]]:
    """A liar's server on a free port of loopback."""
    runner = web.ServerRunner(web.Server(liar.answer), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_context(liar.person.account.identity()))
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield host, port
    finally:
        await runner.cleanup()


def everything_below(root: Root) -> Mapping[str, bytes]:
    """Every file of a tree but derived state, by its path."""
    found = {}
    for path in sorted(root.path.rglob("*")):
        relative = path.relative_to(root.path)
        if relative.parts[0] not in {".syncer", ".peers", ".index", ".reader"} and path.is_file():
            found[str(relative)] = path.read_bytes()
    return found
