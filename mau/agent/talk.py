"""What goes over the agent's socket (spec/agent.md A10-A15): a head, which is JSON, and perhaps a key.

One question and one answer in each connection. The key follows its head as bytes, so that the agent never
holds it anywhere but in the memory that is meant for it.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import Any, Final, Protocol

from mau.agent.memory import Secret

MAX_HEAD: Final = 64 * 1024
MAX_KEY: Final = 4 << 20
"""Bytes of a secret key; RSA-4096 with many user ids and signatures is some ten KiB."""
_LENGTH: Final = struct.Struct(">I")
_UCRED: Final = struct.Struct("3i")

Head = dict[str, Any]


class TalkError(Exception):
    """The other side says something that is not in the protocol, or ended."""


class Line(Protocol):
    """Where one side says something: a socket, or a `Limited` one."""

    def recv(self, size: int, /) -> bytes: ...
    def recv_into(self, view: memoryview, /) -> int: ...
    def sendall(self, data: bytes | memoryview, /) -> None: ...


class Limited:
    """A connection that waits so many seconds for a piece, and for all of them together (TimeoutError)."""

    def __init__(self, connection: socket.socket, piece: float, whole: float) -> None:
        self._connection = connection
        self._piece = piece
        self._end = time.monotonic() + whole

    def recv(self, size: int, /) -> bytes:
        """At most so many bytes."""
        return self._in_time().recv(size)

    def recv_into(self, view: memoryview, /) -> int:
        """As many bytes as come, up to all of it."""
        return self._in_time().recv_into(view)

    def sendall(self, data: bytes | memoryview, /) -> None:
        """All of it."""
        self._in_time().sendall(data)

    def _in_time(self) -> socket.socket:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._connection.settimeout(min(self._piece, left))
        return self._connection


def send_head(connection: Line, head: Head) -> None:
    """Say something; a key may follow."""
    data = json.dumps(head).encode("ascii")
    connection.sendall(_LENGTH.pack(len(data)) + data)


def receive_head(connection: Line) -> Head:
    """What the other side says, and not a byte of what follows; TalkError."""
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
    if length > MAX_HEAD:
        raise TalkError("a head that is too long")
    try:
        head = json.loads(_exactly(connection, length))
    except (ValueError, RecursionError):
        raise TalkError("a head that is no JSON") from None
    if not isinstance(head, dict):
        raise TalkError("a head that is no object")
    return head


def receive_key(connection: Line, size: object) -> Secret:
    """The key that follows a head; TalkError."""
    if not isinstance(size, int) or not 0 < size <= MAX_KEY:
        raise TalkError("a key of an impossible size")
    secret = Secret(size)
    at = 0
    try:
        while at < size:
            count = connection.recv_into(secret.view[at:])
            if not count:
                raise TalkError("a key that ends too soon")
            at += count
    except BaseException:
        secret.wipe()
        raise
    return secret


def is_same_user(connection: socket.socket, user: int) -> bool:
    """Whether the process at the other end runs as that user, as the kernel says.

    Where the kernel is not asked (macOS), the modes of the directory and the socket keep others out alone.
    """
    if not hasattr(socket, "SO_PEERCRED"):  # pragma: no cover - not on Linux
        return True
    _, uid, _ = _UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return bool(uid == user)


def _exactly(connection: Line, count: int) -> bytes:
    data = b""
    while len(data) < count:
        some = connection.recv(count - len(data))
        if not some:
            raise TalkError("the other side ended")
        data += some
    return data
