"""Looks for people in the lookup network, as JSON: ``looking.py TREE OWN [--fresh NODE] FPR ...``.

The table is the one that `mau up` of the same tree keeps in the address book. With ``--fresh FPR@HOST:PORT``
it is empty for each of them, and the search begins at that node alone.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import tempfile
import time
from pathlib import Path

from mau.addressbook import AddressBook
from mau.finder.nodes import Nodes
from mau.finder.pool import Pool
from mau.fingerprint import Fingerprint
from mau.hostport import format_address, parse_address
from mau.kademlia import Node
from mau.tree.layout import Root


async def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("tree", type=Path)
    parser.add_argument("own", type=Fingerprint.parse)
    parser.add_argument("--fresh", metavar="FPR@HOST:PORT")
    parser.add_argument("people", nargs="+", type=Fingerprint.parse)
    given = parser.parse_args()
    begin = []
    if given.fresh:
        who, _, where = given.fresh.partition("@")
        begin = [Node(Fingerprint.parse(who), *parse_address(where))]
    async with Pool(None) as pool:
        for person in given.people:
            with tempfile.TemporaryDirectory() as nowhere:
                tree = Path(nowhere) if given.fresh else given.tree
                with contextlib.closing(AddressBook(Root(tree))) as book:
                    nodes = Nodes(given.own, book, pool, friends=lambda: begin)
                    began = time.perf_counter()
                    lookup = await nodes.look_up(person)
                    spent = time.perf_counter() - began
            found = None if lookup.proven is None else format_address(lookup.proven.address)
            print(json.dumps({"who": person.hex, "at": found, "seconds": spent, "asked": lookup.asked}))
        print(json.dumps({"opened": pool.opened, "asked": pool.asked}))


asyncio.run(_main())
