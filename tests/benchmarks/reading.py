"""The timeline of a reader with many posts, cold and warm, with the start of the program and without.

Beside it, measured in the same run: what verifying so many posts costs by itself (Sequoia alone for public
ones, opening the message and nothing else for encrypted ones), and a command that opens the account and knows
the people, and reads no post. MAU_LIBRARY says how many posts the larger library has.
"""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pysequoia

from mau.catalogue import open_index
from mau.marks import Marks
from mau.openpgp import open_message, write_message
from mau.reader.algorithms.loading import find
from mau.reader.reading import Reading
from mau.reader.timeline import Ask, Timeline
from tests.benchmarks.library import Library, document, made, name_of
from tests.benchmarks.measure import MAU, Row, Spent, spend
from tests.benchmarks.world import World

COUNTS = (10_000, int(os.environ.get("MAU_LIBRARY", "100000")))
SHOWN = 50
AIM = 0.3
"""Seconds of CPU from the start of the program to its end, warm."""
_SAMPLE = 2000


def run(world: World, rounds: int) -> list[Row]:
    """Rows for each size: bare, cold, warm, with news."""
    rows = []
    for count in COUNTS:
        library = made(world.place / f"library-{count}", count)
        rows += _cold(library)
        rows += _warm(library, rounds)
        rows += _inside(library, rounds)
    return rows


def _cold(library: Library) -> list[Row]:
    with open_index(library.account.root) as index:
        index.refresh()
    bare = _bare(library)
    shutil.rmtree(library.account.root.path / ".reader", ignore_errors=True)
    cold = _timeline(library, "--wait")
    what = f"newest {SHOWN} of {library.count:,}"
    cores = os.cpu_count() or 1
    return [
        Row(
            f"{what}, cold (no .reader)",
            f"{cold.wall:.1f} s, {cold.cpu:.0f} s CPU, {cold.memory >> 20} MiB",
            f"{bare:.0f} s CPU bare verification, {cores} cores",
            bare / cold.cpu,
        )
    ]


def _warm(library: Library, rounds: int) -> list[Row]:
    taken = [_timeline(library) for _ in range(rounds + 1)][1:]
    bare = [_spent(library, "follows") for _ in range(rounds + 1)][1:]
    cpu, start = _median(one.cpu for one in taken), _median(one.cpu for one in bare)
    wall, memory = _median(one.wall for one in taken), max(one.memory for one in taken)
    return [
        Row(
            f"newest {SHOWN} of {library.count:,}, warm, with the start",
            f"{cpu * 1e3:.0f} ms CPU, {wall * 1e3:.0f} ms, {memory >> 20} MiB",
            f"{start * 1e3:.0f} ms CPU `mau follows`",
            start / cpu,
            f"< {AIM:.1f} s CPU",
            cpu < AIM,
        )
    ]


def _inside(library: Library, rounds: int) -> list[Row]:
    account, keyring = library.account, library.keyring
    marks = Marks.load(account)
    chosen = {name: find(name, account.root) for name in ("chronological", "catch-up", "conversations")}

    def show(name: str = "chronological") -> None:
        with Reading(account, keyring) as reading:
            reading.refresh()
            lines = Timeline(reading, keyring, marks).lines(Ask(limit=SHOWN), chosen[name])
            reading.opened([line.summary for line in lines if line.summary.checked])

    def compare(_: int) -> None:
        with Reading(account, keyring) as reading:
            reading._table.looked_at = 0
            reading.refresh()

    def news(number: int) -> None:
        _write(library, number)
        show()

    what = f"  {library.count:,}"
    rows = [
        Row(f"{what}, warm, without the start", f"{_seconds(rounds, lambda _: show()) * 1e3:.0f} ms"),
        Row(f"{what}, every file compared", f"{_seconds(rounds, compare) * 1e3:.0f} ms"),
        Row(f"{what}, one new post", f"{_seconds(rounds, news) * 1e3:.0f} ms"),
    ]
    for name in ("catch-up", "conversations"):
        took = _seconds(rounds, lambda _, name=name: show(name))  # type: ignore[misc]
        rows.append(Row(f"{what}, warm, by {name}", f"{took * 1e3:.0f} ms"))
    return rows


def _bare(library: Library) -> float:
    """Seconds of CPU that it takes to verify all, by a sample of both kinds."""
    files = _files(library)[:: max(library.count // _SAMPLE, 1)]
    certificates = {}
    for author, _ in library.account.root.authors():
        certificate = library.keyring.certificate(author)
        if certificate is not None:
            certificates[author.hex] = certificate
    key = library.account.key
    read = [(certificates[path.parent.name], path.read_bytes()) for path in files]
    started = time.process_time()
    for certificate, data in read:
        if data[0] in {0xC1, 0xD2, 0x84, 0x85}:  # a session key: encrypted
            open_message(data, key=key, author=certificate)
        else:
            cert = certificate.cert
            pysequoia.verify(data, store=lambda _, cert=cert: [cert])  # type: ignore[misc]
    return (time.process_time() - started) / len(read) * library.count


def _files(library: Library) -> list[Path]:
    own = library.account.fingerprint.hex
    directories = [path for path in library.account.root.path.iterdir() if len(path.name) == len(own)]
    return [file for path in directories if path.name != own for file in sorted(path.glob("*.pgp"))]


def _write(library: Library, number: int) -> None:
    """One more post of the reader's own, as an editor would put it there."""
    import io
    import json

    from mau.content.binding import PUBLIC, bind_document

    me = library.account.fingerprint
    name = name_of(10_000_000 + number + time.time_ns() % 1_000_000)
    said = bind_document(document(7, [me]), me, name, PUBLIC)
    out = io.BytesIO()
    write_message(out, json.dumps(said).encode(), key=library.account.key, recipients=None)
    (library.account.root.author_dir(me) / name).write_bytes(out.getvalue())


def _timeline(library: Library, *words: str) -> Spent:
    return _spent(library, "timeline", "--limit", str(SHOWN), *words)


def _spent(library: Library, *words: str) -> Spent:
    return spend([*MAU, *words], library.environment, str(library.place / "spent"))


def _seconds(rounds: int, work: Callable[[int], None]) -> float:
    work(-1)
    taken = []
    for number in range(rounds):
        started = time.perf_counter()
        work(number)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def _median(values: object) -> float:
    return statistics.median(values)  # type: ignore[call-overload, no-any-return]
