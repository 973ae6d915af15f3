"""A listing as bytes: made at once, or piece by piece while it is sent (spec/http.yaml H30-H36)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import Final

from aiohttp import web

from mau.fingerprint import Fingerprint
from mau.server.answers import COMMON, send_bytes, stream
from mau.server.library import Listed
from mau.wire.listing import dump_listing

JSON: Final = "application/json"
_AT_ONCE: Final = 1000


def _pieces(author: Fingerprint, listed: list[Listed]) -> Iterator[bytes]:
    """The JSON of a listing, some items at a time."""
    start = b"["
    for at in range(0, len(listed), _AT_ONCE):
        yield start + dump_listing(author, (one.item for one in listed[at : at + _AT_ONCE]))[1:-1]
        start = b","
    yield b"]" if listed else b"[]"


def measured(author: Fingerprint, listed: list[Listed]) -> tuple[bytes | None, str, int]:
    """(body, tag, bytes) of a listing; one that is long is not kept but made again while it is sent."""
    if len(listed) <= _AT_ONCE:
        body = dump_listing(author, (one.item for one in listed))
        return body, hashlib.sha256(body).hexdigest(), len(body)
    digest = hashlib.sha256()
    length = 0
    for piece in _pieces(author, listed):
        digest.update(piece)
        length += len(piece)
    return None, digest.hexdigest(), length


async def send(
    request: web.BaseRequest,
    author: Fingerprint,
    listed: list[Listed],
    body: bytes | None,
    length: int,
    headers: Mapping[str, str],
) -> web.StreamResponse:
    """200 with what `measured` made of a listing."""
    if body is not None:
        return await send_bytes(request, body, JSON, headers)
    headers = {**COMMON, **headers, "Content-Type": JSON}
    if request.method == "HEAD":
        return web.Response(headers={**headers, "Content-Length": str(length)})

    async def pieces() -> AsyncGenerator[bytes]:
        for piece in _pieces(author, listed):
            yield piece
            await asyncio.sleep(0)

    return await stream(request, 200, headers, length, pieces())
