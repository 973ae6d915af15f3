"""Searching among many posts: the index made, opened, asked; beside a scan of the texts without an index.

The reader's library is that of `library`, 100,000 posts (MAU_LIBRARY: so many); what it costs to read them
for the timeline is not part of it.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

from mau.reader.reading import Reading
from mau.search import Search
from mau.search.texts import texts_of
from tests.benchmarks.library import Library, made
from tests.benchmarks.measure import Row
from tests.benchmarks.world import World

COUNT = int(os.environ.get("MAU_LIBRARY", "100000"))
AIM = 0.1  # seconds
SHOWN = 20
_SCANNED = 2000


def run(world: World, rounds: int) -> list[Row]:
    """Rows: seconds to make and open the index, its size, milliseconds of each kind of question."""
    library = made(world.place / f"library-{COUNT}", COUNT)
    with Reading(library.account, library.keyring) as reading:
        reading.refresh()
        return [*_opening(library, reading, rounds), *_asking(library, reading, rounds)]


def _opening(library: Library, reading: Reading, rounds: int) -> list[Row]:
    state = library.account.root.path / ".reader"
    for name in ("search.image", "search.log"):
        (state / name).unlink(missing_ok=True)
    made_in = _seconds(lambda: _refreshed(library, reading).close())
    opened = [_seconds(lambda: _refreshed(library, reading).close()) for _ in range(rounds)]
    search = _refreshed(library, reading)
    again = [_seconds(search.refresh) for _ in range(rounds)]
    search.close()
    size = sum((state / name).stat().st_size for name in ("search.image", "search.log"))
    return [
        Row(
            f"making the index of {COUNT:,} posts",
            f"{made_in:.0f} s",
            f"{made_in / COUNT * 1e3:.2f} ms a post",
        ),
        Row("opening it", f"{statistics.median(opened):.2f} s", f"{size >> 20} MiB sealed on the disk"),
        Row("finding out that nothing is new", f"{statistics.median(again):.2f} s"),
    ]


def _asking(library: Library, reading: Reading, rounds: int) -> list[Row]:
    words = library.words
    questions = {
        "the most frequent word": words[0],
        "a word of the middle": words[500],
        "a rare word": words[15_000],
        "two frequent words": f"{words[0]} {words[1]}",
        "a phrase of them": f'"{words[0]} {words[1]}"',
        "the beginning of words": f"{words[300][:5]}*",
        "one without the other": f"{words[20]} -{words[0]}",
        "somebody's name and a word": f"person3 {words[10]}",
        "a word that is not there": "nowhere",
    }
    rows = []
    texts = _texts(reading)
    with _refreshed(library, reading) as search:
        for what, question in questions.items():
            search.find(question, limit=SHOWN)
            took = [_seconds(lambda q=question: search.find(q, limit=SHOWN)) for _ in range(rounds)]  # type: ignore[misc]
            found = len(search.find(question, limit=SHOWN))
            ours = statistics.median(took)
            rows.append(
                Row(
                    f"search: {what}",
                    f"{ours * 1e3:.1f} ms",
                    f"{found} posts, opened and checked",
                    None,
                    "< 100 ms",
                    ours < AIM,
                )
            )
    scan = statistics.median(_seconds(lambda: texts.find("nowhere")) for _ in range(rounds))
    scale = COUNT / min(_SCANNED, COUNT)
    rows.append(Row("str.find over all texts, for comparison", f"{scan * scale * 1e3:.0f} ms", "not there"))
    return rows


def _texts(reading: Reading) -> str:
    """The texts of some posts in one."""
    found = []
    for number, summary in enumerate(reading.newest()):
        if number >= _SCANNED:
            break
        found.append(texts_of(summary, reading.open(summary)).body.casefold())
    return "\n".join(found)


def _refreshed(library: Library, reading: Reading) -> Search:
    search = Search(library.account, reading, library.keyring)
    search.refresh()
    return search


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
