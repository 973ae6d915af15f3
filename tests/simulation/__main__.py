"""``python -m tests.simulation``: measure lookups in a network of many peers, and print the table."""

from __future__ import annotations

import argparse

from tests.simulation.scenarios import rows


def main() -> None:
    """Print the table of spec/kademlia.md for other numbers."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=main.__doc__)
    parser.add_argument("--peers", type=int, default=2000, help="up to 10,000 take some minutes (2000)")
    parser.add_argument("--lookups", type=int, default=500, help="of each row (500)")
    parser.add_argument("--seed", type=int, default=1, help="the same numbers give the same table (1)")
    parser.add_argument("--only", default="", metavar="WORDS", help="rows with these words in their name")
    options = parser.parse_args()
    for line in rows(peers=options.peers, lookups=options.lookups, seed=options.seed, only=options.only):
        print(line, flush=True)


if __name__ == "__main__":
    main()
