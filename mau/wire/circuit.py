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
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final, NamedTuple, Self, cast
from weakref import WeakSet

import aiohttp
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from mau.errors import IdentityError, InvalidFingerprint, NotOffered, PeerMisbehaved, PeerUnreachable
from mau.fingerprint import Fingerprint
from mau.hostport import Address
from mau.wire import paths
from mau.wire.explaining import explaining
from mau.wire.identity import Identity
from mau.wire.tls import TLSContext, client_context

HEARTBEAT: Final = 25.0
"""Seconds between two pings: routers forget a connection that is silent for a minute or two."""
MAX_MESSAGE: Final = 64 * 1024
"""Bytes of one message."""
_MAX_WORD: Final = 1024
_GOODBYE: Final = 2.0
_LEAVE: Final = 30.0
_HANDSHAKE: Final = 20.0
_TOKEN: Final = re.compile("[0-9a-f]{32}")
_GONE: Final = frozenset({401, 403, 404, 405, 426, 501})


class Call(NamedTuple):
    """Somebody wants a circuit to us; the relay says who."""

    token: str
    caller: Fingerprint


class Circuit(aiohttp.ClientWebSocketResponse):
    """A WebSocket to a relay that can be let go of in whatever state it is."""

    def __init__(
        self,
        reader: Any,
        writer: Any,
        protocol: str | None,
        response: aiohttp.ClientResponse,
        *rest: Any,
        **more: Any,
    ) -> None:
        super().__init__(reader, writer, protocol, response, *rest, **more)
        self._opened_by = response

    async def hang_up(self, *, patience: float = _LEAVE) -> None:
        """Close it; ``patience``: seconds until the other end has taken what was sent, or never gets it."""
        try:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(patience):
                    await self.close()
        finally:
            self.cut()

    def cut(self) -> None:
        """End the connection. (aiohttp keeps it open when the other end went away without a word.)"""
        connection = self._opened_by.connection
        transport = None if connection is None else connection.transport
        self._opened_by.close()
        if transport is not None:
            transport.abort()  # what the other end did not take until now, it does not want


class Relayed:
    """WebSockets to the circuit relay ``relay`` at ``address``; use it as an async context manager.

    What is still open in the end is closed.
    """

    def __init__(self, identity: Identity, relay: Fingerprint, address: Address, *, patience: float) -> None:
        """``patience``: seconds until a WebSocket is open."""
        self._identity = identity
        self._relay = relay
        self._address = address
        self._patience = patience
        self._session: aiohttp.ClientSession | None = None
        self._open: WeakSet[Circuit] = WeakSet()

    async def __aenter__(self) -> Self:
        context = client_context(self._identity, self._relay)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context, limit=0, force_close=True),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._patience),
            headers={"User-Agent": "mau"},
            cookie_jar=aiohttp.DummyCookieJar(),
            ws_response_class=Circuit,
            trust_env=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        session, self._session = self._session, None
        if session is None:
            return
        try:
            await asyncio.gather(
                *(one.hang_up(patience=_GOODBYE) for one in list(self._open) if not one.closed)
            )
        finally:
            for one in list(self._open):
                one.cut()
            await session.close()

    async def open(self, path: str, *, most: int = MAX_MESSAGE) -> Circuit:
        """A WebSocket to a path of the relay. NotOffered, or what `mau.wire.explaining` makes of errors.

        ``most``: bytes of a message that comes from there.
        """
        if self._session is None:
            raise RuntimeError("Relayed is used outside of its context")
        host, port = self._address
        with explaining():
            url = URL.build(scheme="https", host=host, port=port).join(URL(path, encoded=True))
            try:
                async with asyncio.timeout(self._patience):
                    # (aiohttp refuses what is as long as its limit, too.)
                    found = await self._session.ws_connect(
                        url,
                        heartbeat=HEARTBEAT,
                        max_msg_size=most + 1,
                        timeout=aiohttp.ClientWSTimeout(ws_close=_LEAVE),
                    )
            except aiohttp.WSServerHandshakeError as error:
                if error.status in _GONE:
                    raise NotOffered("it passes nothing on to there for us") from error
                raise PeerUnreachable(f"it passes nothing on now (status {error.status})") from error
        circuit = cast(Circuit, found)
        self._open.add(circuit)
        return circuit

    async def call(self, callee: Fingerprint) -> Circuit:
        """A circuit to ``callee``."""
        return await self.open(paths.call_path(callee))

    @asynccontextmanager
    async def registered(self) -> AsyncIterator[AsyncIterator[Call]]:
        """Wait to be called: yields the calls as they come, until the relay ends it."""
        desk = await self.open(paths.register_path(), most=_MAX_WORD)
        try:
            async with aclosing(_calls(desk)) as calls:
                yield calls
        finally:
            await desk.hang_up(patience=_GOODBYE)

    async def answer(self, token: str) -> Circuit:
        """The circuit of a call."""
        return await self.open(paths.answer_path(token))


async def _calls(desk: Circuit) -> AsyncGenerator[Call]:
    async for message in desk:
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise PeerMisbehaved("it sends something else than calls")
        try:
            said = json.loads(message.data)
            call = Call(said["call"], Fingerprint.parse(said["by"]))
        except (ValueError, TypeError, KeyError, RecursionError, InvalidFingerprint) as error:
            raise PeerMisbehaved("it sends something else than calls") from error
        if not isinstance(call.token, str) or not _TOKEN.fullmatch(call.token):
            raise PeerMisbehaved("it sends something else than calls")
        yield call
    raise PeerUnreachable("it does not keep us registered any longer")


async def carry(circuit: Circuit, end: socket.socket) -> None:
    """Pass bytes between a circuit and a socket of this machine until either ends; closes both."""

    async def outwards() -> None:
        loop = asyncio.get_running_loop()
        while piece := await loop.sock_recv(end, MAX_MESSAGE):
            await circuit.send_bytes(piece)

    async def inwards() -> None:
        loop = asyncio.get_running_loop()
        async for message in circuit:
            if message.type is not aiohttp.WSMsgType.BINARY:
                return
            await loop.sock_sendall(end, message.data)

    end.setblocking(False)
    ways = [asyncio.create_task(outwards()), asyncio.create_task(inwards())]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        try:
            # Whatever ended it, the one end or the other: the connection inside says what that means.
            await _ended(ways)
        finally:
            end.close()
            await circuit.hang_up()


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    """End tasks and wait for it, also when told meanwhile to end oneself.

    A socket must not be closed while a task waits for it: the loop would take the next one for it.
    """
    for task in tasks:
        task.cancel()
    told: asyncio.CancelledError | None = None
    while not all(task.done() for task in tasks):
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError as error:
            told = error
    for task in tasks:
        if not task.cancelled():
            task.exception()
    if told is not None:
        raise told


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

        def over(task: asyncio.Task[None]) -> None:
            self._carrying.discard(task)
            # It may have been cancelled before it began.
            theirs.close()
            circuit.cut()

        task.add_done_callback(over)
        try:
            _, protocol = await self._loop.create_connection(
                self._factory,
                sock=ours,
                ssl=self._context,
                server_hostname="",
                ssl_handshake_timeout=_HANDSHAKE,
            )
        except BaseException:
            task.cancel()
            ours.close()
            raise
        return protocol

    async def end(self) -> None:
        """Close the circuits, after the session was closed."""
        carrying = list(self._carrying)
        for task in carrying:
            task.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)
