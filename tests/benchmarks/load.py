"""One visitor with many connections, in a process of its own (see serve.py): a job in, figures out, as JSON.

Blocking sockets, the standard library's TLS and requests made beforehand: it costs so little that it is the
server that is measured. An answer of another status or length than expected ends it all.
"""

from __future__ import annotations

import json
import random
import re
import select
import socket
import ssl
import sys
import time
from typing import Any

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_PIECE = 1 << 20


class Visitor:
    """Connects as the holder of a certificate, or of none."""

    def __init__(self, host: str, port: int, pem: str | None) -> None:
        self._place = host, port
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE
        if pem is not None:
            self._context.load_cert_chain(pem)

    def connect(self) -> ssl.SSLSocket:
        """One connection, after its handshake."""
        plain = socket.create_connection(self._place)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._context.wrap_socket(plain)


def first_answer(connection: ssl.SSLSocket, request: bytes, status: bytes = b"200") -> int:
    """Ask once; the bytes of the answer, head and body."""
    connection.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += some(connection)
    head, _, _ = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 " + status), head
    length = LENGTH.search(head + b"\r\n")
    assert length is not None, head
    whole = len(head) + 4 + int(length[1])
    got = len(answer)
    while got < whole:
        got += len(some(connection))
    assert got == whole, "more came than was said"
    return whole


def request_of(path: str) -> bytes:
    """A plain GET."""
    return f"GET {path} HTTP/1.1\r\nHost: peer\r\n\r\n".encode()


def kept_alive(visitor: Visitor, job: dict[str, Any]) -> dict[str, Any]:
    """The same request again and again on each of so many connections, one at a time on each."""
    request, connections, seconds = request_of(job["path"]), job["connections"], job["seconds"]
    sockets = [visitor.connect() for _ in range(connections)]
    whole = 0
    for one in sockets:
        whole = first_answer(one, request)
    poll = select.epoll()
    by_number = {one.fileno(): one for one in sockets}
    missing = dict.fromkeys(by_number, whole)
    asked = dict.fromkeys(by_number, 0.0)
    took = []
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    now = time.perf_counter
    started = now()
    ends = started + seconds
    for number, one in by_number.items():
        asked[number] = now()
        one.sendall(request)
    while (moment := now()) < ends or not took:  # one answer at least, however long it takes
        for number, _ in poll.poll():
            one = by_number[number]
            piece = some(one)
            while one.pending():
                piece += some(one)
            if missing[number] == whole:
                assert piece.startswith(b"HTTP/1.1 200 "), piece[:200]
            missing[number] -= len(piece)
            if missing[number] == 0:
                moment = now()
                took.append(moment - asked[number])
                missing[number] = whole
                asked[number] = moment
                one.sendall(request)
            assert missing[number] > 0, "more came than the first time"
    spent = now() - started
    return {"count": len(took), "seconds": spent, "took": percentiles(took)}


def anew(visitor: Visitor, job: dict[str, Any]) -> dict[str, Any]:
    """A new connection for each request, one after the other."""
    request, seconds = request_of(job["path"]), job["seconds"]
    took = []
    started = time.perf_counter()
    moment = started
    while moment < started + seconds:
        with visitor.connect() as connection:
            first_answer(connection, request)
        before, moment = moment, time.perf_counter()
        took.append(moment - before)
    return {"count": len(took), "seconds": moment - started, "took": percentiles(took)}


def body(visitor: Visitor, job: dict[str, Any]) -> dict[str, Any]:
    """One large answer, read as fast as it comes and thrown away."""
    request = request_of(job["path"])
    room = bytearray(_PIECE)
    with visitor.connect() as connection:
        started = time.perf_counter()
        connection.sendall(request)
        head = b""
        while b"\r\n\r\n" not in head:
            head += some(connection)
        assert head.startswith(b"HTTP/1.1 200 "), head[:200]
        length = LENGTH.search(head)
        assert length is not None
        missing = int(length[1]) - len(head.partition(b"\r\n\r\n")[2])
        while missing:
            got = connection.recv_into(room)
            assert got, "cut off"
            missing -= got
        return {"count": int(length[1]), "seconds": time.perf_counter() - started}


def once_each(visitor: Visitor, job: dict[str, Any]) -> dict[str, Any]:
    """Each path once, one after the other on one connection."""
    with visitor.connect() as connection:
        started = time.perf_counter()
        for path in job["path"]:
            first_answer(connection, request_of(path))
        return {"count": len(job["path"]), "seconds": time.perf_counter() - started}


def refused(visitor: Visitor, job: dict[str, Any]) -> dict[str, Any]:
    """Each path in turn, in an order that changes; every answer is 404. The times of each."""
    requests = [request_of(path) for path in job["path"]]
    took: list[list[float]] = [[] for _ in requests]
    chance = random.Random(1)
    ends = time.perf_counter() + job["seconds"]
    with visitor.connect() as connection:
        while time.perf_counter() < ends:
            for which in chance.sample(range(len(requests)), len(requests)):
                # Not on the beat of the answer before.
                time.sleep(chance.random() * 0.005)
                asked = time.perf_counter()
                first_answer(connection, requests[which], b"404")
                took[which].append(time.perf_counter() - asked)
    return {"took": [percentiles(times) for times in took]}


def slow(visitor: Visitor, job: dict[str, Any]) -> dict[str, Any]:
    """So many connections that ask and take nothing of the answer, for so many seconds."""
    sockets = [visitor.connect() for _ in range(job["connections"])]
    for one in sockets:
        one.sendall(request_of(job["path"]))
    time.sleep(job["seconds"])
    for one in sockets:
        assert some(one).startswith(b"HTTP/1.1 200 ")
    return {}


def some(connection: ssl.SSLSocket) -> bytes:
    """What has come; it may not be the end."""
    piece = connection.recv(_PIECE)
    assert piece, "the server closed the connection"
    return piece


def percentiles(took: list[float]) -> dict[str, float]:
    """Half, and nineteen of twenty, took at most so many seconds."""
    took.sort()
    return {"p50": took[len(took) // 2], "p95": took[int(len(took) * 0.95)]}


WORKS = {one.__name__: one for one in (kept_alive, anew, body, once_each, refused, slow)}


def main() -> None:
    """A job on stdin, its figures on stdout."""
    job = json.load(sys.stdin)
    visitor = Visitor(job["host"], job["port"], job["pem"])
    json.dump(WORKS[job["kind"]](visitor, job), sys.stdout)


if __name__ == "__main__":
    main()
