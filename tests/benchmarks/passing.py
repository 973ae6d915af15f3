"""One pass over everybody who is followed, in a process of its own: ``... tests.benchmarks.passing FRIENDS``.

As the worker does it: so many rounds at once. Prints as JSON the seconds of wall clock and CPU that the pass
took, and the most memory that the process had, in bytes.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from pathlib import Path

from mau import Account, Fingerprint, Keyring, Root
from mau.syncer import Syncer, SyncReport
from mau.syncer.worker import AT_ONCE


async def _everybody(syncer: Syncer, authors: list[Fingerprint]) -> list[SyncReport]:
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(author: Fingerprint) -> SyncReport:
        async with turns:
            return await syncer.sync(author)

    return list(await asyncio.gather(*map(one, authors)))


def main() -> None:
    """Open the account of MAU_DIR with MAU_PASSPHRASE and ask everybody who has an address."""
    account = Account.open(Root.find(), os.environ["MAU_PASSPHRASE"])
    syncer = Syncer(account, Keyring.load(account))
    authors = [one for one in account.root.follows(account.fingerprint) if syncer.book.addresses(one)]
    assert len(authors) >= int(sys.argv[1]), len(authors)
    started, cpu = time.perf_counter(), time.process_time()
    reports = asyncio.run(_everybody(syncer, sorted(authors)))
    took = {"wall": time.perf_counter() - started, "cpu": time.process_time() - cpu}
    syncer.close()
    for report in reports:
        assert report.problem is None, report.problem
        assert not report.fetched, report.fetched[:3]
    status = Path("/proc/self/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak is not None
    print(json.dumps({**took, "memory": int(peak[1]) * 1024}))


if __name__ == "__main__":
    main()
