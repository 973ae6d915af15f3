"""The yardsticks of serve.py, in a process of their own: TLS with nothing behind it. Ends with its stdin.

``python -m tests.benchmarks.bare PEM answers HEAD-AND-BODY-FILE``: asyncio and the standard library's TLS;
whatever is asked, the same bytes are the answer, in one write.
``python -m tests.benchmarks.bare PEM body FILE``: a loop that reads a piece and sends it, blocking.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import sys
import threading
from pathlib import Path

_PIECE = 1 << 18


class _Answers(asyncio.Protocol):
    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if data.endswith(b"\r\n\r\n"):
            self._transport.write(self._answer)


async def _answer(context: ssl.SSLContext, answer: bytes) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Answers(answer), "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    os._exit(0)


def _send(context: ssl.SSLContext, path: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    room = memoryview(bytearray(_PIECE))
    while True:
        plain, _ = listener.accept()
        with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as one:
            one.recv(65536)
            with path.open("rb", buffering=0) as file:
                one.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {path.stat().st_size}\r\n\r\n".encode())
                while count := file.readinto(room):
                    one.sendall(room[:count])


def main() -> None:
    """Serve until stdin ends."""
    pem, kind, path = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    if kind == "answers":
        asyncio.run(_answer(context, Path(path).read_bytes()))
    else:
        _send(context, Path(path))


if __name__ == "__main__":
    main()
