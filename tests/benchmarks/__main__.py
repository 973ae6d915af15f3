"""``python -m tests.benchmarks``: measure, and print the table."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import warnings
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
PARTS = ("start", "posts", "sync", "listing", "large")


def main() -> int:
    """Run the parts that were asked for; 1 when an aim was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"some of {', '.join(PARTS)}; all but large by default")
    parser.add_argument(
        "--rounds", type=int, default=9, help="how often each is measured (default: %(default)s)"
    )
    parser.add_argument("--large", action="store_true", help="also share and open a file of 500 MB")
    parser.add_argument("--place", help="a directory on the disk to measure on (default: the temporary one)")
    words = parser.parse_args()
    parts = set(words.parts or PARTS[:-1]) | ({"large"} if words.large else set())
    if parts - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(parts - set(PARTS)))}")

    sys.path.insert(0, str(CHECKOUT / "cmd"))
    os.environ["PYTHONPATH"] = os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "cmd")])
    warnings.simplefilter("ignore")
    from tests.benchmarks import measure, network, posts, starting, world

    with tempfile.TemporaryDirectory(prefix="mau-benchmarks-", dir=words.place) as place:
        people = world.make(Path(place))
        print(
            f"Python {platform.python_version()}, {os.cpu_count()} cores, medians of {words.rounds} rounds\n"
        )
        few = max(3, words.rounds // 3)
        rows = []
        for part, run in (
            ("start", lambda: starting.run(people, words.rounds)),
            ("posts", lambda: posts.run(people, words.rounds)),
            ("sync", lambda: network.sync(people, few)),
            ("listing", lambda: network.listing(people, few)),
            ("large", lambda: network.large(people)),
        ):
            if part in parts:
                print(f"measuring: {part}", file=sys.stderr, flush=True)
                rows += run()
        measure.show(rows)
    return 1 if any(row.holds is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
