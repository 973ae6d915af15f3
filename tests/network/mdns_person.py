"""Somebody in the local network, as a process.

    mdns_person.py FPR PORT|- off|trusted|everywhere [NETWORK ...] [wanted:FPR ...]

It says ``at NETWORK ...`` when it listens, and again whenever that changes, and each change that it hears as
``+ FPR HOST PORT SECONDS`` or ``- ...``, with the seconds since it began. It ends on SIGTERM.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from typing import cast

from mau.finder.mdns import Mdns, Networks
from mau.finder.mdns.network import Mode
from mau.fingerprint import Fingerprint
from mau.hostport import Address


async def main(own: str, port: str, mode: str, *trusted: str) -> None:
    began = time.monotonic()

    def heard(fingerprint: Fingerprint, address: Address, present: bool) -> None:
        spent = time.monotonic() - began
        print("+" if present else "-", fingerprint.hex, *address, f"{spent:.3f}")

    number = None if port == "-" else int(port)
    wanted = {one.removeprefix("wanted:") for one in trusted if one.startswith("wanted:")}
    networks = Networks.of(cast("Mode", mode), trusted)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Mdns(
        Fingerprint.parse(own),
        number,
        networks=networks,
        heard=heard,
        wanted=lambda fingerprint: fingerprint.hex in wanted,
    ) as mdns:
        said: tuple[str, ...] | None = None
        while not stop.is_set():
            at = tuple(f"{one.interface}={one.name}" for one in mdns.active)
            if at != said:
                print("at", *at, "")
                said = at
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 0.1)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
