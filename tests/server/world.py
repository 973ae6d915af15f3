"""Three people with accounts, a real server, and requests to it byte by byte over real TLS."""

from __future__ import annotations

import asyncio
import io
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.client import HTTPMessage, HTTPResponse
from pathlib import Path
from typing import Any

from mau.account import Account
from mau.circuit.terms import CircuitPolicy
from mau.content.binding import Audience, notations_for
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring
from mau.openpgp import SecretKey, write_message
from mau.publish import publish_document, publish_file
from mau.server.accesslog import AccessLog
from mau.server.limits import Limits
from mau.server.server import Server
from mau.server.visibility import Relay
from mau.tree.layout import Root
from mau.wire.paths import file_path, list_path
from mau.wire.tls import client_context

PATIENCE = 20.0


@dataclass(frozen=True)
class Someone:
    """A person with a tree of their own."""

    account: Account
    keyring: Keyring

    @property
    def fingerprint(self) -> Fingerprint:
        return self.account.fingerprint

    def publish(self, name: str, content: bytes, audience: Audience) -> Path:
        """Share a file under ``name`` (without .pgp); returns where it lies."""
        publish_file(self.account, self.keyring, io.BytesIO(content), name + ".pgp", audience)
        return self.own(name)

    def post(self, name: str, audience: Audience) -> Path:
        """Publish a JSON-LD document."""
        document = {"@context": "https://schema.org", "@type": "SocialMediaPosting", "articleBody": name}
        publish_document(self.account, self.keyring, document, name + ".pgp", audience)
        return self.own(name)

    def own(self, name: str) -> Path:
        return self.account.root.author_dir(self.fingerprint) / f"{name}.pgp"

    def holds(self, author: Someone, name: str, content: bytes, *, hidden: bool = False) -> Path:
        """Put bytes into the directory of another author, as a sync would."""
        root = self.account.root
        directory = root.hidden_dir(author.fingerprint) if hidden else root.author_dir(author.fingerprint)
        directory.mkdir(mode=0o700, exist_ok=True)
        path = directory / f"{name}.pgp"
        path.write_bytes(content)
        return path

    def message(
        self,
        content: bytes,
        to: Sequence[Someone] | None,
        *,
        name: str | None = None,
        audience: Audience | None = None,
        created: int | None = None,
    ) -> bytes:
        """The bytes of a message, as the reference (unbound) or as we (bound) would write them."""
        out = io.BytesIO()
        notations = (
            {}
            if name is None or audience is None
            else notations_for(self.fingerprint, f"{name}.pgp", audience)
        )
        recipients = None if to is None else [one.account.certificate for one in to]
        write_message(
            out, content, key=self.account.key, recipients=recipients, notations=notations, created=created
        )
        return out.getvalue()


def make_someone(place: Path, name: str, key: SecretKey) -> Someone:
    account = Account.create(Root(place / name), key, "passphrase")
    return Someone(account, Keyring.load(account))


def open_someone(place: Path, name: str, key: SecretKey) -> Someone:
    """An account that is there already, without the price of its passphrase."""
    account = Account(Root(place / name), key)
    return Someone(account, Keyring.load(account))


def audience(*people: Someone) -> frozenset[Fingerprint]:
    return frozenset(one.fingerprint for one in people)


@dataclass(frozen=True)
class Reply:
    """An answer, read to its end."""

    status: int
    headers: HTTPMessage
    body: bytes
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def names(self) -> list[str]:
        assert self.status == 200, self.raw
        return [entry["name"].removesuffix(".pgp") for entry in self.json]


class _Received(io.BytesIO):
    def makefile(self, _mode: str) -> io.BytesIO:
        return self


def read_reply(raw: bytes, method: str = "GET") -> Reply:
    """Parse one answer with another implementation than ours."""
    response = HTTPResponse(_Received(raw), method=method)  # type: ignore[arg-type]
    response.begin()
    return Reply(response.status, response.headers, response.read(), raw)


class Host:
    """A server that runs, and how to ask it."""

    def __init__(self, owner: Someone, server: Server) -> None:
        self.owner = owner
        self.server = server
        self.host, self.port = server.address

    async def connect(self, who: Someone | None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        context = client_context(who.account.identity() if who else None, self.owner.fingerprint)
        return await asyncio.open_connection(self.host, self.port, ssl=context, limit=1 << 20)

    async def raw(self, who: Someone | None, request: bytes) -> bytes:
        """Send bytes; return all that comes back until the server closes."""
        reader, writer = await self.connect(who)
        try:
            writer.write(request)
            async with asyncio.timeout(PATIENCE):
                return await reader.read(-1)
        finally:
            writer.close()

    async def ask(
        self,
        who: Someone | None,
        path: str,
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
    ) -> Reply:
        lines = [f"{method} {path} HTTP/1.1", "Host: peer", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        request = "\r\n".join([*lines, "", ""]).encode()
        return read_reply(await self.raw(who, request), method)

    async def list(
        self, who: Someone | None, author: Someone | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        return await self.ask(who, list_path((author or self.owner).fingerprint), headers)

    async def get(
        self,
        who: Someone | None,
        name: str,
        headers: Mapping[str, str] | None = None,
        *,
        author: Someone | None = None,
        method: str = "GET",
    ) -> Reply:
        path = file_path((author or self.owner).fingerprint, f"{name}.pgp")
        return await self.ask(who, path, headers, method)


@asynccontextmanager
async def serving(
    owner: Someone,
    relay: Relay = "friends",
    relay_of: Mapping[Fingerprint, Relay] | None = None,
    limits: Limits | None = None,
    access_log: AccessLog | None = None,
    kademlia: bool = False,
    circuits: CircuitPolicy | None = None,
) -> AsyncIterator[Host]:
    server = Server(
        owner.account,
        Keyring.load(owner.account),
        relay=relay,
        relay_of=relay_of,
        limits=limits,
        access_log=access_log,
        kademlia=kademlia,
        circuits=circuits,
    )
    await server.start("127.0.0.1", 0)
    try:
        yield Host(owner, server)
    finally:
        await server.stop(grace=1)


def age(path: Path, seconds: float) -> None:
    """Give a file an older time, as a backup that was restored."""
    status = path.stat()
    then = status.st_mtime_ns - int(seconds * 1e9)
    os.utime(path, ns=(then, then))


def content_of(path: Path) -> bytes:
    return path.read_bytes()


def seconds_of(path: Path) -> int:
    """When it was last changed."""
    return int(path.stat().st_mtime)
