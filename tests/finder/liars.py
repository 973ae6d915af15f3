"""Nodes with keys of their own on loopback, which answer under /kad what a test wants."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mau.addressbook import AddressBook
from mau.finder.nodes import Nodes
from mau.finder.pool import Pool
from mau.fingerprint import Fingerprint
from mau.hostport import Address, format_address
from mau.kademlia import Node
from mau.tree.layout import Root
from mau.wire.identity import Identity
from mau.wire.tls import peer_certificate, server_context

Answer = Callable[["Liar", Fingerprint, web.BaseRequest], Awaitable[web.StreamResponse]]


def somebody() -> Identity:
    """Somebody new."""
    return Identity.of(Ed25519PrivateKey.generate(), 1_700_000_000)


@dataclass
class Liar:
    """A node that proves who it is; ``answer`` is called with who is looked for."""

    answer: Answer
    identity: Identity = field(default_factory=somebody)
    asked: int = 0
    address: Address = ("", 0)
    shown: list[bytes | None] = field(default_factory=list)
    """The certificate of each who asked; None of strangers."""

    @property
    def node(self) -> Node:
        return Node(self.identity.fingerprint, *self.address)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self.shown.append(peer_certificate(request.transport))
        kind, _, rest = request.path.removeprefix("/kad/").partition("/")
        if kind != "find_peer":
            return web.Response(status=200 if kind == "ping" else 404)
        self.asked += 1
        return await self.answer(self, Fingerprint.parse(rest), request)


@asynccontextmanager
async def listening(*liars: Liar) -> AsyncIterator[None]:
    """Their servers, on ports of loopback."""
    async with AsyncExitStack() as stack:
        for liar in liars:
            runner = web.ServerRunner(web.Server(liar.serve), shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_context(liar.identity)).start()
            liar.address = runner.addresses[0][:2]
        yield


def entries(*claims: tuple[Fingerprint, Address]) -> list[dict[str, Any]]:
    """Claims as they go over the wire."""
    return [{"fingerprint": one.hex, "address": format_address(address)} for one, address in claims]


def saying(*claims: tuple[Fingerprint, Address]) -> Answer:
    """Always the same claims."""

    async def answer(_liar: Liar, _wanted: Fingerprint, _request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response(entries(*claims))

    return answer


def sending(body: bytes) -> Answer:
    """Always the same bytes."""

    async def answer(_liar: Liar, _wanted: Fingerprint, _request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=body, content_type="application/json")

    return answer


def dumped(document: object) -> bytes:
    return json.dumps(document).encode()


@asynccontextmanager
async def looking(place: Path, begin: Iterable[Node]) -> AsyncIterator[tuple[Nodes, AddressBook]]:
    """The lookup network as somebody sees it who knows these nodes and nobody else."""
    begin = list(begin)
    with closing(AddressBook(Root(place))) as book:
        async with Pool(None) as pool:
            yield Nodes(Fingerprint(b"\x01" * 20), book, pool, friends=lambda: begin), book


@asynccontextmanager
async def counted() -> AsyncIterator[tuple[Address, list[Address]]]:
    """A bystander on loopback who only counts who comes."""
    came: list[Address] = []

    def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(writer.get_extra_info("peername")[:2])
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[:2], came
