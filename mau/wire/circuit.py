"""Connections through a circuit relay, from both of their ends (spec/circuit.md).

A circuit is a WebSocket to the relay, on a connection where the relay proved itself. Its binary messages are
the bytes of a TLS connection between caller and callee, in which these prove themselves to each other: the
relay passes on what it cannot read.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from mau.errors import IdentityError, NotOffered, PeerMisbehaved, PeerUnreachable
from mau.fingerprint import Fingerprint
from mau.hostport import Address
from mau.wire import paths
from mau.wire.explaining import explaining
from mau.wire.identity import Identity
from mau.wire.tls import TLSContext, client_context

HEARTBEAT: Final = 25.0
"""Seconds between two pings: routers forget a connection that is silent for a minute or two."""
MAX_MESSAGE: Final = 256 * 1024
_PIECE: Final = 64 * 1024
_TOKEN: Final = re.compile("[0-9a-f]{32}")
_GONE: Final = frozenset({401, 403, 404, 405, 426, 501})


class Relayed:
    """WebSockets to the circuit relay ``relay`` at ``address``; use it as an async context manager."""

    def __init__(self, identity: Identity, relay: Fingerprint, address: Address, *, patience: float) -> None:
        """``patience``: seconds until a WebSocket is open."""
        self._identity = identity
        self._relay = relay
        self._address = address
        self._patience = patience
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Relayed:
        context = client_context(self._identity, self._relay)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context, limit=0, force_close=True),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._patience),
            headers={"User-Agent": "mau"},
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def open(self, path: str) -> aiohttp.ClientWebSocketResponse:
        """A WebSocket to a path of the relay. NotOffered, or what `mau.wire.transport` makes of errors."""
        if self._session is None:
            raise RuntimeError("Relayed is used outside of its context")
        host, port = self._address
        with explaining():
            url = URL.build(scheme="https", host=host, port=port).join(URL(path, encoded=True))
            try:
                async with asyncio.timeout(self._patience):
                    return await self._session.ws_connect(
                        url, heartbeat=HEARTBEAT, max_msg_size=MAX_MESSAGE, autoclose=True, compress=0
                    )
            except aiohttp.WSServerHandshakeError as error:
                if error.status in _GONE:
                    raise NotOffered("it passes nothing on to there for us") from error
                raise PeerUnreachable(f"it passes nothing on now (status {error.status})") from error

    async def call(self, callee: Fingerprint) -> aiohttp.ClientWebSocketResponse:
        """A circuit to ``callee``."""
        return await self.open(paths.call_path(callee))

    @asynccontextmanager
    async def registered(self) -> AsyncIterator[AsyncIterator[str]]:
        """Wait to be called: yields the tokens of calls as they come, until the relay ends it."""
        desk = await self.open(paths.register_path())
        try:
            yield _calls(desk)
        finally:
            await hang_up(desk)

    async def answer(self, token: str) -> aiohttp.ClientWebSocketResponse:
        """The circuit of a call."""
        return await self.open(paths.answer_path(token))


async def _calls(desk: aiohttp.ClientWebSocketResponse) -> AsyncIterator[str]:
    async for message in desk:
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise PeerMisbehaved("it sends something else than calls")
        try:
            token = json.loads(message.data)["call"]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise PeerMisbehaved("it sends something else than calls") from error
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise PeerMisbehaved("it sends something else than calls")
        yield token
    raise PeerUnreachable("it does not keep us registered any longer")


async def carry(circuit: aiohttp.ClientWebSocketResponse, end: socket.socket) -> None:
    """Pass bytes between a circuit and a socket of this machine until either ends; closes both."""

    async def outwards() -> None:
        loop = asyncio.get_running_loop()
        while piece := await loop.sock_recv(end, _PIECE):
            await circuit.send_bytes(piece)

    async def inwards() -> None:
        loop = asyncio.get_running_loop()
        async for message in circuit:
            if message.type is not aiohttp.WSMsgType.BINARY:
                return
            await loop.sock_sendall(end, message.data)

    end.setblocking(False)
    tasks = [asyncio.create_task(outwards()), asyncio.create_task(inwards())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        # Whatever ended it, the one end or the other: the connection inside says what that means.
        await asyncio.gather(*tasks, return_exceptions=True)
        end.close()
        await hang_up(circuit)


async def hang_up(circuit: aiohttp.ClientWebSocketResponse) -> None:
    """Close a WebSocket, in whatever state it is."""
    try:
        with contextlib.suppress(Exception):
            await circuit.close()
    finally:
        # aiohttp keeps the connection of one that was cut off, and then says that nobody closed it.
        circuit._response.close()


class CircuitConnector(aiohttp.BaseConnector):
    """For an `aiohttp.ClientSession`: every connection is a circuit to ``callee``, with TLS inside."""

    def __init__(
        self, relayed: Relayed, callee: Fingerprint, context: TLSContext, *, limit: int, keepalive: float
    ) -> None:
        super().__init__(limit=limit, keepalive_timeout=keepalive)
        self._relayed = relayed
        self._callee = callee
        self._context = context
        self._carrying: set[asyncio.Task[None]] = set()

    async def _create_connection(self, _req: Any, _traces: Any, _timeout: Any) -> ResponseHandler:
        try:
            circuit = await self._relayed.call(self._callee)
        except IdentityError as error:  # not who we want to talk to, but who was to connect us
            raise PeerUnreachable(f"the circuit relay is not there: {error}") from error
        except (NotOffered, PeerUnreachable, PeerMisbehaved) as error:
            raise PeerUnreachable(f"the circuit relay: {error}") from error
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        task = asyncio.create_task(carry(circuit, theirs), name="mau-circuit")
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)
        task.add_done_callback(lambda _: theirs.close())  # it may be cancelled before it begins
        try:
            _, protocol = await self._loop.create_connection(
                self._factory,
                sock=ours,
                ssl=self._context,
                server_hostname="",
                ssl_handshake_timeout=20.0,
            )
        except BaseException:
            task.cancel()
            ours.close()
            raise
        return protocol

    async def end(self) -> None:
        """Close the circuits, after the session was closed."""
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)
