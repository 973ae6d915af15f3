"""Names of hosts that strangers tell: they may lead to the internet only (spec/finding.md N68)."""

from __future__ import annotations

import asyncio
import socket

from mau.errors import PeerUnreachable
from mau.hostport import Address, scope_of


async def on_the_internet(host: str, port: int) -> Address:
    """An address that a name stands for; PeerUnreachable when there is none on the internet."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise PeerUnreachable("its host name is not known") from error
    for *_, place in found:
        if scope_of(str(place[0])) == "global":
            return str(place[0]), port
    raise PeerUnreachable("its host name leads to no place on the internet")
