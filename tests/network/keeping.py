"""Keeps a port open and says each change as a line of JSON: ``keeping.py PORT [--lease N] [METHOD ...]``.

Serves on that port at every address, IPv4 and IPv6; each caller gets the address that he comes from. SIGTERM
ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from typing import cast

from mau.finder.ports import Mapping, Method, Pace, PortKeeper, explain
from mau.hostport import format_address


async def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--lease", type=int, default=3600)
    parser.add_argument("--look", type=float, default=0.2)
    parser.add_argument("--check", type=float, default=60.0)
    parser.add_argument("--retry", type=float, default=0.5)
    parser.add_argument("methods", nargs="*", default=["pcp", "natpmp", "upnp"])
    given = parser.parse_intermixed_args()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    def say(mappings: tuple[Mapping, ...]) -> None:
        told = {one.method: [format_address(one.external), one.public] for one in mappings}
        state = keeper.state
        print(json.dumps({"mappings": told, "looked": state.looked, "words": explain(state)}), flush=True)

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(str(writer.get_extra_info("peername")[0]).removeprefix("::ffff:").encode())
        await writer.drain()
        writer.close()

    pace = Pace(look=given.look, check=given.check, retry=given.retry, longest=1.0, shortest=0.2)
    methods = [cast(Method, one) for one in given.methods]
    keeper = PortKeeper(given.port, methods=methods, lease=given.lease, on_change=say, pace=pace)
    server = await asyncio.start_server(answer, None, given.port)
    async with server:
        await keeper.run(stop)


asyncio.run(_main())
