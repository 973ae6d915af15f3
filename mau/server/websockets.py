"""One WebSocket of a visitor (RFC 6455): opened, read and closed within bounds."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final, cast

import aiohttp
from aiohttp import web

from mau.server.answers import COMMON, Refusal
from mau.server.connection import Connection

HEARTBEAT: Final = 25.0
"""Seconds without a byte until the other end is asked whether it lives; it has half of that to answer."""
_GOODBYE: Final = 2.0
"""For the other end's word that it closes, too."""
_LEAVE: Final = 30.0


class WebSocket:
    """The server's end. `opened` makes one; whoever gets it awaits `hang_up` in the end."""

    def __init__(self, answer: web.WebSocketResponse, connection: Connection) -> None:
        self.answer = answer
        self._connection = connection

    @classmethod
    async def opened(cls, request: web.BaseRequest, most: int) -> WebSocket:
        """Answer a request that asks for one; ``most``: bytes of a message. Refusal when it has gone."""
        # (aiohttp refuses what is as long as its limit, too.)
        answer = web.WebSocketResponse(
            heartbeat=HEARTBEAT, max_msg_size=most + 1, compress=False, timeout=_GOODBYE
        )
        answer.headers.update(COMMON)
        try:
            await answer.prepare(cast(web.Request, request))
        except ConnectionError as error:
            raise Refusal(404) from error  # nobody reads that
        return cls(answer, cast(Connection, request.protocol))

    @staticmethod
    def is_wanted(request: web.BaseRequest) -> bool:
        """Whether a request asks for a WebSocket as it should."""
        return request.method == "GET" and bool(web.WebSocketResponse().can_prepare(request))

    async def take(self) -> bytes | None:
        """The next binary message; None when the other end closed it, broke it or said something else."""
        message = await self.answer.receive()
        return message.data if message.type is aiohttp.WSMsgType.BINARY else None

    async def silence(self) -> None:
        """Wait until the other end closes it, breaks it or says anything."""
        async for _ in self.answer:
            return

    async def send(self, piece: bytes) -> None:
        """Send a binary message, when the other end has taken what went before; ConnectionError.

        Where a visitor gets only so many bytes in a second (spec/http.yaml H56) it waits for that.
        """
        pace = self._connection.pace
        if pace is not None:
            await pace(len(piece))
        await self.answer.send_bytes(piece)

    async def say(self, word: str) -> None:
        """Send a message of text; ConnectionError."""
        try:
            await self.answer.send_str(word)
        except RuntimeError as error:  # it is being closed
            raise ConnectionResetError(str(error)) from error

    async def hang_up(self, code: int = aiohttp.WSCloseCode.OK, *, patience: float = _LEAVE) -> None:
        """Close it; ``patience``: seconds until the other end has taken what was sent, or never gets it."""
        try:
            async with asyncio.timeout(patience):
                with contextlib.suppress(ConnectionError, RuntimeError):
                    await self.answer.close(code=code)
        except TimeoutError:
            self._connection.abort()
