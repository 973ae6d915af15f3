"""Asking one peer and reading what he answers: connections that are kept, patience, and what an error means.

Everything a peer can do ends as one of three errors: PeerUnreachable (no answer, or not to its end),
IdentityError (somebody else answered; he was told nothing) and PeerMisbehaved (an answer that the protocol
does not allow). No total time is set, for a large file takes its time: what is limited is how long nothing
comes, and how little may come in a minute.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import aiohttp
from yarl import URL

from mau.errors import NotOffered, PeerMisbehaved, PeerUnreachable
from mau.fingerprint import Fingerprint
from mau.hostport import Address, circuit_of, format_address
from mau.wire.circuit import CircuitConnector, Relayed
from mau.wire.explaining import explaining
from mau.wire.identity import Identity
from mau.wire.tls import TLSContext, client_context

AT_ONCE: Final = 256 * 1024
"""Bytes of an answer that are held in one piece."""
_WINDOW: Final = 60.0
_LEAST: Final = 16 * 1024  # bytes in one window
_KEPT_SECONDS: Final = 30.0
_CALLING: Final = 12.0
"""Seconds that a circuit relay has, beyond a connection to itself, to get an answer from who is called."""
_BUSY: Final = frozenset({429, 503})
_GONE: Final = frozenset({401, 403, 404, 410})
OK: Final = frozenset({200})


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: until there is a proven connection, until an answer begins, and between two of its pieces.

    ``busy``: how long one request waits, in all, for a peer that says when it may be asked again.
    """

    connect: float = 10.0
    answer: float = 120.0
    stall: float = 60.0
    busy: float = 30.0


class Transport:
    """Requests to the peer ``expected`` at one address; use it as an async context manager.

    ``identity`` is who we prove to be; None asks as a stranger. At most ``connections`` are open at once.
    ``announced``: where we say that we can be reached, which only those under /kad take for anything.
    """

    def __init__(
        self,
        identity: Identity | None,
        expected: Fingerprint,
        host: str,
        port: int,
        *,
        timeouts: Timeouts | None = None,
        connections: int = 8,
        announced: Address | None = None,
    ) -> None:
        self._announced = announced
        self._identity = identity
        self._expected = expected
        self._host = host
        self._port = port
        self._timeouts = timeouts or Timeouts()
        self._connections = connections
        self._turns = asyncio.Semaphore(connections)
        self._welcome = 0.0  # when the peer may be asked again, by the clock of the loop
        self._session: aiohttp.ClientSession | None = None
        self._origin = ""
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._origin, context = self._target()
        self._session = aiohttp.ClientSession(
            connector=await self._connector(context),
            timeout=self._patience(0),
            headers={"Accept-Encoding": "identity", "User-Agent": "mau"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            read_bufsize=AT_ONCE,
        )
        return self

    async def _connector(self, context: TLSContext) -> aiohttp.BaseConnector:
        way = circuit_of(self._host)
        if way is None:
            return aiohttp.TCPConnector(ssl=context, limit=self._connections, keepalive_timeout=_KEPT_SECONDS)
        if self._identity is None:
            raise PeerUnreachable("a circuit is only for those who prove who they are")
        relayed = Relayed(self._identity, *way, patience=self._timeouts.connect + _CALLING)
        await self._stack.enter_async_context(relayed)
        connector = CircuitConnector(
            relayed, self._expected, context, limit=self._connections, keepalive=_KEPT_SECONDS
        )
        self._stack.push_async_callback(connector.end)
        return connector

    def _target(self) -> tuple[str, TLSContext]:
        """What stands before every path, and the context that says whom we talk to."""
        if circuit_of(self._host) is not None:
            return "https://circuit", client_context(self._identity, self._expected)
        try:
            origin = str(URL.build(scheme="https", host=self._host, port=self._port))
        except ValueError as error:
            raise PeerUnreachable(f"not an address: {self._host!r} port {self._port}") from error
        # A context of its own: a connection that proved one peer is never used for another.
        announced = () if self._announced is None else (format_address(self._announced),)
        return origin, client_context(self._identity, self._expected, announced)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        session, self._session = self._session, None
        try:
            if session is not None:
                await session.close()
        finally:  # also when that is cancelled
            await self._stack.aclose()

    def _patience(self, longer: float) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(
            total=None,
            sock_connect=self._timeouts.connect,
            sock_read=max(self._timeouts.answer, self._timeouts.stall) + longer,
        )

    @asynccontextmanager
    async def _ask(
        self,
        path: str,
        headers: Mapping[str, str] | None = None,
        *,
        wait: int = 0,
        body: bytes | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to GET, or to PUT with a small ``body``.

        ``wait``: seconds for which the peer was asked to hold it back.
        """
        if self._session is None:
            raise RuntimeError("PeerClient is used outside of its context")
        url = URL(self._origin + path, encoded=True)
        async with self._turns:  # waiting for a connection of our own is not the peer's silence
            response = await self._answer(url, headers or {}, wait, body)
            try:
                yield response
            except BaseException:
                response.close()  # what else it sends is of no interest
                raise
            response.release()

    async def _answer(
        self, url: URL, headers: Mapping[str, str], wait: int, body: bytes | None
    ) -> aiohttp.ClientResponse:
        """The answer; to one that says when to ask again, we do (RFC 9110 10.2.3), if that is soon."""
        assert self._session is not None  # noqa: S101 - who calls has looked
        loop = asyncio.get_running_loop()
        patience = self._timeouts.busy
        while True:
            # Whoever was told to wait waits for all: the others would only be told the same.
            pause = min(self._welcome - loop.time(), patience)
            if pause > 0:
                patience -= pause
                await asyncio.sleep(pause)
            with explaining():
                async with asyncio.timeout(self._timeouts.connect + self._timeouts.answer + wait):
                    response = await self._session.request(
                        "GET" if body is None else "PUT",
                        url,
                        headers=headers,
                        data=body,
                        allow_redirects=False,
                        timeout=self._patience(wait),
                    )
            later = _retry_after(response)
            if later is None or later > patience:
                return response
            response.close()
            self._welcome = max(self._welcome, loop.time() + later)

    @staticmethod
    def _check(response: aiohttp.ClientResponse, allowed: Collection[int] = OK) -> None:
        if response.status not in allowed:
            if response.status in _BUSY:
                wait = _retry_after(response)
                when = "later" if wait is None else f"in {wait} seconds"
                raise PeerUnreachable(f"it is busy (status {response.status}); try again {when}")
            if response.status in _GONE:
                raise NotOffered(f"it does not give that out (any more): status {response.status}")
            raise PeerMisbehaved(f"it answered with status {response.status}")
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise PeerMisbehaved("it compressed what was to be sent as it is")

    async def _read(self, response: aiohttp.ClientResponse, limit: int) -> bytes:
        if response.content_length is not None:
            if response.content_length > limit:
                raise PeerMisbehaved(f"its answer has {response.content_length:,} bytes, more than {limit:,}")
            if response.content_length <= AT_ONCE:
                return await self._whole(response)
        body = bytearray()
        async for piece in self._pieces(response):
            body += piece
            if len(body) > limit:
                raise PeerMisbehaved(f"its answer has more than {limit:,} bytes")
        return bytes(body)

    async def _whole(self, response: aiohttp.ClientResponse) -> bytes:
        """A small body whose length was announced."""
        with explaining():
            async with asyncio.timeout(self._timeouts.stall):
                return await response.read()

    async def _pieces(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        """The body as it comes; PeerUnreachable when nothing comes, or next to nothing for a minute.

        The time that the one who takes the pieces needs for himself does not count.
        """
        waited, came = 0.0, 0
        while True:
            began = time.monotonic()
            with explaining():
                async with asyncio.timeout(self._timeouts.stall):
                    piece = await response.content.readany()
            if not piece:
                return
            waited += time.monotonic() - began
            yield piece
            came += len(piece)
            if waited > _WINDOW:
                if came < _LEAST:
                    raise PeerUnreachable("it sends next to nothing")
                waited, came = 0.0, 0


def _retry_after(response: aiohttp.ClientResponse) -> int | None:
    """Seconds that a busy peer wants us to wait, at least one; None when it is not busy or does not say."""
    text = response.headers.get("Retry-After", "")
    if response.status not in _BUSY or not (text.isascii() and text.isdigit() and len(text) <= 6):
        return None
    return max(1, int(text))
