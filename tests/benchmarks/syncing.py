"""One sync in a process of its own: ``python -m tests.benchmarks.syncing AUTHOR HOST PORT`` (see sync.py).

Prints as JSON the seconds and the seconds of CPU that the sync itself took, without the start of Python.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time

from mau import Account, Fingerprint, Keyring, Root, sync_once
from mau_cli.turns import short_turns


def main() -> None:
    """Open the account of MAU_DIR with MAU_PASSPHRASE and sync, as `mau sync` does it."""
    short_turns()
    author, host, port = sys.argv[1:]
    account = Account.open(Root.find(), os.environ["MAU_PASSPHRASE"])
    keyring = Keyring.load(account)
    started, cpu = time.perf_counter(), time.process_time()
    report = asyncio.run(sync_once(account, keyring, Fingerprint.parse(author), [(host, int(port))]))
    took = time.perf_counter() - started, time.process_time() - cpu
    assert report.problem is None, report.problem
    print(json.dumps(took))


if __name__ == "__main__":
    main()
