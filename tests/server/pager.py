"""A client that pages, in as few words as the protocol has (spec/http.yaml H60-H69); not the one in mau."""

from __future__ import annotations

import asyncio
import io
import re
import tarfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from mau.wire.paths import list_path
from tests.server.world import PATIENCE, Host, Reply, Someone, read_reply

_LINK = re.compile(r'<(/p2p/[0-9a-f]{40}\?limit=[0-9]+&cursor=[A-Za-z0-9_-]{1,256})>; rel="(next|prev)"')
TAR = {"Accept": "application/x-tar"}


async def eventually(condition: Callable[[], Awaitable[object]]) -> None:
    """Until it holds; what is on a disk, or in a server, tells nobody when it changes."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110 - as it says above
            await asyncio.sleep(0.02)


async def until(condition: Callable[[], object]) -> None:
    """The same for what needs no request."""

    async def holds() -> object:
        return condition()

    await eventually(holds)


@dataclass(frozen=True)
class Page:
    """A page, and the paths that it leads to."""

    reply: Reply
    next: str
    prev: str | None

    @property
    def names(self) -> list[str]:
        return self.reply.names

    @property
    def sums(self) -> dict[str, str]:
        return {item["name"].removesuffix(".pgp"): item["sum"] for item in self.reply.json}


def links_of(reply: Reply) -> dict[str, str]:
    """The paths by relation; each relation once, and nothing else in the header."""
    values = reply.headers.get_all("Link", [])
    assert len(values) <= 1
    if not values:
        return {}
    found = [_LINK.fullmatch(part) for part in values[0].split(", ")]
    assert all(found), values
    relations = {match[2]: match[1] for match in found if match}
    assert len(relations) == len(found)
    return relations


def cursor_in(path: str) -> str:
    return path.rpartition("cursor=")[2]


def start(author: Someone, query: str) -> str:
    return f"{list_path(author.fingerprint)}?{query}"


def read_page(reply: Reply) -> Page:
    links = links_of(reply)
    assert "next" in links, reply.raw
    return Page(reply, links["next"], links.get("prev"))


async def get_page(
    host: Host, who: Someone | None, path: str, headers: Mapping[str, str] | None = None
) -> Page:
    reply = await host.ask(who, path, headers)
    assert reply.status == 200, reply.raw
    return read_page(reply)


async def forwards(host: Host, who: Someone | None, path: str, limit: int) -> tuple[list[str], str]:
    """Every name up to the first page that is not full, and where to go on."""
    names: list[str] = []
    while True:
        page = await get_page(host, who, path)
        names += page.names
        path = page.next
        if len(page.names) < limit:
            return names, path


class Talk:
    """One connection that is kept."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def ask(self, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        self.send(path, headers)
        async with asyncio.timeout(PATIENCE):
            return await self.answer()

    def send(self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> None:
        lines = [f"{method} {path} HTTP/1.1", "Host: peer"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.writer.write("\r\n".join([*lines, "", ""]).encode())

    async def answer(self) -> Reply:
        raw = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", raw)
        body = await self._reader.readexactly(int(length[1])) if length else b""
        return read_reply(raw + body)


@asynccontextmanager
async def talking(host: Host, who: Someone | None) -> AsyncIterator[Talk]:
    reader, writer = await host.connect(who)
    try:
        yield Talk(reader, writer)
    finally:
        writer.close()


@dataclass(frozen=True)
class Packed:
    """One file of an archive."""

    name: str
    content: bytes
    sha256: str
    cursor: str


def unpack(body: bytes) -> list[Packed]:
    """What Python's own reader finds in an archive that is complete."""
    assert body.endswith(bytes(1024))
    found = []
    with tarfile.open(fileobj=io.BytesIO(body), mode="r:") as archive:
        for entry in archive:
            assert entry.isreg()
            records: dict[str, Any] = entry.pax_headers
            handle = archive.extractfile(entry)
            assert handle is not None
            found.append(
                Packed(
                    entry.name.removesuffix(".pgp"),
                    handle.read(),
                    records["MAU.sha256"],
                    records["MAU.cursor"],
                )
            )
    return found
