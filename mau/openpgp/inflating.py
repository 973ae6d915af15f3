"""Compressed data packets with a hard limit (RFC 4880 section 5.6): 1.3 MB can hold a gigabyte of zeros."""

from __future__ import annotations

import bz2
import zlib
from collections.abc import Callable

from mau.errors import MalformedPost, TooLarge
from mau.openpgp.packets import CHUNK, Body

OVERHEAD = 1 << 18
"""What signature and framing may add to the content, in bytes."""
RATIO = 64
"""Beyond ``FREE`` bytes, each compressed byte may unpack to this many; text rarely passes 10."""
FREE = 64 << 20


def inflated(body: Body, limit: int) -> Callable[[int], bytes]:
    """A ``read(n)`` of what is compressed in a packet; TooLarge beyond ``limit`` bytes, MalformedPost."""
    algorithm = body.some(1)
    if algorithm == b"\x00":
        return body.some
    if algorithm in (b"\x01", b"\x02"):
        return _Inflating(body, limit, zlib.decompressobj(-15 if algorithm == b"\x01" else 15)).read
    if algorithm == b"\x03":
        return _Inflating(body, limit, bz2.BZ2Decompressor()).read
    raise MalformedPost("it is compressed in an unknown way")


class _Inflating:
    def __init__(self, body: Body, limit: int, engine: zlib._Decompress | bz2.BZ2Decompressor) -> None:
        self._body = body
        self._limit = limit + OVERHEAD
        self._engine = engine
        self._taken = 0
        self._given = 0
        self._waiting = b""

    def read(self, most: int) -> bytes:
        engine = self._engine
        while not engine.eof:
            fresh = self._waiting
            if not fresh and (not isinstance(engine, bz2.BZ2Decompressor) or engine.needs_input):
                fresh = self._body.some(CHUNK)
                self._taken += len(fresh)
            try:
                plain = engine.decompress(fresh, most)
            except (zlib.error, OSError, ValueError):
                raise MalformedPost("what is compressed in it does not unpack") from None
            if not (plain or fresh or engine.eof):
                raise MalformedPost("what is compressed in it is cut off")
            self._waiting = b"" if isinstance(engine, bz2.BZ2Decompressor) else engine.unconsumed_tail
            if plain:
                self._given += len(plain)
                if self._given > min(self._limit, FREE + RATIO * self._taken):
                    raise TooLarge("it unpacks to more than may be held")
                return plain
        if engine.unused_data or self._waiting or self._body.some(1):
            raise MalformedPost("something follows what is compressed in it")
        return b""
