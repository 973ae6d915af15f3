"""A follower in a process of its own (see pages.py): a job in, figures out, next to nothing in between.

``walk``: page after page to the end, and again from the beginning, for so many seconds. ``archive``: all of
it as one archive. ``wait``: many connections that wait for something new; a line when all of them do, and
another one when all were told.
"""

from __future__ import annotations

import json
import re
import select
import sys
import time
from typing import Any

from tests.benchmarks.load import LENGTH, Visitor, percentiles, some

_NEXT = re.compile(rb'<([^>]+)>; rel="next"')
_END = b"\r\n0\r\n\r\n"


def _request(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: peer", *headers, "", ""]).encode()


class Follower:
    """One connection, and answers read as far as they matter."""

    def __init__(self, visitor: Visitor) -> None:
        self.connection = visitor.connect()

    def page(self, path: str) -> tuple[int, str]:
        """Ask for a page: how many items it has, and the path of the next."""
        self.connection.sendall(_request(path))
        return self.told()

    def told(self) -> tuple[int, str]:
        """The answer to a request for a page."""
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += some(self.connection)
        head, _, rest = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        length, following = LENGTH.search(head + b"\r\n"), _NEXT.search(head)
        assert length is not None
        while len(rest) < int(length[1]):
            rest += some(self.connection)
        return rest.count(b'"sum":'), following[1].decode() if following else ""

    def archive(self, path: str) -> int:
        """Ask for everything as an archive: its bytes."""
        self.connection.sendall(_request(path, "Accept: application/x-tar"))
        head, got, tail = b"", 0, b""
        while not tail.endswith(_END):
            piece = some(self.connection)
            if b"\r\n\r\n" not in head:
                head += piece[:2000]
            got += len(piece)
            tail = (tail + piece)[-len(_END) :]
        assert head.startswith(b"HTTP/1.1 200 "), head
        return got


def walk(visitor: Visitor, job: dict[str, Any]) -> dict[str, Any]:
    """Page after page; the time of each."""
    follower = Follower(visitor)
    first = f"{job['path']}?limit={job['limit']}"
    path, took, items, walks = first, [], 0, []
    now = time.perf_counter
    ends = now() + job["seconds"]
    while now() < ends or not walks:
        asked = now()
        count, path = follower.page(path)
        took.append(now() - asked)
        items += count
        if count < job["limit"]:
            walks.append(items)
            path, items = first, 0
    assert len(set(walks)) == 1, "not always the same was listed"
    return {"items": walks[0], "took": percentiles(took)}


def archive(visitor: Visitor, job: dict[str, Any]) -> dict[str, Any]:
    """All of it, once."""
    follower = Follower(visitor)
    started = time.perf_counter()
    size = follower.archive(job["path"])
    return {"bytes": size, "seconds": time.perf_counter() - started}


def wait(visitor: Visitor, job: dict[str, Any]) -> dict[str, Any]:
    """So many connections that ask for what is new; then the seconds since ``told`` until each had it."""
    first = Follower(visitor)
    count, path = first.page(f"{job['path']}?limit=1000")
    while count == 1000:
        count, path = first.page(path)
    followers = {}
    for _ in range(job["connections"]):
        follower = Follower(visitor)
        follower.connection.sendall(_request(path, "Prefer: wait=300"))
        followers[follower.connection.fileno()] = follower
    poll = select.epoll()
    for number in followers:
        poll.register(number, select.EPOLLIN)
    print("waiting", flush=True)
    took = []
    while followers:
        for number, _ in poll.poll():
            count, _ = followers[number].told()
            assert count == 1, "woken for nothing"
            took.append(time.time())
            poll.unregister(number)
            del followers[number]
    return {"times": took}


def main() -> None:
    """A job on stdin, its figures on stdout."""
    job = json.loads(sys.stdin.readline())
    visitor = Visitor(job["host"], job["port"], job["pem"])
    work = {"walk": walk, "archive": archive, "wait": wait}[job["kind"]]
    print(json.dumps(work(visitor, job)), flush=True)


if __name__ == "__main__":
    main()
