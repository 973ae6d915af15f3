"""The two sides of an attack: an attacker's thread on a socket, and our client or server at the other end."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field

import aiohttp
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from mau.fingerprint import Fingerprint
from mau.wire.identity import Identity, PrivateKey
from mau.wire.tls import client_context, peer_fingerprint, server_context

SECRET = b"for the victim alone"
REQUEST = b"GET /p2p/ HTTP/1.1\r\nHost: x\r\n\r\n"
CREATED = 1_700_000_000
PATIENCE = 10.0


@functools.cache
def rsa_key(bits: int, which: str = "mallory") -> rsa.RSAPrivateKey:
    del which  # one key for each name
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@functools.cache
def me() -> Identity:
    return Identity.of(ed25519.Ed25519PrivateKey.generate(), CREATED - 7)


@functools.cache
def victim(kind: str = "ed25519") -> Identity:
    key: PrivateKey = ed25519.Ed25519PrivateKey.generate()
    if kind == "rsa":
        key = rsa_key(2048, "victim")
    elif kind == "p256":
        key = ec.generate_private_key(ec.SECP256R1())
    return Identity.of(key, CREATED)


@functools.cache
def mallory() -> Identity:
    return Identity.of(ed25519.Ed25519PrivateKey.generate(), CREATED + 99)


@dataclass
class Seen:
    """What an attacker got to see."""

    data: bytes = b""
    certificate: bytes | None = None


@contextlib.contextmanager
def attacking_server(converse: Callable[[socket.socket], Seen]) -> Iterator[tuple[int, Callable[[], Seen]]]:
    """Serve one connection in a thread; yields the port, and a function that waits for what was seen."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(PATIENCE)
    seen: list[Seen] = []

    def serve() -> None:
        with listener:
            raw, _ = listener.accept()
            seen.append(converse(raw))

    thread = threading.Thread(target=serve)
    thread.start()

    def result() -> Seen:
        thread.join(PATIENCE)
        assert not thread.is_alive()
        return seen[0]

    yield listener.getsockname()[1], result
    thread.join(PATIENCE)


async def ask(port: int, expected: Fingerprint) -> str:
    """Do what our client does, with a stock aiohttp."""
    connector = aiohttp.TCPConnector(ssl=client_context(me(), expected))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(f"https://127.0.0.1:{port}/p2p/{expected}") as reply,
    ):
        return await reply.text()


@dataclass
class OurServer:
    """A server of ours that answers the victim alone, and notes whom it took its visitors for."""

    answers: Fingerprint
    port: int = 0
    visitors: list[Fingerprint | None] = field(default_factory=list)

    async def visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        who = peer_fingerprint(writer.transport)
        self.visitors.append(who)
        if who == self.answers:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(SECRET)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def our_server(answers: Fingerprint) -> AsyncIterator[OurServer]:
    ours = OurServer(answers)
    server = await asyncio.start_server(
        ours.visit, "127.0.0.1", 0, ssl=server_context(me()), ssl_handshake_timeout=PATIENCE
    )
    async with server:
        ours.port = server.sockets[0].getsockname()[1]
        yield ours


async def attack_as_client(port: int, converse: Callable[[socket.socket], Seen]) -> Seen:
    """Connect and do the attacker's part in a thread."""
    raw = await asyncio.to_thread(socket.create_connection, ("127.0.0.1", port), PATIENCE)
    return await asyncio.to_thread(converse, raw)
