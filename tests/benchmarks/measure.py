"""Measuring in turns, and the table of what came out."""

from __future__ import annotations

import gc
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Work = Callable[[int], object]
"""Called with the number of the round; does the same amount of work in each."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. ``ratio`` is ours against the yardstick: 1.0 is as fast, more is faster."""

    what: str
    ours: str
    yardstick: str = ""
    ratio: float | None = None
    aim: str = ""
    holds: bool | None = None


def in_turns(rounds: int, *works: Work) -> list[list[float]]:
    """Wall-clock seconds of each work in each round; the order changes from round to round."""
    for work in works:
        work(-1)  # what is made on first use is no part of the figure
    took: list[list[float]] = [[] for _ in works]
    for number in range(rounds):
        order = range(len(works)) if number % 2 == 0 else reversed(range(len(works)))
        for index in order:
            gc.collect()
            started = time.perf_counter()
            works[index](number)
            took[index].append(time.perf_counter() - started)
    return took


def ratio(ours: Sequence[float], yardstick: Sequence[float]) -> float:
    """Median over the rounds of how fast ours was in comparison."""
    return statistics.median(bare / own for own, bare in zip(ours, yardstick, strict=True))


def rate(pieces: int, seconds: Sequence[float]) -> float:
    """Pieces per second, median."""
    return pieces / statistics.median(seconds)


def compare_rates(
    what: str,
    pieces: int,
    ours: Sequence[float],
    yardstick: Sequence[float],
    named: str,
    *,
    share: float | None = 0.7,
    least: float | None = None,
) -> Row:
    """A row of pieces per second against a yardstick, and whether it is what was aimed at."""
    own, against = rate(pieces, ours), ratio(ours, yardstick)
    aims = [f"{share:.0%}"] if share is not None else []
    aims += [f">= {least:,.0f}/s"] if least is not None else []
    holds = (share is None or against >= share) and (least is None or own >= least)
    return Row(
        what,
        f"{own:,.0f}/s",
        f"{rate(pieces, yardstick):,.0f}/s {named}",
        against,
        ", ".join(aims),
        holds if aims else None,
    )


def show(rows: Sequence[Row]) -> None:
    """Print the table."""
    head = ("what", "ours", "yardstick", "ratio", "aim", "")
    cells = [head]
    for row in rows:
        against = "" if row.ratio is None else f"{row.ratio:.0%}"
        verdict = "" if row.holds is None else ("reached" if row.holds else "MISSED")
        cells.append((row.what, row.ours, row.yardstick, against, row.aim, verdict))
    widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
    for number, line in enumerate(cells):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


# --- processes ---------------------------------------------------------------------------------------------

MAU = [sys.executable, "-m", "mau_cli.main"]


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process used: seconds of wall clock, seconds of CPU, bytes of memory at its peak."""

    wall: float
    cpu: float
    memory: int


# The peak that a process is told of counts its parent's memory before exec, too; so a small parent starts it.
_LAUNCHER = """
import json, os, resource, subprocess, sys, time
started = time.perf_counter()
code = subprocess.call(sys.argv[2:])
wall = time.perf_counter() - started
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as out:
    json.dump([wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024], out)
sys.exit(code)
"""


def spend(words: Sequence[str], environment: Mapping[str, str], report: str) -> Spent:
    """Run a program to its end and say what it used; ``report`` is a path for a note of it."""
    import json
    from pathlib import Path

    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", _LAUNCHER, report, *words],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return Spent(*json.loads(Path(report).read_text()))


def cpu_of(words: Sequence[str], environment: Mapping[str, str]) -> float:
    """Seconds of CPU that a program takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        words,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def environment_of(home: os.PathLike[str], passphrase: str) -> dict[str, str]:
    """This environment with a home of its own, where compiled code is kept as pip keeps it."""
    refused = ("MAU_", "XDG_", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(refused)}
    return kept | {
        "HOME": os.fspath(home),
        "MAU_PASSPHRASE": passphrase,
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "PYTHONPYCACHEPREFIX": os.path.join(home, "compiled"),  # noqa: PTH118 - a string
    }
