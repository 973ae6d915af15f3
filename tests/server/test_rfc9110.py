"""Every combination of conditions and ranges gets the answer that RFC 9110 names (rfc9110.py)."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes

import pytest

from mau.server.conditions import http_date
from mau.wire.paths import file_path, version_path
from tests.server.pressure import UNLIMITED
from tests.server.rfc9110 import (
    IF_MATCH,
    IF_MODIFIED_SINCE,
    IF_NONE_MATCH,
    IF_RANGE,
    IF_UNMODIFIED_SINCE,
    Asked,
    ranges,
    status_of,
)
from tests.server.world import PATIENCE, Host, Someone, age, audience, seconds_of, serving

CONNECTIONS = 24
PIPELINED = 16


@dataclass(frozen=True)
class Target:
    """Something to ask for; ``content`` None: not there, or not for the visitor."""

    path: str
    content: bytes | None
    modified: int = 0

    @property
    def tag(self) -> str:
        return f'"{hashlib.sha256(self.content or b"").hexdigest()}"'


@pytest.fixture
def targets(alice: Someone, bob: Someone, carol: Someone) -> dict[str, Target]:
    """What Bob asks for."""

    def made(path: str, name: str, *, served: bool = True) -> Target:
        age(alice.own(name), 5000)
        return Target(path, alice.own(name).read_bytes() if served else None, seconds_of(alice.own(name)))

    me = alice.fingerprint
    old = alice.publish("versioned", os.urandom(700), audience(alice, bob)).read_bytes()
    age(alice.own("versioned"), 5000)
    alice.publish("versioned", os.urandom(300), audience(alice, bob))
    [stored] = alice.own("versioned").with_name("versioned.pgp.versions").iterdir()
    alice.publish("file", os.urandom(700), audience(alice, bob))
    alice.publish("not for bob", os.urandom(700), audience(alice, carol))
    version = version_path(me, "versioned.pgp", hashlib.sha256(old).hexdigest())
    return {
        "file": made(file_path(me, "file.pgp"), "file"),
        "version": Target(version, old, int(stored.stat().st_mtime)),
        "not there": Target(file_path(me, "missing.pgp"), None),
        "not for the visitor": made(file_path(me, "not for bob.pgp"), "not for bob", served=False),
    }


def combinations(method: str, size: int) -> Iterator[Asked]:
    """Every combination of kinds; which value stands for a kind changes from one to the next."""
    tables = (IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE, IF_RANGE)
    turns = itertools.count()
    for *cells, wanted in itertools.product(*(table.values() for table in tables), ranges(size).values()):
        turn = next(turns)
        chosen = [kind[turn % len(kind)] for kind in cells]
        yield Asked(method, *chosen, wanted[turn % len(wanted)])


def each_value(method: str, size: int) -> Iterator[Asked]:
    """Every value of every field, alone; each of Range also beside each of If-Range."""
    tables = (IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE, IF_RANGE)
    nothing = [table["none"][0] for table in tables]
    wanted = [value for kind in ranges(size).values() for value in kind]
    for place, table in enumerate(tables):
        for cell in itertools.chain(*table.values()):
            yield Asked(method, *[*nothing[:place], cell, *nothing[place + 1 :]], wanted[0])
    for cell, value in itertools.product(itertools.chain(*IF_RANGE.values()), wanted):
        yield Asked(method, *nothing[:4], cell, value)


def written(asked: Asked, target: Target) -> tuple[bytes, dict[str, str]]:
    words = {
        "tag": target.tag,
        "before": http_date(target.modified - 1),
        "same": http_date(target.modified),
        "after": http_date(target.modified + 1),
    }
    fields = {
        "If-Match": asked.if_match.value,
        "If-None-Match": asked.if_none_match.value,
        "If-Modified-Since": asked.if_modified_since.value,
        "If-Unmodified-Since": asked.if_unmodified_since.value,
        "If-Range": asked.if_range.value,
        "Range": asked.range.value,
    }
    headers = {name: value.format(**words) for name, value in fields.items() if value is not None}
    lines = [f"{asked.method} {target.path} HTTP/1.1", "Host: x"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode(), headers


async def answer(reader: asyncio.StreamReader, method: str) -> tuple[int, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")[:-2]
    headers = dict(line.split(": ", 1) for line in lines)
    status = int(first.split(" ")[1])
    bodiless = method == "HEAD" or status == 304
    return status, headers, b"" if bodiless else await reader.readexactly(int(headers["Content-Length"]))


def check(asked: Asked, target: Target, status: int, headers: dict[str, str], body: bytes) -> None:
    """What else an answer of that status says."""
    if status == 404:
        assert not headers.keys() & {"ETag", "Last-Modified", "Content-Range", "Accept-Ranges"}
        return
    content, size = target.content, len(target.content or b"")
    assert content is not None
    assert headers["ETag"] == target.tag
    if status != 412:
        assert headers["Accept-Ranges"] == "bytes"
    if status in (200, 304):
        assert headers["Last-Modified"] == http_date(target.modified)
        assert "Content-Range" not in headers
    if status == 200:
        assert int(headers["Content-Length"]) == size
        assert body == (content if asked.method == "GET" else b"")
    if status == 206:
        assert asked.range.parts is not None
        found = [(headers.get("Content-Range"), body)]
        if len(asked.range.parts) > 1:
            assert "Content-Range" not in headers
            kind, _, boundary = headers["Content-Type"].partition("; boundary=")
            assert kind == "multipart/byteranges"
            pieces = body.split(b"\r\n--" + boundary.encode())
            assert (pieces[0], pieces[-1]) == (b"", b"--\r\n")
            split = (piece.removeprefix(b"\r\n").partition(b"\r\n\r\n") for piece in pieces[1:-1])
            found = [(message_from_bytes(head)["Content-Range"], part) for head, _, part in split]
        assert found == [
            (f"bytes {first}-{last}/{size}", content[first : last + 1]) for first, last in asked.range.parts
        ]
    if status == 416:
        assert headers["Content-Range"] == f"bytes */{size}"
    if status in (412, 416) and asked.method == "GET":
        assert headers["Content-Type"] == "application/problem+json"


async def ask_all(host: Host, who: Someone, target: Target, questions: list[Asked]) -> Counter[int]:
    """Ask on kept-alive connections, several requests ahead of their answers."""
    statuses: Counter[int] = Counter()
    rest = iter(questions)

    async def one_connection() -> None:
        reader, writer = await host.connect(who)
        while batch := list(itertools.islice(rest, PIPELINED)):
            writer.write(b"".join(written(asked, target)[0] for asked in batch))
            for asked in batch:
                async with asyncio.timeout(PATIENCE):
                    status, headers, body = await answer(reader, asked.method)
                expected = status_of(asked, served=target.content is not None)
                assert status == expected, (asked.method, written(asked, target)[1])
                check(asked, target, status, headers, body)
                statuses[status] += 1
        writer.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(one_connection())
    return statuses


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", ["file", "version", "not there", "not for the visitor"])
async def test_every_combination(
    alice: Someone, bob: Someone, targets: dict[str, Target], name: str, method: str
) -> None:
    target = targets[name]
    size = len(target.content or bytes(1000))
    questions = [*each_value(method, size), *combinations(method, size)]
    async with serving(alice, limits=UNLIMITED) as host:
        statuses = await ask_all(host, bob, target, questions)
    assert statuses.total() == len(questions) > 3000
    if target.content is None:
        assert set(statuses) == {404}
    else:
        assert set(statuses) == {200, 304, 412} | ({206, 416} if method == "GET" else set())
