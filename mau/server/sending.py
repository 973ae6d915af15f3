"""The body of a large file, sent by threads: a stretch at a time, as long as the other end takes it.

A thread reads into a buffer of its own, encrypts and sends, and returns as soon as the socket is full. So a
visitor who takes nothing holds neither a thread nor a piece of the file, and a fast one hardly waits for the
loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Final

from mau.server.files import OpenFile
from mau.server.ranges import Span
from mau.wire.tls import Outlet

_ROOM: Final = 256 * 1024
"""Bytes that a thread reads at once."""
_STRETCH: Final = 4 * 1024 * 1024
"""Bytes after which a thread asks whether others wait."""

_mine = threading.local()


def _room() -> memoryview:
    """The buffer of this thread."""
    room: memoryview | None = getattr(_mine, "room", None)
    if room is None:
        room = _mine.room = memoryview(bytearray(_ROOM))
    return room


class _Body:
    """What has still to be sent: frames as they are, spans of the file as they are read."""

    def __init__(self, outlet: Outlet, file: OpenFile, segments: list[bytes | Span]) -> None:
        self._outlet = outlet
        self._file = file
        self._segments = [one for one in reversed(segments) if one]
        self._at = 0  # in the segment that is on

    @property
    def is_sent(self) -> bool:
        """Whether all of it has gone."""
        return not self._segments and not self._outlet.full

    def send_some(self, most: int) -> int:
        """Send about ``most`` bytes, less when the socket is full; how many are on their way. In a thread.

        Changed when the file is no longer what it was; OSError.
        """
        sent = self._outlet.push(memoryview(b""))
        while self._segments and sent < most and not self._outlet.full:
            segment = self._segments[-1]
            if isinstance(segment, bytes):
                length = len(segment)
                piece = memoryview(segment)[self._at :]
            else:
                length = segment.length
                piece = _room()[: length - self._at]
                self._file.read_into(segment.start + self._at, piece)
            taken = self._outlet.push(piece)
            self._at += taken
            sent += taken
            if self._at == length:
                self._segments.pop()
                self._at = 0
        return sent


async def send_segments(
    outlet: Outlet,
    file: OpenFile,
    segments: list[bytes | Span],
    threads: Executor,
    note: Callable[[int], None],
    *,
    patience: float,
    pace: Callable[[int], Awaitable[None]] | None,
) -> None:
    """Send it all; ``note`` is told what has gone. Closes the outlet.

    ``patience``: seconds for which the other end may take nothing. ``pace``: awaited after so many bytes.
    Changed, TimeoutError, OSError.
    """
    loop = asyncio.get_running_loop()
    body = _Body(outlet, file, segments)
    most = _STRETCH if pace is None else _ROOM
    try:
        await outlet.ready(patience)
        while not body.is_sent:
            sending = loop.run_in_executor(threads, body.send_some, most)
            try:
                sent = await asyncio.shield(sending)
            except asyncio.CancelledError:
                # Whoever stops here closes the file next: not under the hands of a thread.
                outlet.cut()
                await asyncio.wait([sending])
                raise
            note(sent)
            if pace is not None:
                await pace(sent)
            if outlet.full:
                await outlet.writable(patience)
    finally:
        outlet.close()
