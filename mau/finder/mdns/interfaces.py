"""The local networks that this machine is in now, and being told when that changes."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from mau.finder.mdns.network import IPInterface, Network

_WANTED_FLAGS: Final = 0x1 | 0x40 | 0x1000  # up, running, multicast
_UNWANTED_FLAGS: Final = 0x8 | 0x10  # loopback; point-to-point, which is a tunnel and no local network
_DISCARD: Final = 9


def current_networks() -> list[Network]:
    """The networks of this machine, in the order of its interfaces; OSError when the system does not say.

    Left out are loopback, tunnels, and interfaces without an address that is ready.
    """
    found = _of_linux() if sys.platform == "linux" else _of_others()
    return sorted(found, key=lambda network: (network.index, network.interface))


def _of_linux() -> list[Network]:
    from mau.finder.mdns import netlink

    own: dict[int, list[IPInterface]] = {}
    for index, address in netlink.addresses(netlink.dump(netlink.GETADDR)):
        own.setdefault(index, []).append(address)
    routers = list(netlink.routers(netlink.dump(netlink.GETROUTE)))
    hardware = {
        (index, address): text for index, address, text in netlink.neighbours(netlink.dump(netlink.GETNEIGH))
    }
    networks = []
    for link in netlink.links(netlink.dump(netlink.GETLINK)):
        if link.flags & _WANTED_FLAGS != _WANTED_FLAGS or link.flags & _UNWANTED_FLAGS:
            continue
        if link.index not in own:
            continue
        # The router of IPv4 names the network; where there is none, that of IPv6.
        here = sorted((router for index, router in routers if index == link.index), key=_order)
        router = hardware.get((link.index, here[0])) if here else ""
        networks.append(Network(link.name, link.index, tuple(sorted(own[link.index], key=str)), router))
    return networks


def _order(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> tuple[int, int]:
    return address.version, int(address)


def _of_others() -> list[Network]:
    """Without the router, which is not asked for here: such a network has no name."""
    import ifaddr

    networks = []
    for adapter in ifaddr.get_adapters():
        own: list[IPInterface] = []
        for one in adapter.ips:
            text = one.ip if isinstance(one.ip, str) else one.ip[0]
            own.append(ipaddress.ip_interface(f"{text.partition('%')[0]}/{one.network_prefix}"))
        own = [address for address in own if not address.ip.is_loopback and address.network.prefixlen]
        if own and adapter.index is not None:
            networks.append(Network(adapter.name, adapter.index, tuple(sorted(own, key=str)), None))
    return networks


def call_router(network: Network) -> None:
    """Have the kernel find out the hardware address of the default router there (N21).

    It does so when something is sent to it: an empty datagram to the port that discards (RFC 863).
    """
    from mau.finder.mdns import netlink

    with contextlib.suppress(OSError):
        for index, router in netlink.routers(netlink.dump(netlink.GETROUTE)):
            if index != network.index:
                continue
            family = socket.AF_INET if router.version == 4 else socket.AF_INET6
            with socket.socket(family, socket.SOCK_DGRAM) as sender, contextlib.suppress(OSError):
                sender.setblocking(False)
                place = (str(router), _DISCARD)
                sender.sendto(b"", place if router.version == 4 else (*place, 0, index))


def known_networks(patience: float = 1.0) -> list[Network]:
    """As `current_networks`, after asking routers that are not known yet, for at most that many seconds."""
    until = time.monotonic() + patience
    while True:
        networks = current_networks()
        unknown = [network for network in networks if network.router is None]
        if not unknown or time.monotonic() >= until or sys.platform != "linux":
            return networks
        for network in unknown:
            call_router(network)
        time.sleep(0.05)


@contextlib.asynccontextmanager
async def changes(settle: float = 0.1) -> AsyncIterator[Callable[[float], Awaitable[None]]]:
    """Yields ``await wait(seconds)``: until the networks may have changed, or that time has passed.

    ``settle``: seconds for which it then waits for more of the same. A change that the kernel did not tell
    (its queue was full, or another system) is found when the time has passed.
    """
    changed = asyncio.Event()

    async def wait(seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await changed.wait()
                await asyncio.sleep(settle)
        changed.clear()

    if sys.platform != "linux":
        yield wait
        return
    from mau.finder.mdns import netlink

    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0) as kernel:
        kernel.bind((0, netlink.GROUPS))

        def tell() -> None:
            with contextlib.suppress(OSError):  # ENOBUFS: it dropped some, which is a change as well
                while kernel.recv(1 << 16):
                    pass
            changed.set()

        loop.add_reader(kernel, tell)
        try:
            yield wait
        finally:
            loop.remove_reader(kernel)
