"""Answers on the wire: problems (RFC 9457), and bodies that are sent piece by piece."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from concurrent.futures import Executor
from contextlib import aclosing
from http import HTTPStatus
from secrets import token_hex
from typing import Any, Final

from aiohttp import web

from mau.server.facts import Changed
from mau.server.files import OpenFile
from mau.server.ranges import Span, multipart, whole
from mau.server.sending import send_segments
from mau.wire.tls import Outlet

PIECE: Final = 512 * 1024
"""Bytes that are read at once. A visitor who takes nothing holds two pieces, and what waits encrypted."""
_HANDFUL: Final = 256 * 1024
"""Bytes of a file that are encrypted and handed over at once."""

COMMON: Final = {
    "Server": "mau",
    # The answer depends on who asks: nothing between the two ends may give it to anyone else.
    "Cache-Control": "private, no-cache",
    "X-Content-Type-Options": "nosniff",
}
_OCTETS: Final = "application/octet-stream"


class Refusal(Exception):
    """A request that ends as a problem document."""

    def __init__(self, status: int, detail: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})


def problem(status: int, detail: str = "", headers: Mapping[str, str] | None = None) -> web.Response:
    """A problem document; ``detail`` is ours, never an echo of the request."""
    document = {"title": HTTPStatus(status).phrase, "status": status}
    if detail:
        document["detail"] = detail
    return web.Response(
        status=status,
        body=json.dumps(document).encode(),
        headers={**COMMON, **(headers or {}), "Content-Type": "application/problem+json"},
    )


def empty(status: int, headers: Mapping[str, str]) -> web.Response:
    """An answer without a body."""
    return web.Response(status=status, headers={**COMMON, **headers})


async def send_bytes(
    request: web.BaseRequest, body: bytes, content_type: str, headers: Mapping[str, str]
) -> web.StreamResponse:
    """200 with a body that is at hand."""
    headers = {**COMMON, **headers, "Content-Type": content_type}
    if len(body) <= PIECE or request.method == "HEAD":
        return web.Response(body=body, headers=headers)
    return await stream(request, 200, headers, len(body), _slices(body))


async def send_file(
    request: web.BaseRequest,
    file: OpenFile,
    spans: list[Span] | None,
    headers: Mapping[str, str],
    threads: Executor,
) -> web.StreamResponse:
    """200 with the whole file (``spans`` None), or 206 with parts of it. The caller closes the file."""
    size = file.size
    status = 200 if spans is None else 206
    parts = spans or [whole(size)]
    answer = {**COMMON, **headers, "Content-Type": _OCTETS}
    framing: tuple[list[bytes], bytes] = ([b""], b"")
    length = parts[0].length
    if len(parts) > 1:
        boundary = token_hex(16)
        heads, end, length = multipart(parts, size, _OCTETS, boundary)
        framing = heads, end
        answer["Content-Type"] = f"multipart/byteranges; boundary={boundary}"
    elif spans is not None:
        answer["Content-Range"] = parts[0].content_range(size)
    if request.method == "HEAD":
        return web.Response(status=status, headers={**answer, "Content-Length": str(length)})
    if file.content is not None:
        heads, end = framing
        pieces = (head + file.read(part.start, part.length) for head, part in zip(heads, parts, strict=True))
        return web.Response(status=status, body=b"".join(pieces) + end, headers=answer)
    response = web.StreamResponse(status=status, headers=answer)
    connection: Any = request.protocol

    async def send() -> None:
        # A connection of ours may have a shorter way than through asyncio.
        outlet: Outlet | None = getattr(connection, "open_outlet", lambda: None)()
        if outlet is None:
            await _write(request, response, _pieces(file, parts, framing, threads))
            return

        def note(count: int) -> None:
            request.writer.output_size += count

        heads, end = framing
        segments = [one for pair in zip(heads, parts, strict=True) for one in pair]
        await send_segments(
            outlet,
            file,
            [*segments, end],
            threads,
            note,
            patience=connection.patience,
            pace=connection.pace,
        )

    return await _send(request, response, length, send)


async def _pieces(
    file: OpenFile, parts: list[Span], framing: tuple[list[bytes], bytes], threads: Executor
) -> AsyncGenerator[bytes | memoryview]:
    """What of the file is asked for, and the frame around it. The next piece is read while one is sent."""
    heads, end = framing
    loop = asyncio.get_running_loop()
    plan = (
        (head if at == span.start else b"", at, min(PIECE, span.end - at))
        for head, span in zip(heads, parts, strict=True)
        for at in range(span.start, span.end, PIECE)
    )
    ahead: tuple[bytes, asyncio.Future[bytes]] | None = None

    def read_on() -> tuple[bytes, asyncio.Future[bytes]] | None:
        following = next(plan, None)
        if following is None:
            return None
        head, at, count = following
        return head, loop.run_in_executor(threads, file.read, at, count)

    try:
        ahead = read_on()
        while ahead is not None:
            head, piece = ahead[0], await asyncio.shield(ahead[1])
            ahead = read_on()
            if head:
                yield head
            # Not all at once: it would lie encrypted in our buffers until the other end takes it.
            for at in range(0, len(piece), _HANDFUL):
                yield memoryview(piece)[at : at + _HANDFUL]
        if end:
            yield end
    finally:
        if ahead is not None:  # whoever stops here closes the file next: not under the hands of a thread
            await asyncio.gather(ahead[1], return_exceptions=True)


async def _slices(body: bytes) -> AsyncGenerator[bytes]:
    for start in range(0, len(body), PIECE):
        yield body[start : start + PIECE]


async def stream(
    request: web.BaseRequest,
    status: int,
    headers: Mapping[str, str],
    length: int | None,
    pieces: AsyncGenerator[bytes | memoryview],
) -> web.StreamResponse:
    """A body piece by piece. Cut short when ``pieces`` raises Changed.

    Without a ``length`` it is chunked, and ends with the connection where the visitor knows no chunks.
    """
    response = web.StreamResponse(status=status, headers=dict(headers))
    if length is None and request.version < (1, 1):
        response.force_close()
    return await _send(request, response, length, lambda: _write(request, response, pieces))


async def _write(
    request: web.BaseRequest, response: web.StreamResponse, pieces: AsyncGenerator[bytes | memoryview]
) -> None:
    # Of a connection whose other end gets only so many bytes a second: what to await after some.
    pace = getattr(request.protocol, "pace", None)
    async with aclosing(pieces):
        async for piece in pieces:
            await response.write(piece)
            if pace is not None:
                await pace(len(piece))


async def _send(
    request: web.BaseRequest,
    response: web.StreamResponse,
    length: int | None,
    send: Callable[[], Awaitable[None]],
) -> web.StreamResponse:
    """The head, what ``send`` sends, and the end."""
    if length is not None:
        response.content_length = length
    try:
        await response.prepare(request)
        await send()
        await response.write_eof()
    except (OSError, Changed):
        # Either nobody is listening any more, or the rest cannot be had: the end must look like no end.
        if request.transport is not None:
            request.transport.abort()
    return response
