"""A server without limits in a process of its own: ``python -m tests.benchmarks.host`` (see serve.py).

Serves the account of MAU_DIR, says where on stdout, and ends with its stdin.
"""

from __future__ import annotations

import asyncio
import os
import sys

from mau import Account, Keyring, Root
from mau.server.limits import Limits, Rate
from mau.server.server import Server

PLENTY = Rate(1e9, 1e9)
UNLIMITED = Limits(
    friend=PLENTY, everyone=PLENTY, handshakes=PLENTY, connections=2000, connections_per_address=2000
)


async def _serve() -> None:
    account = Account.open(Root.find(), os.environ["MAU_PASSPHRASE"])
    server = Server(account, Keyring.load(account), limits=UNLIMITED)
    await server.start("127.0.0.1", 0)
    print(server.address[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(grace=0)


if __name__ == "__main__":
    asyncio.run(_serve())
