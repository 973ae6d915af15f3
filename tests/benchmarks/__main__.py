"""``python -m tests.benchmarks``: measure, and print the table."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.benchmarks.measure import Row
    from tests.benchmarks.world import World

CHECKOUT = Path(__file__).parents[2]
PARTS = (
    "start",
    "posts",
    "sync",
    "listing",
    "serve",
    "pages",
    "delivery",
    "watching",
    "silence",
    "many",
    "large",
    "find",
    "reading",
    "search",
    "pictures",
)
ON_REQUEST = ("watching", "silence", "many", "large", "find", "reading", "search", "pictures")


def main() -> int:
    """Run the parts that were asked for; 1 when an aim was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", help=f"some of {', '.join(PARTS)}; without {', '.join(ON_REQUEST)} by default"
    )
    parser.add_argument(
        "--rounds", type=int, default=9, help="how often each is measured (default: %(default)s)"
    )
    parser.add_argument("--large", action="store_true", help="also share and open a file of 500 MB")
    parser.add_argument("--place", help="a directory on the disk to measure on (default: the temporary one)")
    words = parser.parse_args()
    parts = set(words.parts or set(PARTS) - set(ON_REQUEST)) | ({"large"} if words.large else set())
    if parts - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(parts - set(PARTS)))}")

    sys.path.insert(0, str(CHECKOUT / "cmd"))
    os.environ["PYTHONPATH"] = os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "cmd")])
    warnings.simplefilter("ignore")
    from tests.benchmarks import measure, world

    rows = []
    with tempfile.TemporaryDirectory(prefix="mau-benchmarks-", dir=words.place) as place:
        people = world.make(Path(place))
        python = platform.python_version()
        load = os.getloadavg()[0]
        print(f"Python {python}, {os.cpu_count()} cores, medians of {words.rounds} rounds", end="")
        print(f", load {load:.1f} before it began\n", flush=True)
        for part in (part for part in PARTS if part in parts):
            print(f"measuring: {part}", file=sys.stderr, flush=True)
            rows += _part(part)(people, words.rounds)
        print(file=sys.stderr)
        measure.show(rows)
    return 1 if any(row.holds is False for row in rows) else 0


def _part(name: str) -> Callable[[World, int], list[Row]]:
    """Import late: a part that is not measured need not be there."""
    if name == "many":
        from tests.benchmarks.pages import run_many

        return run_many
    module = import_module(f"tests.benchmarks.{name}")
    run: Callable[[World, int], list[Row]] = module.run
    return run


if __name__ == "__main__":
    sys.exit(main())
